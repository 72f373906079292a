/* Doing operations of items again. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/store/copy.h"
#include "mailbox-backend/store/folder.h"
#include "mailbox-backend/store/insert.h"
#include "mailbox-backend/store/pending.h"
#include "mailbox-backend/store/property.h"
#include "mailbox-backend/store/rebuild_replay.h"
#include "mailbox-backend/store/recoverable.h"
#include "mailbox-backend/store/remove.h"

static bool is_good(const Journal__Range *range)
{
    return range->first != 0 && range->first <= range->last && range->last <= UID_MAX;
}

static void set_of(Journal__Range **ranges, size_t count, struct uidset *set)
{
    for (size_t i = 0; i < count; i++)
        if (is_good(ranges[i]))
            uidset_add_range(set, ranges[i]->first, ranges[i]->last);
}

static void take_uid(const struct replay *replay, struct folder_slot *folder, uint32_t uid)
{
    folder_slot_change(replay->batch, folder, 0);
    if (folder->state.uid_next <= uid)
        folder->state.uid_next = uid + 1;
}

static void take_item_id(const struct replay *replay, uint64_t id)
{
    mailbox_slot_change(replay->batch, replay->mailbox);
    if (replay->mailbox->state.next_item <= id)
        replay->mailbox->state.next_item = id + 1;
}

/* ---- append ---- */

static void item_of(const struct replay *replay, struct store_item *item)
{
    const Journal__Append *append = replay->op->append;

    *item = (struct store_item){
        .uid = append->uid,
        .kind = KIND_MAIL,
        .flags.system = append->flags & FLAG_ALL,
        .modseq = replay->op->modseq,
        .size = append->size,
        .header_size = append->header_size,
        .no_final_newline = append->no_final_newline,
        .internal_date = append->internal_date,
        .zone = (int16_t)append->zone,
        .save_date = append->save_date,
        .item_id = append->item_id,
        .email_id = append->email_id,
        .thread_id = append->thread_id,
        .content_id = append->content_id,
    };
}

static enum err_code put_properties(const struct replay *replay, struct err *err)
{
    const Journal__Append *append = replay->op->append;
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < append->n_properties && code == ERR_NONE; i++) {
        const Journal__Property *given = append->properties[i];
        const struct store_property property = {given->name, given->value.data, given->value.len};

        if (property_check(&property, NULL) == ERR_NONE)
            code = property_put(&replay->mailbox->tx, 0, append->item_id, &property, err);
    }
    return code;
}

static bool is_taken(const struct folder_slot *folder, uint32_t uid)
{
    struct key key = key_item(folder->folder, uid);
    struct bytes row;

    return tx_get(&folder->mailbox->tx, TABLE_ITEM, &key, &row, NULL) != ERR_NOT_FOUND;
}

static enum err_code put_item(const struct replay *replay, struct folder_slot *folder,
                              struct store_item *item, struct err *err)
{
    const Journal__Append *append = replay->op->append;
    const struct store_keyword_names names = {(const char *const *)append->keywords,
                                              (unsigned)append->n_keywords};
    enum err_code code;

    /* a keyword for which there is no room, because others are not known to be unused, is left out */
    if (append->n_keywords > 0)
        batch_keywords(replay->batch, folder, &names, true, item->flags.keywords, NULL);
    take_uid(replay, folder, item->uid);
    take_item_id(replay, item->item_id);
    folder_count(replay->batch, folder, item, 1);
    mailbox_count(replay->batch, replay->mailbox, item, 1);
    replay_modseq(replay, folder);
    code = item_put(folder, item, item->modseq, err);
    return code == ERR_NONE ? put_properties(replay, err) : code;
}

enum err_code replay_append(const struct replay *replay, struct err *err)
{
    const Journal__Append *append = replay->op->append;
    struct folder_slot *folder;
    struct store_item item;
    enum err_code code = replay_folder(replay, replay->op->folder, &folder, err);

    if (code == ERR_NONE)
        code = replay_end_claim(replay, folder, err);
    if (code != ERR_NONE)
        return code;
    if (append->uid == 0 || append->uid > UID_MAX || is_taken(folder, append->uid))
        return err_set(err, ERR_NOT_FOUND, "the uid is taken");
    item_of(replay, &item);
    if (append->recovered && replay_take_back(replay, &item, err) == ERR_NONE)
        return put_item(replay, folder, &item, err);
    code = replay_take_content(replay, err);
    return code == ERR_NONE ? put_item(replay, folder, &item, err) : code;
}

/* ---- flags ---- */

