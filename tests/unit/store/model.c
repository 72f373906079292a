#include "tests/unit/store/model.h"

#include <stdlib.h>
#include <string.h>

#define VANISHED_ROWS 4096u /* of a folder, docs/store.md */
#define CLAIM_AHEAD (UINT64_C(1) << 24)

const char *const model_keywords[MODEL_KEYWORDS] = {"$Forwarded", "$Junk", "Work", "k", "later"};

uint64_t model_random(uint64_t seed, uint64_t turn, uint64_t salt)
{
    uint64_t n = seed * UINT64_C(0x9E3779B97F4A7C15) + turn * UINT64_C(0xD1B54A32D192ED03) + salt;

    n = (n ^ n >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    n = (n ^ n >> 27) * UINT64_C(0x94D049BB133111EB);
    return n ^ n >> 31;
}

/* ---- messages ---- */

size_t model_message_size(uint64_t number)
{
    uint64_t dice = model_random(1, number, 0);

    if (dice % 1000 == 0)
        return 1100000 + dice / 1000 % 300000; /* written by who brings it */
    if (dice % 12 == 0)
        return dice / 12 % 40000;
    return dice / 12 % 2000;
}

size_t model_message(uint64_t number, uint8_t bytes[MODEL_MESSAGE_MOST])
{
    size_t length = model_message_size(number);
    uint64_t word = 0;

    for (size_t i = 0; i < length; i++) {
        if (i % 8 == 0)
            word = model_random(2, number, number % 2 == 0 ? i : i % 64); /* odd ones compress */
        bytes[i] = (uint8_t)(word >> i % 8 * 8);
    }
    return length;
}

/* ---- the parts ---- */

static void *grown(void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return list;
    *room = *room == 0 ? 16 : *room * 2;
    return realloc(list, *room * size);
}

struct model_folder *model_folder(const struct model_mailbox *mailbox, uint32_t id)
{
    for (unsigned i = 0; i < mailbox->folder_count; i++)
        if (mailbox->folders[i]->id == id)
            return mailbox->folders[i];
    return NULL;
}

static void item_add(struct model_folder *folder, const struct model_item *item)
{
    folder->items = grown(folder->items, folder->count, &folder->room, sizeof(*folder->items));
    folder->items[folder->count++] = *item;
    folder->uid_next = item->uid + 1;
}

static void aside(struct model_mailbox *mailbox, const struct model_folder *folder,
                  const struct model_item *item)
{
    mailbox->recoverable = grown(mailbox->recoverable, mailbox->recoverable_count,
                                 &mailbox->recoverable_room, sizeof(*mailbox->recoverable));
    mailbox->recoverable[mailbox->recoverable_count++] =
        (struct model_recoverable){folder->id, *item};
}

static void gone_add(struct model_folder *folder, uint64_t modseq, const struct uidset *uids)
{
    folder->gone =
        grown(folder->gone, folder->gone_count, &folder->gone_room, sizeof(*folder->gone));
    folder->gone[folder->gone_count].modseq = modseq;
    folder->gone[folder->gone_count].uids = (struct uidset){0};
    uidset_copy(&folder->gone[folder->gone_count++].uids, uids);
    if (folder->gone_count <= VANISHED_ROWS)
        return;
    folder->floor = folder->gone[0].modseq;
    uidset_release(&folder->gone[0].uids);
    memmove(folder->gone, folder->gone + 1, --folder->gone_count * sizeof(*folder->gone));
}

static void folder_release(struct model_folder *folder)
{
    for (size_t i = 0; i < folder->gone_count; i++)
        uidset_release(&folder->gone[i].uids);
    free(folder->gone);
    free(folder->items);
    free(folder);
}

static struct model_folder *folder_add(struct model_mailbox *mailbox, uint32_t parent,
                                       const char *name)
{
    struct model_folder *folder = calloc(1, sizeof(*folder));

    folder->id = mailbox->folder_count < 2 ? mailbox->folder_count + 1 : mailbox->next_folder++;
    folder->parent = parent;
    strcpy(folder->name, name);
    folder->uid_next = 1;
    folder->highest_modseq = ++mailbox->modseq;
    mailbox->folders[mailbox->folder_count++] = folder;
    return folder;
}

static void mailbox_release(struct model_mailbox *mailbox)
{
    for (unsigned i = 0; i < mailbox->folder_count; i++)
        folder_release(mailbox->folders[i]);
    free(mailbox->recoverable);
    *mailbox = (struct model_mailbox){0};
}

void model_release(struct model *model)
{
    for (unsigned n = 0; n < MODEL_MAILBOXES; n++)
        mailbox_release(&model->mailboxes[n]);
}

static void *copied(const void *list, size_t count, size_t size)
{
    return count == 0 ? NULL : memcpy(malloc(count * size), list, count * size);
}

static struct model_folder *folder_copy(const struct model_folder *from)
{
    struct model_folder *to = copied(from, 1, sizeof(*from));

    to->items = copied(from->items, from->count, sizeof(*from->items));
    to->gone = copied(from->gone, from->gone_count, sizeof(*from->gone));
    to->room = to->count;
    to->gone_room = to->gone_count;
    for (size_t i = 0; i < from->gone_count; i++) {
        to->gone[i].uids = (struct uidset){0};
        uidset_copy(&to->gone[i].uids, &from->gone[i].uids);
    }
    return to;
}

void model_copy(struct model *to, const struct model *from)
{
    *to = *from;
    for (unsigned n = 0; n < MODEL_MAILBOXES; n++) {
        struct model_mailbox *mailbox = &to->mailboxes[n];

        for (unsigned i = 0; i < mailbox->folder_count; i++)
            mailbox->folders[i] = folder_copy(mailbox->folders[i]);
        mailbox->recoverable =
            copied(mailbox->recoverable, mailbox->recoverable_count, sizeof(*mailbox->recoverable));
        mailbox->recoverable_room = mailbox->recoverable_count;
    }
}

static uint64_t touch(struct model_mailbox *mailbox, struct model_folder *folder)
{
    return folder->highest_modseq = ++mailbox->modseq;
}

/* ---- items ---- */

static enum err_code may_append(const struct model *model, const struct model_action *action)
{
    const struct model_mailbox *mailbox = &model->mailboxes[action->mailbox];

    if (model_folder(mailbox, action->folder) == NULL)
        return ERR_NOT_FOUND;
    if (action->folder == STORE_ROOT_FOLDER)
        return ERR_DENIED;
    return action->tight_quota ? ERR_LIMIT : ERR_NONE;
}

static enum err_code append(struct model *model, struct model_action *action)
{
    struct model_mailbox *mailbox = &model->mailboxes[action->mailbox];
    struct model_folder *folder = model_folder(mailbox, action->folder);
    enum err_code code = may_append(model, action);
    struct model_item item = {.system = action->system,
                              .keywords = action->keywords,
                              .property = action->value,
                              .number = action->number};

    if (code != ERR_NONE)
        return code;
    item.uid = action->least_uid > folder->uid_next ? action->least_uid : folder->uid_next;
    item.item_id = mailbox->next_item++;
    item.modseq = action->expected.modseq = touch(mailbox, folder);
    action->expected.uid = item.uid;
    action->expected.item_id = item.item_id;
    item_add(folder, &item);
    return ERR_NONE;
}

static uint32_t changed(enum store_flags_mode mode, uint32_t old, uint32_t bits)
{
    return mode == FLAGS_ADD ? old | bits : mode == FLAGS_REMOVE ? old & ~bits : bits;
}

static enum err_code flags(struct model *model, struct model_action *action)
{
    struct model_mailbox *mailbox = &model->mailboxes[action->mailbox];
    struct model_folder *folder = model_folder(mailbox, action->folder);

    if (folder == NULL)
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < folder->count; i++) {
        struct model_item *item = &folder->items[i];
        uint32_t system = changed(action->mode, item->system, action->system);
        uint32_t keywords = changed(action->mode, item->keywords, action->keywords);

        if (!uidset_has(&action->uids, item->uid))
            continue;
        if (item->modseq > action->unchanged_since) {
            uidset_add(&action->expected.refused, item->uid);
            continue;
        }
        if (system == item->system && keywords == item->keywords)
            continue;
        if (action->expected.modseq == 0)
            action->expected.modseq = touch(mailbox, folder);
        item->system = system;
        item->keywords = keywords;
        item->modseq = action->expected.modseq;
        uidset_add(&action->expected.uids, item->uid);
    }
    return ERR_NONE;
}

