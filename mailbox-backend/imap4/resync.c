#include "mailbox-backend/imap4/resync.h"

#define SLICE 64 /* items between two looks at the room left */

struct telling {
    uint64_t modseq;
    const char *code;
    struct uidset vanished;
    size_t vanished_at;
    uint32_t next_uid;
};

/* ---- arguments ---- */

static bool is_ascending(const struct sequence_set *set)
{
    uint32_t last = 0;

    for (size_t i = 0; i < set->count; i++) {
        if (set->ranges[i].first <= last || set->ranges[i].last < set->ranges[i].first)
            return false;
        last = set->ranges[i].last;
    }
    return true;
}

static uint64_t size_of(const struct sequence_set *set)
{
    uint64_t size = 0;

    for (size_t i = 0; i < set->count; i++)
        size += (uint64_t)set->ranges[i].last - set->ranges[i].first + 1;
    return size;
}

static bool take_match(struct parse *parse, struct resync *resync)
{
    const char *start = parse->at;

    if (!parse_char(parse, '(') || !parse_known_set(parse, &resync->sequences) ||
        !parse_space(parse) || !parse_known_set(parse, &resync->uids) || !parse_char(parse, ')'))
        return false;
    if (!is_ascending(&resync->sequences) || !is_ascending(&resync->uids) ||
        size_of(&resync->sequences) != size_of(&resync->uids))
        return parse_fail(parse, start, "Expected as many numbers as uids, both ascending");
    return true;
}

bool resync_take(struct parse *parse, struct resync *resync)
{
    const char *start;

    resync->asked = true;
    if (!parse_space(parse) || !parse_char(parse, '(') ||
        !parse_nz_number(parse, &resync->uid_validity) || !parse_space(parse))
        return false;
    start = parse->at;
    if (!parse_modseq(parse, &resync->modseq))
        return false;
    if (resync->modseq == 0)
        return parse_fail(parse, start, "Expected a mod-sequence from 1 on");
    if (parse_skip(parse, ' ') && !parse_peek(parse, '(')) {
        if (!parse_known_set(parse, &resync->known))
            return false;
        if (parse_skip(parse, ' ') && !parse_peek(parse, '('))
            return parse_fail(parse, parse->at, "Expected \"(\"");
    }
    if (parse_peek(parse, '(') && !take_match(parse, resync))
        return false;
    return parse_char(parse, ')');
}

/* ---- what the client knows of what vanished ---- */

/* Of count numbers from sequence on, whose uids the client believes to run from uid on, the uid of the
   last one that it is right about; 0: none. Uids never grow by less than numbers do. */
static uint32_t last_match(const struct view *view, uint32_t sequence, uint32_t uid, uint64_t count)
{
    uint64_t low = 0; /* below it a message is not behind its uid */
    uint64_t high = count;

    if (sequence > view_count(view))
        return 0;
    if (high > view_count(view) - sequence + 1)
        high = view_count(view) - sequence + 1;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (view_uid(view, sequence + (uint32_t)middle) <= uid + middle)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || view_uid(view, sequence + (uint32_t)low - 1) != uid + low - 1)
        return 0;
    return uid + (uint32_t)low - 1;
}

/* The highest uid below which the client has missed nothing: both sets are gone through side by
   side, range by range. */
static uint32_t known_up_to(const struct view *view, const struct resync *resync)
{
    size_t i = 0;
    size_t j = 0;
    uint64_t done_i = 0; /* of range i */
    uint64_t done_j = 0;
    uint32_t known = 0;

    while (i < resync->sequences.count && j < resync->uids.count) {
        const struct sequence_range *numbers = &resync->sequences.ranges[i];
        const struct sequence_range *uids = &resync->uids.ranges[j];
        uint64_t left_i = (uint64_t)numbers->last - numbers->first + 1 - done_i;
        uint64_t left_j = (uint64_t)uids->last - uids->first + 1 - done_j;
        uint64_t count = left_i < left_j ? left_i : left_j;
        uint32_t match = last_match(view, numbers->first + (uint32_t)done_i,
                                    uids->first + (uint32_t)done_j, count);

        if (match != 0)
            known = match;
        done_i = count == left_i ? 0 : done_i + count;
        done_j = count == left_j ? 0 : done_j + count;
        i += count == left_i;
        j += count == left_j;
    }
    return known;
}

