#include "mailbox-backend/remote/imap_response.h"

#include <string.h>

#include "common/str.h"
#include "mailbox-backend/remote/imap_fetch.h"

/* Reading one response. */
struct reading {
    struct imap_scan *scan;
    const struct imap_listener *listener;
    struct err *err;
};

static enum err_code tell(const struct reading *reading, const struct imap_event *event)
{
    if (reading->listener == NULL)
        return ERR_NONE;
    return reading->listener->event(reading->listener->context, event, reading->err);
}

static enum err_code tell_number(const struct reading *reading, enum imap_event_kind kind,
                                 uint64_t number)
{
    const struct imap_event event = {.kind = kind, .number = number};

    return tell(reading, &event);
}

static enum err_code end_line(const struct reading *reading)
{
    return imap_scan_line(reading->scan, true, NULL, 0, reading->err);
}

/* Takes spaces; *more is false at the line's end. */
static enum err_code next_value(const struct reading *reading, bool *more)
{
    bool was = true;
    char next = '\0';
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && was)
        code = imap_scan_try(reading->scan, ' ', &was, reading->err);
    if (code == ERR_NONE)
        code = imap_scan_peek(reading->scan, &next, reading->err);
    *more = code == ERR_NONE && next != '\r' && next != '\n';
    return code;
}

/* ---- numbers by name: response codes, STATUS ---- */

static const struct {
    const char *word;
    enum imap_event_kind kind;
} numbers[] = {
    {"MESSAGES",      IMAP_EXISTS       },
    {"UIDVALIDITY",   IMAP_UIDVALIDITY  },
    {"UIDNEXT",       IMAP_UIDNEXT      },
    {"HIGHESTMODSEQ", IMAP_HIGHESTMODSEQ},
};

static int find_number(const char *word)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (str_is_nocase(str_of(word), numbers[i].word))
            return (int)i;
    }
    return -1;
}

static enum err_code read_named_number(const struct reading *reading, int which)
{
    uint64_t number;
    enum err_code code = imap_scan_expect(reading->scan, ' ', reading->err);

    if (code == ERR_NONE)
        code = imap_scan_number(reading->scan, &number, reading->err);
    return code == ERR_NONE ? tell_number(reading, numbers[which].kind, number) : code;
}

static enum err_code read_capabilities(const struct reading *reading, const char *stops)
{
    enum err_code code = ERR_NONE;
    bool more;

    while (code == ERR_NONE && (code = next_value(reading, &more)) == ERR_NONE && more) {
        char word[64], next;
        const struct imap_event event = {.kind = IMAP_CAPABILITY, .text = word};

        code = imap_scan_peek(reading->scan, &next, reading->err);
        if (code != ERR_NONE || strchr(stops, next) != NULL)
            return code;
        code = imap_scan_word(reading->scan, stops, word, sizeof(word), NULL, reading->err);
        if (code == ERR_NONE)
            code = tell(reading, &event);
    }
    return code;
}

/* "[UIDNEXT 7] ": up to the bracket that ends it. */
static enum err_code read_code(const struct reading *reading, char *word, size_t room)
{
    enum err_code code = imap_scan_expect(reading->scan, '[', reading->err);
    int which;
    char next;

    if (code == ERR_NONE)
        code = imap_scan_word(reading->scan, "]", word, room, NULL, reading->err);
    for (char *at = word; *at != '\0'; at++)
        *at = str_upper(*at);
    which = find_number(word);
    if (code == ERR_NONE && which >= 0)
        code = read_named_number(reading, which);
    else if (code == ERR_NONE && strcmp(word, "CAPABILITY") == 0)
        code = read_capabilities(reading, "]");
    while (code == ERR_NONE &&
           (code = imap_scan_peek(reading->scan, &next, reading->err)) == ERR_NONE && next != ']') {
        if (next == '\r' || next == '\n')
            return ERR_NONE; /* a code that nothing ends: the line does */
        code = imap_scan_expect(reading->scan, next, reading->err);
    }
    return code == ERR_NONE ? imap_scan_expect(reading->scan, ']', reading->err) : code;
}

static enum err_code read_text(const struct reading *reading, struct imap_response *response)
{
    char next;
    bool more;
    enum err_code code = next_value(reading, &more);