static enum err_code expunge(struct model *model, struct model_action *action)
{
    struct model_mailbox *mailbox = &model->mailboxes[action->mailbox];
    struct model_folder *folder = model_folder(mailbox, action->folder);
    size_t kept = 0;

    if (folder == NULL)
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < folder->count; i++) {
        struct model_item item = folder->items[i];

        if (uidset_has(&action->uids, item.uid) &&
            (!action->only_deleted || (item.system & FLAG_DELETED) != 0)) {
            uidset_add(&action->expected.uids, item.uid);
            aside(mailbox, folder, &item);
        } else {
            folder->items[kept++] = item;
        }
    }
    folder->count = kept;
    if (uidset_is_empty(&action->expected.uids))
        return ERR_NONE;
    action->expected.modseq = touch(mailbox, folder);
    gone_add(folder, action->expected.modseq, &action->expected.uids);
    return ERR_NONE;
}

/* ---- copy and move ---- */

static size_t chosen(const struct model_folder *folder, const struct uidset *uids)
{
    size_t count = 0;

    for (size_t i = 0; i < folder->count; i++)
        count += uidset_has(uids, folder->items[i].uid);
    return count;
}

/* The next items of the source, most of them: taken out for a move, uids up to last looked at. */
static struct uidset transfer(struct model_mailbox *mailbox, struct model_folder *source,
                              struct model_folder *target, const struct model_action *action,
                              uint32_t end, size_t most, uint64_t modseq)
{
    bool is_move = action->kind == OP_MOVE;
    struct uidset done = {0};
    size_t total = source->count, kept = 0, count = 0;

    for (size_t i = 0; i < total; i++) {
        struct model_item item = source->items[i];

        if (item.uid < end && count < most && uidset_has(&action->uids, item.uid)) {
            uidset_add(&done, item.uid);
            count++;
            if (!is_move)
                item.item_id = mailbox->next_item++;
            item.uid = target->uid_next;
            item.modseq = modseq;
            item_add(target, &item);
            if (is_move)
                continue;
        }
        source->items[kept++] = source->items[i];
    }
    if (source == target) /* what came lies behind */
        memmove(source->items + kept, source->items + total,
                (source->count - total) * sizeof(*source->items));
    source->count = kept + (source == target ? source->count - total : 0);
    return done;
}

