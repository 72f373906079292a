/* What a FETCH asks for. */
#include "mailbox-backend/imap4/fetch.h"

#include <inttypes.h>

static const struct {
    const char *word;
    enum fetch_kind kind;
    enum mime_section_kind section;
    bool sets_seen;
} words[] = {
    {"UID",           FETCH_UID,           0,                   false},
    {"FLAGS",         FETCH_FLAGS,         0,                   false},
    {"INTERNALDATE",  FETCH_INTERNALDATE,  0,                   false},
    {"RFC822.SIZE",   FETCH_SIZE,          0,                   false},
    {"ENVELOPE",      FETCH_ENVELOPE,      0,                   false},
    {"BODY",          FETCH_BODY,          0,                   false},
    {"BODYSTRUCTURE", FETCH_BODYSTRUCTURE, 0,                   false},
    {"RFC822",        FETCH_SECTION,       MIME_SECTION_WHOLE,  true },
    {"RFC822.HEADER", FETCH_SECTION,       MIME_SECTION_HEADER, false},
    {"RFC822.TEXT",   FETCH_SECTION,       MIME_SECTION_TEXT,   true },
    {"MODSEQ",        FETCH_MODSEQ,        0,                   false},
    {"EMAILID",       FETCH_EMAILID,       0,                   false},
    {"THREADID",      FETCH_THREADID,      0,                   false},
    {"SAVEDATE",      FETCH_SAVEDATE,      0,                   false},
    {"PREVIEW",       FETCH_PREVIEW,       0,                   false},
};

#define FAST (FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE)

static const struct {
    const char *word;
    unsigned kinds;
} macros[] = {
    {"FAST", FAST                              },
    {"ALL",  FAST | FETCH_ENVELOPE             },
    {"FULL", FAST | FETCH_ENVELOPE | FETCH_BODY},
};

/* The list while it is being read. */
struct reader {
    struct parse *parse;
    struct fetch_request *request;
    struct fetch_item **end;
};

static struct fetch_item *add(struct reader *reader, enum fetch_kind kind, struct str label)
{
    struct fetch_item *item = arena_alloc(reader->parse->arena, sizeof(*item));

    item->kind = kind;
    item->label = label;
    reader->request->kinds |= kind;
    *reader->end = item;
    reader->end = &item->next;
    return item;
}

/* Asked for twice it is told once. */
static void add_word(struct reader *reader, size_t n)
{
    struct str label = str_of(words[n].word);

    if (words[n].kind == FETCH_SECTION) {
        add(reader, FETCH_SECTION, label)->section.kind = words[n].section;
        reader->request->sets_seen |= words[n].sets_seen;
    } else if ((reader->request->kinds & words[n].kind) == 0) {
        add(reader, words[n].kind, label);
    }
}

static void add_kinds(struct reader *reader, unsigned kinds)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if ((kinds & words[i].kind) != 0)
            add_word(reader, i);
    }
}

/* ---- BODY[section]<origin.length> ---- */

static const char *const form_words[] = {
    [FETCH_AS_IT_IS] = "BODY",
    [FETCH_DECODED] = "BINARY",
    [FETCH_DECODED_SIZE] = "BINARY.SIZE",
};

static struct str section_label(struct arena *arena, const struct fetch_item *item)
{
    struct buf text = {0};
    struct str label;

    buf_printf(&text, "%s[", form_words[item->form]);
    mime_section_write(&item->section, &text);
    buf_byte(&text, ']');
    if (item->partial)
        buf_printf(&text, "<%" PRIu64 ">", item->origin);
    label = str_n(arena_copy(arena, buf_bytes(&text), buf_length(&text)), buf_length(&text));
    buf_release(&text);
    return label;
}

/* The message's own header, its text and all of it are found without its tree. */
static bool is_inside(const struct mime_section *section)
{
    return section->depth > 0;
}

static bool take_partial(struct parse *parse, struct fetch_item *item)
{
    item->partial = item->form != FETCH_DECODED_SIZE && parse_skip(parse, '<');
    if (!item->partial)
        return true;
    return parse_number64(parse, &item->origin) && parse_char(parse, '.') &&
           parse_nz_number64(parse, &item->length) && parse_char(parse, '>');
}

/* Behind the "[". */
static bool take_section(struct reader *reader, enum fetch_form form)
{
    struct parse *parse = reader->parse;
    struct fetch_item *item = add(reader, FETCH_SECTION, STR(""));
    const char *start = parse->at;
    struct err err;
    size_t used;

    if (mime_section_parse(parse->arena, parse_rest(parse), &used, &item->section, &err) !=
        ERR_NONE)
        return parse_fail(parse, parse->at,
                          arena_printf(parse->arena, "Invalid section: %s", err.text));
    parse_take(parse, used);
    if (form != FETCH_AS_IT_IS && item->section.kind != MIME_SECTION_WHOLE)
        return parse_fail(parse, start, "BINARY takes part numbers only");
    item->form = form;
    if (!take_partial(parse, item))
        return false;
    item->label = section_label(parse->arena, item);
    reader->request->needs_tree |= is_inside(&item->section);
    return true;
}

