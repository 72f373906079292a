/* When engines step: on events that they wait for, one step a loop turn, long ones on a worker. */
#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/session_private.h"

static const char home_key;

static void step_on_loop(struct session *session);
static void after_step(struct session *session);

/* What becomes ready meanwhile waits for the next turn, so that others get theirs. */
static void on_turn(struct loop_turn *turn)
{
    struct session_home *home =
        (struct session_home *)(void *)((char *)turn - offsetof(struct session_home, turn));

    for (size_t left = home->ready_count; left > 0 && !TAILQ_EMPTY(&home->ready); left--) {
        struct session *session = TAILQ_FIRST(&home->ready);

        session_unready(session);
        step_on_loop(session);
    }
}

static void on_loop_end(struct loop_local *local)
{
    struct session_home *home = (struct session_home *)local;

    loop_turn_remove(home->loop, &home->turn);
    free(home);
}

struct session_home *session_home_of(struct loop *loop)
{
    struct session_home *home = (struct session_home *)loop_local(loop, &home_key);

    if (home == NULL) {
        home = mem_alloc(sizeof(*home));
        home->local = (struct loop_local){&home_key, on_loop_end, NULL};
        home->loop = loop;
        home->turn.run = on_turn;
        TAILQ_INIT(&home->all);
        TAILQ_INIT(&home->ready);
        loop_local_add(loop, &home->local);
        loop_turn_add(loop, &home->turn);
    }
    return home;
}

static void make_ready(struct session *session)
{
    struct session_home *home = session->home;

    if (session->is_ready)
        return;
    session->is_ready = true;
    TAILQ_INSERT_TAIL(&home->ready, session, in_ready);
    home->ready_count++;
    loop_again(home->loop);
}

void session_unready(struct session *session)
{
    if (!session->is_ready)
        return;
    session->is_ready = false;
    TAILQ_REMOVE(&session->home->ready, session, in_ready);
    session->home->ready_count--;
}

/* Which events an engine that stopped this way waits for. */
static unsigned wanted(enum step step)
{
    switch (step) {
    case STEP_IDLE:
        return WHY_INPUT | WHY_DONE | WHY_CHANGED | WHY_TICK | WHY_STOP | WHY_PAUSE;
    case STEP_MORE:
        return WHY_DRAINED | WHY_STOP;
    case STEP_WAIT:
        return WHY_DONE;
    case STEP_NEXT:
    case STEP_WORK:
    case STEP_END:
        return 0; /* is ready, with a worker, or over */
    }
    return 0;
}

static void look(struct session *session)
{
    if (session->phase == SESSION_RUNNING && !session->working &&
        (session->events & wanted(session->step)) != 0)
        make_ready(session);
}

void session_wake(struct session *session, enum session_why why)
{
    session->events |= why;
    look(session);
}

void session_run(struct session *session)
{
    session->step = STEP_IDLE;
    look(session);
}

static unsigned take_events(struct session *session)
{
    unsigned why = session->events;

    session->events = 0;
    if (atomic_load(&session->outstanding) != 0)
        why &= ~(unsigned)WHY_DONE; /* of earlier operations: it comes again with the last */
    if (session->stopping)
        why |= WHY_STOP;
    return why;
}

/* Gives the client's credit back for what the engine has consumed. */
static void settle_input(struct session *session)
{
    size_t held = buf_length(&session->input) + buf_length(&session->inbox);
    size_t consumed = session->unconsumed - held;

    session->unconsumed = held;
    if (consumed != 0 && session->peer != NULL)
        link_session_consumed(session->peer, consumed);
    buf_release_idle(&session->input);
}

static void on_worker(struct pool_job *job)
{
    struct session *session =
        (struct session *)(void *)((char *)job - offsetof(struct session, job));

    session->step = session->engine->advance(session, session->state, session->why);
}

static void on_worked(struct pool_job *job)
{
    struct session *session =
        (struct session *)(void *)((char *)job - offsetof(struct session, job));

    session->working = false;
    after_step(session);
}

static void begin_step(struct session *session)
{
    session->why = take_events(session);
    session->backlog = buf_length(&session->sending);
}

static void step_on_worker(struct session *session)
{
    begin_step(session);
    session->why |= WHY_WORKER;
    session->working = true;
    session->job.run = on_worker;
    session->job.done = on_worked;
    session->job.loop = session->home->loop;
    pool_submit(session->backend->step_pool, &session->job);
}

static void step_on_loop(struct session *session)
{
    begin_step(session);
    session->step = session->engine->advance(session, session->state, session->why);
    after_step(session);
}

static void act_on(struct session *session)
{
    if (session->step == STEP_IDLE && (session->why & WHY_STOP) != 0)
        session->step = STEP_END; /* it had nothing to say about it */
    switch (session->step) {
    case STEP_END:
        session->phase = SESSION_ENDING;
        break;
    case STEP_WORK:
        step_on_worker(session);
        break;
    case STEP_NEXT:
        make_ready(session);
        break;
    case STEP_WAIT:
        if (atomic_load(&session->outstanding) == 0)
            session->events |= WHY_DONE; /* all were done while a worker ran */
        look(session);
        break;
    case STEP_IDLE:
    case STEP_MORE:
        look(session);
        break;
    }
}

/* The worker, if there was one, has ended: its bytes are the loop's again. */
static void after_step(struct session *session)
{
    buf_move(&session->input, &session->inbox);
    buf_move(&session->sending, &session->output);
    buf_release_idle(&session->output);
    settle_input(session);
    if (session->phase == SESSION_CLOSED) {
        session_free_if_over(session);
        return;
    }
    session_flush(session);
    act_on(session);
    session_timer_update(session);
    session_end_if_sent(session);
}
