/* Which work a turn has. */
#include <stdio.h>

#include "tests/unit/store/model.h"

#define ITEMS_MANY 70u        /* of a folder: then more go than come */
#define RECOVERABLE_MANY 120u /* of a mailbox */

struct dice {
    const struct model *model;
    uint64_t thrown;
};

static uint32_t roll(struct dice *dice, uint64_t below)
{
    return (uint32_t)(model_random(dice->model->seed, dice->model->turn, ++dice->thrown) % below);
}

static bool one_in(struct dice *dice, unsigned many)
{
    return roll(dice, many) == 0;
}

static const struct model_mailbox *mailbox_of(const struct dice *dice,
                                              const struct model_action *action)
{
    return &dice->model->mailboxes[action->mailbox];
}

/* A mailbox that is there, from a random one on. False: none is. */
static bool roll_mailbox(struct dice *dice, struct model_action *action)
{
    unsigned from = roll(dice, MODEL_MAILBOXES);

    for (unsigned i = 0; i < MODEL_MAILBOXES; i++) {
        action->mailbox = (from + i) % MODEL_MAILBOXES;
        if (mailbox_of(dice, action)->there)
            return true;
    }
    return false;
}

/* Mostly one that is there. */
static uint32_t roll_folder(struct dice *dice, const struct model_action *action)
{
    const struct model_mailbox *mailbox = mailbox_of(dice, action);

    if (one_in(dice, 60))
        return mailbox->next_folder + roll(dice, 2);
    if (one_in(dice, 60))
        return STORE_ROOT_FOLDER;
    return mailbox->folders[1 + roll(dice, mailbox->folder_count - 1)]->id;
}

static const struct model_folder *folder_of(const struct dice *dice,
                                            const struct model_action *action)
{
    return model_folder(mailbox_of(dice, action), action->folder);
}

/* Some ranges of uids, with ones that are not there. */
static void roll_uids(struct dice *dice, struct model_action *action, uint32_t width)
{
    const struct model_folder *folder = folder_of(dice, action);
    uint32_t low = 1, high = 10;

    if (folder != NULL && folder->count > 0) {
        low = folder->items[0].uid;
        high = folder->uid_next;
    }
    for (unsigned ranges = 1 + roll(dice, 3); ranges > 0; ranges--) {
        uint32_t first = low + roll(dice, high - low + 2);

        uidset_add_range(&action->uids, first, first + roll(dice, width));
    }
}

/* So many items from a random one on, by the uids that they have. */
static void roll_items(struct dice *dice, struct model_action *action, uint32_t most)
{
    const struct model_folder *folder = folder_of(dice, action);
    uint32_t count;

    if (folder == NULL || folder->count == 0) {
        uidset_add(&action->uids, 1);
        return;
    }
    count = 1 + roll(dice, most);
    for (size_t at = roll(dice, folder->count); count > 0 && at < folder->count; count--)
        uidset_add(&action->uids, folder->items[at++].uid);
}

static uint64_t roll_modseq(struct dice *dice, const struct model_action *action)
{
    const struct model_folder *folder = folder_of(dice, action);

    if (folder == NULL || folder->count == 0 || !one_in(dice, 3))
        return UINT64_MAX;
    return folder->items[roll(dice, folder->count)].modseq;
}

static void pick_append(struct dice *dice, struct model_action *action)
{
    const struct model_folder *folder;

    action->folder = one_in(dice, 3) ? STORE_INBOX_FOLDER : roll_folder(dice, action);
    folder = folder_of(dice, action);
    action->number = dice->model->turn * MODEL_ACTIONS + roll(dice, MODEL_ACTIONS);
    action->system = roll(dice, FLAG_ALL + 1);
    action->keywords = one_in(dice, 3) ? roll(dice, 1u << MODEL_KEYWORDS) : 0;
    action->value = one_in(dice, 6) ? 1 + roll(dice, 1000) : 0;
    action->tight_quota = one_in(dice, 25) && model_message_size(action->number) > 1;
    if (folder != NULL && one_in(dice, 20))
        action->least_uid = folder->uid_next + roll(dice, one_in(dice, 10) ? 3000 : 5);
}

static void pick_flags(struct dice *dice, struct model_action *action)
{
    action->folder = roll_folder(dice, action);
    roll_uids(dice, action, 12);
    action->mode = (enum store_flags_mode)roll(dice, 3);
    action->system = roll(dice, FLAG_ALL + 1);
    action->keywords = one_in(dice, 3) ? roll(dice, 1u << MODEL_KEYWORDS) : 0;
    action->unchanged_since = roll_modseq(dice, action);
}

static void pick_expunge(struct dice *dice, struct model_action *action)
{
    const struct model_folder *folder;

    action->folder = roll_folder(dice, action);
    folder = folder_of(dice, action);
    action->only_deleted = one_in(dice, 2);
    if (folder != NULL && folder->count > ITEMS_MANY)
        roll_items(dice, action, ITEMS_MANY);
    else
        roll_uids(dice, action, 8);
}

static void pick_copy(struct dice *dice, struct model_action *action, uint32_t most)
{
    action->folder = roll_folder(dice, action);
    action->target = roll_folder(dice, action);
    action->tight_quota = one_in(dice, 25);
    roll_items(dice, action, most);
    if (action->kind == OP_COPY && folder_of(dice, action) != NULL) {
        const struct model_folder *target = model_folder(mailbox_of(dice, action), action->target);

        if (target != NULL && target->count > ITEMS_MANY)
            action->kind = OP_MOVE;
    }
}

