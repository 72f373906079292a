#include "mailbox-backend/lmtp/engine.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/lmtp/lmtp.h"

#define FAIR_SHARE 64 /* commands in one call */

static const char *const capability_list[] = {
    "SIZE", "8BITMIME", "SMTPUTF8", "PIPELINING", "CHUNKING", "ENHANCEDSTATUSCODES", NULL,
};

static const char *const *capabilities(const struct backend *backend, struct arena *arena)
{
    (void)backend;
    (void)arena;
    return capability_list;
}

static enum err_code open_session(struct session *session, const Link__Open *open, void **state,
                                  struct err *err)
{
    (void)open;
    (void)err;
    *state = mem_alloc(sizeof(struct lmtp));
    buf_printf(session_output(session), "220 %s LMTP\r\n",
               session_backend(session)->settings->backend.name);
    return ERR_NONE;
}

static bool opens_at_once(struct session *session)
{
    (void)session;
    return true;
}

static void close_session(struct session *session, void *state)
{
    struct lmtp *lmtp = state;

    (void)session;
    transaction_reset(&lmtp->transaction);
    free(lmtp);
}

/* ---- small commands ---- */

static void rset(struct session *session, struct lmtp *lmtp, struct str argument)
{
    (void)argument;
    transaction_reset(&lmtp->transaction);
    lmtp_reply(session, "250 2.0.0 reset");
}

static void noop(struct session *session, struct lmtp *lmtp, struct str argument)
{
    (void)lmtp;
    (void)argument;
    lmtp_reply(session, "250 2.0.0 still here");
}

static void quit(struct session *session, struct lmtp *lmtp, struct str argument)
{
    (void)argument;
    lmtp_reply(session, "221 2.0.0 bye");
    lmtp->ending = true;
}

/* ---- the dispatcher ---- */

enum need {
    NEED_NOTHING,
    NEED_LHLO,        /* and no transaction */
    NEED_TRANSACTION, /* without content as yet */
};

static const struct command {
    const char *name;
    enum need need;
    lmtp_handler *handler;
} commands[] = {
    {"LHLO", NEED_NOTHING,     lmtp_do_lhlo},
    {"MAIL", NEED_LHLO,        lmtp_do_mail},
    {"RCPT", NEED_TRANSACTION, lmtp_do_rcpt},
    {"BDAT", NEED_NOTHING,     lmtp_do_bdat},
    {"RSET", NEED_NOTHING,     rset        },
    {"NOOP", NEED_NOTHING,     noop        },
    {"QUIT", NEED_NOTHING,     quit        },
};

static bool is_allowed(const struct lmtp *lmtp, enum need need)
{
    const struct transaction *transaction = &lmtp->transaction;

    switch (need) {
    case NEED_LHLO:
        return lmtp->client_name[0] != '\0' && !transaction->begun;
    case NEED_TRANSACTION:
        return transaction->begun && !transaction->has_content;
    default:
        return true;
    }
}

static void call(struct session *session, struct lmtp *lmtp, const struct command *command,
                 struct str argument)
{
    session_set_busy(session, true);
    command->handler(session, lmtp, argument);
    if (lmtp->running == NULL)
        session_set_busy(session, false);
}

static void dispatch(struct session *session, struct lmtp *lmtp, struct str line)
{
    struct lmtp_command command;

    lmtp_split(line, &command);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (!str_is_nocase(command.verb, commands[i].name))
            continue;
        if (is_allowed(lmtp, commands[i].need))
            call(session, lmtp, &commands[i], command.argument);
        else
            lmtp_reply(session, "503 5.5.1 bad sequence of commands");
        return;
    }
    lmtp_reply(session, "500 5.5.1 unknown command");
}

/* ---- lines ---- */

/* Answers the next whole line in the input; false when there is none. */
static bool next_command(struct session *session, struct lmtp *lmtp)
{
    struct buf *in = session_input(session);
    size_t length = buf_length(in);
    char line[LMTP_LINE_MAX];
    const uint8_t *newline = length == 0 ? NULL : memchr(buf_bytes(in), '\n', length);

    if (newline != NULL)
        length = (size_t)(newline - buf_bytes(in)) + 1;
    if (length > LMTP_LINE_MAX)
        lmtp->discarding = true;
    if (newline == NULL && !lmtp->discarding)
        return false;
    if (!lmtp->discarding)
        memcpy(line, buf_bytes(in), length);
    buf_consume(in, length);
    if (newline == NULL)
        return false;
    if (lmtp->discarding)
        lmtp_reply(session, "500 5.5.2 line too long");
    else
        dispatch(session, lmtp, str_trim(str_n(line, length)));
    lmtp->discarding = false;
    return true;
}

enum step lmtp_done(struct lmtp *lmtp)
{
    lmtp->running = NULL;
    return STEP_IDLE;
}

/* One command, or one more step of the one that runs. STEP_NEXT: there may be more to do. */
static enum step take_turn(struct session *session, struct lmtp *lmtp, unsigned why)
{
    enum step step;

    if (lmtp->running != NULL) {
        step = lmtp->running(session, lmtp, why);
        if (lmtp->running == NULL)
            session_set_busy(session, false);
        if (step != STEP_IDLE || (lmtp->running != NULL && !lmtp->stopping))
            return step;
    }
    if (lmtp->stopping && !lmtp->ending) {
        buf_printf(session_output(session), "421 4.3.2 %s\r\n", session_stop_text(session));
        lmtp->ending = true;
    }
    if (lmtp->ending)
        return STEP_END;
    if (session_room(session) == 0)
        return STEP_MORE;
    return next_command(session, lmtp) ? STEP_NEXT : STEP_IDLE;
}

static enum step advance(struct session *session, void *state, unsigned why)
{
    struct lmtp *lmtp = state;
    enum step step = STEP_NEXT;

    lmtp->stopping |= (why & WHY_STOP) != 0;
    if (session_is_waiting(session))
        return STEP_WAIT;
    for (unsigned i = 0; i < FAIR_SHARE && step == STEP_NEXT; i++)
        step = take_turn(session, lmtp, why);
    return step;
}

const struct engine lmtp_engine = {
    .service = "lmtpbe",
    .open = open_session,
    .opens_at_once = opens_at_once,
    .advance = advance,
    .close = close_session,
    .capabilities = capabilities,
};
