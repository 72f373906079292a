#include "mailbox-backend/imap4/engine.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/mem.h"
#include "mailbox-backend/imap4/message_limit.h"
#include "mailbox-backend/imap4/notify.h"
#include "mailbox-backend/imap4/place.h"
#include "mailbox-backend/mailbox/mailbox.h"

/* Commands run in one call of advance() before others get their turn. */
#define FAIR_SHARE 16

/* ---- a command begins ---- */

static struct command *make_command(struct imap *imap)
{
    struct command *command = mem_alloc(sizeof(*command));

    command->imap = imap;
    command->mailbox = imap->mailbox;
    command->tag = STR("*"); /* what BAD answers when there is no tag */
    imap->command = command;
    session_set_busy(imap->session, true);
    return command;
}

static void refuse(struct command *command, const char *text)
{
    command_bad(command, text);
}

static void check(struct command *command)
{
    struct imap *imap = command->imap;
    const struct imap_command *entry = command->entry;
    unsigned state = imap->view != NULL ? STATE_SELECTED : STATE_AUTH;

    if (imap->view != NULL && entry->states == STATE_SELECTED)
        command->mailbox = imap->view->mailbox;
    if (entry->states == 0)
        refuse(command, "You are logged in already");
    else if ((entry->states & state) == 0)
        refuse(command, "No mailbox is selected");
    else if ((entry->flags & CMD_NUMBERS) != 0 && imap_is_uid_only(imap))
        command_bad_number(command);
    else if ((entry->flags & CMD_NO_ARGS) != 0 && !parse_end(&command->args))
        command_bad_syntax(command);
    else if ((entry->flags & (CMD_NO_ARGS | CMD_MAY_ARGS)) == 0 && !parse_space(&command->args))
        command_bad_syntax(command);
    else if (selected_check(command) && (entry->flags & CMD_WRITES) != 0 && imap->read_only)
        command_no(command, "READ-ONLY", "The mailbox was selected read-only");
    command->run = entry->run;
}

static void dispatch(struct command *command)
{
    struct str name;
    struct str tag;

    if (!parse_tag(&command->args, &tag)) {
        refuse(command, "A command begins with a tag");
        return;
    }
    command->tag = str_n(arena_copy(&command->arena, tag.data, tag.length), tag.length);
    if (!parse_space(&command->args)) {
        refuse(command, "A command has a tag and a name");
        return;
    }
    command->entry = imap_command_take(&command->args, &name);
    if (command->entry == NULL)
        refuse(command, "There is no such command");
    else
        check(command);
}

static void begin_command(struct imap *imap, enum input_event event)
{
    struct command *command = make_command(imap);
    struct str text = input_text(&imap->input);

    parse_init(&command->args, &command->arena, text);
    command->args.utf8 = (imap->enabled & ENABLED_UTF8) != 0;
    if (event == INPUT_STREAM) {
        command->has_literal = parse_trailing_literal(text, &command->literal);
        command->literal_comes = !command->literal.synchronizing;
    }
    dispatch(command);
    if (event == INPUT_TOO_LONG)
        refuse(command, "The command line is too long");
    if (event == INPUT_TOO_BIG) {
        refuse(command, "The literal is too large");
        command->code = "TOOBIG";
    }
}

static bool next_command(struct imap *imap)
{
    struct session *session = imap->session;
    enum input_event event =
        input_read(&imap->input, imap_input(imap), imap_output(imap),
                   session_backend(session)->settings->imap4be.max_literal, append_streams);

    if (event == INPUT_WAIT)
        return false;
    begin_command(imap, event);
    return true;
}

void command_begin_inner(struct imap *imap, const struct imap_command *entry)
{
    struct command *command = mem_alloc(sizeof(*command));

    command->imap = imap;
    command->mailbox = imap->view != NULL ? imap->view->mailbox : imap->mailbox;
    command->entry = entry;
    command->run = entry->run;
    command->is_inner = true;
    imap->interrupted = imap->command;
    imap->command = command;
}