/* ---- PREVIEW (RFC 8970) ---- */

/* What else may stand in parentheses behind it are the modifiers of FETCH. */
static bool take_lazy(struct parse *parse)
{
    const char *start = parse->at;

    if (parse_skip(parse, ' ') && parse_skip(parse, '(') && parse_word(parse, "LAZY"))
        return true;
    parse->at = start;
    return false;
}

/* Asked for with LAZY and without, it is not lazy. */
static bool take_preview(struct reader *reader, bool first)
{
    struct parse *parse = reader->parse;
    bool lazy = take_lazy(parse);

    reader->request->lazy_preview = lazy && (first || reader->request->lazy_preview);
    while (lazy && parse_skip(parse, ' ')) {
        if (!parse_word(parse, "LAZY"))
            return parse_fail(parse, parse->at, "Unknown PREVIEW modifier");
    }
    return !lazy || parse_char(parse, ')');
}

/* ---- the whole ---- */

static const struct {
    const char *word; /* a "[" follows */
    enum fetch_form form;
    bool sets_seen;
} section_words[] = {
    {"BODY.PEEK",   FETCH_AS_IT_IS,     false},
    {"BODY",        FETCH_AS_IT_IS,     true },
    {"BINARY.PEEK", FETCH_DECODED,      false},
    {"BINARY",      FETCH_DECODED,      true },
    {"BINARY.SIZE", FETCH_DECODED_SIZE, false},
};

static bool take_item(struct reader *reader)
{
    struct parse *parse = reader->parse;
    const char *start = parse->at;

    for (size_t i = 0; i < sizeof(section_words) / sizeof(section_words[0]); i++) {
        if (parse_word(parse, section_words[i].word) && parse_skip(parse, '[')) {
            reader->request->sets_seen |= section_words[i].sets_seen;
            return take_section(reader, section_words[i].form);
        }
        parse->at = start;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (parse_word(parse, words[i].word)) {
            bool first = (reader->request->kinds & words[i].kind) == 0;

            add_word(reader, i);
            return words[i].kind != FETCH_PREVIEW || take_preview(reader, first);
        }
    }
    return parse_fail(parse, start, "There is no such FETCH item");
}

static bool take_list(struct reader *reader)
{
    do {
        if (!take_item(reader))
            return false;
    } while (parse_skip(reader->parse, ' '));
    return parse_char(reader->parse, ')');
}

static bool take_items(struct reader *reader)
{
    if (parse_skip(reader->parse, '('))
        return take_list(reader);
    for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++) {
        if (parse_word(reader->parse, macros[i].word)) {
            add_kinds(reader, macros[i].kinds);
            return true;
        }
    }
    return take_item(reader);
}

static bool take_modifier(struct parse *parse, struct fetch_request *request)
{
    if (!request->changed_since && parse_word(parse, "CHANGEDSINCE")) {
        request->changed_since = true;
        return parse_space(parse) && parse_modseq(parse, &request->modseq);
    }
    if (!request->vanished && parse_word(parse, "VANISHED")) {
        request->vanished = true;
        return true;
    }
    if (!request->partial && parse_word(parse, "PARTIAL")) {
        request->partial = true;
        return partial_take(parse, &request->part);
    }
    return parse_fail(parse, parse->at, "Unknown FETCH modifier");
}

static bool take_modifiers(struct parse *parse, struct fetch_request *request)
{
    if (parse_at_end(parse))
        return true;
    if (!parse_space(parse) || !parse_char(parse, '('))
        return false;
    do {
        if (!take_modifier(parse, request))
            return false;
    } while (parse_skip(parse, ' '));
    if (!parse_char(parse, ')'))
        return false;
    return !request->vanished || request->changed_since ||
           parse_fail(parse, parse->at, "VANISHED wants CHANGEDSINCE");
}

bool fetch_parse(struct parse *parse, bool with_uid, struct fetch_request *request)
{
    struct reader reader = {parse, request, &request->items};

    *request = (struct fetch_request){0};
    if (with_uid)
        add_kinds(&reader, FETCH_UID);
    if (!take_items(&reader) || !take_modifiers(parse, request))
        return false;
    if (request->changed_since)
        add_kinds(&reader, FETCH_MODSEQ);
    return true;
}

bool fetch_parse_list(struct parse *parse, struct fetch_request *request)
{
    struct reader reader = {parse, request, &request->items};

    *request = (struct fetch_request){0};
    add_kinds(&reader, FETCH_UID);
    return parse_char(parse, '(') && take_list(&reader);
}