    if (code == ERR_NONE)
        code = imap_scan_peek(reading->scan, &next, reading->err);
    if (code == ERR_NONE && next == '[')
        code = read_code(reading, response->code, sizeof(response->code));
    if (code == ERR_NONE)
        code = next_value(reading, &more);
    return code == ERR_NONE ? imap_scan_line(reading->scan, false, response->text,
                                             sizeof(response->text), reading->err)
                            : code;
}

/* ---- LIST, LSUB, NAMESPACE ---- */

static const struct {
    const char *word;
    unsigned bit;
} attributes[] = {
    {"\\Noselect",    IMAP_NOSELECT   },
    {"\\NonExistent", IMAP_NOSELECT   },
    {"\\Drafts",      IMAP_USE_DRAFTS },
    {"\\Sent",        IMAP_USE_SENT   },
    {"\\Junk",        IMAP_USE_JUNK   },
    {"\\Trash",       IMAP_USE_TRASH  },
    {"\\Archive",     IMAP_USE_ARCHIVE},
};

static enum err_code read_attributes(const struct reading *reading, unsigned *bits)
{
    enum err_code code = imap_scan_expect(reading->scan, '(', reading->err);
    bool is_over = false, more;

    *bits = 0;
    while (code == ERR_NONE && (code = next_value(reading, &more)) == ERR_NONE &&
           (code = imap_scan_try(reading->scan, ')', &is_over, reading->err)) == ERR_NONE &&
           !is_over) {
        char word[64];

        code = imap_scan_word(reading->scan, "", word, sizeof(word), NULL, reading->err);
        for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
            *bits |= str_is_nocase(str_of(word), attributes[i].word) ? attributes[i].bit : 0;
    }
    return code;
}

static enum err_code read_delimiter(const struct reading *reading, char *delimiter)
{
    char text[8], next;
    size_t length;
    bool whole;
    enum err_code code = imap_scan_expect(reading->scan, ' ', reading->err);

    *delimiter = '\0';
    if (code == ERR_NONE)
        code = imap_scan_peek(reading->scan, &next, reading->err);
    if (code != ERR_NONE)
        return code;
    if (next != '"')
        return imap_scan_skip(reading->scan, reading->err); /* NIL */
    code = imap_scan_text(reading->scan, text, sizeof(text), &length, &whole, reading->err);
    *delimiter = text[0];
    return code;
}

static enum err_code read_list(const struct reading *reading, enum imap_event_kind kind)
{
    char name[IMAP_NAME_MAX + 1];
    struct imap_event event = {.kind = kind, .name = name};
    size_t length = 0;
    bool whole = true, more;
    enum err_code code = next_value(reading, &more);

    if (code == ERR_NONE)
        code = read_attributes(reading, &event.attributes);
    if (code == ERR_NONE)
        code = read_delimiter(reading, &event.delimiter);
    if (code == ERR_NONE)
        code = imap_scan_expect(reading->scan, ' ', reading->err);
    if (code == ERR_NONE)
        code = imap_scan_text(reading->scan, name, sizeof(name), &length, &whole, reading->err);
    if (!whole || strlen(name) != length)
        name[0] = '\0';
    if (code == ERR_NONE)
        code = tell(reading, &event);
    return code == ERR_NONE ? end_line(reading) : code;
}

/* (("INBOX." ".")("" "/")) NIL NIL: the first is the user's own. */
static enum err_code read_namespace(const struct reading *reading)
{
    bool was = false, more;
    enum err_code code = next_value(reading, &more);

    if (code == ERR_NONE)
        code = imap_scan_try(reading->scan, '(', &was, reading->err);
    while (code == ERR_NONE && was) {
        char name[IMAP_NAME_MAX + 1], next;
        struct imap_event event = {.kind = IMAP_NAMESPACE, .name = name};
        size_t length;
        bool whole;

        code = imap_scan_try(reading->scan, '(', &was, reading->err);
        if (code != ERR_NONE || !was)
            break;
        code = imap_scan_text(reading->scan, name, sizeof(name), &length, &whole, reading->err);
        if (code == ERR_NONE)
            code = read_delimiter(reading, &event.delimiter);
        while (code == ERR_NONE &&
               (code = imap_scan_peek(reading->scan, &next, reading->err)) == ERR_NONE &&
               next != ')') /* extensions */
            code = next == ' ' ? imap_scan_expect(reading->scan, ' ', reading->err)
                               : imap_scan_skip(reading->scan, reading->err);
        if (code == ERR_NONE)
            code = imap_scan_expect(reading->scan, ')', reading->err);
        if (code == ERR_NONE && whole)
            code = tell(reading, &event);
    }
    return code == ERR_NONE ? end_line(reading) : code;
}

