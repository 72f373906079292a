/* What a session waits for on other threads: operations at the store's writers, and changes of a
   watched folder. Their callbacks only count and post; a session lives until the last has come. */
#include "mailbox-backend/session_private.h"

static void on_done(struct loop_task *task)
{
    struct session *session =
        (struct session *)(void *)((char *)task - offsetof(struct session, done_task));
    unsigned done = atomic_exchange(&session->done_unseen, 0);

    if (atomic_fetch_sub(&session->outstanding, done) != done)
        return;
    if (session->phase == SESSION_CLOSED)
        session_free_if_over(session);
    else
        session_wake(session, WHY_DONE);
}

/* On the writer's thread. Until on_done() has taken it off, outstanding keeps the session alive. */
static void op_done(struct store_op *op)
{
    struct session *session = op->context;

    if (atomic_fetch_add(&session->done_unseen, 1) == 0)
        loop_post(session->home->loop, &session->done_task);
}

void session_submit(struct session *session, struct store_op *op)
{
    op->done = op_done;
    op->context = session;
    atomic_fetch_add(&session->outstanding, 1);
    store_submit(op);
}

void session_submit_all(struct session *session, struct store_op **ops, size_t count,
                        bool all_or_none)
{
    for (size_t i = 0; i < count; i++) {
        ops[i]->done = op_done;
        ops[i]->context = session;
    }
    atomic_fetch_add(&session->outstanding, (unsigned)count);
    if (count != 0)
        store_submit_all(ops, count, all_or_none);
}

bool session_is_waiting(const struct session *session)
{
    return atomic_load(&session->outstanding) != 0;
}

static void on_change(struct loop_task *task)
{
    struct session *session =
        (struct session *)(void *)((char *)task - offsetof(struct session, change_task));

    atomic_store(&session->change_posted, false);
    if (session->phase == SESSION_CLOSED)
        session_free_if_over(session);
    else
        session_wake(session, WHY_CHANGED);
}

/* On the writer's thread. Changes that come before the loop has seen the last one are one. */
static void post_change(struct session *session)
{
    if (!atomic_exchange(&session->change_posted, true))
        loop_post(session->home->loop, &session->change_task);
}

static void changed(struct store_watch *watch, const struct store_change *change)
{
    (void)change;
    post_change((struct session *)(void *)((char *)watch - offsetof(struct session, watch)));
}

static void end_watch(struct session *session)
{
    if (!session->watching)
        return;
    session->watching = false;
    store_watch_remove(&session->watch);
}

void session_unwatch(struct session *session)
{
    end_watch(session);
    while (session->watchers != NULL)
        session_watcher_remove(session->watchers);
}

/* ---- watchers ---- */

static void watcher_changed(struct store_watch *watch, const struct store_change *change)
{
    struct session_watcher *watcher =
        (struct session_watcher *)(void *)((char *)watch - offsetof(struct session_watcher, watch));

    if (watcher->changed(watcher, change))
        post_change(watcher->session);
}

void session_watcher_add(struct session *session, struct store_mailbox *mailbox,
                         struct session_watcher *watcher)
{
    watcher->session = session;
    watcher->watch = (struct store_watch){.changed = watcher_changed};
    watcher->next = session->watchers;
    session->watchers = watcher;
    store_watch_add(mailbox, 0, &watcher->watch);
}

void session_watcher_remove(struct session_watcher *watcher)
{
    struct session_watcher **at;

    if (watcher->session == NULL)
        return;
    for (at = &watcher->session->watchers; *at != watcher; at = &(*at)->next)
        ;
    *at = watcher->next;
    store_watch_remove(&watcher->watch); /* until now changed may run */
    watcher->session = NULL;
}

bool session_is_own_change(const struct session *session, const struct store_change *change)
{
    return change->by == session;
}

void session_watch(struct session *session, struct store_mailbox *mailbox, uint32_t folder)
{
    end_watch(session);
    if (mailbox == NULL)
        return;
    session->watch = (struct store_watch){.changed = changed};
    session->watching = true;
    store_watch_add(mailbox, folder, &session->watch);
}

bool session_is_expected(const struct session *session)
{
    return session->working || atomic_load(&session->outstanding) != 0 ||
           atomic_load(&session->change_posted);
}

void session_wait_init(struct session *session)
{
    session->done_task.run = on_done;
    session->change_task.run = on_change;
}
