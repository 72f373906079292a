/* Walks over whole tables, a slice at a time. */
#include <inttypes.h>

#include "mailbox-backend/store/check.h"
#include "mailbox-backend/store/recoverable.h"

struct key check_key(const struct check_row *row)
{
    struct key key = {.length = row->key.length < KEY_MAX ? row->key.length : KEY_MAX};

    memcpy(key.bytes, row->key.data, key.length);
    return key;
}

struct walk {
    struct check *check;
    enum table table;
    struct key next; /* where the next slice begins */
    check_row_fn *visit;
    void *context;
};

/* The next slice begins just behind this row. */
static void set_next(struct walk *walk, const struct bytes *key)
{
    memcpy(walk->next.bytes, key->data, key->length);
    walk->next.bytes[key->length] = 0;
    walk->next.length = key->length + 1;
}

/* A page of the index itself is damaged: what lies behind cannot be reached. */
static void report_page(struct walk *walk, const struct err *err)
{
    check_report(
        walk->check, (struct check_place){0}, "stop the back end and run database rebuild",
        "the index file is damaged in its table %s (%s): the rest of the table cannot be read",
        table_name(walk->table), err->text);
}

static enum err_code slice(struct walk *walk, struct err *err)
{
    uint32_t mailbox = table_of_mailbox(walk->table) ? get_u32(walk->next.bytes) : 0;
    struct tx tx = check_tx(walk->check, mailbox);
    struct key from = walk->next;
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &tx, walk->table, PREFIX_NONE, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &from, err);
    while (code == ERR_NONE || code == ERR_CORRUPT) {
        struct check_row row = {scan.key, scan.value, code == ERR_CORRUPT};

        walk->visit(walk->check, &row, walk->context);
        set_next(walk, &scan.key);
        if (check_slice_is_over(walk->check))
            break;
        code = scan_next(&scan, err);
    }
    scan_end(&scan);
    if (code == ERR_UNAVAILABLE) {
        report_page(walk, err);
        return ERR_NOT_FOUND;
    }
    return code == ERR_CORRUPT ? ERR_NONE : code;
}

enum err_code check_walk(struct check *check, enum table table, struct key from,
                         check_row_fn *visit, void *context, struct err *err)
{
    struct walk walk = {
        .check = check, .table = table, .next = from, .visit = visit, .context = context};
    bool in_whole = check->whole; /* the caller's snapshot */
    enum err_code code = ERR_NONE;
    enum err_code ended = ERR_NONE;

    while (code == ERR_NONE && ended == ERR_NONE) {
        if (!in_whole)
            ended = check_slice_begin(check, err);
        if (ended == ERR_NONE)
            code = slice(&walk, err);
        if (!in_whole && ended == ERR_NONE)
            ended = check_slice_end(check, code == ERR_NONE || code == ERR_NOT_FOUND ? err : NULL);
    }
    if (code == ERR_NOT_FOUND)
        code = ERR_NONE;
    return ended != ERR_NONE ? ended : code;
}

/* ---- items ---- */

struct items {
    check_item_fn *visit;
    void *context;
};

static void visit_item(struct check *check, const struct check_row *row, void *context)
{
    struct items *items = context;
    struct check_place place;
    struct store_item item;

    (void)check;
    if (row->damaged || row->key.length != 12)
        return;
    place.mailbox = get_u32(row->key.data);
    place.folder = get_u32(row->key.data + 4);
    place.uid = get_u32(row->key.data + 8);
    if (place.uid != KEY_STATE && item_unpack(row->value, place.uid, &item))
        items->visit(&item, place, items->context);
}

static void visit_recoverable(struct check *check, const struct check_row *row, void *context)
{
    struct items *items = context;
    struct check_place place = {0};
    struct store_recoverable entry;

    (void)check;
    if (row->damaged || row->key.length != 18 || !recoverable_unpack(row->value, &entry))
        return;
    place.mailbox = get_u32(row->key.data);
    items->visit(&entry.item, place, items->context);
}

enum err_code check_each_item(struct check *check, check_item_fn *visit, void *context,
                              struct err *err)
{
    struct items items = {visit, context};
    enum err_code code = check_walk(check, TABLE_ITEM, key_first(), visit_item, &items, err);

    if (code == ERR_NONE)
        code = check_walk(check, TABLE_RECOVERABLE, key_first(), visit_recoverable, &items, err);
    return code;
}
