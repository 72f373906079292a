#include "mailbox-backend/store/index_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/mem.h"
#include "mailbox-backend/store/index_copy.h"

#define FILE_MODE 0600

enum err_code err_mdb(struct err *err, int rc, const char *what)
{
    enum err_code code = ERR_UNAVAILABLE;

    if (rc == MDB_NOTFOUND)
        code = ERR_NOT_FOUND;
    else if (rc == MDB_INVALID)
        code = ERR_CORRUPT;
    else if (rc == EINVAL || rc == MDB_BAD_VALSIZE || rc == MDB_BAD_DBI)
        code = ERR_INTERNAL;
    return err_set(err, code, "%s: %s", what, mdb_strerror(rc));
}

static int open_tables(struct index *index)
{
    unsigned flags = index->read_only ? 0 : MDB_CREATE;
    MDB_txn *txn;
    int rc = mdb_txn_begin(index->env, NULL, index->read_only ? MDB_RDONLY : 0, &txn);

    if (rc != 0)
        return rc;
    for (enum table table = 0; table < TABLE_COUNT && rc == 0; table++)
        rc = mdb_dbi_open(txn, table_name(table), flags, &index->tables[table]);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

static int open_env(struct index *index)
{
    unsigned flags = MDB_NOSUBDIR | MDB_NOTLS;
    int dead = 0;
    int rc;

    if (index->read_only)
        flags |= MDB_RDONLY | MDB_NOLOCK;
    rc = mdb_env_set_mapsize(index->env, index->map_size);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(index->env, TABLE_COUNT);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(index->env, index->max_readers + 16);
    if (rc == 0)
        rc = mdb_env_open(index->env, index->path, flags, FILE_MODE);
    if (rc == 0 && !index->read_only)
        rc = mdb_reader_check(index->env, &dead); /* slots that a killed process left */
    if (rc == 0)
        rc = open_tables(index);
    return rc;
}

enum err_code index_env_open(struct index *index, struct err *err)
{
    struct crash_marks *outside;
    int rc = mdb_env_create(&index->env);

    index->end = 0;
    if (rc != 0)
        return err_mdb(err, rc, "index");
    outside = crash_enter(index->marks);
    rc = open_env(index);
    crash_leave(outside);
    if (rc == 0)
        return ERR_NONE;
    mdb_env_close(index->env);
    index->env = NULL;
    return err_mdb(err, rc, index->path);
}

/* path is taken over. */
static enum err_code open_at(struct index **out, char *path, bool read_only, uint64_t map_size,
                             unsigned max_readers, struct crash_marks *marks, struct err *err)
{
    struct index *index = mem_alloc(sizeof(*index));
    enum err_code code;

    index->path = path;
    index->read_only = read_only;
    index->map_size = map_size;
    index->max_readers = max_readers;
    index->marks = marks;
    index->readers = mem_array(max_readers, sizeof(struct index_txn *));
    pthread_mutex_init(&index->lock, NULL);
    pthread_cond_init(&index->changed, NULL);
    index->write.index = index;
    index->write.is_write = true;
    code = index_env_open(index, err);
    *out = index;
    if (code != ERR_NONE)
        index_close(out);
    return code;
}

enum err_code index_open(struct index **index, const char *folder, uint64_t map_size,
                         unsigned max_readers, struct crash_marks *marks, struct err *err)
{
    char *path;

    if (asprintf(&path, "%s/index.mdb", folder) < 0)
        abort();
    return open_at(index, path, false, map_size, max_readers, marks, err);
}

enum err_code index_open_copy(struct index **index, const char *path, struct err *err)
{
    struct stat facts;

    *index = NULL;
    if (stat(path, &facts) != 0)
        return err_errno(err, errno, "%s", path);
    return open_at(index, mem_string(path), true, (uint64_t)facts.st_size, 1, NULL, err);
}

/* With the lock held and no reader active. */
static void close_env(struct index *index)
{
    for (unsigned i = 0; i < index->reader_count; i++) {
        struct index_txn *reader = index->readers[i];

        if (reader->mdb != NULL)
            mdb_txn_abort(reader->mdb);
        reader->mdb = NULL;
    }
    if (index->env != NULL)
        mdb_env_close(index->env);
    index->env = NULL;
}

enum err_code index_reopen(struct index *index, uint64_t failed_txn, struct err *err)
{
    enum err_code code;

    pthread_mutex_lock(&index->lock);
    index->down = true;
    while (index->active > 0)
        pthread_cond_wait(&index->changed, &index->lock);
    close_env(index);
    code = index_roll_back(index->path, failed_txn, err);
    if (code == ERR_NONE)
        code = index_env_open(index, err);
    if (code == ERR_NONE)
        index->down = false;
    pthread_cond_broadcast(&index->changed);
    pthread_mutex_unlock(&index->lock);
    return code;
}

void index_close(struct index **out)
{
    struct index *index = *out;

    *out = NULL;
    if (index == NULL)
        return;
    close_env(index);
    for (unsigned i = 0; i < index->reader_count; i++)
        free(index->readers[i]);
    free(index->readers);
    free(index->path);
    pthread_mutex_destroy(&index->lock);
    pthread_cond_destroy(&index->changed);
    free(index);
}

const char *index_path(const struct index *index)
{
    return index->path;
}

static uint64_t free_pages(MDB_txn *txn)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    uint64_t pages = 0;

    if (mdb_cursor_open(txn, 0, &cursor) != 0) /* handle 0: LMDB's own list of free pages */
        return 0;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0 && value.mv_size >= sizeof(size_t))
        pages += *(const size_t *)value.mv_data;
    mdb_cursor_close(cursor);
    return pages;
}

static void measure(struct index_txn *txn, struct index_size *size)
{
    struct index *index = txn->index;
    MDB_envinfo info;
    MDB_stat stat;

    mdb_env_info(index->env, &info);
    mdb_env_stat(index->env, &stat);
    size->map = info.me_mapsize;
    size->bytes = (info.me_last_pgno + 1) * stat.ms_psize;
    size->free = size->bytes > size->map / 10 * 8 ? free_pages(txn->mdb) * stat.ms_psize : 0;
    if (mdb_stat(txn->mdb, index->tables[TABLE_GUID], &stat) == 0)
        size->guids = stat.ms_entries;
    if (mdb_stat(txn->mdb, index->tables[TABLE_FOLDER], &stat) == 0)
        size->folders = stat.ms_entries;
    if (mdb_stat(txn->mdb, index->tables[TABLE_ITEM], &stat) == 0)
        size->items = stat.ms_entries;
    /* rows that are states and no items */
    size->items -=
        size->folders + size->guids < size->items ? size->folders + size->guids : size->items;
}

enum err_code index_measure(struct index *index, struct index_size *size, struct err *err)
{
    struct crash_marks *outside;
    struct index_txn *txn;
    enum err_code code;

    *size = (struct index_size){0};
    code = index_read_begin(index, &txn, err);
    if (code != ERR_NONE)
        return code;
    outside = crash_enter(index->marks);
    measure(txn, size);
    crash_leave(outside);
    index_read_end(&txn);
    return ERR_NONE;
}
