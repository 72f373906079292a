/* One client's session on this back end: bytes in, bytes out, and an engine (imap4, pop3, lmtp, later
   others) between them. The session knows the link and the loop; the engine knows neither.

   An engine works in steps. session code calls advance() when there is input, when output has
   drained, when a write is durable or a watched folder changed. advance() does what can be done now,
   appends output, and says why it stopped. It runs on the session's loop, or, after STEP_WORK, on a
   worker thread: never on two threads at once. It never waits for the network or for a commit. */
#ifndef BACKEND_SESSION_H
#define BACKEND_SESSION_H

#include "common/buf.h"
#include "mailbox-backend/backend.h"
#include "mailbox-backend/directory/directory.h"
#include "mailbox-backend/store/store.h"
#include "proto/link.pb-c.h"

struct session;

enum step {
    STEP_IDLE, /* everything that could be done is done: call when there is input (or a wake) */
    STEP_MORE, /* output is full (session_room() is 0): call when it has drained */
    STEP_WAIT, /* an operation was submitted (session_submit): call when it is done */
    STEP_WORK, /* the next step is long: call on a worker */
    STEP_NEXT, /* call again soon: a fair share was done, let others run */
    STEP_END,  /* send what is in the output, then close the session */
};

/* Why advance() is called: bits. */
enum session_why {
    WHY_INPUT = 1,
    WHY_DRAINED = 2,
    WHY_DONE = 4,    /* operations submitted are done */
    WHY_CHANGED = 8, /* a session_watch'ed folder changed, or a watcher wakes the session */
    WHY_TICK = 16,   /* the time set by session_set_tick() has passed */
    WHY_WORKER = 32, /* this call is on a worker: long work is fine */
    WHY_STOP = 64,   /* the program stops or the account was disabled: say good-bye, STEP_END */
    WHY_PAUSE = 128, /* the time set by session_set_pause() has passed */
};

/* What every engine is. One constant table entry per protocol. */
struct engine {
    const char *service; /* "imap4be" */
    /* After the credential was verified (or, for lmtpbe, at once): makes the engine's state. Called
       on a worker, or at once on the loop; may open the mailbox (create = true) and read. Writes the greeting that ends
       authentication (IMAP: the tagged OK; POP3: +OK; LMTP: 220). On failure the session is refused
       with the error (ERR_UNAVAILABLE, ERR_DENIED, ERR_EXISTS = in use …). */
    enum err_code (*open)(struct session *session, const Link__Open *open, void **state,
                          struct err *err);
    enum step (*advance)(struct session *session, void *state, unsigned why);
    /* The session ends, for whatever reason. All operations are done, no step is running. */
    void (*close)(struct session *session, void *state);
    /* True when open() would wait for no commit and read little, as for a mailbox that was made: then it may be
       called on the loop, which saves a hop. NULL: never. */
    bool (*opens_at_once)(struct session *session);
    /* What the front may offer before login, in the protocol's words, NULL-terminated; the arena's, or
       constant. */
    const char *const *(*capabilities)(const struct backend *backend, struct arena *arena);
    /* A shut-down reason for advance(WHY_STOP) to tell. */
};

/* ---- for engines, from within open, advance and close ---- */

struct backend *session_backend(struct session *session);
const struct account *session_account(const struct session *session); /* NULL for lmtpbe */

/* An account as the directory has it now: what is in session_account() is from the login. As
   directory_find_guid(). */
enum err_code session_find_account(struct session *session, const struct store_guid *guid,
                                   struct arena *arena, struct account *account, struct err *err);

const char *session_who(const struct session *session); /* "imap4be[42] alice", for logs */
const Link__Client *session_client(const struct session *session);

/* Within open, before it fails: with which code, where that of the error says too little. */
void session_set_refusal(struct session *session, Link__Refused__Code code);

/* Input: unread bytes. Consume with buf_consume(); credit follows by itself. At most 256 KB come
   before they are consumed, so an engine that needs a longer run must take it in parts. */
struct buf *session_input(struct session *session);

/* Output: append here. room says how much may still be appended before the step should return
   STEP_MORE (a step may overshoot by one small response). */
struct buf *session_output(struct session *session);
size_t session_room(const struct session *session);

/* Submits operations to the store's writer; op->done, op->context and op->next are the session's.
   advance(WHY_DONE) follows when all that were submitted are done. */
void session_submit(struct session *session, struct store_op *op);
void session_submit_all(struct session *session, struct store_op **ops, size_t count,
                        bool all_or_none);
bool session_is_waiting(const struct session *session); /* operations outstanding */

/* Watches a folder (0: all of the mailbox) of mailbox: advance(WHY_CHANGED) after changes by anybody,
   folded together. One watch a session; NULL ends it. */
void session_watch(struct session *session, struct store_mailbox *mailbox, uint32_t folder);

/* As many more as an engine wants, each of a whole mailbox, that see every change and decide. Embed it;
   changed is set before it is added. It is called on the writer's thread, one call at a time: it notes what
   it needs under a lock of the engine's, and returns whether advance(WHY_CHANGED) is to follow. */
struct session_watcher {
    bool (*changed)(struct session_watcher *watcher, const struct store_change *change);
    struct session *session; /* the session's own, as is what follows */
    struct store_watch watch;
    struct session_watcher *next;
};

/* The watcher must be removed, or the session closed, before mailbox is let go. After its removal changed
   is neither running nor called again. */
void session_watcher_add(struct session *session, struct store_mailbox *mailbox,
                         struct session_watcher *watcher);
void session_watcher_remove(struct session_watcher *watcher); /* one that is not added: no-op */

/* What this session's own operations changed says so. */
bool session_is_own_change(const struct session *session, const struct store_change *change);

/* A second timer of the engine's own, which goes off once; milliseconds 0 ends it. */
void session_set_pause(struct session *session, unsigned milliseconds);

/* One timer of the engine's own; seconds 0 ends it. Idle time-outs of the session itself (30 minutes
   from the end of the last command; see session_set_busy) are not the engine's business. */
void session_set_tick(struct session *session, unsigned seconds);

/* Engines say when a command runs and when it ended: the idle clock stands still meanwhile. */
void session_set_busy(struct session *session, bool busy);

/* The reason for WHY_STOP, for people: "server shutting down". */
const char *session_stop_text(const struct session *session);

/* One log line for a finished command: context and duration are added. */
void session_log_command(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
