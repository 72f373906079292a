/* Untagged data about folders: LIST, LSUB, NAMESPACE. */
#include <string.h>

#include "common/str.h"
#include "mailbox-backend/remote/imap_reading.h"

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

static enum err_code read_attributes(const struct imap_reading *reading, unsigned *bits)
{
    enum err_code code = imap_scan_expect(reading->scan, '(', reading->err);
    bool is_over = false, more;

    *bits = 0;
    while (code == ERR_NONE && (code = imap_next_value(reading, &more)) == ERR_NONE &&
           (code = imap_scan_try(reading->scan, ')', &is_over, reading->err)) == ERR_NONE &&
           !is_over) {
        char word[64];

        code = imap_scan_word(reading->scan, "", word, sizeof(word), NULL, reading->err);
        for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
            *bits |= str_is_nocase(str_of(word), attributes[i].word) ? attributes[i].bit : 0;
    }
    return code;
}

static enum err_code read_delimiter(const struct imap_reading *reading, char *delimiter)
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

static enum err_code read_list(const struct imap_reading *reading, enum imap_event_kind kind)
{
    char name[IMAP_NAME_MAX + 1];
    struct imap_event event = {.kind = kind, .name = name};
    size_t length = 0;
    bool whole = true, more;
    enum err_code code = imap_next_value(reading, &more);

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
        code = imap_tell(reading, &event);
    return code == ERR_NONE ? imap_end_line(reading) : code;
}

enum err_code imap_read_list(const struct imap_reading *reading)
{
    return read_list(reading, IMAP_LIST);
}

enum err_code imap_read_lsub(const struct imap_reading *reading)
{
    return read_list(reading, IMAP_LSUB);
}

/* (("INBOX." ".")("" "/")) NIL NIL: the first is the user's own. */
enum err_code imap_read_namespace(const struct imap_reading *reading)
{
    bool was = false, more;
    enum err_code code = imap_next_value(reading, &more);

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
            code = imap_tell(reading, &event);
    }
    return code == ERR_NONE ? imap_end_line(reading) : code;
}
