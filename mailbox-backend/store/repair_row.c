/* Single rows that are damaged or that nothing needs, of all tables but those of items. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mailbox-backend/store/folder.h"
#include "mailbox-backend/store/pending.h"
#include "mailbox-backend/store/repair.h"

/* ---- rows that can be done without ---- */

static enum err_code drop(struct mend_run *run, const char *what, struct err *err)
{
    enum err_code code = mend_remove_row(run, run->mend->table, run->mend->key, err);

    if (code == ERR_NONE)
        mend_say(run, "%s", what);
    return code;
}

/* True when the row is there and its checksum is right. */
static bool is_readable(struct mend_run *run, struct bytes *row)
{
    struct key key = run->mend->key;

    return tx_get(&run->tx, run->mend->table, &key, row, NULL) == ERR_NONE;
}

static enum err_code mend_property(struct mend_run *run, struct err *err)
{
    const struct key *key = &run->mend->key;
    struct bytes row;
    int length = key->length > PREFIX_PROPERTIES ? (int)(key->length - PREFIX_PROPERTIES) : 0;
    enum err_code code;

    if (is_readable(run, &row) && row.length <= STORE_PROPERTY_MAX)
        return ERR_NONE;
    code = drop(run, "the property is lost", err);
    mend_say(run, "its name is \"%.*s\"", length, (const char *)key->bytes + PREFIX_PROPERTIES);
    return code;
}

static enum err_code mend_name(struct mend_run *run, struct err *err)
{
    struct str name = {(const char *)run->mend->key.bytes + PREFIX_FOLDER,
                       run->mend->key.length - PREFIX_FOLDER};
    struct folder_record record;
    struct bytes row;

    if (is_readable(run, &row) && row.length == 4 &&
        folder_record_get(&run->tx, get_u32(row.data), &record, NULL) == ERR_NONE &&
        record.parent == run->mend->place.folder && str_equal(record.name, name))
        return ERR_NONE;
    return drop(run, "the name is removed; a folder that has it in its record gets it back", err);
}

/* ---- vanished ---- */

/* Below the floor whatever is absent counts as vanished: nothing is lost with the row. */
static enum err_code mend_vanished(struct mend_run *run, struct err *err)
{
    uint64_t modseq = get_u64(run->mend->key.bytes + 8);
    struct mailbox_slot *mailbox;
    struct folder_slot *slot;
    enum err_code code = mend_folder_slot(run, run->mend->place.folder, &mailbox, &slot, err);

    if (code == ERR_NONE)
        code = drop(run, "clients compare all uids instead, once", err);
    if (code != ERR_NONE)
        return code;
    batch_modseq(run->batch, slot, CHANGE_GONE);
    if (slot->state.vanished_floor < modseq)
        slot->state.vanished_floor = modseq;
    if (slot->state.vanished_rows > 0)
        slot->state.vanished_rows--;
    return ERR_NONE;
}

/* ---- keywords ---- */

static enum err_code put_keyword(struct mend_run *run, uint32_t folder, unsigned bit,
                                 struct err *err)
{
    struct key key = key_keyword(folder, (uint8_t)bit);
    char name[STORE_KEYWORD_NAME_MAX];
    int length = snprintf(name, sizeof(name), "recovered-%u", bit);

    mend_say(run, "the name of keyword %u is lost, it is called %s now", bit, name);
    return tx_put(&run->tx, TABLE_KEYWORD, &key, name, (size_t)length, err);
}

static bool is_named(struct mend_run *run, uint32_t folder, unsigned bit)
{
    struct key key = key_keyword(folder, (uint8_t)bit);
    struct bytes row;

    return tx_get(&run->tx, TABLE_KEYWORD, &key, &row, NULL) == ERR_NONE && row.length > 0 &&
           row.length <= STORE_KEYWORD_NAME_MAX;
}

static int highest_of(const uint64_t bits[2])
{
    if (bits[1] != 0)
        return 127 - __builtin_clzll(bits[1]);
    return bits[0] != 0 ? 63 - __builtin_clzll(bits[0]) : -1;
}

enum err_code mend_keywords(struct mend_run *run, struct folder_slot *slot, const uint64_t used[2],
                            struct err *err)
{
    int highest = highest_of(used);
    enum err_code code = ERR_NONE;

    for (int bit = STORE_KEYWORDS_MAX - 1; bit > highest; bit--)
        if (is_named(run, slot->folder, (unsigned)bit))
            highest = bit;
    for (int bit = 0; bit <= highest && code == ERR_NONE; bit++)
        if (!is_named(run, slot->folder, (unsigned)bit))
            code = put_keyword(run, slot->folder, (unsigned)bit, err);
    return code;
}

static enum err_code mend_keyword(struct mend_run *run, struct err *err)
{
    unsigned bit = run->mend->key.bytes[8];

    if (bit >= STORE_KEYWORDS_MAX)
        return drop(run, "there is no such keyword", err);
    if (is_named(run, run->mend->place.folder, bit))
        return ERR_NONE;
    return put_keyword(run, run->mend->place.folder, bit, err);
}

/* ---- GUIDs ---- */

