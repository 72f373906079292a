/* OP_RECOVER and OP_PURGE, and reading what there is to be recovered. */
#include <inttypes.h>

#include "common/log.h"
#include "mailbox-backend/store/hold.h"
#include "mailbox-backend/store/insert.h"
#include "mailbox-backend/store/journal.h"
#include "mailbox-backend/store/ops.h"
#include "mailbox-backend/store/recoverable.h"

/* ---- reading ---- */

enum err_code store_recoverable_next(struct store_read *read, struct store_recoverable *entry,
                                     struct err *err)
{
    struct key key = key_recoverable(entry->id.expiry, entry->id.item_id + 1);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &read->tx, TABLE_RECOVERABLE, PREFIX_MAILBOX, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    for (; code == ERR_NONE || code == ERR_CORRUPT; code = scan_next(&scan, err)) {
        entry->id.expiry = get_u64(scan.key.data + 4);
        entry->id.item_id = get_u48(scan.key.data + 12);
        if (code == ERR_NONE && recoverable_unpack(scan.value, entry))
            break;
        log_error(NULL, "mailbox %" PRIu32 ": a recoverable row is damaged", read->tx.mailbox);
    }
    scan_end(&scan);
    return code;
}

enum err_code store_recoverable_usage(struct store_read *read, struct store_usage *usage,
                                      struct err *err)
{
    if (!read->state.counts_recoverable)
        return recoverable_sum(&read->tx, usage, err);
    usage->folders = 0;
    usage->messages = read->state.recoverable_messages;
    usage->bytes = read->state.recoverable_bytes;
    return ERR_NONE;
}

/* ERR_NOT_FOUND also for what was recovered meanwhile, or is damaged. */
static enum err_code get(const struct tx *tx, const struct store_recoverable_id *id,
                         struct key *key, struct store_recoverable *entry, struct err *err)
{
    struct bytes row;
    enum err_code code;

    *key = key_recoverable(id->expiry, id->item_id);
    code = tx_get(tx, TABLE_RECOVERABLE, key, &row, err);
    if (code == ERR_CORRUPT || (code == ERR_NONE && !recoverable_unpack(row, entry)))
        return err_set(err, ERR_NOT_FOUND, "a recoverable row is damaged");
    return code;
}

/* ---- OP_RECOVER ---- */

static enum err_code plan_recover(struct batch *batch, struct task *task, struct err *err)
{
    const struct store_op *op = task->op;
    enum err_code code = op_target(batch, task, err);

    if (code != ERR_NONE)
        return code;
    if (op->in.recover.count > STORE_RECOVER_MOST)
        return err_set(err, ERR_LIMIT, "too many items at once");
    if (op->folder == STORE_ROOT_FOLDER)
        return err_set(err, ERR_DENIED, "the root holds no items");
    if (op->in.recover.count > UID_MAX - task->folder->state.uid_next)
        return err_set(err, ERR_LIMIT, "the folder has no uids left");
    if (hold_blocks(batch->database, task->folder, op))
        task->outcome = OUTCOME_WAIT;
    return ERR_NONE;
}

static bool has_content(const struct batch *batch, uint64_t id)
{
    struct tx tx = {batch->txn, 0};
    struct key key = key_content(id);
    struct bytes row;

    return tx_get(&tx, TABLE_CONTENT, &key, &row, NULL) == ERR_NONE;
}

void item_note(struct batch *batch, struct folder_slot *folder, const struct store_item *item,
               const struct store_keyword_names *keywords)
{
    Journal__Operation *operation = journal_add(batch, folder, item->modseq);
    Journal__Append *append = arena_alloc(&batch->arena, sizeof(*append));

    journal__append__init(append);
    operation->what_case = JOURNAL__OPERATION__WHAT_APPEND;
    operation->append = append;
    append->uid = item->uid;
    append->item_id = item->item_id;
    append->email_id = item->email_id;
    append->thread_id = item->thread_id;
    append->content_id = item->content_id;
    append->size = item->size;
    append->header_size = item->header_size;
    append->no_final_newline = item->no_final_newline;
    append->internal_date = item->internal_date;
    append->zone = item->zone;
    append->save_date = item->save_date;
    append->flags = item->flags.system;
    append->n_keywords = keywords->count;
    append->keywords = journal_keywords(batch, keywords);
    append->recovered = true;
}

/* Names of an item's keywords. */
struct item_keywords {
    struct store_keyword_names list;
    const char *names[STORE_KEYWORDS_MAX];
};

/* Gives the folder one of the source's keywords; one for which it has no room is left out. */
static void take_keyword(struct batch *batch, struct folder_slot *folder, const char *name,
                         struct store_item *item, struct item_keywords *taken)
{
    const struct store_keyword_names names = {&name, 1};
    uint64_t bits[2];

    if (batch_keywords(batch, folder, &names, true, bits, NULL) != ERR_NONE)
        return;
    item->flags.keywords[0] |= bits[0];
    item->flags.keywords[1] |= bits[1];
    taken->names[taken->list.count++] = name;
}

