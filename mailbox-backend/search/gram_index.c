#include "mailbox-backend/search/gram_index.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "mailbox-backend/search/gram_build.h"

#define BUCKETS 256u
#define NICENESS 10

/* Commits with new items, after which it is looked whether they make a block. */
#define ARRIVALS 64u

/* A file with so many times the mailbox's items is made anew without those that are gone. */
#define STALE_FACTOR 2u
#define STALE_LEAST 4096u

/* A mailbox that was searched since the start. */
struct searched {
    struct gram_index *index;
    struct store_watch watch;
    struct store_mailbox *mailbox;
    unsigned arrivals;
    bool waiting; /* in the queue */
    bool damaged; /* its file is */
    LIST_ENTRY(searched) of_bucket;
    STAILQ_ENTRY(searched) in_queue;
};

struct gram_index {
    char *folder;
    pthread_t thread;
    atomic_bool stopping;
    pthread_mutex_t
        lock; /* of all that follows; taken with a mailbox's lock held, never the other way */
    pthread_cond_t changed;
    bool working;
    LIST_HEAD(, searched) buckets[BUCKETS];
    STAILQ_HEAD(queue, searched) queue;
};

/* ---- the queue ---- */

/* With the lock held. */
static void put_in_queue(struct searched *searched)
{
    struct gram_index *index = searched->index;

    searched->arrivals = 0;
    if (searched->waiting)
        return;
    searched->waiting = true;
    STAILQ_INSERT_TAIL(&index->queue, searched, in_queue);
    pthread_cond_broadcast(&index->changed);
}

/* On the writer's thread. */
static void on_change(struct store_watch *watch, const struct store_change *change)
{
    struct searched *searched =
        (struct searched *)(void *)((char *)watch - offsetof(struct searched, watch));

    if ((change->kinds & CHANGE_NEW) == 0)
        return;
    pthread_mutex_lock(&searched->index->lock);
    if (++searched->arrivals >= ARRIVALS)
        put_in_queue(searched);
    pthread_mutex_unlock(&searched->index->lock);
}

static unsigned bucket_of(const struct store_mailbox *mailbox)
{
    return (unsigned)(((uintptr_t)mailbox >> 6) % BUCKETS);
}

/* With the lock held; NULL when it is not there. */
static struct searched *find(struct gram_index *index, const struct store_mailbox *mailbox)
{
    struct searched *searched;

    LIST_FOREACH(searched, &index->buckets[bucket_of(mailbox)], of_bucket)
    {
        if (searched->mailbox == mailbox)
            return searched;
    }
    return NULL;
}

static bool is_watched(struct gram_index *index, const struct store_mailbox *mailbox)
{
    bool watched;

    pthread_mutex_lock(&index->lock);
    watched = find(index, mailbox) != NULL;
    pthread_mutex_unlock(&index->lock);
    return watched;
}

/* Two threads may come here with one mailbox: the second one's object goes again. */
static void watch_mailbox(struct gram_index *index, struct store_mailbox *mailbox)
{
    struct searched *made = mem_alloc(sizeof(*made));
    bool known;

    made->index = index;
    made->mailbox = mailbox;
    made->watch.changed = on_change;
    store_watch_add(mailbox, 0, &made->watch);
    pthread_mutex_lock(&index->lock);
    known = find(index, mailbox) != NULL;
    if (!known)
        LIST_INSERT_HEAD(&index->buckets[bucket_of(mailbox)], made, of_bucket);
    pthread_mutex_unlock(&index->lock);
    if (!known)
        return;
    store_watch_remove(&made->watch);
    free(made);
}

/* ---- the thread ---- */

static bool is_wanted(void *context)
{
    const struct gram_index *index = context;

    return !atomic_load(&index->stopping);
}

static bool is_stale(const struct gram_file *file, struct store_mailbox *mailbox)
{
    struct store_usage usage = {0};
    struct store_read *read;

    if (store_read_begin(mailbox, &read, NULL) != ERR_NONE)
        return false;
    store_usage(read, &usage, NULL);
    store_read_end(&read);
    return file->items > STALE_FACTOR * usage.messages + STALE_LEAST;
}

static enum err_code open_file(struct gram_index *index, struct store_mailbox *mailbox,
                               bool damaged, struct gram_file *file, struct err *err)
{
    const struct store_guid *guid = store_mailbox_guid(mailbox);

    if (damaged)
        gram_file_remove(index->folder, guid);
    if (gram_file_open(file, index->folder, guid, true, err) != ERR_NONE)
        return err->code;
    if (!is_stale(file, mailbox))
        return ERR_NONE;
    gram_file_close(file);
    gram_file_remove(index->folder, guid);
    return gram_file_open(file, index->folder, guid, true, err);
}