static enum err_code copy(struct model *model, struct model_action *action, uint32_t slices)
{
    struct model_mailbox *mailbox = &model->mailboxes[action->mailbox];
    struct model_folder *source = model_folder(mailbox, action->folder);
    struct model_folder *target = model_folder(mailbox, action->target);
    bool is_move = action->kind == OP_MOVE;
    uint32_t end;
    size_t left;

    if (source == NULL || target == NULL)
        return ERR_NOT_FOUND;
    if (action->target == STORE_ROOT_FOLDER)
        return ERR_DENIED;
    left = chosen(source, &action->uids);
    end = source->uid_next;
    if (left > 0 && !is_move && action->tight_quota)
        return ERR_LIMIT;
    if (left > 0)
        action->expected.uid = target->uid_next;
    while (left > 0 && slices-- > 0) {
        size_t most = is_move && left > MODEL_AT_ONCE ? MODEL_AT_ONCE : left;
        uint64_t modseq = mailbox->modseq + (left > MODEL_AT_ONCE && !is_move ? CLAIM_AHEAD : 1);
        struct uidset done = transfer(mailbox, source, target, action, end, most, modseq);

        mailbox->modseq = target->highest_modseq = modseq;
        if (is_move) {
            source->highest_modseq = modseq;
            gone_add(source, modseq, &done);
        }
        for (size_t i = 0; i < done.count; i++)
            uidset_add_range(&action->expected.uids, done.ranges[i].first, done.ranges[i].last);
        uidset_release(&done);
        action->expected.modseq = modseq;
        left -= most;
    }
    return ERR_NONE;
}