/* The client's next command, or news for it: neither keeps the other waiting. */
static bool begin_next(struct imap *imap)
{
    bool due = notify_is_due(imap);

    if (due && !imap->told_last) {
        imap->told_last = true;
        notify_begin(imap);
        return true;
    }
    imap->told_last = false;
    if (next_command(imap))
        return true;
    if (due)
        notify_begin(imap);
    return due;
}

/* ---- a command ends ---- */

static void write_tagged(struct command *command)
{
    static const char *const words[] = {
        [RESULT_NONE] = "BAD", [RESULT_OK] = "OK", [RESULT_NO] = "NO", [RESULT_BAD] = "BAD"};
    struct buf *out = command_output(command);

    buf_append(out, command->tag.data, command->tag.length);
    buf_printf(out, " %s ", words[command->result]);
    if (command->code != NULL)
        buf_printf(out, "[%s] ", command->code);
    if (command->text != NULL)
        buf_printf(out, "%s\r\n", command->text);
    else
        buf_printf(out, "%s completed\r\n", command->entry->name);
}

static void log_command(const struct command *command)
{
    const char *name = command->entry != NULL ? command->entry->name : "unknown command";
    const char *text = command->detail != NULL ? command->detail : command->text;
    struct session *session = command->imap->session;

    if (command->result == RESULT_OK)
        session_log_command(session, "%s: ok", name);
    else
        session_log_command(
            session, "%s: %s%s%s, %s", name, command->result == RESULT_NO ? "no" : "bad",
            command->code != NULL ? " " : "", command->code != NULL ? command->code : "", text);
}

static void free_command(struct imap *imap)
{
    struct command *command = imap->command;

    if (command->cleanup != NULL)
        command->cleanup(command);
    if (command->literal_comes)
        input_drop(&imap->input, command->literal.size);
    if (!command->is_inner) /* the client may be in the middle of its next one */
        input_next_command(&imap->input);
    command_op_release(&command->op);
    uidset_release(&command->uids);
    for (struct borrowed *held = command->borrowed; held != NULL; held = held->next)
        store_mailbox_unref(&held->mailbox);
    arena_reset(&command->arena);
    free(command);
    imap->command = imap->interrupted;
    imap->interrupted = NULL;
}

/* RFC 7162 section 3.2.7: where something was expunged, and all of it has been told. */
static void tell_highest_modseq(struct command *command)
{
    const struct imap *imap = command->imap;

    if (command->expunged && command->result == RESULT_OK && command->code == NULL &&
        (imap->enabled & ENABLED_QRESYNC) != 0 && imap->view != NULL)
        command->code = arena_printf(&command->arena, "HIGHESTMODSEQ %" PRIu64,
                                     view_settled_modseq(imap->view));
}

static void end_inner(struct command *command)
{
    struct imap *imap = command->imap;

    if (!imap->ended)
        condstore_tell_delay(command);
    if (command->result != RESULT_OK)
        log_notice(session_who(imap->session), "%s: %s", command->entry->name,
                   command->detail != NULL ? command->detail : command->text);
    free_command(imap);
}

static void end_command(struct command *command)
{
    struct imap *imap = command->imap;

    if (command->is_inner) {
        end_inner(command);
        return;
    }
    if (command->some_gone && command->result == RESULT_OK)
        command_no(command, "EXPUNGEISSUED", "Some of the messages have been expunged");
    if (!command->answered) {
        condstore_tell_delay(command);
        tell_highest_modseq(command);
        message_limit_end(command, true);
        write_tagged(command);
    }
    log_command(command);
    session_set_busy(imap->session, false);
    free_command(imap);
    if (imap->compress_next != NULL) {
        imap->compress = imap->compress_next;
        imap->compress_next = NULL;
    }
}

/* BAD says that nothing was done, so nothing is told then. */
static bool tell_changes(struct command *command)
{
    if (command->answered || command->is_inner || command->result == RESULT_BAD)
        return true;
    return update_run(command,
                      (command->entry->flags & CMD_NO_EXPUNGE) == 0 && !command->by_number);
}

static enum step run_command(struct imap *imap, unsigned why)
{
    struct command *command = imap->command;
    enum step step;

