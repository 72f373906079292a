/* QUIT: the UPDATE state. Only what this session has marked goes. */
#include "common/log.h"
#include "mailbox-backend/pop3/pop3.h"

/* Called when the expunge is durable, or has failed. */
static enum step quit_step(struct session *session, struct pop3 *pop3, unsigned why)
{
    struct store_op *expunge = &pop3->expunge;

    (void)why;
    if (expunge->err.code == ERR_NONE) {
        pop3_ok(session, "%u messages deleted, bye", pop3->maildrop.deleted_messages);
    } else {
        log_warning(session_who(session), "deleting failed: %s", expunge->err.text);
        pop3_err(session, "[SYS/TEMP] some deleted messages not removed");
    }
    uidset_release(&expunge->out.expunge.removed);
    return STEP_END;
}

static enum step submit_step(struct session *session, struct pop3 *pop3, unsigned why)
{
    (void)why;
    pop3->expunge = (struct store_op){
        .kind = OP_EXPUNGE,
        .mailbox = pop3->mailbox,
        .folder = pop3->folder,
        .uids = &pop3->maildrop.deleted,
    };
    pop3->running = quit_step;
    session_submit(session, &pop3->expunge);
    return STEP_WAIT;
}

static enum step bye_step(struct session *session, struct pop3 *pop3, unsigned why)
{
    (void)pop3;
    (void)why;
    pop3_ok(session, "bye");
    return STEP_END;
}

void pop3_quit(struct session *session, struct pop3 *pop3, const struct pop3_args *args)
{
    (void)session;
    (void)args;
    pop3->running = uidset_is_empty(&pop3->maildrop.deleted) ? bye_step : submit_step;
}