uint32_t model_slices(const struct model *model, const struct model_turn *turn)
{
    const struct model_action *action = &turn->actions[0];
    const struct model_folder *folder =
        model_folder(&model->mailboxes[action->mailbox], action->folder);

    if (turn->count != 1 || action->kind != OP_MOVE || folder == NULL)
        return 1;
    return (uint32_t)(chosen(folder, &action->uids) / MODEL_AT_ONCE) + 1;
}

/* ---- folders ---- */

static bool has_name(const struct model_mailbox *mailbox, uint32_t parent, const char *name)
{
    for (unsigned i = 0; i < mailbox->folder_count; i++)
        if (mailbox->folders[i]->parent == parent && strcmp(mailbox->folders[i]->name, name) == 0)
            return true;
    return false;
}

static bool has_children(const struct model_mailbox *mailbox, uint32_t id)
{
    for (unsigned i = 0; i < mailbox->folder_count; i++)
        if (mailbox->folders[i]->parent == id)
            return true;
    return false;
}

static enum err_code create(struct model *model, struct model_action *action)
{
    struct model_mailbox *mailbox = &model->mailboxes[action->mailbox];
    struct model_folder *folder;

    if (model_folder(mailbox, action->target) == NULL)
        return ERR_NOT_FOUND;
    if (has_name(mailbox, action->target, action->name))
        return ERR_EXISTS;
    folder = folder_add(mailbox, action->target, action->name);
    action->expected.folder = folder->id;
    action->expected.modseq = folder->highest_modseq;
    return ERR_NONE;
}

static enum err_code rename_folder(struct model *model, struct model_action *action)
{
    struct model_mailbox *mailbox = &model->mailboxes[action->mailbox];
    struct model_folder *folder = model_folder(mailbox, action->folder);

    if (folder == NULL)
        return ERR_NOT_FOUND;
    if (action->folder <= STORE_INBOX_FOLDER)
        return ERR_DENIED;
    if (model_folder(mailbox, action->target) == NULL)
        return ERR_NOT_FOUND;
    if (has_name(mailbox, action->target, action->name))
        return ERR_EXISTS;
    for (uint32_t above = action->target; above != STORE_ROOT_FOLDER;
         above = model_folder(mailbox, above)->parent)
        if (above == action->folder)
            return ERR_INVALID;
    folder->parent = action->target;
    strcpy(folder->name, action->name);
    action->expected.modseq = touch(mailbox, folder);
    return ERR_NONE;
}

static enum err_code delete_folder(struct model *model, struct model_action *action)
{
    struct model_mailbox *mailbox = &model->mailboxes[action->mailbox];
    struct model_folder *folder = model_folder(mailbox, action->folder);
    unsigned at = 0;

    if (folder == NULL)
        return ERR_NOT_FOUND;
    if (action->folder <= STORE_INBOX_FOLDER)
        return ERR_DENIED;
    if (has_children(mailbox, action->folder))
        return ERR_EXISTS;
    for (size_t i = 0; i < folder->count; i++)
        aside(mailbox, folder, &folder->items[i]);
    action->expected.modseq = touch(mailbox, folder);
    while (mailbox->folders[at] != folder)
        at++;
    memmove(mailbox->folders + at, mailbox->folders + at + 1,
            (--mailbox->folder_count - at) * sizeof(mailbox->folders[0]));
    folder_release(folder);
    return ERR_NONE;
}

/* ---- the others ---- */

static enum err_code property_set(struct model *model, struct model_action *action)
{
    struct model_mailbox *mailbox = &model->mailboxes[action->mailbox];
    struct model_folder *folder = model_folder(mailbox, action->folder);
    uint32_t *property = action->folder == 0 ? &mailbox->property : NULL;

    if (action->folder != 0 && folder == NULL)
        return ERR_NOT_FOUND;
    if (folder != NULL && action->item_id == 0)
        property = &folder->property;
    for (size_t i = 0; folder != NULL && action->item_id != 0 && i < folder->count; i++)
        if (folder->items[i].item_id == action->item_id)
            property = &folder->items[i].property;
    if (property == NULL)
        return ERR_NOT_FOUND;
    *property = action->value;
    action->expected.modseq = folder != NULL ? touch(mailbox, folder) : ++mailbox->modseq;
    return ERR_NONE;
}