static enum err_code change(const struct replay *replay, struct folder_slot *folder,
                            struct store_item *item, uint64_t read_modseq,
                            const uint64_t keywords[2], struct err *err)
{
    const Journal__Flags *change = replay->op->flags;
    struct store_flags flags = flags_apply((enum store_flags_mode)change->mode,
                                           change->flags & FLAG_ALL, keywords, &item->flags);

    flags_keep(&flags, &item->flags, change->kept_flags, change->keeps_keywords);
    folder_count(replay->batch, folder, item, -1);
    if (((item->flags.system ^ flags.system) & FLAG_SEEN) != 0)
        read_modseq = replay->op->modseq;
    item->flags = flags;
    item->modseq = replay->op->modseq;
    folder_count(replay->batch, folder, item, 1);
    return item_put(folder, item, read_modseq, err);
}

enum err_code replay_flags(const struct replay *replay, struct err *err)
{
    const Journal__Flags *flags = replay->op->flags;
    const struct store_keyword_names names = {(const char *const *)flags->keywords,
                                              (unsigned)flags->n_keywords};
    struct folder_slot *folder;
    struct uidset uids = {0};
    uint64_t keywords[2];
    uint32_t next = 1;
    enum err_code code = replay_folder(replay, replay->op->folder, &folder, err);