/* ---- STATUS, SEARCH, ESEARCH ---- */

static enum err_code read_status(const struct reading *reading)
{
    char word[64];
    bool was = false, more;
    int which;
    enum err_code code = next_value(reading, &more);

    if (code == ERR_NONE)
        code = imap_scan_skip(reading->scan, reading->err); /* the name that was asked for */
    if (code == ERR_NONE)
        code = next_value(reading, &more);
    if (code == ERR_NONE)
        code = imap_scan_expect(reading->scan, '(', reading->err);
    while (code == ERR_NONE && (code = next_value(reading, &more)) == ERR_NONE &&
           (code = imap_scan_try(reading->scan, ')', &was, reading->err)) == ERR_NONE && !was) {
        code = imap_scan_word(reading->scan, "", word, sizeof(word), NULL, reading->err);
        which = find_number(word);
        if (code == ERR_NONE && which >= 0)
            code = read_named_number(reading, which);
        else if (code == ERR_NONE && (code = next_value(reading, &more)) == ERR_NONE)
            code = imap_scan_skip(reading->scan, reading->err);
    }
    return code == ERR_NONE ? end_line(reading) : code;
}

/* "7" or "7:9", in which order ever. */
static enum err_code read_range(const struct reading *reading)
{
    struct imap_event event = {.kind = IMAP_FOUND};
    bool was = false;
    enum err_code code = imap_scan_number(reading->scan, &event.number, reading->err);

    event.last = event.number;
    if (code == ERR_NONE)
        code = imap_scan_try(reading->scan, ':', &was, reading->err);
    if (code == ERR_NONE && was)
        code = imap_scan_number(reading->scan, &event.last, reading->err);
    if (event.last < event.number) {
        uint64_t first = event.last;

        event.last = event.number;
        event.number = first;
    }
    if (code == ERR_NONE && (event.number == 0 || event.last > UINT32_MAX))
        return err_set(reading->err, ERR_UNAVAILABLE, "the other server gives impossible uids");
    return code == ERR_NONE ? tell(reading, &event) : code;
}

static enum err_code read_search(const struct reading *reading)
{
    enum err_code code;
    bool more;
    char next;

    while ((code = next_value(reading, &more)) == ERR_NONE && more) {
        code = imap_scan_peek(reading->scan, &next, reading->err);
        if (code != ERR_NONE || next < '0' || next > '9')
            break; /* (MODSEQ 7) */
        if ((code = read_range(reading)) != ERR_NONE)
            break;
    }
    return code == ERR_NONE ? end_line(reading) : code;
}

/* (TAG "A7") UID ALL 1:3,7 */
static enum err_code read_all(const struct reading *reading)
{
    enum err_code code = imap_scan_expect(reading->scan, ' ', reading->err);
    bool was = true;

    while (code == ERR_NONE && was && (code = read_range(reading)) == ERR_NONE)
        code = imap_scan_try(reading->scan, ',', &was, reading->err);
    return code;
}

static enum err_code read_esearch(const struct reading *reading)
{
    enum err_code code;
    bool more;
    char next;

    while ((code = next_value(reading, &more)) == ERR_NONE && more) {
        char word[64] = "";

        code = imap_scan_peek(reading->scan, &next, reading->err);
        if (code == ERR_NONE && next == '(')
            code = imap_scan_skip(reading->scan, reading->err);
        else if (code == ERR_NONE)
            code = imap_scan_word(reading->scan, "", word, sizeof(word), NULL, reading->err);
        if (code == ERR_NONE && str_is_nocase(str_of(word), "ALL"))
            code = read_all(reading);
        if (code != ERR_NONE)
            return code;
    }
    return code == ERR_NONE ? end_line(reading) : code;
}

