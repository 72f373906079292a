/* IDLE (RFC 2177): what changes is told as it happens, until the client says DONE. */
#include "mailbox-backend/imap4/notify.h"
#include "mailbox-backend/imap4/place.h"

static enum step end_idle(struct command *command, struct str line)
{
    struct session *session = command->imap->session;

    session_watch(session, NULL, 0);
    session_set_tick(session, 0);
    if (!str_is_nocase(line, "DONE"))
        return command_bad(command, "Expected DONE");
    return command_ok(command, NULL);
}

static void set_keepalive(struct session *session)
{
    session_set_tick(session, (unsigned)session_backend(session)->settings->imap4be.idle_keepalive);
}

/* A line now and then keeps the connection's way (NAT, firewalls) open. */
static void keep_alive(struct command *command)
{
    if (command_has_room(command))
        untagged(command, "OK Still here");
    set_keepalive(command->imap->session);
}

static enum step idle(struct command *command)
{
    struct imap *imap = command->imap;
    struct str line;
    struct err err;

    if ((command->why & WHY_TICK) != 0)
        keep_alive(command);
    if (!command_has_room(command))
        return STEP_MORE;
    selected_refresh(command,
                     &err); /* when it fails nothing is told, until a change finds it well again */
    if (!update_run(command, true))
        return update_step(command);
    if (imap->ended)
        return command_no(command, "NONEXISTENT", "The selected mailbox was deleted");
    if (notify_interrupt(command, false))
        return STEP_NEXT;
    if (input_line(&imap->input, imap_input(imap), &line))
        return end_idle(command, line);
    return STEP_IDLE;
}

/* The session's own time-out goes on while it idles: RFC 2177 has clients begin anew every 29
   minutes. */
enum step cmd_idle(struct command *command)
{
    struct imap *imap = command->imap;
    struct session *session = imap->session;

    buf_text(command_output(command), "+ idling\r\n");
    if (imap->view != NULL)
        session_watch(session, imap->view->mailbox, imap->view->folder);
    session_set_tick(session, (unsigned)session_backend(session)->settings->imap4be.idle_keepalive);
    session_set_busy(session, false);
    command->run = idle;
    return idle(command);
}