/* Takes an entry out; false when it is not there. */
static bool take(struct model_mailbox *mailbox, uint64_t item_id, struct model_recoverable *entry)
{
    for (size_t i = 0; i < mailbox->recoverable_count; i++) {
        if (mailbox->recoverable[i].item.item_id != item_id)
            continue;
        *entry = mailbox->recoverable[i];
        memmove(mailbox->recoverable + i, mailbox->recoverable + i + 1,
                (--mailbox->recoverable_count - i) * sizeof(*entry));
        return true;
    }
    return false;
}

static enum err_code recover(struct model *model, struct model_action *action)
{
    struct model_mailbox *mailbox = &model->mailboxes[action->mailbox];
    struct model_folder *folder = model_folder(mailbox, action->folder);
    struct model_recoverable entry;

    if (folder == NULL)
        return ERR_NOT_FOUND;
    if (action->folder == STORE_ROOT_FOLDER)
        return ERR_DENIED;
    for (size_t i = 0; i < action->item_count; i++) {
        if (!take(mailbox, action->item_ids[i], &entry))
            continue;
        if (action->expected.modseq == 0)
            action->expected.modseq = touch(mailbox, folder);
        entry.item.uid = folder->uid_next;
        entry.item.modseq = action->expected.modseq;
        entry.item.system &= ~(uint32_t)FLAG_DELETED;
        if (model_folder(mailbox, entry.folder) == NULL)
            entry.item.keywords = 0; /* nobody knows their names any more */
        item_add(folder, &entry.item);
        action->expected.count++;
    }
    return ERR_NONE;
}

static enum err_code purge(struct model *model, struct model_action *action)
{
    struct model_recoverable entry;

    for (size_t i = 0; i < action->item_count; i++)
        action->expected.count +=
            take(&model->mailboxes[action->mailbox], action->item_ids[i], &entry);
    return ERR_NONE;
}

static enum err_code mailbox_create(struct model *model, struct model_action *action)
{
    struct model_mailbox *mailbox = &model->mailboxes[action->mailbox];

    *mailbox = (struct model_mailbox){.there = true, .next_item = 1, .next_folder = 3};
    folder_add(mailbox, 0, "");
    folder_add(mailbox, STORE_ROOT_FOLDER, "INBOX");
    return ERR_NONE;
}

static enum err_code mailbox_remove(struct model *model, struct model_action *action)
{
    mailbox_release(&model->mailboxes[action->mailbox]);
    return ERR_NONE;
}

/* ---- a turn ---- */

static enum err_code apply(struct model *model, struct model_action *action, uint32_t slices)
{
    switch (action->kind) {
    case OP_APPEND:
        return append(model, action);
    case OP_FLAGS:
        return flags(model, action);
    case OP_EXPUNGE:
        return expunge(model, action);
    case OP_COPY:
    case OP_MOVE:
        return copy(model, action, slices);
    case OP_FOLDER_CREATE:
        return create(model, action);
    case OP_FOLDER_RENAME:
        return rename_folder(model, action);
    case OP_FOLDER_DELETE:
        return delete_folder(model, action);
    case OP_PROPERTY_SET:
        return property_set(model, action);
    case OP_RECOVER:
        return recover(model, action);
    case OP_PURGE:
        return purge(model, action);
    case OP_MAILBOX_CREATE:
        return mailbox_create(model, action);
    case OP_MAILBOX_REMOVE:
        return mailbox_remove(model, action);
    default:
        abort();
    }
}

void model_apply(struct model *model, struct model_turn *turn, uint32_t slices)
{
    enum err_code failure = ERR_NONE;

    for (unsigned i = 0; i < turn->count && turn->all_or_none && failure == ERR_NONE; i++)
        failure = may_append(model, &turn->actions[i]);
    for (unsigned i = 0; i < turn->count; i++)
        turn->actions[i].expected.code =
            failure != ERR_NONE ? failure : apply(model, &turn->actions[i], slices);
    model->turn++;
}

void model_turn_release(struct model_turn *turn)
{
    for (unsigned i = 0; i < turn->count; i++) {
        uidset_release(&turn->actions[i].uids);
        uidset_release(&turn->actions[i].expected.uids);
        uidset_release(&turn->actions[i].expected.refused);
    }
}
