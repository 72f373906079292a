/* Who has a property: for what is to be known of all mailboxes without opening each. */
#include <string.h>

#include "mailbox-backend/store/mount.h"

#define SEEKS 4096u /* of one snapshot */

struct search {
    struct tx tx;
    struct str name;
    struct store_holder *at; /* the next place to look at */
    unsigned left;           /* seeks */
};

/* The row that a walk stands on, at or behind the place: whether it is what is sought, and else the place to
   go on at. Properties of items and of the mailbox itself, which stand under folder 0, are passed over. */
static bool arrive(struct search *search, const struct tx_scan *scan)
{
    uint32_t mailbox = get_u32(scan->key.data);
    uint32_t folder = get_u32(scan->key.data + 4);
    struct str name =
        str_n(scan->key.data + PREFIX_PROPERTIES, scan->key.length - PREFIX_PROPERTIES);
    bool is_same = mailbox == search->at->mailbox && folder == search->at->folder;

    if (is_same && str_equal(name, search->name))
        return true;
    if (mailbox != search->at->mailbox)
        *search->at = (struct store_holder){.mailbox = mailbox, .folder = folder == 0 ? 1 : folder};
    else
        search->at->folder = is_same ? folder + 1 : folder;
    return false;
}

static enum err_code seek(struct search *search, bool *found, struct bytes *value, struct err *err)
{
    struct key key = key_property(search->at->folder, 0, search->name);
    struct tx_scan scan;
    enum err_code code;

    search->tx.mailbox = search->at->mailbox;
    code = scan_begin(&scan, &search->tx, TABLE_PROPERTY, PREFIX_NONE, err);
    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    if (code == ERR_NONE || code == ERR_CORRUPT) {
        *found = arrive(search, &scan);
        *value = scan.value;
        if (*found && code == ERR_CORRUPT) { /* whoever opens the folder is told of it */
            *found = false;
            search->at->folder++;
        }
        code = ERR_NONE;
    }
    scan_end(&scan);
    return code;
}

static enum err_code find_guid(struct search *search, struct err *err)
{
    struct key key = key_number(search->at->mailbox);
    struct mailbox_record record;
    struct bytes row;
    enum err_code code = tx_get(&search->tx, TABLE_MAILBOX, &key, &row, err);

    if (code == ERR_NONE && !mailbox_unpack(row, &record))
        code = tx_bad_row(&search->tx, TABLE_MAILBOX, err);
    if (code == ERR_NONE)
        search->at->guid = record.guid;
    return code;
}

/* Copies the value, which is good until the snapshot ends. */
static enum err_code take(struct search *search, struct bytes found, uint8_t *value, size_t room,
                          size_t *length, struct err *err)
{
    enum err_code code = find_guid(search, err);

    if (code == ERR_NONE && found.length <= room) {
        memcpy(value, found.data, found.length);
        *length = found.length;
    }
    return code == ERR_NOT_FOUND || code == ERR_CORRUPT ? ERR_NONE : code;
}

enum err_code store_holder_next(struct store *store, unsigned database, const char *name,
                                struct store_holder *at, uint8_t *value, size_t room,
                                size_t *length, struct err *err)
{
    struct search search = {.name = str_of(name), .at = at, .left = SEEKS};
    struct database *opened;
    struct bytes row = {0};
    bool found = false;
    enum err_code code = store_mounted(store, database, &opened, err);

    *length = 0;
    if (code == ERR_NONE)
        code = index_read_begin(opened->index, &search.tx.txn, err);
    if (code != ERR_NONE)
        return code;
    at->folder++;
    while (code == ERR_NONE && !found && search.left-- > 0)
        code = seek(&search, &found, &row, err);
    if (code == ERR_NONE && found)
        code = take(&search, row, value, room, length, err);
    else
        at->folder--; /* it was not looked at yet */
    index_read_end(&search.tx.txn);
    return code;
}