    command->why = why;
    if (session_is_waiting(imap->session))
        return STEP_WAIT;
    if (command->result == RESULT_NONE) {
        if (command->op.done != NULL)
            notify_own_operation(imap, &command->op);
        step = command->run(command);
        if (command->result == RESULT_NONE)
            return step;
    }
    if (!tell_changes(command))
        return update_step(command);
    end_command(command);
    return STEP_NEXT;
}

/* ---- the engine ---- */

static enum err_code open_session(struct session *session, const Link__Open *open, void **state,
                                  struct err *err)
{
    struct imap *imap;
    struct store_mailbox *mailbox;
    struct buf *out = session_output(session);

    if (mailbox_open(session_backend(session)->store, session_account(session), &mailbox, err) !=
        ERR_NONE)
        return err->code;
    imap = mem_alloc(sizeof(*imap));
    imap->session = session;
    imap->mailbox = mailbox;
    *state = imap;
    buf_printf(out, "%s OK [CAPABILITY ", open->tag);
    imap_capabilities_write(imap, out);
    buf_text(out, "] Logged in\r\n");
    return ERR_NONE;
}

static bool opens_at_once(struct session *session)
{
    return mailbox_is_made(session_backend(session)->store, session_account(session));
}

/* An answer that is half told breaks off: in a literal, BYE would be taken for a part of the message. */
static enum step stop(struct imap *imap)
{
    bool in_answer = imap->command != NULL && imap->command->in_answer;

    if (!imap->ended && !in_answer)
        buf_printf(imap_output(imap), "* BYE [UNAVAILABLE] %s\r\n",
                   session_stop_text(imap->session));
    imap->ended = true;
    return STEP_END;
}

static enum step run_commands(struct imap *imap, unsigned why)
{
    if ((why & WHY_STOP) != 0)
        return stop(imap);
    for (unsigned share = FAIR_SHARE; share > 0;) {
        enum step step;

        if (imap->command == NULL && imap->ended)
            return STEP_END;
        if (imap->command == NULL && imap_room(imap) == 0)
            return STEP_MORE;
        if (imap->command == NULL && !begin_next(imap)) {
            input_release_idle(&imap->input);
            return STEP_IDLE;
        }
        step = run_command(imap, why);
        if (imap->command != NULL)
            return step;
        share--;
    }
    return STEP_NEXT;
}

/* What the engine wrote is small once it is deflated, and there may be more to inflate. */
static enum step after_deflate(struct imap *imap, enum step step)
{
    struct session *session = imap->session;

    if (step == STEP_MORE && session_room(session) > 0)
        return STEP_NEXT;
    if (step == STEP_IDLE && buf_length(session_input(session)) > 0)
        return STEP_NEXT;
    return step;
}

/* The end of a stream that cannot be read any more. */
static enum step end_stream(struct imap *imap)
{
    imap->ended = true;
    if (imap->command == NULL || !imap->command->in_answer)
        buf_text(imap_output(imap), "* BYE The compressed data is broken\r\n");
    compress_deflate(imap->compress, session_output(imap->session));
    return STEP_END;
}

static enum step advance(struct session *session, void *state, unsigned why)
{
    struct imap *imap = state;
    enum step step;

    if ((why & WHY_PAUSE) != 0)
        notify_pause_over(imap);
    if (imap->compress != NULL && !compress_inflate(imap->compress, session_input(session)) &&
        (why & WHY_STOP) == 0 && !session_is_waiting(session))
        return end_stream(imap);
    step = run_commands(imap, why);
    if (imap->compress == NULL)
        return step;
    compress_deflate(imap->compress, session_output(session));
    return after_deflate(imap, step);
}

static void close_session(struct session *session, void *state)
{
    struct imap *imap = state;

    (void)session;
    while (imap->command != NULL)
        free_command(imap);
    imap_unselect(imap);
    notify_destroy(&imap->notify);
    uidset_release(&imap->saved);
    update_release(&imap->update);
    input_release(&imap->input);
    compress_destroy(&imap->compress);
    compress_destroy(&imap->compress_next);
    store_mailbox_unref(&imap->mailbox);
    free(imap);
}

const struct engine imap4_engine = {
    .service = "imap4be",
    .open = open_session,
    .opens_at_once = opens_at_once,
    .advance = advance,
    .close = close_session,
    .capabilities = imap_capabilities_before_login,
};
