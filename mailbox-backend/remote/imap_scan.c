#include "mailbox-backend/remote/imap_scan.h"

#include <string.h>

#include "common/str.h"

#define DEPTH_MAX 64 /* parentheses within one another */

static enum err_code nonsense(struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE, "the other server's answer cannot be understood");
}

static enum err_code fill(struct imap_scan *scan, struct err *err)
{
    enum err_code code;

    if (scan->at < scan->end)
        return ERR_NONE;
    scan->at = scan->end = 0;
    code = scan->read(scan->context, scan->bytes, sizeof(scan->bytes), &scan->end, err);
    if (code != ERR_NONE)
        scan->end = 0;
    scan->octets += scan->end;
    return code;
}

enum err_code imap_scan_peek(struct imap_scan *scan, char *byte, struct err *err)
{
    enum err_code code = fill(scan, err);

    *byte = code == ERR_NONE ? scan->bytes[scan->at] : '\0';
    return code;
}

enum err_code imap_scan_try(struct imap_scan *scan, char byte, bool *was, struct err *err)
{
    char next;
    enum err_code code = imap_scan_peek(scan, &next, err);

    *was = code == ERR_NONE && next == byte;
    scan->at += *was;
    return code;
}

enum err_code imap_scan_expect(struct imap_scan *scan, char byte, struct err *err)
{
    bool was;
    enum err_code code = imap_scan_try(scan, byte, &was, err);

    return code == ERR_NONE && !was ? nonsense(err) : code;
}

enum err_code imap_scan_word(struct imap_scan *scan, const char *stops, char *word, size_t room,
                             bool *whole, struct err *err)
{
    size_t length = 0, kept = 0;
    char next = '\0';
    enum err_code code;

    while ((code = imap_scan_peek(scan, &next, err)) == ERR_NONE && next != '\0' &&
           strchr(" ()\r\n", next) == NULL && strchr(stops, next) == NULL) {
        scan->at++;
        length++;
        if (kept + 1 < room)
            word[kept++] = next;
    }
    word[kept] = '\0';
    if (whole != NULL)
        *whole = length == kept;
    return code == ERR_NONE && length == 0 ? nonsense(err) : code;
}

enum err_code imap_scan_number(struct imap_scan *scan, uint64_t *number, struct err *err)
{
    unsigned digits = 0;
    char next;
    enum err_code code;

    *number = 0;
    while ((code = imap_scan_peek(scan, &next, err)) == ERR_NONE && next >= '0' && next <= '9') {
        unsigned digit = (unsigned)(next - '0');

        if (*number > (UINT64_MAX - digit) / 10)
            return nonsense(err);
        *number = *number * 10 + digit;
        digits++;
        scan->at++;
    }
    return code == ERR_NONE && digits == 0 ? nonsense(err) : code;
}

/* ---- strings ---- */

static enum err_code quoted(struct imap_scan *scan, imap_sink *sink, void *context, struct err *err)
{
    enum err_code code = imap_scan_expect(scan, '"', err);
    char next;

    while (code == ERR_NONE && (code = imap_scan_peek(scan, &next, err)) == ERR_NONE) {
        scan->at++;
        if (next == '"')
            return ERR_NONE;
        if (next == '\\' && (code = imap_scan_peek(scan, &next, err)) == ERR_NONE)
            scan->at++;
        else if (next == '\r' || next == '\n')
            return nonsense(err);
        if (code == ERR_NONE)
            code = sink(context, &next, 1, err);
    }
    return code;
}

/* "{123}", "{123+}" and the line's end, which some servers leave without CR. */
static enum err_code literal_head(struct imap_scan *scan, uint64_t *length, struct err *err)
{
    enum err_code code = imap_scan_expect(scan, '{', err);
    bool was;

    if (code == ERR_NONE)
        code = imap_scan_number(scan, length, err);
    if (code == ERR_NONE)
        code = imap_scan_try(scan, '+', &was, err);
    if (code == ERR_NONE)
        code = imap_scan_expect(scan, '}', err);
    if (code == ERR_NONE)
        code = imap_scan_try(scan, '\r', &was, err);
    return code == ERR_NONE ? imap_scan_expect(scan, '\n', err) : code;
}

static enum err_code take_bytes(struct imap_scan *scan, uint64_t left, imap_sink *sink,
                                void *context, struct err *err)
{
    enum err_code code = ERR_NONE;

    while (left > 0 && code == ERR_NONE && (code = fill(scan, err)) == ERR_NONE) {
        size_t have = scan->end - scan->at;
        size_t now = have < left ? have : (size_t)left;

        if (sink != NULL)
            code = sink(context, scan->bytes + scan->at, now, err);
        scan->at += now;
        left -= now;
    }
    return code;
}

static enum err_code bare(struct imap_scan *scan, imap_sink *sink, void *context, bool *is_nil,
                          struct err *err)
{
    char word[1024];
    bool whole;
    enum err_code code = imap_scan_word(scan, "", word, sizeof(word), &whole, err);

    if (code != ERR_NONE)
        return code;
    *is_nil = str_is_nocase(str_of(word), "NIL");
    if (!whole)
        return nonsense(err);
    return *is_nil ? ERR_NONE : sink(context, word, strlen(word), err);
}

