#include "mailbox-backend/mime/parameter.h"

#include <string.h>

#include "mailbox-backend/mime/charset.h"
#include "mailbox-backend/mime/encoded_word.h"
#include "mailbox-backend/mime/scan.h"

/* Moves behind the next semicolon that is not inside quotes or a comment. */
static bool skip_to_next(struct str *text)
{
    struct str ignored;

    for (;;) {
        scan_cfws(text, NULL);
        if (text->length == 0)
            return false;
        if (scan_quoted(text, &ignored))
            continue;
        if (scan_byte(text, ';'))
            return true;
        text->data++;
        text->length--;
    }
}

/* Whether nothing but comments stands between text and the end of the parameter. */
static bool ends_with_comment(struct str text)
{
    scan_cfws(&text, NULL);
    return text.length == 0 || text.data[0] == ';';
}

/* A value without quotes should be a token, but real ones hold spaces and specials: "us-ascii (plain)"
   ends with a comment, "Report (1).pdf" has none. */
static struct str take_bare_value(struct str *text)
{
    const char *begin = text->data;
    bool may_be_comment = true; /* so that many brackets are not looked behind again and again */

    while (text->length > 0 && text->data[0] != ';') {
        if (text->data[0] == '(' && may_be_comment) {
            if (ends_with_comment(*text))
                break;
            may_be_comment = false;
        }
        text->data++;
        text->length--;
    }
    return str_trim(str_n(begin, (size_t)(text->data - begin)));
}

static struct mime_param *parse_one(struct arena *arena, struct str *text)
{
    struct mime_param *param;
    struct str name;
    struct str inside;

    scan_cfws(text, NULL);
    if (!scan_token(text, &name))
        return NULL;
    scan_cfws(text, NULL);
    if (!scan_byte(text, '='))
        return NULL;
    scan_cfws(text, NULL);
    param = arena_alloc(arena, sizeof(*param));
    param->name = name;
    if (scan_quoted(text, &inside)) {
        char *value = arena_alloc(arena, inside.length + 1);

        param->value = str_n(value, scan_unescape(value, inside));
    } else {
        param->value = take_bare_value(text);
    }
    return param;
}

const struct mime_param *mime_params_parse(struct arena *arena, struct str text, unsigned max)
{
    const struct mime_param *first = NULL;
    const struct mime_param **end = &first;
    unsigned count = 0;

    while (count < max && skip_to_next(&text)) {
        struct mime_param *param = parse_one(arena, &text);

        if (param == NULL)
            continue;
        *end = param;
        end = &param->next;
        count++;
    }
    return first;
}

/* A parameter's name taken apart (RFC 2231 section 7). */
struct piece_name {
    struct str base;
    bool numbered;
    bool encoded;
    uint64_t number;
};

static struct piece_name take_apart(struct str name)
{
    struct piece_name piece = {.base = name};
    const char *star;
    struct str number;

    if (name.length > 1 && name.data[name.length - 1] == '*') {
        piece.encoded = true;
        piece.base.length--;
    }
    star = memchr(piece.base.data, '*', piece.base.length);
    if (star == NULL)
        return piece;
    number = str_n(star + 1, piece.base.length - (size_t)(star + 1 - piece.base.data));
    if (str_number(number, 9999, &piece.number) && (number.data[0] != '0' || number.length == 1)) {
        piece.numbered = true;
        piece.base.length -= number.length + 1;
    }
    return piece;
}

/* The pieces of one list while they are put together. */
struct piece {
    const struct mime_param *param;
    struct piece_name name;
    bool member;                     /* of a group */
    const struct mime_param *joined; /* what stands in its place */
};

struct joiner {
    struct arena *arena;
    struct piece *pieces;
    size_t count;
};

/* The next piece of the group that begins with first; NULL when there is none. */
static struct piece *find_piece(const struct joiner *joiner, const struct piece *first,
                                uint64_t number)
{
    for (size_t i = 0; i < joiner->count; i++) {
        struct piece *piece = &joiner->pieces[i];

        if (piece->name.numbered && piece->name.number == number &&
            str_equal_nocase(piece->name.base, first->name.base))
            return piece;
    }
    return NULL;
}