static void pick_name(struct dice *dice, struct model_action *action)
{
    snprintf(action->name, sizeof(action->name), "F%u", roll(dice, 12));
    action->target = one_in(dice, 2) ? STORE_ROOT_FOLDER : roll_folder(dice, action);
}

static void pick_folder(struct dice *dice, struct model_action *action)
{
    static const enum store_op_kind kinds[] = {OP_FOLDER_CREATE, OP_FOLDER_RENAME,
                                               OP_FOLDER_DELETE};
    bool full = mailbox_of(dice, action)->folder_count + MODEL_ACTIONS > MODEL_FOLDERS;

    action->kind = kinds[roll(dice, 3)];
    if (action->kind == OP_FOLDER_CREATE && full)
        action->kind = OP_FOLDER_DELETE;
    action->folder = roll_folder(dice, action);
    pick_name(dice, action);
}

static void pick_property(struct dice *dice, struct model_action *action)
{
    const struct model_folder *folder;

    action->folder = one_in(dice, 4) ? 0 : roll_folder(dice, action);
    folder = folder_of(dice, action);
    if (folder != NULL && folder->count > 0 && one_in(dice, 2))
        action->item_id = folder->items[roll(dice, folder->count)].item_id;
    action->value = roll(dice, 4) * (1 + roll(dice, 1000));
}

/* One of those that may stand in a transaction with others. */
static void pick_small(struct dice *dice, struct model_action *action)
{
    unsigned what = roll(dice, 100);

    if (what < 38) {
        action->kind = OP_APPEND;
        pick_append(dice, action);
    } else if (what < 58) {
        action->kind = OP_FLAGS;
        pick_flags(dice, action);
    } else if (what < 72) {
        action->kind = OP_EXPUNGE;
        pick_expunge(dice, action);
    } else if (what < 84) {
        action->kind = one_in(dice, 2) ? OP_COPY : OP_MOVE;
        pick_copy(dice, action, MODEL_AT_ONCE / 2);
    } else if (what < 92) {
        action->kind = OP_PROPERTY_SET;
        pick_property(dice, action);
    } else {
        pick_folder(dice, action);
    }
}

/* Those that were expunged last, or long ago, and one that never was there. */
static void pick_recoverable(struct dice *dice, struct model_action *action)
{
    const struct model_mailbox *mailbox = mailbox_of(dice, action);
    size_t count = mailbox->recoverable_count;
    size_t most = 1 + roll(dice, count > RECOVERABLE_MANY ? MODEL_RECOVERED : 4);
    size_t at = count == 0 || one_in(dice, 2) ? 0 : roll(dice, count);

    action->kind = count > RECOVERABLE_MANY || one_in(dice, 2) ? OP_PURGE : OP_RECOVER;
    action->folder = roll_folder(dice, action);
    for (; at < count && action->item_count < most; at++)
        action->item_ids[action->item_count++] = mailbox->recoverable[at].item.item_id;
}

/* One message to several. */
static void pick_delivery(struct dice *dice, struct model_turn *turn)
{
    uint64_t number = turn->number * MODEL_ACTIONS;

    turn->all_or_none = one_in(dice, 2);
    turn->count = 1 + roll(dice, 4);
    for (unsigned i = 0; i < turn->count; i++) {
        struct model_action *action = &turn->actions[i];

        action->kind = OP_APPEND;
        roll_mailbox(dice, action);
        pick_append(dice, action);
        action->number = number;
        action->tight_quota = action->tight_quota && model_message_size(number) > 1;
    }
}

/* A mailbox comes or goes. */
static bool pick_mailbox(struct dice *dice, struct model_turn *turn)
{
    struct model_action *action = &turn->actions[0];

    turn->count = 1;
    action->mailbox = roll(dice, MODEL_MAILBOXES);
    if (!mailbox_of(dice, action)->there)
        action->kind = OP_MAILBOX_CREATE;
    else if (one_in(dice, 20))
        action->kind = OP_MAILBOX_REMOVE;
    else
        return false;
    return true;
}

void model_pick(const struct model *model, struct model_turn *turn)
{
    struct dice dice = {model, 0};
    struct model_action *first = &turn->actions[0];
    unsigned what = roll(&dice, 100);

    *turn = (struct model_turn){.number = model->turn};
    if ((one_in(&dice, 40) || !roll_mailbox(&dice, first)) && pick_mailbox(&dice, turn))
        return;
    if (!roll_mailbox(&dice, first)) { /* the first of all */
        first->kind = OP_MAILBOX_CREATE;
        turn->count = 1;
    } else if (what < 25) {
        pick_delivery(&dice, turn);
    } else if (what < 36) {
        turn->count = 1;
        pick_recoverable(&dice, first);
    } else if (what < 44) {
        turn->count = 1;
        first->kind = one_in(&dice, 2) ? OP_COPY : OP_MOVE;
        pick_copy(&dice, first, ITEMS_MANY);
    } else {
        turn->count = 1 + roll(&dice, MODEL_ACTIONS - 1);
        for (unsigned i = 0; i < turn->count; i++) {
            roll_mailbox(&dice, &turn->actions[i]);
            pick_small(&dice, &turn->actions[i]);
        }
    }
}
