#include "mailbox-backend/remote/imap_fetch.h"

#include <string.h>

#include "common/str.h"
#include "mailbox-backend/mime/date.h"

struct fetching {
    struct imap_scan *scan;
    const struct imap_listener *listener;
    struct imap_fetch fetch;
    struct err *err;
};

/* ---- flags ---- */

static const struct {
    const char *word;
    unsigned bit;
} system_flags[] = {
    {"\\Seen",     IMAP_SEEN    },
    {"\\Answered", IMAP_ANSWERED},
    {"\\Flagged",  IMAP_FLAGGED },
    {"\\Deleted",  IMAP_DELETED },
    {"\\Draft",    IMAP_DRAFT   },
};

static void note_flag(struct imap_fetch *fetch, const char *word)
{
    for (size_t i = 0; i < sizeof(system_flags) / sizeof(system_flags[0]); i++)
        fetch->flags |= str_is_nocase(str_of(word), system_flags[i].word) ? system_flags[i].bit : 0;
    if (word[0] == '\\' || fetch->keyword_count == IMAP_KEYWORDS_MAX)
        return;
    for (unsigned i = 0; i < fetch->keyword_count; i++) {
        if (str_is_nocase(str_of(word), fetch->keywords[i]))
            return;
    }
    strcpy(fetch->keywords[fetch->keyword_count++], word);
}

static enum err_code read_flags(struct fetching *fetching)
{
    enum err_code code = imap_scan_expect(fetching->scan, '(', fetching->err);
    bool is_over = false, was;

    fetching->fetch.has_flags = true;
    while (code == ERR_NONE &&
           (code = imap_scan_try(fetching->scan, ' ', &was, fetching->err)) == ERR_NONE &&
           (code = imap_scan_try(fetching->scan, ')', &is_over, fetching->err)) == ERR_NONE &&
           !is_over) {
        char word[IMAP_KEYWORD_SIZE];
        bool whole;

        code = imap_scan_word(fetching->scan, "", word, sizeof(word), &whole, fetching->err);
        if (code == ERR_NONE && whole)
            note_flag(&fetching->fetch, word);
    }
    return code;
}

/* ---- the others ---- */

static enum err_code read_uid(struct fetching *fetching)
{
    uint64_t number;
    enum err_code code = imap_scan_number(fetching->scan, &number, fetching->err);

    fetching->fetch.uid = code == ERR_NONE && number <= UINT32_MAX ? (uint32_t)number : 0;
    return code;
}

static enum err_code read_size(struct fetching *fetching)
{
    return imap_scan_number(fetching->scan, &fetching->fetch.size, fetching->err);
}

static enum err_code read_date(struct fetching *fetching)
{
    char text[64];
    size_t length;
    bool whole;
    struct mime_date date;
    enum err_code code =
        imap_scan_text(fetching->scan, text, sizeof(text), &length, &whole, fetching->err);

    if (code == ERR_NONE && imap_date_time_parse(str_n(text, length), &date)) {
        fetching->fetch.date = date.utc;
        fetching->fetch.zone = date.zone_minutes;
    }
    return code;
}

static enum err_code pass(void *context, const char *bytes, size_t length, struct err *err)
{
    const struct fetching *fetching = context;
    const struct imap_event event = {.kind = IMAP_BODY, .text = bytes, .length = length};

    if (fetching->listener == NULL)
        return ERR_NONE;
    return fetching->listener->event(fetching->listener->context, &event, err);
}

/* A quoted string comes in single bytes; it is seldom, and short. */
static enum err_code read_body(struct fetching *fetching)
{
    bool is_nil;
    enum err_code code = imap_scan_string(fetching->scan, pass, fetching, &is_nil, fetching->err);

    fetching->fetch.has_body = !is_nil;
    fetching->fetch.has_empty_body = is_nil;
    return code;
}

static enum err_code skip(struct fetching *fetching)
{
    return imap_scan_skip(fetching->scan, fetching->err);
}

static const struct {
    const char *word;
    enum err_code (*read)(struct fetching *fetching);
} items[] = {
    {"UID",          read_uid  },
    {"FLAGS",        read_flags},
    {"INTERNALDATE", read_date },
    {"RFC822.SIZE",  read_size },
    {"BODY[]",       read_body },
};

/* The name of an item may have blanks and parentheses in its brackets: BODY[HEADER.FIELDS (TO)]. */
static enum err_code read_name(struct fetching *fetching, char *word, size_t room)
{
    enum err_code code = imap_scan_word(fetching->scan, "[", word, room - 2, NULL, fetching->err);
    bool was = false, is_empty = true;
    char next;

    if (code == ERR_NONE)
        code = imap_scan_try(fetching->scan, '[', &was, fetching->err);
    if (code != ERR_NONE || !was)
        return code;
    while ((code = imap_scan_peek(fetching->scan, &next, fetching->err)) == ERR_NONE &&
           next != ']' && next != '\n') {
        is_empty = false;
        if ((code = imap_scan_expect(fetching->scan, next, fetching->err)) != ERR_NONE)
            return code;
    }
    if (code == ERR_NONE)
        code = imap_scan_expect(fetching->scan, ']', fetching->err);
    strcat(word, is_empty ? "[]" : "[");
    return code;
}

static enum err_code read_item(struct fetching *fetching)
{
    char word[40];
    enum err_code (*read)(struct fetching * fetching) = skip;
    enum err_code code = read_name(fetching, word, sizeof(word));

    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
        read = str_is_nocase(str_of(word), items[i].word) ? items[i].read : read;
    if (code == ERR_NONE)
        code = imap_scan_expect(fetching->scan, ' ', fetching->err);
    return code == ERR_NONE ? read(fetching) : code;
}

enum err_code imap_fetch_read(struct imap_scan *scan, const struct imap_listener *listener,
                              struct err *err)
{
    struct fetching fetching = {.scan = scan, .listener = listener, .err = err};
    const struct imap_event event = {.kind = IMAP_FETCH, .fetch = &fetching.fetch};
    bool is_over = false, was;
    enum err_code code = imap_scan_expect(scan, ' ', err);

    if (code == ERR_NONE)
        code = imap_scan_expect(scan, '(', err);
    while (code == ERR_NONE && (code = imap_scan_try(scan, ' ', &was, err)) == ERR_NONE &&
           (code = imap_scan_try(scan, ')', &is_over, err)) == ERR_NONE && !is_over)
        code = read_item(&fetching);
    if (code == ERR_NONE && listener != NULL)
        code = listener->event(listener->context, &event, err);
    return code;
}