/* The keywords' bits have other names in another folder. Those of a folder that is gone have none. */
static enum err_code take_keywords(struct batch *batch, struct folder_slot *folder, uint32_t from,
                                   struct store_item *item, struct item_keywords *taken,
                                   struct err *err)
{
    const uint64_t had[2] = {item->flags.keywords[0], item->flags.keywords[1]};
    struct folder_slot *source;
    enum err_code code = ERR_NONE;

    taken->list = (struct store_keyword_names){taken->names, 0};
    item->flags.keywords[0] = item->flags.keywords[1] = 0;
    if ((had[0] | had[1]) != 0)
        code = batch_folder(batch, folder->mailbox, from, &source, err);
    if (code != ERR_NONE || (had[0] | had[1]) == 0)
        return code == ERR_NOT_FOUND ? ERR_NONE : code;
    code = batch_keywords_load(batch, source, err);
    for (unsigned bit = 0; code == ERR_NONE && bit < source->keyword_count; bit++)
        if ((had[bit / 64] >> bit % 64 & 1) != 0)
            take_keyword(batch, folder, source->keywords[bit], item, taken);
    return code;
}

/* The reference to the content, and the properties, which hang on the item id, go over as they are. */
static enum err_code bring_back(struct batch *batch, struct task *task,
                                struct store_recoverable *entry, struct err *err)
{
    struct folder_slot *folder = task->folder;
    struct store_item *item = &entry->item;
    struct item_keywords keywords;
    enum err_code code = insert_uids(batch, folder, 1, &item->uid, err);

    if (code == ERR_NONE)
        code = take_keywords(batch, folder, entry->folder, item, &keywords, err);
    if (code != ERR_NONE)
        return code;
    item->modseq = task->op->modseq;
    item->save_date = batch->now;
    item->flags.system &= FLAG_ALL & ~(unsigned)FLAG_DELETED; /* else the next EXPUNGE takes it */
    folder_count(batch, folder, item, 1);
    mailbox_count(batch, task->mailbox, item, 1);
    item_note(batch, folder, item, &keywords.list);
    code = item_put(folder, item, item->modseq, err);
    return code == ERR_NONE ? blocks_close(folder, item->uid, 1, err) : code;
}

static enum err_code recover_one(struct batch *batch, struct task *task,
                                 const struct store_recoverable_id *id, struct err *err)
{
    struct store_op *op = task->op;
    struct store_recoverable entry = {0};
    struct key key;
    enum err_code code = get(&task->mailbox->tx, id, &key, &entry, err);

    if (code == ERR_NOT_FOUND || (code == ERR_NONE && !has_content(batch, entry.item.content_id)))
        return ERR_NONE;
    if (code != ERR_NONE)
        return code;
    if (op->modseq == 0)
        op->modseq = batch_modseq(batch, task->folder, CHANGE_NEW);
    code = bring_back(batch, task, &entry, err);
    op->out.recover.count++;
    return code == ERR_NONE ? recoverable_take(batch, task->mailbox, &key, &entry.item, err) : code;
}

static enum err_code perform_recover(struct batch *batch, struct task *task, struct err *err)
{
    const struct store_op *op = task->op;
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < op->in.recover.count && code == ERR_NONE; i++)
        code = recover_one(batch, task, &op->in.recover.ids[i], err);
    return code;
}

const struct op_table op_recover = {plan_recover, perform_recover};

/* ---- OP_PURGE ---- */

static enum err_code plan_purge(struct batch *batch, struct task *task, struct err *err)
{
    if (task->op->in.recover.count > STORE_RECOVER_MOST)
        return err_set(err, ERR_LIMIT, "too many items at once");
    if (task->op->mailbox->database != batch->database)
        return err_set(err, ERR_INVALID, "the mailbox is in another database");
    return batch_mailbox(batch, task->op->mailbox, &task->mailbox, err);
}

static enum err_code perform_purge(struct batch *batch, struct task *task, struct err *err)
{
    struct store_op *op = task->op;
    Journal__Operation *operation =
        journal_add_mailbox(batch, task->mailbox, JOURNAL__OPERATION__WHAT__NOT_SET);
    Journal__Items *items = arena_alloc(&batch->arena, sizeof(*items));
    enum err_code code;

    journal__items__init(items);
    operation->what_case = JOURNAL__OPERATION__WHAT_PURGE;
    operation->purge = items;
    items->item_ids = arena_array(&batch->arena, op->in.recover.count, sizeof(uint64_t));
    for (size_t i = 0; i < op->in.recover.count; i++) {
        struct store_recoverable entry;
        struct key key;

        code = get(&task->mailbox->tx, &op->in.recover.ids[i], &key, &entry, err);
        if (code == ERR_NOT_FOUND)
            continue;
        batch->erase = op->in.recover.erase;
        if (code == ERR_NONE)
            code = recoverable_drop(batch, task->mailbox, &key, &entry.item, err);
        batch->erase = false;
        if (code != ERR_NONE)
            return code;
        items->item_ids[items->n_item_ids++] = op->in.recover.ids[i].item_id;
        op->out.recover.count++;
    }
    return ERR_NONE;
}

const struct op_table op_purge = {plan_purge, perform_purge};