/* The mailbox that calls the GUID its own. */
static enum err_code find_mailbox(struct mend_run *run, uint32_t *number, struct err *err)
{
    struct tx tx = {run->batch->txn, 0};
    struct key key = key_number(0);
    struct mailbox_record record;
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &tx, TABLE_MAILBOX, PREFIX_NONE, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    while (code == ERR_CORRUPT ||
           (code == ERR_NONE && (!mailbox_unpack(scan.value, &record) ||
                                 memcmp(record.guid.bytes, run->mend->key.bytes, 16) != 0)))
        code = scan_next(&scan, err);
    if (code == ERR_NONE)
        *number = get_u32(scan.key.data);
    scan_end(&scan);
    return code;
}

static enum err_code put_guid(struct mend_run *run, uint32_t number, struct err *err)
{
    struct key key = run->mend->key;
    uint8_t row[4];

    put_u32(row, number);
    mend_say(run, "the GUID leads to mailbox %" PRIu32 " now", number);
    return tx_put(&run->tx, TABLE_GUID, &key, row, sizeof(row), err);
}

static enum err_code mend_guid(struct mend_run *run, struct err *err)
{
    struct key key = run->mend->key;
    struct bytes row = {0};
    uint32_t number = 0;
    enum err_code code = find_mailbox(run, &number, err);

    if (code == ERR_NONE)
        return put_guid(run, number, err);
    if (code != ERR_NOT_FOUND)
        return code;
    code = tx_get(&run->tx, TABLE_GUID, &key, &row, err);
    if (code != ERR_NONE && code != ERR_CORRUPT)
        return code == ERR_NOT_FOUND ? ERR_NONE : code;
    number = row.length == 4 ? get_u32(row.data) : 0;
    if (mend_has_mailbox(run, number) || !mend_has_state(run, number, 0))
        return drop(run, "it leads to no mailbox", err);
    run->tx.mailbox = number; /* the mailbox's own row is lost, this one is not */
    code = code == ERR_CORRUPT ? put_guid(run, number, err) : ERR_NONE;
    return code == ERR_NONE ? mend_mailbox(run, err) : code;
}

static enum err_code mend_mailbox_row(struct mend_run *run, struct err *err)
{
    if (run->mend->key.length != 4)
        return ERR_NONE;
    run->tx.mailbox = get_u32(run->mend->key.bytes);
    return mend_mailbox(run, err);
}

/* ---- what is being removed ---- */

static enum err_code mend_pending(struct mend_run *run, struct err *err)
{
    uint32_t mailbox = get_u32(run->mend->key.bytes);
    uint32_t folder = get_u32(run->mend->key.bytes + 4);
    struct pending pending;
    struct bytes row;

    if (run->mend->key.length != 8)
        return drop(run, "it belongs to nothing", err);
    if ((is_readable(run, &row) && row.length >= 2) ||
        pending_next(run->batch->txn, mailbox, folder, &pending, err) != ERR_NONE)
        return ERR_NONE;
    mend_say(run, "what was begun there is brought to its end");
    return pending_put(run->batch, mailbox, folder, pending.kind, str_of(pending.name), err);
}

/* ---- segments ---- */

/* Memory has what the row had. */
static enum err_code mend_segment(struct mend_run *run, struct err *err)
{
    struct key key = run->mend->key;
    uint8_t row[DATABASE_MOST];

    if (key.length != 4)
        return drop(run, "there is no such segment", err);
    if (get_u32(key.bytes) == 0) {
        mend_say(run, "the row is written anew");
        return tx_put(&run->tx, TABLE_SEGMENT, &key, row, database_pack(row, &run->batch->record),
                      err);
    }
    if (!segments_rewrite_row(run->batch->database->segments, get_u32(key.bytes)))
        return drop(run, "there is no such segment", err);
    mend_say(run, "the row is written anew");
    return ERR_NONE;
}

/* ---- by table ---- */

static bool is_gone(struct mend_run *run)
{
    struct key key = run->mend->key;
    struct bytes row;

    return tx_get(&run->tx, run->mend->table, &key, &row, NULL) == ERR_NOT_FOUND;
}

enum err_code mend_row(struct mend_run *run, struct err *err)
{
    const struct check_place *place = &run->mend->place;

    if (is_gone(run))
        return ERR_NONE;
    if (place->mailbox != 0 && place->folder != 0 && run->mend->table != TABLE_FOLDER &&
        !mend_has_state(run, place->mailbox, place->folder))
        return drop(run, "it belonged to nothing", err);
    switch (run->mend->table) {
    case TABLE_SUMMARY:
        return drop(run, "it is computed from the message when it is asked for", err);
    case TABLE_BLOCK:
        return drop(run, "these uids are looked through instead", err);
    case TABLE_NAME:
        return mend_name(run, err);
    case TABLE_PROPERTY:
        return mend_property(run, err);
    case TABLE_VANISHED:
        return mend_vanished(run, err);
    case TABLE_KEYWORD:
        return mend_keyword(run, err);
    case TABLE_FOLDER:
        return mend_folder(run, err);
    case TABLE_GUID:
        return mend_guid(run, err);
    case TABLE_MAILBOX:
        return mend_mailbox_row(run, err);
    case TABLE_PENDING:
        return mend_pending(run, err);
    case TABLE_SEGMENT:
        return mend_segment(run, err);
    default:
        return ERR_NONE;
    }
}
