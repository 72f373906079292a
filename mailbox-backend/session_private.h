/* What the files of the session share; nobody else includes it. */
#ifndef BACKEND_SESSION_PRIVATE_H
#define BACKEND_SESSION_PRIVATE_H

#include <stdatomic.h>
#include <sys/queue.h>

#include "mailbox-backend/session.h"
#include "mailbox-backend/session_start.h"

#define SESSION_OUTPUT_HIGH ((size_t)256 << 10) /* session_room() is 0 */
#define SESSION_OUTPUT_LOW (SESSION_OUTPUT_HIGH / 2)
#define SESSION_PROOF_SECONDS                                                                      \
    120 /* from Open to a proven credential: the front's limit is shorter */

enum session_phase {
    SESSION_PROVING, /* who is it? */
    SESSION_OPENING, /* the engine's open is with a worker */
    SESSION_RUNNING,
    SESSION_ENDING, /* the engine has ended: what is left of the output goes out */
    SESSION_CLOSED, /* off the link; waits for jobs, operations and posted tasks */
};

/* All sessions of one loop. */
struct session_home {
    struct loop_local local;
    struct loop *loop;
    struct loop_turn turn;
    TAILQ_HEAD(, session) all;
    TAILQ_HEAD(, session) ready; /* want a step */
    size_t ready_count;
    size_t count; /* whose memory is still there */
};

struct session {
    struct backend *backend;
    struct session_home *home;
    struct link_session *peer; /* NULL from SESSION_CLOSED on */
    const struct engine_entry *entry;
    const struct engine *engine;
    void *state; /* the engine's; NULL until it is open */
    enum session_phase phase;
    TAILQ_ENTRY(session) in_all;
    TAILQ_ENTRY(session) in_ready;
    bool is_ready;

    struct arena arena;     /* as long as the session */
    Link__Open *open;       /* in arena, without the credential */
    struct account account; /* in arena */
    bool has_account;
    bool is_counted; /* in the registry */
    char who[160];
    struct login *login;         /* session_login.c; NULL once open */
    Link__Refused__Code refusal; /* of an engine that failed to open; 0: as its error says */

    /* Bytes. Engines see input and output only, so that a worker shares nothing with the loop. */
    struct buf input;
    struct buf inbox;   /* came while a worker ran */
    struct buf output;  /* of the step */
    struct buf sending; /* waits for credit */
    size_t backlog;     /* length of sending when the step began */
    size_t unconsumed;  /* received, credit not yet given back */

    /* Steps. */
    bool working; /* job is with a pool: engine state, input and output are the worker's */
    enum step step;
    unsigned why;    /* enum session_why bits of the step that runs, or of the last one */
    unsigned events; /* bits for the next one */
    struct pool_job job;

    /* Operations and the watch; their callbacks come on a writer's thread. */
    atomic_uint outstanding;
    atomic_uint done_unseen; /* done, and not yet taken off outstanding */
    struct loop_task done_task;
    struct store_watch watch;
    bool watching;
    struct session_watcher *watchers;
    atomic_bool change_posted;
    struct loop_task change_task;

    /* Times in milliseconds of session_now(); 0: never. */
    uv_timer_t timer;
    uint64_t timer_at; /* when the timer is set to go off */
    uint64_t began;
    uint64_t heard;         /* last byte from the client */
    uint64_t command_began; /* last session_set_busy(true) */
    uint64_t command_ended;
    uint64_t tick_at;
    uint64_t pause_at;
    bool busy;

    bool stopping;
    Link__Close__Reason stop_reason;
    const char *stop_text;
};

/* ---- session.c ---- */

/* The session is off the link: frees it, now or when the last job and operation have ended. */
void session_off(struct session *session);
/* Frees a session that is off the link once nothing is outstanding. Whatever ends calls it. */
void session_free_if_over(struct session *session);
/* Sends as much as the credit allows; the engine is told when that was enough to go on. */
void session_flush(struct session *session);
/* Closes a session whose engine has ended, once its last byte is out. It may be freed by that. */
void session_end_if_sent(struct session *session);
/* Ends the session on the link, then as session_off(). */
void session_close(struct session *session, Link__Close__Reason reason, const char *text);
void session_refuse(struct session *session, Link__Refused__Code code, const char *text);
/* Says WHY_STOP, or refuses a session that is not open yet. */
void session_stop(struct session *session, Link__Close__Reason reason, const char *text);
void session_name(struct session *session);

/* ---- session_step.c ---- */

/* An event happened: a step follows in this turn, if the engine waits for such an event. */
void session_wake(struct session *session, enum session_why why);
/* The engine is open: steps may come. */
void session_run(struct session *session);
void session_unready(struct session *session);
struct session_home *session_home_of(struct loop *loop);

/* ---- session_wait.c ---- */

/* Ends the watch and takes all watchers off. */
void session_unwatch(struct session *session);
/* Callbacks of the store may still come. */
bool session_is_expected(const struct session *session);
void session_wait_init(struct session *session);

/* ---- session_timer.c ---- */

uint64_t session_now(void);
void session_timer_init(struct session *session);
/* Sets the timer to the earliest of what is due; cheap when that is not earlier than before. */
void session_timer_update(struct session *session);

/* ---- session_login.c ---- */

void session_login(struct session *session, const Link__Open *open);
void session_login_message(struct session *session, const Link__Frame *frame);
void session_login_free(struct session *session);

#endif
