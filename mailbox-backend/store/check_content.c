/* Reads every message: the checksum of each piece, and whether it unpacks to what it was. */
#include <inttypes.h>
#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/store/check.h"

#define READ_BYTES (256u << 10)
#define BAD_MOST 1024u /* whose messages are named */

struct reading {
    struct check *check;
    uint64_t id; /* of the content that is read */
    uint8_t *bytes;
    uint64_t bad[BAD_MOST]; /* in order */
    size_t bad_count;
};

/* Opens the first content at or behind id; one whose row is damaged, which another pass tells, is left
   out (*content is NULL). ERR_NOT_FOUND at the end. */
static enum err_code open_next(struct reading *reading, struct store_content **content,
                               struct err *err)
{
    struct tx tx = check_tx(reading->check, 0);
    struct key key = key_content(reading->id);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &tx, TABLE_CONTENT, PREFIX_NONE, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    if (scan.key.length == 8 && (code == ERR_NONE || code == ERR_CORRUPT))
        reading->id = get_u64(scan.key.data);
    else if (code == ERR_CORRUPT)
        code = ERR_NOT_FOUND; /* a damaged page, which has been told */
    scan_end(&scan);
    if (code == ERR_CORRUPT)
        return ERR_NONE;
    if (code == ERR_NONE)
        code = content_open(reading->check->database, &tx, reading->id, content, err);
    return code;
}

static enum err_code read_all(struct reading *reading, struct store_content *content,
                              struct err *err)
{
    uint64_t offset = 0;
    size_t got = 1;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && got > 0) {
        code = store_content_read(content, offset, reading->bytes, READ_BYTES, &got, err);
        offset += got;
    }
    reading->check->result->bytes += offset;
    return code;
}

/* Opens and reads the content at or behind reading->id. ERR_CORRUPT: err says what is wrong with it;
   the snapshot has ended in any case. */
static enum err_code read_next(struct reading *reading, struct err *err)
{
    struct store_content *content = NULL;
    enum err_code code = check_slice_begin(reading->check, err);

    if (code != ERR_NONE)
        return code;
    code = open_next(reading, &content, err);
    index_read_end(&reading->check->txn);
    if (code == ERR_NONE && content != NULL) {
        code = read_all(reading, content, err);
        store_content_close(&content);
    }
    if (code == ERR_NOT_FOUND || code == ERR_NONE)
        return code;
    return code == ERR_CORRUPT || code == ERR_UNAVAILABLE ? ERR_CORRUPT : code;
}

/* A content that cannot be read: once more, since it may have moved or gone meanwhile. */
static enum err_code read_again(struct reading *reading, struct err *err)
{
    struct check *check = reading->check;
    uint64_t id = reading->id;
    struct err why = {0};
    enum err_code code = read_next(reading, &why);

    if (code != ERR_CORRUPT || reading->id != id) {
        reading->id = id;
        return ERR_NONE;
    }
    code = check_slice_begin(check, err);
    if (code != ERR_NONE)
        return code;
    check_report(check, (struct check_place){0}, ADVICE_RESTORE,
                 "content %" PRIu64 " cannot be read: %s", id, why.text);
    if (reading->bad_count < BAD_MOST)
        reading->bad[reading->bad_count++] = id;
    return check_slice_end(check, err);
}

/* ---- whose messages they are ---- */

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

static void name_item(const struct store_item *item, struct check_place place, void *context)
{
    struct reading *reading = context;

    if (bsearch(&item->content_id, reading->bad, reading->bad_count, sizeof(reading->bad[0]),
                by_number) == NULL)
        return;
    if (place.folder == 0)
        check_report(reading->check, place, ADVICE_RESTORE,
                     "a recoverable message cannot be read (content %" PRIu64 ")",
                     item->content_id);
    else
        check_report(reading->check, place, ADVICE_RESTORE,
                     "the message cannot be read (content %" PRIu64 ")", item->content_id);
}

/* ---- the pass ---- */

enum err_code check_content(struct check *check, struct err *err)
{
    struct reading *reading = mem_alloc(sizeof(*reading));
    enum err_code code = ERR_NONE;

    reading->check = check;
    reading->bytes = mem_alloc(READ_BYTES);
    while (code == ERR_NONE) {
        code = read_next(reading, err);
        if (code == ERR_CORRUPT)
            code = read_again(reading, err);
        else if (code == ERR_NONE)
            code = check_slice_end(check, err); /* the pause follows the reading too */
        reading->id++;
    }
    if (code == ERR_NOT_FOUND)
        code = reading->bad_count > 0 ? check_each_item(check, name_item, reading, err) : ERR_NONE;
    free(reading->bytes);
    free(reading);
    return code;
}
