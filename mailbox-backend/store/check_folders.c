/* The tables of folders beside their items: names, keywords, summaries, what has vanished … */
#include <inttypes.h>

#include "mailbox-backend/store/check.h"
#include "mailbox-backend/store/folder.h"
#include "mailbox-backend/store/recoverable.h"

#define ADVICE_NAME                                                                                \
    "the folder's messages are there; note its name and report it, or bring the data folder back " \
    "from a backup"
#define ADVICE_STALE "clients that synchronize may miss a change: let them fetch the folder anew"
#define ADVICE_SPACE "no message is lost, some space is; report it"

/* The tables whose rows belong to folders; of others the mailbox alone is looked for. */
struct table_check {
    enum table table;
    size_t key_length;  /* at least */
    bool of_folder;     /* the key's second number is a folder */
    const char *advice; /* when a row is damaged */
    void (*visit)(struct check *check, const struct check_row *row, struct check_place place);
};

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
    struct tx tx = check_tx(check, place.mailbox);
    struct folder_record record;
    uint32_t found = 0;
    enum err_code code;

    check->result->folders++;
    if (!folder_unpack(row->value, &record)) {
        check_report(check, place, ADVICE_NAME, "the row of the folder is damaged");
        return;
    }
    if (place.folder == STORE_ROOT_FOLDER)
        return;
    code = folder_name_get(&tx, record.parent, record.name, &found, NULL);
    if (code == ERR_NOT_FOUND || (code == ERR_NONE && found != place.folder))
        check_report(check, place, ADVICE_NAME, "the folder %.*s cannot be found by its name",
                     (int)record.name.length, record.name.data);
    if (!leads_to_root(&tx, place.folder))
        check_report(check, place, ADVICE_NAME,
                     "the folder %.*s is in no folder that leads to the top",
                     (int)record.name.length, record.name.data);
}

static void visit_name(struct check *check, const struct check_row *row, struct check_place place)
{
    struct tx tx = check_tx(check, place.mailbox);
    struct str name = {(const char *)row->key.data + 8, row->key.length - 8};
    struct folder_record record;
    uint32_t folder = row->value.length == 4 ? get_u32(row->value.data) : 0;
    enum err_code code = folder_record_get(&tx, folder, &record, NULL);

    if (code == ERR_NOT_FOUND ||
        (code == ERR_NONE && (record.parent != place.folder || !str_equal(record.name, name))))
        check_report(check, place, ADVICE_NAME,
                     "the name %.*s below this folder leads to folder %" PRIu32
                     ", which is not called so",
                     (int)name.length, name.data, folder);
}

/* ---- keywords, properties ---- */

static void visit_keyword(struct check *check, const struct check_row *row,
                          struct check_place place)
{
    unsigned bit = row->key.data[8];

    if (bit >= STORE_KEYWORDS_MAX || row->value.length == 0 ||
        row->value.length > STORE_KEYWORD_NAME_MAX)
        check_report(check, place, ADVICE_REPORT, "keyword %u of the folder has no proper name",
                     bit);
}

static void visit_property(struct check *check, const struct check_row *row,
                           struct check_place place)
{
    if (row->value.length > STORE_PROPERTY_MAX)
        check_report(check, place, ADVICE_REPORT, "a property is %zu bytes long",
                     row->value.length);
}

/* ---- summaries, blocks, vanished ---- */

static void visit_summary(struct check *check, const struct check_row *row,
                          struct check_place place)
{
    struct tx tx = check_tx(check, place.mailbox);
    struct key key = key_item(place.folder, get_u32(row->key.data + 8));
    struct bytes item;

    place.uid = get_u32(row->key.data + 8);
    if (row->value.length > STORE_SUMMARY_MAX)
        check_report(check, place, ADVICE_REPORT, "the summary is %zu bytes long",
                     row->value.length);
    if (tx_get(&tx, TABLE_ITEM, &key, &item, NULL) == ERR_NOT_FOUND)
        check_report(check, place, ADVICE_SPACE, "there is a summary, but no such message");
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
    struct folder_state state;

