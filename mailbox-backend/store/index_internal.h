/* What the index's own files share; nobody else includes this or <lmdb.h>. */
#ifndef STORE_INDEX_INTERNAL_H
#define STORE_INDEX_INTERNAL_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include "mailbox-backend/store/crash.h"
#include "mailbox-backend/store/index.h"

struct index_txn {
    struct index *index;
    MDB_txn *mdb;
    bool is_write;
    bool written;
    bool broken;
    struct err why;
    atomic_uint_fast64_t id; /* of a reader: 0 until the snapshot is taken */
    uint64_t began;          /* milliseconds, monotonic */
    bool active;
    struct index_txn *next_idle;
};

struct index {
    char *path;
    uint64_t map_size;
    bool read_only;            /* a copy that nobody writes to */
    struct crash_marks *marks; /* of the database; NULL: nobody counts */
    unsigned max_readers;
    MDB_env *env;
    MDB_dbi tables[TABLE_COUNT];
    uint64_t end; /* up to where the file has blocks, as far as the writer's thread knows */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool down;
    struct index_txn **readers; /* count of max_readers, made as they are needed */
    unsigned reader_count;
    unsigned active;
    struct index_txn *idle;

    struct index_txn write;
};

/* Fills err from an LMDB result; rc is not MDB_SUCCESS. A damaged page is ERR_UNAVAILABLE: ERR_CORRUPT is one
   row, behind which a walk can go on. */
enum err_code err_mdb(struct err *err, int rc, const char *what);

enum err_code index_env_open(struct index *index, struct err *err);

/* Makes the index file at path show the transaction before txn, if it shows txn. The environment
   must be closed. */
enum err_code index_roll_back(const char *path, uint64_t txn, struct err *err);

#endif
