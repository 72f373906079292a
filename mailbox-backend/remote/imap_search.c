/* Untagged data about what is in a folder: STATUS, SEARCH, ESEARCH. */
#include "common/str.h"
#include "mailbox-backend/remote/imap_reading.h"

enum err_code imap_read_status(const struct imap_reading *reading)
{
    char word[64];
    bool was = false, more;
    int which;
    enum err_code code = imap_next_value(reading, &more);

    if (code == ERR_NONE)
        code = imap_scan_skip(reading->scan, reading->err); /* the name that was asked for */
    if (code == ERR_NONE)
        code = imap_next_value(reading, &more);
    if (code == ERR_NONE)
        code = imap_scan_expect(reading->scan, '(', reading->err);
    while (code == ERR_NONE && (code = imap_next_value(reading, &more)) == ERR_NONE &&
           (code = imap_scan_try(reading->scan, ')', &was, reading->err)) == ERR_NONE && !was) {
        code = imap_scan_word(reading->scan, "", word, sizeof(word), NULL, reading->err);
        which = imap_find_number(word);
        if (code == ERR_NONE && which >= 0)
            code = imap_read_named_number(reading, which);
        else if (code == ERR_NONE && (code = imap_next_value(reading, &more)) == ERR_NONE)
            code = imap_scan_skip(reading->scan, reading->err);
    }
    return code == ERR_NONE ? imap_end_line(reading) : code;
}

/* "7" or "7:9", in which order ever. */
static enum err_code read_range(const struct imap_reading *reading)
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
    return code == ERR_NONE ? imap_tell(reading, &event) : code;
}

enum err_code imap_read_search(const struct imap_reading *reading)
{
    enum err_code code;
    bool more;
    char next;

    while ((code = imap_next_value(reading, &more)) == ERR_NONE && more) {
        code = imap_scan_peek(reading->scan, &next, reading->err);
        if (code != ERR_NONE || next < '0' || next > '9')
            break; /* (MODSEQ 7) */
        if ((code = read_range(reading)) != ERR_NONE)
            break;
    }
    return code == ERR_NONE ? imap_end_line(reading) : code;
}

/* (TAG "A7") UID ALL 1:3,7 */
static enum err_code read_all(const struct imap_reading *reading)
{
    enum err_code code = imap_scan_expect(reading->scan, ' ', reading->err);
    bool was = true;

    while (code == ERR_NONE && was && (code = read_range(reading)) == ERR_NONE)
        code = imap_scan_try(reading->scan, ',', &was, reading->err);
    return code;
}

enum err_code imap_read_esearch(const struct imap_reading *reading)
{
    enum err_code code;
    bool more;
    char next;

    while ((code = imap_next_value(reading, &more)) == ERR_NONE && more) {
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
    return code == ERR_NONE ? imap_end_line(reading) : code;
}
