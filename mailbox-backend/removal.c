#include "mailbox-backend/removal.h"

#include <stdlib.h>
#include <time.h>

#include "common/log.h"
#include "common/mem.h"
#include "mailbox-backend/directory/admin.h"
#include "mailbox-backend/search/gram_file.h"

#define FIRST_MS 60000u
#define EVERY_MS 86400000u /* a day */

struct removal {
    struct backend *backend;
    uv_timer_t timer;
    struct pool_job job;
    bool is_running;
    bool is_closed; /* the timer's handle is */
    atomic_bool stop;
};

/* ---- a round, on a worker ---- */

static void forget_texts(struct backend *backend, const struct store_guid *guid)
{
    char *folder = backend_path(backend->settings, "search");

    gram_file_remove(folder, guid);
    free(folder);
}

static enum err_code remove_mailbox(struct backend *backend, const struct store_guid *guid,
                                    struct err *err)
{
    struct store_op op = {.kind = OP_MAILBOX_REMOVE};
    enum err_code code = store_mailbox_open(backend->store, guid, false, &op.mailbox, NULL, err);

    if (code == ERR_NOT_FOUND)
        return ERR_NONE;
    if (code != ERR_NONE)
        return code;
    code = store_run(&op);
    if (code != ERR_NONE)
        err_set(err, code, "%s", op.err.text);
    else
        forget_texts(backend, guid);
    store_mailbox_unref(&op.mailbox);
    return code;
}

/* The mailbox first: what is still in the directory will be tried again. */
static bool end_one(struct backend *backend, const struct directory_removed *removed)
{
    struct err err = {0};
    enum err_code code = remove_mailbox(backend, &removed->guid, &err);

    if (code == ERR_NONE)
        code = directory_forget(backend->directory, &removed->guid, &err);
    if (code == ERR_NONE)
        log_notice("removal", "the mail of %s, who was removed, is gone", removed->name);
    else
        log_error("removal", "the mail of %s stays for now: %s", removed->name, err.text);
    return code == ERR_NONE;
}

uint64_t removal_round(struct backend *backend, int64_t now, const atomic_bool *stop)
{
    int64_t kept = (int64_t)backend->settings->directory.removed_time;
    struct directory_removed removed = {0};
    struct arena arena = {0};
    uint64_t count = 0;
    bool more = false;

    while (!atomic_load(stop) &&
           directory_next_removed(backend->directory, &more, &removed, &arena, NULL) == ERR_NONE) {
        if (removed.removed + kept <= now && end_one(backend, &removed))
            count++;
        arena_reset(&arena);
    }
    arena_reset(&arena);
    return count;
}

static void run(struct pool_job *job)
{
    struct removal *removal = (struct removal *)((char *)job - offsetof(struct removal, job));

    removal_round(removal->backend, time(NULL), &removal->stop);
}

/* ---- when, on the loop ---- */

static void release(struct removal *removal)
{
    if (removal->is_closed && !removal->is_running)
        free(removal);
}

static void done(struct pool_job *job)
{
    struct removal *removal = (struct removal *)((char *)job - offsetof(struct removal, job));

    removal->is_running = false;
    release(removal);
}

static void on_timer(uv_timer_t *timer)
{
    struct removal *removal = timer->data;

    if (removal->is_running)
        return;
    removal->is_running = true;
    pool_submit(removal->backend->bulk_pool, &removal->job);
}

struct removal *removal_start(struct backend *backend, struct loop *loop)
{
    struct removal *removal = mem_alloc(sizeof(*removal));

    removal->backend = backend;
    removal->job.run = run;
    removal->job.done = done;
    removal->job.loop = loop;
    uv_timer_init(loop_uv(loop), &removal->timer);
    removal->timer.data = removal;
    uv_timer_start(&removal->timer, on_timer, FIRST_MS, EVERY_MS);
    return removal;
}

static void on_closed(uv_handle_t *handle)
{
    struct removal *removal = handle->data;

    removal->is_closed = true;
    release(removal);
}

void removal_stop(struct removal **removal)
{
    if (*removal == NULL)
        return;
    atomic_store(&(*removal)->stop, true);
    uv_close((uv_handle_t *)&(*removal)->timer, on_closed);
    *removal = NULL;
}
