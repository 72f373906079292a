/* SEARCH and UID SEARCH (RFC 3501 section 6.4.4; RETURN: RFC 4731 and 5182). Goes through the messages of the view in slices: a
   slice's records are copied out and decided in one short snapshot, with the envelopes that delivery
   kept; the messages that this leaves open are read on a worker. Hits are written as they are
   found, so nothing grows with their number. */
#include "mailbox-backend/imap4/search.h"
#include "mailbox-backend/imap4/search_result.h"

#include <inttypes.h>

#include "mailbox-backend/mime/summary.h"

#define SLICE 128
#define WORK_BYTES ((uint64_t)4 << 20) /* content read in one step */

struct run {
    struct search search;
    struct arena moment; /* memory for one message */
    uint8_t summary[STORE_SUMMARY_MAX];
    struct store_item items[SLICE];
    enum truth truths[SLICE];
    size_t count, at;
    uint32_t next_uid; /* of the next slice; 0: there is none */
    bool wants_hint;   /* the search index is still to be asked */
    bool line_begun;
    uint64_t highest; /* modseq of the hits */
    struct search_result result;
};

static void clean_up(struct command *command)
{
    struct run *run = command->data;

    search_hint_end(command, &run->search);
    search_release(&run->search);
    search_result_release(&run->result);
    arena_reset(&run->moment);
}

/* ---- a slice, in a snapshot ---- */

/* The kept envelope, where keys need one and there is one. */
static const struct search_envelope *kept_envelope(struct command *command, struct store_read *read,
                                                   uint32_t uid, struct search_envelope *envelope)
{
    struct run *run = command->data;
    struct mime_summary summary;
    size_t length;

    if (store_summary_get(read, command->imap->view->folder, uid, run->summary, &length, NULL) !=
            ERR_NONE ||
        mime_summary_open(run->summary, length, &summary, NULL) != ERR_NONE ||
        !search_envelope_read(envelope, &run->moment, summary.envelope,
                              run->search.needs_addresses))
        return NULL;
    return envelope;
}

static enum truth decide(struct command *command, struct store_read *read,
                         const struct store_item *item)
{
    struct run *run = command->data;
    struct search_facts facts = {
        .view = command->imap->view, .item = item, .hint = run->search.hint};
    struct search_envelope envelope;
    enum truth truth = search_decide(run->search.root, &facts, &run->moment);

    if (truth == TRUTH_UNKNOWN && run->search.needs_envelope) {
        facts.envelope = kept_envelope(command, read, item->uid, &envelope);
        truth = search_decide(run->search.root, &facts, &run->moment);
    }
    arena_reset(&run->moment);
    return truth;
}

static enum err_code read_slice(struct command *command, struct store_read *read, struct err *err)
{
    struct run *run = command->data;
    uint32_t folder = command->imap->view->folder;
    struct uid_range range = uidset_next_range(&command->uids, run->next_uid);

    run->at = run->count = 0;
    for (; range.first != 0 && run->count < SLICE;
         range = uidset_next_range(&command->uids, run->next_uid)) {
        size_t count;

        if (store_item_scan(read, folder, range.first, range.last, 0, run->items + run->count,
                            SLICE - run->count, &count, err) != ERR_NONE)
            return err->code;
        run->count += count;
        run->next_uid = (run->count == SLICE ? run->items[SLICE - 1].uid : range.last) + 1;
    }
    if (range.first == 0)
        run->next_uid = 0;
    for (size_t i = 0; i < run->count; i++)
        run->truths[i] = decide(command, read, &run->items[i]);
    return ERR_NONE;
}

/* ---- the answer ---- */

static void write_hit(struct command *command, const struct store_item *item)
{
    struct run *run = command->data;
    bool by_uid = (command->entry->flags & CMD_UID) != 0;
    uint32_t number = by_uid ? item->uid : view_sequence(command->imap->view, item->uid);

    if (!run->line_begun)
        buf_text(command_output(command), "* SEARCH");
    run->line_begun = true;
    command->in_answer = true;
    buf_printf(command_output(command), " %u", number);
    if (item->modseq > run->highest)
        run->highest = item->modseq;
}

static void take_hit(struct command *command, const struct store_item *item)
{
    struct run *run = command->data;

    if (run->result.asked == 0)
        write_hit(command, item);
    else
        search_result_add(&run->result, item);
}

/* A search that found nothing says so by an empty line; one by mod-sequence tells the highest that it
   found (RFC 7162 section 3.1.6). */
static void end_line(struct command *command)
{
    struct run *run = command->data;

    if (run->search.has_modseq && run->line_begun)
        buf_printf(command_output(command), " (MODSEQ %" PRIu64 ")", run->highest);
    buf_text(command_output(command), run->line_begun ? "\r\n" : "* SEARCH\r\n");
    command->in_answer = false;
}

static enum step fail(struct command *command, const struct err *err)
{
    const struct run *run = command->data;

    if (run->result.asked == 0)
        end_line(command);
    return command_fail(command, err);
}

static enum step tell_result(struct command *command)
{
    struct run *run = command->data;

    if (!search_result_tell(command, &run->result, run->search.has_modseq))
        return STEP_MORE;
    return command_ok(command, NULL);
}

static enum step end(struct command *command)
{
    struct run *run = command->data;

    if (run->result.asked == 0) {
        end_line(command);
        return command_ok(command, NULL);
    }
    search_result_save(command->imap, &run->result);
    command->run = tell_result;
    return tell_result(command);
}

/* ---- messages that must be read ---- */

