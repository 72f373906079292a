#include "mailbox-backend/store/index_internal.h"

#include <stdlib.h>
#include <time.h>

#include "common/mem.h"

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- readers ---- */

static struct index_txn *take_idle(struct index *index)
{
    struct index_txn *reader = index->idle;

    if (reader != NULL) {
        index->idle = reader->next_idle;
    } else if (index->reader_count < index->max_readers) {
        reader = mem_alloc(sizeof(*reader));
        reader->index = index;
        index->readers[index->reader_count++] = reader;
    }
    return reader;
}

/* A place among the readers; NULL while the index is down. */
static struct index_txn *take(struct index *index)
{
    struct index_txn *reader = NULL;

    pthread_mutex_lock(&index->lock);
    while (!index->down && (reader = take_idle(index)) == NULL)
        pthread_cond_wait(&index->changed, &index->lock);
    if (reader != NULL) {
        atomic_store(&reader->id, 0);
        reader->began = now_ms();
        reader->active = true;
        index->active++;
    }
    pthread_mutex_unlock(&index->lock);
    return reader;
}

static void give_back(struct index_txn *reader)
{
    struct index *index = reader->index;

    pthread_mutex_lock(&index->lock);
    reader->active = false;
    reader->next_idle = index->idle;
    index->idle = reader;
    index->active--;
    if (index->down || index->active + 1 >= index->max_readers)
        pthread_cond_broadcast(&index->changed);
    pthread_mutex_unlock(&index->lock);
}

enum err_code index_read_begin(struct index *index, struct index_txn **txn, struct err *err)
{
    struct index_txn *reader = take(index);
    struct crash_marks *outside;
    int rc;

    *txn = NULL;
    if (reader == NULL)
        return err_set(err, ERR_UNAVAILABLE, "the database is being opened again");
    outside = crash_enter(index->marks);
    if (reader->mdb == NULL)
        rc = mdb_txn_begin(index->env, NULL, MDB_RDONLY, &reader->mdb);
    else
        rc = mdb_txn_renew(reader->mdb);
    crash_leave(outside);
    if (rc != 0) {
        give_back(reader);
        return err_mdb(err, rc, "read transaction");
    }
    atomic_store(&reader->id, mdb_txn_id(reader->mdb));
    *txn = reader;
    return ERR_NONE;
}

void index_read_end(struct index_txn **txn)
{
    struct index_txn *reader = *txn;

    *txn = NULL;
    if (reader == NULL)
        return;
    mdb_txn_reset(reader->mdb);
    give_back(reader);
}

uint64_t index_oldest_reader(struct index *index, uint64_t *age_ms)
{
    uint64_t oldest = UINT64_MAX;
    uint64_t now = now_ms();

    *age_ms = 0;
    pthread_mutex_lock(&index->lock);
    for (unsigned i = 0; i < index->reader_count; i++) {
        const struct index_txn *reader = index->readers[i];
        uint64_t id = atomic_load(&reader->id);

        if (!reader->active)
            continue;
        if (id < oldest)
            oldest = id;
        if (now > reader->began && now - reader->began > *age_ms)
            *age_ms = now - reader->began;
    }
    pthread_mutex_unlock(&index->lock);
    return oldest;
}

/* ---- the write transaction ---- */

enum err_code index_write_begin(struct index *index, struct index_txn **txn, struct err *err)
{
    struct crash_marks *outside;
    int rc;

    *txn = NULL;
    if (index->env == NULL)
        return err_set(err, ERR_UNAVAILABLE, "the database is down");
    outside = crash_enter(index->marks);
    rc = mdb_txn_begin(index->env, NULL, 0, &index->write.mdb);
    crash_leave(outside);
    if (rc != 0)
        return err_mdb(err, rc, "write transaction");
    index->write.broken = false;
    index->write.written = false;
    atomic_store(&index->write.id, mdb_txn_id(index->write.mdb));
    *txn = &index->write;
    return ERR_NONE;
}

enum err_code index_commit(struct index_txn **txn, struct err *err)
{
    struct crash_marks *outside = crash_enter((*txn)->index->marks);
    MDB_txn *mdb = (*txn)->mdb;
    int rc;

    (*txn)->mdb = NULL;
    *txn = NULL;
    rc = mdb_txn_commit(mdb);
    crash_leave(outside);
    return rc == 0 ? ERR_NONE : err_mdb(err, rc, "commit");
}

void index_abort(struct index_txn **txn)
{
    if (*txn == NULL)
        return;
    mdb_txn_abort((*txn)->mdb);
    (*txn)->mdb = NULL;
    *txn = NULL;
}

uint64_t index_txn_id(const struct index_txn *txn)
{
    return atomic_load(&txn->id);
}

bool index_has_written(const struct index_txn *txn)
{
    return txn->written;
}

void index_break(struct index_txn *txn, const struct err *why)
{
    if (!txn->broken)
        txn->why = *why;
    txn->broken = true;
}

bool index_is_broken(const struct index_txn *txn, struct err *err)
{
    if (txn->broken && err != NULL)
        *err = txn->why;
    return txn->broken;
}