/* ---- the whole ---- */

static enum err_code read_capability_line(const struct reading *reading)
{
    enum err_code code = read_capabilities(reading, "");

    return code == ERR_NONE ? end_line(reading) : code;
}

static enum err_code read_list_line(const struct reading *reading)
{
    return read_list(reading, IMAP_LIST);
}

static enum err_code read_lsub_line(const struct reading *reading)
{
    return read_list(reading, IMAP_LSUB);
}

static const struct {
    const char *word;
    enum err_code (*read)(const struct reading *reading);
} data[] = {
    {"CAPABILITY", read_capability_line},
    {"NAMESPACE",  read_namespace      },
    {"LIST",       read_list_line      },
    {"LSUB",       read_lsub_line      },
    {"STATUS",     read_status         },
    {"SEARCH",     read_search         },
    {"ESEARCH",    read_esearch        },
};

static enum err_code read_numbered(const struct reading *reading)
{
    uint64_t number;
    char word[32];
    enum err_code code = imap_scan_number(reading->scan, &number, reading->err);

    if (code == ERR_NONE)
        code = imap_scan_expect(reading->scan, ' ', reading->err);
    if (code == ERR_NONE)
        code = imap_scan_word(reading->scan, "", word, sizeof(word), NULL, reading->err);
    if (code == ERR_NONE && str_is_nocase(str_of(word), "EXISTS"))
        code = tell_number(reading, IMAP_EXISTS, number);
    if (code == ERR_NONE && str_is_nocase(str_of(word), "FETCH"))
        code = imap_fetch_read(reading->scan, reading->listener, reading->err);
    return code == ERR_NONE ? end_line(reading) : code;
}

static bool find_status(const char *word, enum imap_status *status)
{
    static const struct {
        const char *word;
        enum imap_status status;
    } known[] = {
        {"OK",      IMAP_OK     },
        {"NO",      IMAP_NO     },
        {"BAD",     IMAP_BAD    },
        {"BYE",     IMAP_BYE    },
        {"PREAUTH", IMAP_PREAUTH},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        *status = known[i].status;
        if (str_is_nocase(str_of(word), known[i].word))
            return true;
    }
    *status = IMAP_DATA;
    return false;
}

static enum err_code read_untagged(const struct reading *reading, struct imap_response *response)
{
    char word[32], next;
    enum err_code code = imap_scan_peek(reading->scan, &next, reading->err);

    if (code == ERR_NONE && next >= '0' && next <= '9')
        return read_numbered(reading);
    if (code == ERR_NONE)
        code = imap_scan_word(reading->scan, "", word, sizeof(word), NULL, reading->err);
    if (code != ERR_NONE)
        return code;
    if (find_status(word, &response->status))
        return read_text(reading, response);
    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        if (str_is_nocase(str_of(word), data[i].word))
            return data[i].read(reading);
    }
    return end_line(reading);
}

enum err_code imap_response_read(struct imap_scan *scan, const struct imap_listener *listener,
                                 struct imap_response *response, struct err *err)
{
    const struct reading reading = {scan, listener, err};
    char word[16];
    bool more;
    enum err_code code;

    *response = (struct imap_response){.status = IMAP_DATA};
    code = imap_scan_word(scan, "", response->tag, sizeof(response->tag), NULL, err);
    if (code == ERR_NONE && strcmp(response->tag, "+") == 0) {
        response->status = IMAP_CONTINUE;
        response->tag[0] = '\0';
        return read_text(&reading, response);
    }
    if (code == ERR_NONE)
        code = next_value(&reading, &more);
    if (code != ERR_NONE)
        return code;
    if (strcmp(response->tag, "*") == 0) {
        response->tag[0] = '\0';
        return read_untagged(&reading, response);
    }
    code = imap_scan_word(scan, "", word, sizeof(word), NULL, err);
    if (code == ERR_NONE && !find_status(word, &response->status))
        return err_set(err, ERR_UNAVAILABLE, "the other server's answer cannot be understood");
    return code == ERR_NONE ? read_text(&reading, response) : code;
}
