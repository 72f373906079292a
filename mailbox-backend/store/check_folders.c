/* The tables of folders beside their items: names, keywords, summaries, what has vanished … */
#include <inttypes.h>

#include "mailbox-backend/store/check.h"
#include "mailbox-backend/store/folder.h"
#include "mailbox-backend/store/recoverable.h"

/* The tables whose rows belong to folders; of others the mailbox alone is looked for. */
struct table_check {
    enum table table;
    size_t key_length; /* at least */
    bool of_folder;    /* the key's second number is a folder */
    void (*visit)(struct check *check, const struct check_row *row, struct check_place place);
};

static struct mend mend_folder(struct check_place place)
{
    return (struct mend){.kind = MEND_FOLDER, .place = place};
}

static struct mend mend_row(enum table table, const struct check_row *row, struct check_place place)
{
    return (struct mend){.kind = MEND_ROW, .table = table, .key = check_key(row), .place = place};
}

/* ---- names ---- */

static bool leads_to_root(const struct tx *tx, uint32_t folder)
{
    struct folder_record record;

    for (unsigned depth = 0; depth <= STORE_DEPTH_MAX + 1; depth++) {
        if (folder == STORE_ROOT_FOLDER)
            return true;
        if (folder_record_get(tx, folder, &record, NULL) != ERR_NONE)
            return false;
        folder = record.parent;
    }
    return false;
}

static void visit_folder(struct check *check, const struct check_row *row, struct check_place place)
{
    const struct mend mend = mend_folder(place);
    struct tx tx = check_tx(check, place.mailbox);
    struct folder_record record;
    uint32_t found = 0;
    enum err_code code;

    check->result->folders++;
    if (!folder_unpack(row->value, &record)) {
        check_report_mend(check, &mend, "the row of the folder is damaged");
        return;
    }
    if (place.folder == STORE_ROOT_FOLDER)
        return;
    code = folder_name_get(&tx, record.parent, record.name, &found, NULL);
    if (code == ERR_NOT_FOUND || (code == ERR_NONE && found != place.folder))
        check_report_mend(check, &mend, "the folder %.*s cannot be found by its name",
                          (int)record.name.length, record.name.data);
    if (!leads_to_root(&tx, place.folder))
        check_report_mend(check, &mend, "the folder %.*s is in no folder that leads to the top",
                          (int)record.name.length, record.name.data);
}

static void visit_name(struct check *check, const struct check_row *row, struct check_place place)
{
    const struct mend lost = mend_folder((struct check_place){
        place.mailbox, row->value.length == 4 ? get_u32(row->value.data) : 0, 0});
    const struct mend mend = mend_row(TABLE_NAME, row, place);
    struct tx tx = check_tx(check, place.mailbox);
    struct str name = {(const char *)row->key.data + 8, row->key.length - 8};
    struct folder_record record;
    uint32_t folder = lost.place.folder;
    enum err_code code = folder_record_get(&tx, folder, &record, NULL);

    if (code == ERR_NOT_FOUND && folder != 0 &&
        check_standing(check, place.mailbox, folder) == STANDING_LIVE)
        check_report_mend(check, &lost, "the record of the folder %.*s is missing",
                          (int)name.length, name.data);
    else if (code == ERR_NOT_FOUND ||
             (code == ERR_NONE && (record.parent != place.folder || !str_equal(record.name, name))))
        check_report_mend(check, &mend,
                          "the name %.*s below this folder leads to folder %" PRIu32
                          ", which is not called so",
                          (int)name.length, name.data, folder);
}

/* ---- keywords, properties ---- */

static void visit_keyword(struct check *check, const struct check_row *row,
                          struct check_place place)
{
    const struct mend mend = mend_row(TABLE_KEYWORD, row, place);
    unsigned bit = row->key.data[8];

    if (bit >= STORE_KEYWORDS_MAX || row->value.length == 0 ||
        row->value.length > STORE_KEYWORD_NAME_MAX)
        check_report_mend(check, &mend, "keyword %u of the folder has no proper name", bit);
}

static void visit_property(struct check *check, const struct check_row *row,
                           struct check_place place)
{
    const struct mend mend = mend_row(TABLE_PROPERTY, row, place);

    if (row->value.length > STORE_PROPERTY_MAX)
        check_report_mend(check, &mend, "a property is %zu bytes long", row->value.length);
}

/* ---- summaries, blocks, vanished ---- */

static void visit_summary(struct check *check, const struct check_row *row,
                          struct check_place place)
{
    struct tx tx = check_tx(check, place.mailbox);
    struct key key = key_item(place.folder, get_u32(row->key.data + 8));
    struct bytes item;
    struct mend mend;

    place.uid = get_u32(row->key.data + 8);
    mend = mend_row(TABLE_SUMMARY, row, place);
    if (row->value.length > STORE_SUMMARY_MAX)
        check_report_mend(check, &mend, "the summary is %zu bytes long", row->value.length);
    if (tx_get(&tx, TABLE_ITEM, &key, &item, NULL) == ERR_NOT_FOUND)
        check_report_mend(check, &mend, "there is a summary, but no such message");
}

static bool state_of(const struct check *check, struct check_place place,
                     struct folder_state *state)
{
    struct tx tx = check_tx(check, place.mailbox);
    struct key key = key_item(place.folder, KEY_STATE);
    struct bytes row;

    return tx_get(&tx, TABLE_ITEM, &key, &row, NULL) == ERR_NONE && folder_state_unpack(row, state);
}