static bool is_attribute_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$&+-.^_`{|}~", c) != NULL);
}

static void append_percent(char *to, size_t *length, struct str value)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < value.length; i++) {
        unsigned char c = (unsigned char)value.data[i];

        if (is_attribute_char((char)c)) {
            to[(*length)++] = (char)c;
            continue;
        }
        to[(*length)++] = '%';
        to[(*length)++] = digits[c >> 4];
        to[(*length)++] = digits[c & 15];
    }
}

/* Marks the members of the group that begins with first. Tells whether one of them is
   percent-encoded, and in *size what the joined value needs at most. */
static bool mark_group(const struct joiner *joiner, struct piece *first, size_t *size)
{
    bool encoded = false;
    struct piece *piece;

    *size = 3;
    for (uint64_t number = 0; (piece = find_piece(joiner, first, number)) != NULL; number++) {
        piece->member = true;
        encoded = encoded || piece->name.encoded;
        *size += 3 * piece->param->value.length;
    }
    return encoded;
}

static void join_group(const struct joiner *joiner, struct piece *first)
{
    struct mime_param *joined = arena_alloc(joiner->arena, sizeof(*joined));
    struct str base = first->name.base;
    const struct piece *piece;
    size_t length = 0;
    size_t size;
    bool encoded = mark_group(joiner, first, &size);
    char *value = arena_alloc(joiner->arena, size);

    if (encoded && !first->name.encoded) {
        value[length++] = '\''; /* no charset, */
        value[length++] = '\''; /* no language */
    }
    for (uint64_t number = 0; (piece = find_piece(joiner, first, number)) != NULL; number++) {
        struct str text = piece->param->value;

        if (encoded && !piece->name.encoded) {
            append_percent(value, &length, text);
        } else {
            memcpy(value + length, text.data, text.length);
            length += text.length;
        }
    }
    joined->name = str_of(
        arena_printf(joiner->arena, "%.*s%s", (int)base.length, base.data, encoded ? "*" : ""));
    joined->value = str_n(value, length);
    first->joined = joined;
}

static void join_groups(const struct joiner *joiner)
{
    for (size_t i = 0; i < joiner->count; i++) {
        struct piece *piece = &joiner->pieces[i];

        if (piece->name.numbered && piece->name.number == 0 &&
            find_piece(joiner, piece, 0) == piece)
            join_group(joiner, piece);
    }
}

static void take_pieces(struct joiner *joiner, const struct mime_param *params)
{
    for (const struct mime_param *param = params; param != NULL; param = param->next)
        joiner->count++;
    joiner->pieces = arena_array(joiner->arena, joiner->count, sizeof(*joiner->pieces));
    for (size_t i = 0; i < joiner->count; i++, params = params->next) {
        joiner->pieces[i].param = params;
        joiner->pieces[i].name = take_apart(params->name);
    }
}

const struct mime_param *mime_params_join(struct arena *arena, const struct mime_param *params)
{
    struct joiner joiner = {.arena = arena};
    const struct mime_param *first = NULL;
    const struct mime_param **end = &first;

    take_pieces(&joiner, params);
    join_groups(&joiner);
    for (size_t i = 0; i < joiner.count; i++) {
        const struct piece *piece = &joiner.pieces[i];
        const struct mime_param *from = piece->joined != NULL ? piece->joined : piece->param;
        struct mime_param *copy;

        if (piece->member && piece->joined == NULL)
            continue; /* it stands where its group began */
        copy = arena_alloc(arena, sizeof(*copy));
        copy->name = from->name;
        copy->value = from->value;
        *end = copy;
        end = &copy->next;
    }
    return first;
}

static int hex_value(char c)
{
    c = str_lower(c);
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct str percent_decode(struct arena *arena, struct str text)
{
    char *to = arena_alloc(arena, text.length + 1);
    size_t length = 0;

    for (size_t i = 0; i < text.length; i++) {
        int high = i + 2 < text.length && text.data[i] == '%' ? hex_value(text.data[i + 1]) : -1;
        int low = high < 0 ? -1 : hex_value(text.data[i + 2]);

        if (low < 0) {
            to[length++] = text.data[i];
            continue;
        }
        to[length++] = (char)(high << 4 | low);
        i += 2;
    }
    return str_n(to, length);
}

/* charset'language'value */
static void decode_extended(struct arena *arena, struct str text, struct buf *out)
{
    const char *quote = text.length == 0 ? NULL : memchr(text.data, '\'', text.length);
    struct str charset = {NULL, 0};

    if (quote != NULL) {
        struct str rest = str_n(quote + 1, text.length - (size_t)(quote + 1 - text.data));
        const char *second = rest.length == 0 ? NULL : memchr(rest.data, '\'', rest.length);

        if (second != NULL) {
            charset = str_n(text.data, (size_t)(quote - text.data));
            text = str_n(second + 1, rest.length - (size_t)(second + 1 - rest.data));
        }
    }
    text = percent_decode(arena, text);
    if (charset_convert(charset, text, out, NULL) != ERR_NONE)
        charset_convert(STR("utf-8"), text, out, NULL);
}

bool mime_param_decode(const struct mime_param *params, const char *name, struct buf *out)
{
    const struct mime_param *plain = NULL;
    struct arena arena = {0};
    bool found = false;

    params = mime_params_join(&arena, params);
    for (; params != NULL && !found; params = params->next) {
        struct str base = params->name;

        if (plain == NULL && str_is_nocase(base, name))
            plain = params;
        if (base.length == 0 || base.data[--base.length] != '*' || !str_is_nocase(base, name))
            continue;
        decode_extended(&arena, params->value, out);
        found = true;
    }
    if (!found && plain != NULL)
        mime_words_decode(plain->value, out);
    arena_reset(&arena);
    return found || plain != NULL;
}