static enum err_code open_item(struct command *command, const struct store_item *item,
                               struct store_content **content, struct err *err)
{
    struct store_read *read;
    enum err_code code = store_read_begin(command->imap->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = store_content_open(read, item, content, err);
    store_read_end(&read);
    return code;
}

/* A message that was expunged since the slice was read is no hit. */
static enum err_code read_message(struct command *command, const struct store_item *item,
                                  bool *found, struct err *err)
{
    struct run *run = command->data;
    struct store_content *content;
    enum err_code code = open_item(command, item, &content, err);

    *found = false;
    if (code == ERR_NOT_FOUND)
        return ERR_NONE;
    if (code != ERR_NONE)
        return code;
    code =
        search_message(&run->search, command->imap->view, item, content, &run->moment, found, err);
    store_content_close(&content);
    arena_reset(&run->moment);
    return code;
}

/* Writes the slice's hits. STEP_IDLE: it is done. */
static enum step finish_slice(struct command *command, uint64_t *budget)
{
    struct run *run = command->data;
    struct err err;

    for (; run->at < run->count; run->at++) {
        const struct store_item *item = &run->items[run->at];
        bool found = run->truths[run->at] == TRUTH_YES;

        if (!command_has_room(command))
            return STEP_MORE;
        if (run->truths[run->at] == TRUTH_UNKNOWN) {
            if ((command->why & WHY_WORKER) == 0 || *budget == 0)
                return STEP_WORK;
            if (read_message(command, item, &found, &err) != ERR_NONE)
                return fail(command, &err);
            *budget = *budget > item->size ? *budget - item->size : 0;
        }
        if (found)
            take_hit(command, item);
    }
    return STEP_IDLE;
}

static enum step next_slice(struct command *command)
{
    struct store_read *read;
    enum err_code code;
    struct err err;

    if (store_read_begin(command->imap->mailbox, &read, &err) != ERR_NONE)
        return fail(command, &err);
    code = read_slice(command, read, &err);
    store_read_end(&read);
    return code == ERR_NONE ? STEP_IDLE : fail(command, &err);
}

/* False: the command was answered. */
static bool take_hint(struct command *command)
{
    struct run *run = command->data;
    struct store_read *read;

    run->wants_hint = false;
    if (!command_read(command, &read))
        return false;
    search_hint_begin(command, &run->search, read);
    store_read_end(&read);
    return true;
}

/* One slice a step on the loop; on a worker as many as the bytes allow. */
static enum step go_on(struct command *command)
{
    struct run *run = command->data;
    uint64_t budget = WORK_BYTES;
    enum step step;

    if (run->wants_hint && (command->why & WHY_WORKER) == 0)
        return STEP_WORK;
    if (run->wants_hint && !take_hint(command))
        return command_ended(command);
    do {
        step = finish_slice(command, &budget);
        if (step != STEP_IDLE)
            return step;
        if (run->next_uid == 0 || search_result_is_whole(&run->result))
            return end(command);
        step = next_slice(command);
        if (step != STEP_IDLE)
            return step;
        budget = budget > SLICE ? budget - SLICE : 0;
    } while ((command->why & WHY_WORKER) != 0 && budget > 0);
    return STEP_NEXT;
}

/* ---- the beginning ---- */

static bool is_unseen(const struct search_key *key)
{
    return key->kind == SEARCH_NOT && key->children->kind == SEARCH_FLAG &&
           key->children->number == FLAG_SEEN;
}

/* Messages that a set among the outer keys leaves out need not be looked at, nor, where one is UNSEEN, those
   that are seen. */
static enum err_code choose_candidates(struct command *command, const struct search *search,
                                       struct store_read *read, struct err *err)
{
    const struct view *view = command->imap->view;
    struct uidset unseen = {0};
    enum err_code code;

    for (const struct search_key *key = search->root->children; key != NULL; key = key->next) {
        if (key->kind == SEARCH_UIDS) {
            uidset_copy(&command->uids, &key->uids);
            return ERR_NONE;
        }
        if (is_unseen(key) && store_uids_are_kept(read, view->folder)) {
            code = store_unseen(read, view->folder, &unseen, err);
            view_known_uids(view, &unseen, &command->uids);
            uidset_release(&unseen);
            return code;
        }
    }
    uidset_copy(&command->uids, &view->uids);
    return ERR_NONE;
}

/* Keywords that others made since are to be found as well. */
static bool prepare(struct command *command)
{
    const struct run *run = command->data;
    struct store_read *read;
    enum err_code code;
    struct err err;

    if (!command_read(command, &read))
        return false;
    code = flags_refresh(command, read, &err);
    if (code == ERR_NONE)
        code = choose_candidates(command, &run->search, read, &err);
    store_read_end(&read);
    if (code != ERR_NONE)
        command_fail(command, &err);
    return code == ERR_NONE;
}

/* A search that is to be saved and ends by NO leaves nothing in "$"; BAD leaves it as it is (RFC 5182
   section 2.1). */
static enum step refuse(struct command *command)
{
    const struct run *run = command->data;

    if ((run->result.asked & RETURN_SAVE) != 0 && command->result == RESULT_NO)
        uidset_release(&command->imap->saved);
    return command_ended(command);
}

enum step cmd_search(struct command *command)
{
    struct run *run = arena_alloc(&command->arena, sizeof(*run));

    command->data = run;
    command->cleanup = clean_up;
    if (!search_result_take(&command->args, &run->result))
        return command_bad_syntax(command);
    if (!search_take(command, &run->search))
        return refuse(command);
    if ((run->result.asked & RETURN_SAVE) != 0)
        uidset_release(&command->imap->saved);
    if (!prepare(command))
        return command_ended(command);
    if (run->search.has_modseq)
        condstore_enable(command);
    run->next_uid = 1;
    run->wants_hint = run->search.content_count > 0;
    command->run = go_on;
    return go_on(command);
}
