/* One timer for all that a session's time is about: the engine's tick, idleness, and how long a login
   may take. It is rarely moved: when it goes off too early it is set again. */
#include "mailbox-backend/session_private.h"

uint64_t session_now(void)
{
    return uv_hrtime() / 1000000;
}

/* The clock of idleness runs while the engine waits for the client: from the end of the last command,
   or, in the middle of one (a literal, IDLE), from the client's last byte. 0: it stands still. */
static uint64_t idle_deadline(const struct session *session)
{
    uint64_t from = session->command_ended;

    if (session->step != STEP_IDLE)
        return 0;
    if (session->busy)
        from = session->heard > session->command_began ? session->heard : session->command_began;
    return from + session->entry->idle_timeout(session->backend->settings) * 1000;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

static uint64_t deadline(const struct session *session)
{
    switch (session->phase) {
    case SESSION_PROVING:
        return session->began + (uint64_t)SESSION_PROOF_SECONDS * 1000;
    case SESSION_RUNNING:
        return session->working
                   ? 0
                   : earlier(earlier(session->tick_at, session->pause_at), idle_deadline(session));
    case SESSION_OPENING:
    case SESSION_ENDING:
    case SESSION_CLOSED:
        return 0;
    }
    return 0;
}

/* Told at most once each: a stop ends the session, a tick and a pause are over. */
static void tell(struct session *session, uint64_t now)
{
    if (session->phase == SESSION_PROVING) {
        session_stop(session, LINK__CLOSE__REASON__IDLE, "the login took too long");
        return;
    }
    if (session->tick_at != 0 && session->tick_at <= now) {
        session->tick_at = 0;
        session_wake(session, WHY_TICK);
    } else if (session->pause_at != 0 && session->pause_at <= now) {
        session->pause_at = 0;
        session_wake(session, WHY_PAUSE);
    } else if (!session->stopping) {
        session_stop(session, LINK__CLOSE__REASON__IDLE, "idle for too long");
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct session *session = timer->data;
    uint64_t now = session_now();
    uint64_t at = deadline(session);

    session->timer_at = 0;
    if (at != 0 && at <= now)
        tell(session, now);
    else
        session_timer_update(session);
}

void session_timer_init(struct session *session)
{
    uv_timer_init(loop_uv(session->home->loop), &session->timer);
    session->timer.data = session;
    session->began = session_now();
    session->heard = session->command_began = session->command_ended = session->began;
}

void session_timer_update(struct session *session)
{
    uint64_t now = session_now();
    uint64_t at = deadline(session);

    if (at == 0 || (session->timer_at != 0 && session->timer_at <= at))
        return;
    session->timer_at = at;
    uv_timer_start(&session->timer, on_timer, at > now ? at - now : 0, 0);
}

void session_set_tick(struct session *session, unsigned seconds)
{
    session->tick_at = seconds == 0 ? 0 : session_now() + (uint64_t)seconds * 1000;
}

void session_set_pause(struct session *session, unsigned milliseconds)
{
    session->pause_at = milliseconds == 0 ? 0 : session_now() + milliseconds;
}

void session_set_busy(struct session *session, bool busy)
{
    session->busy = busy;
    if (busy)
        session->command_began = session_now();
    else
        session->command_ended = session_now();
}