static void work(struct gram_index *index, struct store_mailbox *mailbox, bool damaged)
{
    const struct gram_wanted wanted = {is_wanted, index};
    struct gram_file file;
    struct err err;
    bool whole = false;
    enum err_code code = open_file(index, mailbox, damaged, &file, &err);

    if (code == ERR_NONE) {
        while (code == ERR_NONE && !whole)
            code = gram_build(&file, mailbox, &wanted, &whole, &err);
        gram_file_close(&file);
    }
    if (code != ERR_NONE && code != ERR_NOT_FOUND && is_wanted(index))
        log_warning(NULL, "search index: %s", err.text);
}

static void *run(void *context)
{
    struct gram_index *index = context;

    setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
    pthread_mutex_lock(&index->lock);
    while (!atomic_load(&index->stopping)) {
        struct searched *next = STAILQ_FIRST(&index->queue);
        bool damaged;

        if (next == NULL) {
            pthread_cond_wait(&index->changed, &index->lock);
            continue;
        }
        STAILQ_REMOVE_HEAD(&index->queue, in_queue);
        next->waiting = false;
        damaged = next->damaged;
        next->damaged = false;
        index->working = true;
        pthread_mutex_unlock(&index->lock);
        work(index, next->mailbox, damaged);
        pthread_mutex_lock(&index->lock);
        index->working = false;
        pthread_cond_broadcast(&index->changed);
    }
    pthread_mutex_unlock(&index->lock);
    return NULL;
}

void gram_index_settle(struct gram_index *index)
{
    pthread_mutex_lock(&index->lock);
    while (index->working || !STAILQ_EMPTY(&index->queue))
        pthread_cond_wait(&index->changed, &index->lock);
    pthread_mutex_unlock(&index->lock);
}

/* ---- its life ---- */

enum err_code gram_index_open(struct gram_index **out, const char *folder, struct err *err)
{
    struct gram_index *index = mem_alloc(sizeof(*index));
    int rc;

    *out = NULL;
    index->folder = mem_string(folder);
    pthread_mutex_init(&index->lock, NULL);
    pthread_cond_init(&index->changed, NULL);
    STAILQ_INIT(&index->queue);
    rc = pthread_create(&index->thread, NULL, run, index);
    if (rc != 0) {
        free(index->folder);
        free(index);
        return err_errno(err, rc, "cannot start the search index's thread");
    }
    *out = index;
    return ERR_NONE;
}

static void forget_all(struct gram_index *index)
{
    for (unsigned i = 0; i < BUCKETS; i++) {
        while (!LIST_EMPTY(&index->buckets[i])) {
            struct searched *searched = LIST_FIRST(&index->buckets[i]);

            LIST_REMOVE(searched, of_bucket);
            store_watch_remove(&searched->watch);
            free(searched);
        }
    }
}

void gram_index_close(struct gram_index **out)
{
    struct gram_index *index = *out;

    *out = NULL;
    if (index == NULL)
        return;
    pthread_mutex_lock(&index->lock);
    atomic_store(&index->stopping, true);
    pthread_cond_broadcast(&index->changed);
    pthread_mutex_unlock(&index->lock);
    pthread_join(index->thread, NULL);
    forget_all(index);
    pthread_mutex_destroy(&index->lock);
    pthread_cond_destroy(&index->changed);
    free(index->folder);
    free(index);
}

/* ---- queries ---- */

static void want(struct gram_index *index, struct store_mailbox *mailbox, bool damaged)
{
    struct searched *searched;

    pthread_mutex_lock(&index->lock);
    searched = find(index, mailbox);
    if (searched != NULL) {
        searched->damaged = searched->damaged || damaged;
        put_in_queue(searched);
    }
    pthread_mutex_unlock(&index->lock);
}

/* A file that knows of ids which were never given belongs to another past of the
   mailbox. */
static bool is_from_elsewhere(const struct gram_file *file, struct store_read *read)
{
    return file->upto > store_read_next_item(read);
}

struct gram_query *gram_index_ask(struct gram_index *index, struct store_mailbox *mailbox,
                                  struct store_read *read)
{
    struct gram_file file;
    struct err err;
    bool elsewhere;
    enum err_code code;

    if (!is_watched(index, mailbox))
        watch_mailbox(index, mailbox);
    code = gram_file_open(&file, index->folder, store_mailbox_guid(mailbox), false, &err);
    if (code != ERR_NONE) {
        want(index, mailbox, false);
        return NULL;
    }
    elsewhere = is_from_elsewhere(&file, read);
    if (elsewhere || store_read_next_item(read) - file.upto >= GRAM_ITEMS_LEAST)
        want(index, mailbox, elsewhere);
    if (!elsewhere && file.count > 0)
        return gram_query_create(&file);
    gram_file_close(&file);
    return NULL;
}

void gram_index_end(struct gram_index *index, struct store_mailbox *mailbox,
                    struct gram_query **query)
{
    if (*query != NULL && gram_query_is_damaged(*query))
        want(index, mailbox, true);
    gram_query_destroy(query);
}