enum err_code imap_scan_string(struct imap_scan *scan, imap_sink *sink, void *context, bool *is_nil,
                               struct err *err)
{
    uint64_t length;
    bool is_binary = false;
    char next;
    enum err_code code = imap_scan_peek(scan, &next, err);

    *is_nil = false;
    if (code == ERR_NONE && next == '"')
        return quoted(scan, sink, context, err);
    if (code == ERR_NONE && next == '~')
        code = imap_scan_try(scan, '~', &is_binary, err);
    if (code == ERR_NONE)
        code = imap_scan_peek(scan, &next, err);
    if (code == ERR_NONE && (is_binary || next == '{')) {
        code = literal_head(scan, &length, err);
        return code == ERR_NONE ? take_bytes(scan, length, sink, context, err) : code;
    }
    return code == ERR_NONE ? bare(scan, sink, context, is_nil, err) : code;
}

struct text {
    char *bytes;
    size_t room, used;
    bool whole;
};

static enum err_code keep(void *context, const char *bytes, size_t length, struct err *err)
{
    struct text *text = context;
    size_t free_bytes = text->room - 1 - text->used;
    size_t now = length < free_bytes ? length : free_bytes;

    (void)err;
    memcpy(text->bytes + text->used, bytes, now);
    text->used += now;
    text->whole &= now == length;
    return ERR_NONE;
}

enum err_code imap_scan_text(struct imap_scan *scan, char *bytes, size_t room, size_t *length,
                             bool *whole, struct err *err)
{
    struct text text = {.bytes = bytes, .room = room, .whole = true};
    bool is_nil;
    enum err_code code = imap_scan_string(scan, keep, &text, &is_nil, err);

    bytes[text.used] = '\0';
    *length = text.used;
    *whole = text.whole;
    return code;
}

/* ---- what is not wanted ---- */

static enum err_code drop(void *context, const char *bytes, size_t length, struct err *err)
{
    (void)context, (void)bytes, (void)length, (void)err;
    return ERR_NONE;
}

/* A word may be of any length here. */
static enum err_code skip_one(struct imap_scan *scan, char next, struct err *err)
{
    char word[64];
    bool is_nil;

    if (next == '"' || next == '{' || next == '~')
        return imap_scan_string(scan, drop, NULL, &is_nil, err);
    return imap_scan_word(scan, "", word, sizeof(word), NULL, err);
}

enum err_code imap_scan_skip(struct imap_scan *scan, struct err *err)
{
    unsigned depth = 0;
    char next;
    enum err_code code;

    do {
        code = imap_scan_peek(scan, &next, err);
        if (code == ERR_NONE && next == '(') {
            scan->at++;
            depth++;
        } else if (code == ERR_NONE && depth > 0 && (next == ')' || next == ' ')) {
            scan->at++;
            depth -= next == ')';
        } else if (code == ERR_NONE) {
            code = skip_one(scan, next, err);
        }
    } while (code == ERR_NONE && depth > 0 && depth <= DEPTH_MAX);
    return code == ERR_NONE && depth > 0 ? nonsense(err) : code;
}

/* Whether what was read of the line ends with "{123}", and what number that is. */
struct tail {
    uint64_t length;
    enum { TAIL_NONE, TAIL_OPEN, TAIL_DIGITS, TAIL_PLUS, TAIL_CLOSED } state;
};

static void follow(struct tail *tail, char byte)
{
    bool is_digit = byte >= '0' && byte <= '9';

    if (byte == '\r' && tail->state == TAIL_CLOSED)
        return;
    if (byte == '{') {
        *tail = (struct tail){.state = TAIL_OPEN};
    } else if (is_digit && (tail->state == TAIL_OPEN || tail->state == TAIL_DIGITS) &&
               tail->length < UINT64_MAX / 20) {
        tail->length = tail->length * 10 + (unsigned)(byte - '0');
        tail->state = TAIL_DIGITS;
    } else if (byte == '+' && tail->state == TAIL_DIGITS) {
        tail->state = TAIL_PLUS;
    } else if (byte == '}' && (tail->state == TAIL_DIGITS || tail->state == TAIL_PLUS)) {
        tail->state = TAIL_CLOSED;
    } else {
        tail->state = TAIL_NONE;
    }
}

enum err_code imap_scan_line(struct imap_scan *scan, bool literals, char *text, size_t room,
                             struct err *err)
{
    struct tail tail = {0};
    size_t used = 0;
    char next;
    enum err_code code;

    while ((code = imap_scan_peek(scan, &next, err)) == ERR_NONE) {
        scan->at++;
        if (next == '\n') {
            if (!literals || tail.state != TAIL_CLOSED)
                break;
            code = take_bytes(scan, tail.length, NULL, NULL, err);
            if (code != ERR_NONE)
                break;
            tail = (struct tail){0};
            continue;
        }
        follow(&tail, next);
        if (used + 1 < room && next != '\r')
            text[used++] = next >= ' ' && next <= '~' ? next : '?';
    }
    if (room > 0)
        text[used] = '\0';
    return code;
}