static void visit_block(struct check *check, const struct check_row *row, struct check_place place)
{
    const struct mend mend = mend_row(TABLE_BLOCK, row, place);
    struct folder_state state;

    if (row->value.length != 8)
        check_report_mend(check, &mend, "a row of the table block is damaged");
    else if (state_of(check, place, &state) && get_u64(row->value.data) > state.highest_modseq &&
             state.claim_count == 0)
        check_report_mend(check, &mend,
                          "messages have changed at modseq %" PRIu64
                          ", above HIGHESTMODSEQ %" PRIu64,
                          get_u64(row->value.data), state.highest_modseq);
}

/* The first of the uids that is still there; 0 when none is. */
static uint32_t still_there(const struct check *check, struct check_place place,
                            const struct uidset *gone)
{
    struct tx tx = check_tx(check, place.mailbox);
    struct tx_scan scan;
    uint32_t uid = 0;
    uint32_t found = 0;

    if (scan_begin(&scan, &tx, TABLE_ITEM, PREFIX_FOLDER, NULL) != ERR_NONE)
        return 0;
    while (found == 0 && (uid = uidset_next(gone, uid)) != 0) {
        struct key key = key_item(place.folder, uid);
        enum err_code code = scan_seek(&scan, &key, NULL);
        uint32_t at = code == ERR_NONE ? get_u32(scan.key.data + 8) : KEY_STATE;

        if (code != ERR_NONE || at == KEY_STATE)
            break; /* nothing behind; damage is told elsewhere */
        if (uidset_has(gone, at))
            found = at;
        uid = at;
    }
    scan_end(&scan);
    return found;
}

static void visit_vanished(struct check *check, const struct check_row *row,
                           struct check_place place)
{
    struct mend mend = mend_row(TABLE_VANISHED, row, place);
    uint64_t modseq = get_u64(row->key.data + 8);
    struct uidset gone = {0};
    struct folder_state state;

    if (!ranges_unpack(row->value, &gone))
        check_report_mend(check, &mend, "a row of the table vanished is damaged");
    else if ((mend.place.uid = still_there(check, place, &gone)) != 0)
        check_report_mend(check, &mend,
                          "the message counts as vanished at modseq %" PRIu64 ", but is there",
                          modseq);
    mend = mend_folder(place);
    if (state_of(check, place, &state) && modseq > state.highest_modseq)
        check_report_mend(check, &mend,
                          "messages vanished at modseq %" PRIu64 ", above HIGHESTMODSEQ %" PRIu64,
                          modseq, state.highest_modseq);
    uidset_release(&gone);
}

/* ---- recoverable items ---- */

static void visit_recoverable(struct check *check, const struct check_row *row,
                              struct check_place place)
{
    struct mend mend = mend_row(TABLE_RECOVERABLE, row, place);
    struct tx tx = check_tx(check, 0);
    struct content_head head;
    struct store_recoverable entry;
    struct bytes content;
    struct key key;
    enum err_code code;

    if (!recoverable_unpack(row->value, &entry) ||
        entry.item.item_id != get_u48(row->key.data + 12)) {
        check->items_damaged = true;
        check_report_mend(check, &mend, "the row of a recoverable message is damaged");
        return;
    }
    key = key_content(entry.item.content_id);
    code = tx_get(&tx, TABLE_CONTENT, &key, &content, NULL);
    if (code == ERR_NOT_FOUND) {
        mend.kind = MEND_CONTENT;
        mend.number = entry.item.content_id;
        check->contents_damaged = true;
        check_report_mend(check, &mend,
                          "the text of a recoverable message is missing (content %" PRIu64 ")",
                          entry.item.content_id);
    } else if (code == ERR_NONE && content_head_unpack(content, &head) &&
               head.size != entry.item.size) {
        check_report_mend(check, &mend,
                          "a recoverable message of %" PRIu64 " bytes has a text of %" PRIu64,
                          entry.item.size, head.size);
    }
}

/* ---- all of them ---- */

static const struct table_check tables[] = {
    {TABLE_FOLDER,      8,  true,  visit_folder     },
    {TABLE_NAME,        9,  true,  visit_name       },
    {TABLE_KEYWORD,     9,  true,  visit_keyword    },
    {TABLE_PROPERTY,    15, false, visit_property   },
    {TABLE_SUMMARY,     12, true,  visit_summary    },
    {TABLE_BLOCK,       12, true,  visit_block      },
    {TABLE_VANISHED,    16, true,  visit_vanished   },
    {TABLE_RECOVERABLE, 18, false, visit_recoverable},
};

static void visit(struct check *check, const struct check_row *row, void *context)
{
    const struct table_check *table = context;
    struct mend mend = mend_row(table->table, row, (struct check_place){0});
    struct check_place place = {0};

    if (row->key.length < table->key_length) {
        check_report_mend(check, &mend, "a key of the table %s is damaged",
                          table_name(table->table));
        return;
    }
    place.mailbox = get_u32(row->key.data);
    place.folder = table->of_folder ? get_u32(row->key.data + 4) : 0;
    mend.place = place;
    switch (check_standing(check, place.mailbox, place.folder)) {
    case STANDING_GOING:
        return;
    case STANDING_NONE:
        if (table->table == TABLE_FOLDER)
            mend.kind = MEND_FOLDER;
        check_report_mend(check, &mend, "a row of the table %s belongs to a %s that does not exist",
                          table_name(table->table), table->of_folder ? "folder" : "mailbox");
        return;
    case STANDING_LIVE:
        break;
    }
    if (!row->damaged) {
        table->visit(check, row, place);
        return;
    }
    check->items_damaged = check->items_damaged || table->table == TABLE_RECOVERABLE;
    check_report_mend(check, &mend, "a row of the table %s is damaged (its checksum is wrong)",
                      table_name(table->table));
}

enum err_code check_folder_tables(struct check *check, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && code == ERR_NONE; i++) {
        struct table_check table = tables[i];

        code = check_walk(check, table.table, key_first(), visit, &table, err);
    }
    return code;
}
