/* SEARCH and UID SEARCH (RFC 3501 section 6.4.4; RETURN: search_result.h). In IMAP4rev1 without
   RETURN hits are written as they are found, so nothing grows with their number. */
#include <inttypes.h>

#include "mailbox-backend/imap4/search_result.h"
#include "mailbox-backend/imap4/search_run.h"

struct searching {
    struct search_run run;
    bool line_begun;
    uint64_t highest; /* modseq of the hits */
    struct search_result result;
};

static void clean_up(struct command *command)
{
    struct searching *searching = command->data;

    search_run_release(command, &searching->run);
    search_result_release(&searching->result);
}

static bool has_return(const struct searching *searching)
{
    return searching->result.asked != 0;
}

/* ---- hits ---- */

static void write_hit(struct command *command, const struct store_item *item)
{
    struct searching *searching = command->data;
    bool by_uid = (command->entry->flags & CMD_UID) != 0;
    uint32_t number = by_uid ? item->uid : view_sequence(command->imap->view, item->uid);

    if (!searching->line_begun)
        buf_text(command_output(command), "* SEARCH");
    searching->line_begun = true;
    command->in_answer = true;
    buf_byte(command_output(command), ' ');
    buf_number(command_output(command), number);
    if (item->modseq > searching->highest)
        searching->highest = item->modseq;
}

static enum err_code take_hit(struct command *command, const struct store_item *item,
                              struct err *err)
{
    struct searching *searching = command->data;

    (void)err;
    if (!has_return(searching)) {
        write_hit(command, item);
        return ERR_NONE;
    }
    search_result_add(&searching->result, item);
    searching->run.enough =
        search_result_is_whole(&searching->result, searching->run.search.has_modseq);
    return ERR_NONE;
}

/* ---- the end ---- */

/* A search that found nothing says so by an empty line; one by mod-sequence tells the highest that it
   found (RFC 7162 section 3.1.6). */
static void end_line(struct command *command)
{
    struct searching *searching = command->data;

    if (searching->run.search.has_modseq && searching->line_begun)
        buf_printf(command_output(command), " (MODSEQ %" PRIu64 ")", searching->highest);
    buf_text(command_output(command), searching->line_begun ? "\r\n" : "* SEARCH\r\n");
    command->in_answer = false;
}

static enum step tell_result(struct command *command)
{
    struct searching *searching = command->data;

    if (!search_result_tell(command, &searching->result, searching->run.search.has_modseq))
        return STEP_MORE;
    return command_ok(command, NULL);
}

static enum step end(struct command *command)
{
    struct searching *searching = command->data;

    if (!has_return(searching)) {
        end_line(command);
        return command_ok(command, NULL);
    }
    search_result_save(command->imap, &searching->result);
    command->run = tell_result;
    return tell_result(command);
}

static enum step go_on(struct command *command)
{
    struct searching *searching = command->data;
    enum step step;
    struct err err;

    if (!search_run_go(command, &searching->run, &step, &err))
        return step;
    if (err.code == ERR_NONE)
        return end(command);
    if (!has_return(searching))
        end_line(command);
    return command_fail(command, &err);
}

/* ---- the beginning ---- */

/* BAD leaves "$" as it is. */
static enum step refuse(struct command *command)
{
    const struct searching *searching = command->data;

    if (command->result == RESULT_NO)
        search_result_unsave(command->imap, &searching->result);
    return command_ended(command);
}

enum step cmd_search(struct command *command)
{
    struct searching *searching = arena_alloc(&command->arena, sizeof(*searching));

    command->data = searching;
    command->cleanup = clean_up;
    searching->run.hit = take_hit;
    searching->run.wants_uids = true;
    searching->run.limit = SEARCH_CUT;
    if (!search_result_take(&command->args, &searching->result))
        return command_bad_syntax(command);
    if (imap_is_rev2(command->imap) && !has_return(searching))
        searching->result.asked = RETURN_ALL; /* RFC 9051 section 6.4.4 */
    if (!search_run_take(command, &searching->run))
        return refuse(command);
    search_result_unsave(command->imap, &searching->result);
    command->run = go_on;
    return go_on(command);
}