    if (row->value.length != 8)
        check_report(check, place, ADVICE_STALE, "a row of the table block is damaged");
    else if (state_of(check, place, &state) && get_u64(row->value.data) > state.highest_modseq &&
             state.claim_count == 0)
        check_report(check, place, ADVICE_STALE,
                     "messages have changed at modseq %" PRIu64 ", above HIGHESTMODSEQ %" PRIu64,
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
    uint64_t modseq = get_u64(row->key.data + 8);
    struct uidset gone = {0};
    struct folder_state state;
    uint32_t uid;

    if (!ranges_unpack(row->value, &gone))
        check_report(check, place, ADVICE_STALE, "a row of the table vanished is damaged");
    else if ((uid = still_there(check, place, &gone)) != 0)
        check_report(check, (struct check_place){place.mailbox, place.folder, uid}, ADVICE_STALE,
                     "the message counts as vanished at modseq %" PRIu64 ", but is there", modseq);
    if (state_of(check, place, &state) && modseq > state.highest_modseq)
        check_report(check, place, ADVICE_STALE,
                     "messages vanished at modseq %" PRIu64 ", above HIGHESTMODSEQ %" PRIu64,
                     modseq, state.highest_modseq);
    uidset_release(&gone);
}

/* ---- recoverable items ---- */

static void visit_recoverable(struct check *check, const struct check_row *row,
                              struct check_place place)
{
    struct tx tx = check_tx(check, 0);
    struct content_head head;
    struct store_recoverable entry;
    struct bytes content;
    struct key key;
    enum err_code code;

    if (!recoverable_unpack(row->value, &entry)) {
        check_report(check, place, ADVICE_REPORT, "the row of a recoverable message is damaged");
        return;
    }
    place.folder = 0;
    key = key_content(entry.item.content_id);
    code = tx_get(&tx, TABLE_CONTENT, &key, &content, NULL);
    if (code == ERR_NOT_FOUND)
        check_report(check, place, ADVICE_RESTORE,
                     "the text of a recoverable message is missing (content %" PRIu64 ")",
                     entry.item.content_id);
    else if (code == ERR_NONE && content_head_unpack(content, &head) &&
             head.size != entry.item.size)
        check_report(check, place, ADVICE_RESTORE,
                     "a recoverable message of %" PRIu64 " bytes has a text of %" PRIu64,
                     entry.item.size, head.size);
}

/* ---- all of them ---- */

static const struct table_check tables[] = {
    {TABLE_FOLDER,      8,  true,  ADVICE_NAME,   visit_folder     },
    {TABLE_NAME,        9,  true,  ADVICE_NAME,   visit_name       },
    {TABLE_KEYWORD,     9,  true,  ADVICE_REPORT, visit_keyword    },
    {TABLE_PROPERTY,    15, false, ADVICE_REPORT, visit_property   },
    {TABLE_SUMMARY,     12, true,  ADVICE_REPORT, visit_summary    },
    {TABLE_BLOCK,       12, true,  ADVICE_STALE,  visit_block      },
    {TABLE_VANISHED,    16, true,  ADVICE_STALE,  visit_vanished   },
    {TABLE_RECOVERABLE, 18, false, ADVICE_REPORT, visit_recoverable},
};

static void visit(struct check *check, const struct check_row *row, void *context)
{
    const struct table_check *table = context;
    struct check_place place = {0};

    if (row->key.length < table->key_length) {
        check_report(check, place, table->advice, "a key of the table %s is damaged",
                     table_name(table->table));
        return;
    }
    place.mailbox = get_u32(row->key.data);
    place.folder = table->of_folder ? get_u32(row->key.data + 4) : 0;
    switch (check_standing(check, place.mailbox, place.folder)) {
    case STANDING_GOING:
        return;
    case STANDING_NONE:
        check_report(check, place, ADVICE_SPACE,
                     "a row of the table %s belongs to a %s that does not exist",
                     table_name(table->table), table->of_folder ? "folder" : "mailbox");
        return;
    case STANDING_LIVE:
        break;
    }
    if (row->damaged)
        check_report(check, place, table->advice,
                     "a row of the table %s is damaged (its checksum is wrong)",
                     table_name(table->table));
    else
        table->visit(check, row, place);
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