    if (code == ERR_NONE)
        code = batch_keywords(replay->batch, folder, &names, flags->mode != FLAGS_REMOVE, keywords,
                              err);
    if (code != ERR_NONE)
        return code;
    replay_modseq(replay, folder);
    set_of(flags->ranges, flags->n_ranges, &uids);
    while (code == ERR_NONE) {
        struct store_item item;
        uint64_t read_modseq;

        code = item_next_in(folder, &uids, &next, &item, &read_modseq, err);
        if (code == ERR_NONE)
            code = change(replay, folder, &item, read_modseq, keywords, err);
    }
    uidset_release(&uids);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* ---- expunge ---- */

static enum err_code drop_all(const struct replay *replay, struct folder_slot *folder,
                              const struct item_place *place, const struct uidset *uids,
                              struct err *err)
{
    uint32_t next = 1;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE) {
        struct store_item item;
        uint64_t read_modseq;

        code = item_next_in(folder, uids, &next, &item, &read_modseq, err);
        if (code != ERR_NONE)
            break;
        code = item_drop(replay->batch, place, &item, read_modseq, err);
        folder_count(replay->batch, folder, &item, -1);
        mailbox_count(replay->batch, replay->mailbox, &item, -1);
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code replay_expunge(const struct replay *replay, struct err *err)
{
    struct item_place place = {.mailbox = replay->mailbox, .folder = replay->op->folder};
    struct folder_record record;
    struct folder_slot *folder;
    struct uidset uids = {0};
    enum err_code code = replay_folder(replay, replay->op->folder, &folder, err);

    if (code == ERR_NONE)
        code = folder_record_get(&replay->mailbox->tx, replay->op->folder, &record, err);
    if (code != ERR_NONE)
        return code;
    place.name = str_n(arena_copy(&replay->batch->arena, record.name.data, record.name.length),
                       record.name.length);
    replay_modseq(replay, folder);
    set_of(replay->op->expunge->ranges, replay->op->expunge->n_ranges, &uids);
    code = drop_all(replay, folder, &place, &uids, err);
    uidset_release(&uids);
    return code;
}

/* ---- copy, move ---- */

/* An item keeps its place in the target even where others before it are not there any more. */
static enum err_code copy_one(struct copy_run *run, const struct replay *replay,
                              struct store_item *item, uint32_t place, struct err *err)
{
    const Journal__Copy *copy = replay->op->copy;
    uint32_t uid = copy->first + place;
    struct store_item before = *item;
    enum err_code code;

    if (uid < copy->first || uid > UID_MAX || is_taken(run->target, uid))
        return ERR_NONE;
    if (!run->is_move)
        replay->mailbox->state.next_item = copy->first_item_id + place;
    code = copy_item(run, item, uid, replay->op->modseq, err);
    if (code != ERR_NONE || copy->claim)
        return code;
    folder_count(replay->batch, run->target, item, 1);
    if (run->is_move)
        folder_count(replay->batch, run->source, &before, -1);
    else
        mailbox_count(replay->batch, replay->mailbox, item, 1);
    return ERR_NONE;
}

/* place: how many uids stand before the range. */
static enum err_code copy_range(struct copy_run *run, const struct replay *replay,
                                const Journal__Range *range, uint32_t place, struct err *err)
{
    struct uidset uids = {0};
    uint32_t next = range->first;
    enum err_code code = ERR_NONE;

    uidset_add_range(&uids, range->first, range->last);
    while (code == ERR_NONE) {
        struct store_item item;
        uint64_t read_modseq;

        code = item_next_in(run->source, &uids, &next, &item, &read_modseq, err);
        if (code == ERR_NONE)
            code = copy_one(run, replay, &item, place + (item.uid - range->first), err);
    }
    uidset_release(&uids);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code copy_ranges(struct copy_run *run, const struct replay *replay, struct err *err)
{
    const Journal__Copy *copy = replay->op->copy;
    uint64_t next_item = replay->mailbox->state.next_item;
    uint32_t place = 0;
    enum err_code code = ERR_NONE;

    mailbox_slot_change(replay->batch, replay->mailbox);
    for (size_t i = 0; i < copy->n_ranges && code == ERR_NONE; i++) {
        if (!is_good(copy->ranges[i]))
            continue;
        code = copy_range(run, replay, copy->ranges[i], place, err);
        place += copy->ranges[i]->last - copy->ranges[i]->first + 1;
    }
    if (!run->is_move && next_item < copy->first_item_id + place)
        next_item = copy->first_item_id + place;
    replay->mailbox->state.next_item = next_item;
    if (!copy->claim && place > 0)
        take_uid(replay, run->target, copy->first + place - 1);
    return code;
}

enum err_code replay_copy(const struct replay *replay, struct err *err)
{
    const Journal__Copy *copy = replay->op->copy;
    struct copy_run run = {.batch = replay->batch,
                           .is_move = replay->op->what_case == JOURNAL__OPERATION__WHAT_MOVE};
    enum err_code code = replay_folder(replay, replay->op->folder, &run.source, err);

    if (code == ERR_NONE)
        code = replay_folder(replay, copy->target, &run.target, err);
    if (code == ERR_NONE && !copy->claim)
        code = replay_end_claim(replay, run.target, err);
    if (code != ERR_NONE)
        return code;
    if (copy->claim && run.target->state.claim_count == 0)
        return err_set(err, ERR_NOT_FOUND, "a copy whose beginning is missing");
    keyword_map_init(&run.map);
    if (!copy->claim) {
        replay_modseq(replay, run.target);
        if (run.is_move)
            replay_modseq(replay, run.source);
    }
    return copy_ranges(&run, replay, err);
}

/* ---- claims ---- */

static enum err_code begin_claim(const struct replay *replay, struct folder_slot *folder,
                                 struct err *err)
{
    const Journal__Claim *claim = replay->op->claim_begin;
    enum err_code code = replay_end_claim(replay, folder, err);

    if (code != ERR_NONE)
        return code;
    folder_slot_change(replay->batch, folder, 0);
    folder->state.claim_first = claim->first;
    folder->state.claim_count = claim->count;
    return pending_put(replay->batch, replay->mailbox->number, folder->folder, PENDING_CLAIM,
                       str_of(""), err);
}

/* Counts what the claim holds. */
static enum err_code show(const struct replay *replay, struct folder_slot *folder, struct err *err)
{
    const Journal__Claim *claim = replay->op->claim_end;
    struct key key = key_item(folder->folder, claim->first);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, &replay->mailbox->tx, TABLE_ITEM, PREFIX_FOLDER, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    for (; code == ERR_NONE || code == ERR_CORRUPT; code = scan_next(&scan, err)) {
        uint32_t uid = get_u32(scan.key.data + 8);
        struct store_item item;

        if (uid > UID_MAX || uid - claim->first >= claim->count)
            break;
        if (code != ERR_NONE || !item_unpack(scan.value, uid, &item))
            continue;
        folder_count(replay->batch, folder, &item, 1);
        mailbox_count(replay->batch, replay->mailbox, &item, 1);
    }
    scan_end(&scan);
    return code == ERR_NOT_FOUND || code == ERR_CORRUPT ? ERR_NONE : code;
}

enum err_code replay_claim(const struct replay *replay, struct err *err)
{
    const Journal__Claim *claim = replay->op->claim_end; /* a union: claim_begin too */
    struct folder_slot *folder;
    enum err_code code = replay_folder(replay, replay->op->folder, &folder, err);

    if (code != ERR_NONE || claim->count == 0 || claim->first == 0 ||
        claim->count > UID_MAX - claim->first)
        return code;
    if (replay->op->what_case == JOURNAL__OPERATION__WHAT_CLAIM_BEGIN)
        return begin_claim(replay, folder, err);
    folder->state.claim_first = folder->state.claim_count = 0;
    take_uid(replay, folder, claim->first + claim->count - 1);
    replay_modseq(replay, folder);
    code = show(replay, folder, err);
    return code == ERR_NONE
               ? pending_remove(replay->batch, replay->mailbox->number, folder->folder, err)
               : code;
}
