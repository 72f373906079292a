/* Creating, renaming and deleting folders. */
#include <inttypes.h>
#include <string.h>

#include "mailbox-backend/store/folder.h"
#include "mailbox-backend/store/journal.h"
#include "mailbox-backend/store/op_folder.h"
#include "mailbox-backend/store/ops.h"
#include "mailbox-backend/store/pending.h"
#include "mailbox-backend/store/property.h"

/* Levels from the root, which is 0. */
static enum err_code depth_of(const struct tx *tx, uint32_t folder, unsigned *depth,
                              struct err *err)
{
    enum err_code code = ERR_NONE;

    *depth = 0;
    while (folder != STORE_ROOT_FOLDER && code == ERR_NONE) {
        struct folder_record record = {0};

        code = folder_record_get(tx, folder, &record, err);
        folder = record.parent;
        if (++*depth > STORE_DEPTH_MAX)
            return err_set(err, ERR_LIMIT, "folders have at most %d levels", STORE_DEPTH_MAX);
    }
    return code;
}

/* Levels below the folder, with its own. */
static enum err_code height_of(const struct tx *tx, uint32_t folder, unsigned most,
                               unsigned *height, struct err *err)
{
    char name[STORE_NAME_MAX + 2] = "";
    size_t length = 0;
    uint32_t child;
    enum err_code code = ERR_NONE;

    *height = 1;
    if (most == 0)
        return err_set(err, ERR_LIMIT, "folders have at most %d levels", STORE_DEPTH_MAX);
    while ((code = folder_child(tx, folder, str_n(name, length), name, &child, err)) == ERR_NONE) {
        unsigned below;

        code = height_of(tx, child, most - 1, &below, err);
        if (code != ERR_NONE)
            return code;
        if (below + 1 > *height)
            *height = below + 1;
        length = strlen(name) + 1; /* on behind this one */
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code check_name(const struct tx *tx, uint32_t parent, const char *name,
                                struct err *err)
{
    size_t length = strlen(name);
    uint32_t other;
    enum err_code code;

    if (length == 0 || length > STORE_NAME_MAX)
        return err_set(err, ERR_INVALID, "a folder's name has 1 to %d bytes", STORE_NAME_MAX);
    code = folder_name_get(tx, parent, str_of(name), &other, err);
    if (code == ERR_NONE)
        return err_set(err, ERR_EXISTS, "there is a folder of this name");
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code folder_name_put(const struct tx *tx, uint32_t parent, struct str name,
                              uint32_t folder, struct err *err)
{
    struct key key = key_name(parent, name);
    uint8_t row[4];

    put_u32(row, folder);
    return tx_put(tx, TABLE_NAME, &key, row, sizeof(row), err);
}

void folder_note(struct batch *batch, const struct folder_slot *slot,
                 const struct folder_record *record, uint64_t modseq)
{
    Journal__Operation *operation = journal_add(batch, slot, modseq);
    Journal__Folder *folder = arena_alloc(&batch->arena, sizeof(*folder));

    journal__folder__init(folder);
    operation->what_case = JOURNAL__OPERATION__WHAT_FOLDER_SET;
    operation->folder_set = folder;
    folder->parent = record->parent;
    folder->name = arena_copy(&batch->arena, record->name.data, record->name.length);
    folder->use = record->use;
    folder->class_ = record->class;
    folder->uid_validity = slot->state.uid_validity;
    folder->uid_next = slot->state.uid_next;
}

enum err_code folder_make(struct batch *batch, struct mailbox_slot *mailbox, uint32_t id,
                          const struct folder_record *record, struct folder_slot **slot,
                          struct err *err)
{
    struct mailbox_state *state = &mailbox->state;
    uint32_t now = (uint32_t)batch->now;
    enum err_code code = batch_folder_any(batch, mailbox, id, slot, err);

    if (code != ERR_NONE)
        return code;
    batch_modseq(batch, *slot, CHANGE_FOLDERS);
    state->last_uid_validity = state->last_uid_validity >= now ? state->last_uid_validity + 1 : now;
    state->folders++;
    (*slot)->present = true;
    (*slot)->state.uid_validity = state->last_uid_validity;
    (*slot)->state.uid_next = 1;
    code = folder_record_put(&mailbox->tx, id, record, err);
    if (code == ERR_NONE && id != STORE_ROOT_FOLDER)
        code = folder_name_put(&mailbox->tx, record->parent, record->name, id, err);
    folder_note(batch, *slot, record, (*slot)->state.highest_modseq);
    return code;
}

/* ---- create ---- */

/* The root is counted, too. */
static enum err_code check_count(const struct task *task, struct err *err)
{
    struct store_op *op = task->op;
    uint64_t most = STORE_FOLDERS_MAX;

    if (op->in.create.quota_folders != 0 && op->in.create.quota_folders < most)
        most = op->in.create.quota_folders;
    op->over_quota = task->mailbox->state.folders > most;
    if (op->over_quota)
        return err_set(err, ERR_LIMIT, "over quota: the mailbox may have %" PRIu64 " folders",
                       most);
    return ERR_NONE;
}

static enum err_code create_plan(struct batch *batch, struct task *task, struct err *err)
{
    const struct store_op *op = task->op;
    struct folder_slot *parent;
    unsigned depth;
    enum err_code code;

    if (op->mailbox->database != batch->database)
        return err_set(err, ERR_INVALID, "the mailbox is in another database");
    code = batch_mailbox(batch, op->mailbox, &task->mailbox, err);
    if (code == ERR_NONE)
        code = batch_folder(batch, task->mailbox, op->in.create.parent, &parent, err);
    if (code == ERR_NONE && op->in.create.use == USE_INBOX)
        code = err_set(err, ERR_INVALID, "there is one INBOX");
    if (code == ERR_NONE)
        code = check_name(&task->mailbox->tx, op->in.create.parent, op->in.create.name, err);
    if (code == ERR_NONE)
        code = check_count(task, err);
    if (code == ERR_NONE)
        code = depth_of(&task->mailbox->tx, op->in.create.parent, &depth, err);
    if (code == ERR_NONE && depth >= STORE_DEPTH_MAX)
        code = err_set(err, ERR_LIMIT, "folders have at most %d levels", STORE_DEPTH_MAX);
    return code;
}

static enum err_code create_perform(struct batch *batch, struct task *task, struct err *err)
{
    struct store_op *op = task->op;
    struct folder_record record = {
        .parent = op->in.create.parent,
        .use = (uint8_t)op->in.create.use,
        .class = (uint8_t)op->in.create.class,
        .created = batch->now,
        .name = str_of(op->in.create.name),
    };
    uint32_t id = task->mailbox->state.next_folder;
    enum err_code code;

    mailbox_slot_change(batch, task->mailbox);
    task->mailbox->state.next_folder++;
    code = folder_make(batch, task->mailbox, id, &record, &task->folder, err);
    if (code != ERR_NONE)
        return code;
    op->modseq = task->folder->state.highest_modseq;
    op->out.create.folder = id;
    op->out.create.uid_validity = task->folder->state.uid_validity;
    return ERR_NONE;
}

const struct op_table op_folder_create = {create_plan, create_perform};

/* ---- rename ---- */

/* A folder can not go below itself. */
static enum err_code check_place(const struct tx *tx, uint32_t folder, uint32_t parent,
                                 struct err *err)
{
    unsigned depth, height;
    enum err_code code = depth_of(tx, parent, &depth, err);

    for (uint32_t above = parent; above != STORE_ROOT_FOLDER && code == ERR_NONE;) {
        struct folder_record record = {0};

        if (above == folder)
            return err_set(err, ERR_INVALID, "a folder cannot be put below itself");
        code = folder_record_get(tx, above, &record, err);
        above = record.parent;
    }
    if (code == ERR_NONE)
        code = height_of(tx, folder, STORE_DEPTH_MAX - depth, &height, err);
    return code;
}

static enum err_code check_movable(uint32_t folder, struct err *err)
{
    if (folder == STORE_ROOT_FOLDER || folder == STORE_INBOX_FOLDER)
        return err_set(err, ERR_DENIED, "this folder stays where it is");
    return ERR_NONE;
}

static enum err_code rename_plan(struct batch *batch, struct task *task, struct err *err)
{
    const struct store_op *op = task->op;
    struct folder_slot *parent;
    enum err_code code = op_target(batch, task, err);

    if (code == ERR_NONE)
        code = check_movable(op->folder, err);
    if (code == ERR_NONE)
        code = batch_folder(batch, task->mailbox, op->in.rename.parent, &parent, err);
    if (code == ERR_NONE)
        code = check_name(&task->mailbox->tx, op->in.rename.parent, op->in.rename.name, err);
    if (code == ERR_NONE)
        code = check_place(&task->mailbox->tx, op->folder, op->in.rename.parent, err);
    return code;
}

enum err_code folder_name_remove(const struct tx *tx, const struct folder_record *record,
                                 struct err *err)
{
    struct key key = key_name(record->parent, record->name);
    enum err_code code = tx_remove(tx, TABLE_NAME, &key, err);

    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code rename_perform(struct batch *batch, struct task *task, struct err *err)
{
    struct store_op *op = task->op;
    const struct tx *tx = &task->mailbox->tx;
    struct folder_record record;
    enum err_code code = folder_record_get(tx, op->folder, &record, err);

    if (code == ERR_NONE)
        code = folder_name_remove(tx, &record, err);
    if (code == ERR_NONE)
        code = folder_record_get(tx, op->folder, &record, err); /* the map may have moved */
    if (code != ERR_NONE)
        return code;
    record.parent = op->in.rename.parent;
    record.name = str_of(op->in.rename.name);
    op->modseq = batch_modseq(batch, task->folder, CHANGE_FOLDERS);
    code = folder_record_put(tx, op->folder, &record, err);
    if (code == ERR_NONE)
        code = folder_name_put(tx, record.parent, record.name, op->folder, err);
    folder_note(batch, task->folder, &record, op->modseq);
    return code;
}

const struct op_table op_folder_rename = {rename_plan, rename_perform};

/* ---- delete ---- */

static enum err_code delete_plan(struct batch *batch, struct task *task, struct err *err)
{
    const struct store_op *op = task->op;
    struct folder_record record;
    enum err_code code = op_target(batch, task, err);

    if (code == ERR_NONE)
        code = check_movable(op->folder, err);
    if (code == ERR_NONE)
        code = folder_record_get(&task->mailbox->tx, op->folder, &record, err);
    if (code == ERR_NONE && folder_has_children(&task->mailbox->tx, op->folder))
        code = err_set(err, ERR_EXISTS, "the folder has folders below it");
    return code;
}

static enum err_code keywords_remove(const struct tx *tx, uint32_t folder, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (unsigned bit = 0; bit < STORE_KEYWORDS_MAX && code == ERR_NONE; bit++) {
        struct key key = key_keyword(folder, (uint8_t)bit);

        code = tx_remove(tx, TABLE_KEYWORD, &key, err);
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code folder_rows_remove(const struct tx *tx, uint32_t folder,
                                 const struct folder_record *record, struct err *err)
{
    struct key row = key_folder(folder);
    struct key state = key_item(folder, KEY_STATE);
    enum err_code code = folder_name_remove(tx, record, err);

    if (code == ERR_NONE)
        code = tx_remove(tx, TABLE_FOLDER, &row, err);
    if (code == ERR_NONE)
        code = tx_remove(tx, TABLE_ITEM, &state, err);
    if (code == ERR_NONE ||
        code == ERR_NOT_FOUND) /* of a folder that this batch made it is not written yet */
        code = keywords_remove(tx, folder, err);
    if (code == ERR_NONE)
        code = properties_remove(tx, folder, 0, err);
    return code;
}

static enum err_code delete_perform(struct batch *batch, struct task *task, struct err *err)
{
    struct store_op *op = task->op;
    const struct tx *tx = &task->mailbox->tx;
    struct folder_record record;
    enum err_code code = folder_record_get(tx, op->folder, &record, err);

    if (code != ERR_NONE)
        return code;
    record.name =
        str_n(arena_copy(&batch->arena, record.name.data, record.name.length), record.name.length);
    op->modseq = batch_modseq(batch, task->folder, CHANGE_FOLDERS | CHANGE_GONE);
    journal_add_bare(batch, task->folder, op->modseq, JOURNAL__OPERATION__WHAT_FOLDER_DELETE)
        ->expiry = journal_expiry(batch, task->mailbox);
    task->mailbox->state.bytes -= task->folder->state.bytes;
    task->mailbox->state.messages -= task->folder->state.messages;
    task->mailbox->state.folders--;
    task->folder->present = false;
    code = folder_rows_remove(tx, op->folder, &record, err);
    if (code == ERR_NONE)
        code =
            pending_put(batch, task->mailbox->number, op->folder, PENDING_FOLDER, record.name, err);
    return code;
}

const struct op_table op_folder_delete = {delete_plan, delete_perform};