static enum err_code find_vanished(struct command *command, struct store_read *read,
                                   const struct resync *resync, struct err *err)
{
    struct telling *telling = command->data;
    const struct view *view = command->imap->view;
    uint32_t known = known_up_to(view, resync);
    enum err_code code =
        vanished_since(view, read, &command->uids, resync->modseq, &telling->vanished, err);

    if (code == ERR_NONE && known != 0)
        uidset_remove_range(&telling->vanished, 1, known);
    return code;
}

/* ---- the answer ---- */

static enum err_code tell_slice(struct command *command, struct store_read *read, size_t *count,
                                struct err *err)
{
    struct telling *telling = command->data;
    const struct view *view = command->imap->view;
    struct store_item items[SLICE];
    enum err_code code =
        store_item_scan(read, view->folder, telling->next_uid, uidset_last(&command->uids),
                        telling->modseq, items, SLICE, count, err);

    if (code == ERR_NONE)
        code = flags_learn(command, read, items, *count, err);
    if (code != ERR_NONE || *count == 0)
        return code;
    for (size_t i = 0; i < *count; i++) {
        if (uidset_has(&command->uids, items[i].uid))
            flags_tell_item(command, &items[i]);
    }
    telling->next_uid = items[*count - 1].uid + 1;
    return ERR_NONE;
}

static enum step tell_changed(struct command *command)
{
    const struct telling *telling = command->data;
    struct store_read *read;
    size_t count = 0;
    struct err err;
    enum err_code code = ERR_NONE;

    if (!command_has_room(command))
        return STEP_MORE;
    if (telling->next_uid <= uidset_last(&command->uids)) {
        if (!command_read(command, &read))
            return command_ended(command);
        code = tell_slice(command, read, &count, &err);
        store_read_end(&read);
    }
    if (code != ERR_NONE)
        return command_fail(command, &err);
    return count == SLICE ? STEP_NEXT : command_ok_code(command, telling->code, NULL);
}

static enum step tell_vanished(struct command *command)
{
    struct telling *telling = command->data;

    if (!command_has_room(command))
        return STEP_MORE;
    if (telling->vanished_at == telling->vanished.count) {
        command->run = tell_changed;
        return tell_changed(command);
    }
    vanished_tell(command, &telling->vanished, &telling->vanished_at, true);
    return STEP_NEXT;
}

/* ---- the beginning ---- */

static void cleanup(struct command *command)
{
    struct telling *telling = command->data;

    uidset_release(&telling->vanished);
}

static void find_known(const struct command *command, const struct resync *resync,
                       struct uidset *known)
{
    const struct view *view = command->imap->view;

    command_numbers_of(command, &resync->known, true, known);
    if (resync->known.count == 0 && view->uid_next > 1)
        uidset_add_range(known, 1, view->uid_next - 1);
}

enum step resync_begin(struct command *command, struct store_read *read,
                       const struct resync *resync, const char *code)
{
    struct telling *telling = arena_alloc(&command->arena, sizeof(*telling));
    const struct view *view = command->imap->view;
    struct uidset known = {0};
    struct err err;

    telling->modseq = resync->modseq;
    telling->code = code;
    telling->next_uid = 1;
    command->data = telling;
    command->cleanup = cleanup;
    command->run = tell_vanished;
    find_known(command, resync, &command->uids);
    if (find_vanished(command, read, resync, &err) != ERR_NONE)
        return command_fail(command, &err);
    uidset_add_common(&known, &command->uids, &view->uids);
    uidset_release(&command->uids);
    command->uids = known;
    return STEP_NEXT;
}
