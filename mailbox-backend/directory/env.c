/* The LMDB environment. After a commit that failed LMDB refuses everything, also look-ups, until the
   environment is opened again: so that is done at once, and a full disk costs one change, not all
   log-ins. */
#include <stdint.h>
#include <string.h>

#include "common/log.h"
#include "mailbox-backend/directory/internal.h"

#define FORMAT 1
#define MAP_SIZE ((size_t)4 << 30) /* address space, for some four million accounts */
#define MAX_READERS 512            /* threads that look up at one time */

enum err_code directory_err_mdb(struct err *err, int result, const char *what)
{
    switch (result) {
    case MDB_SUCCESS:
        return ERR_NONE;
    case MDB_NOTFOUND:
        return err_set(err, ERR_NOT_FOUND, "%s: not found", what);
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
        return err_set(err, ERR_CORRUPT, "directory: %s: %s", what, mdb_strerror(result));
    default:
        return err_set(err, ERR_UNAVAILABLE, "directory: %s: %s", what, mdb_strerror(result));
    }
}

MDB_val val_of_text(const char *text)
{
    return (MDB_val){strlen(text), (void *)(uintptr_t)text};
}

MDB_val val_of_guid(const struct store_guid *guid)
{
    return (MDB_val){sizeof(guid->bytes), (void *)(uintptr_t)guid->bytes};
}

static enum err_code check_format(struct directory *directory, MDB_txn *txn, struct err *err)
{
    uint8_t format = FORMAT;
    MDB_val key = val_of_text("format"), value;
    int result = mdb_get(txn, directory->meta, &key, &value);

    if (result == MDB_NOTFOUND && !directory->is_copy) {
        value = (MDB_val){1, &format};
        result = mdb_put(txn, directory->meta, &key, &value, 0);
    } else if (result == 0 && (value.mv_size != 1 || *(uint8_t *)value.mv_data != FORMAT)) {
        return err_set(err, ERR_UNAVAILABLE,
                       "the directory has format %u, this program knows %d: run the newer program "
                       "that wrote it",
                       value.mv_size == 0 ? 0 : *(uint8_t *)value.mv_data, FORMAT);
    }
    return directory_err_mdb(err, result, "format");
}

static enum err_code open_tables(struct directory *directory, struct err *err)
{
    struct {
        const char *name;
        MDB_dbi *table;
    } tables[] = {
        {"account", &directory->account},
        {"name",    &directory->name   },
        {"address", &directory->address},
        {"removed", &directory->removed},
        {"meta",    &directory->meta   },
    };
    unsigned begin_flags = directory->is_copy ? MDB_RDONLY : 0;
    unsigned flags = directory->is_copy ? 0 : MDB_CREATE;
    MDB_txn *txn;
    enum err_code code =
        directory_err_mdb(err, mdb_txn_begin(directory->env, NULL, begin_flags, &txn), "open");

    if (code != ERR_NONE)
        return code;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && code == ERR_NONE; i++)
        code = directory_err_mdb(err, mdb_dbi_open(txn, tables[i].name, flags, tables[i].table),
                                 tables[i].name);
    if (code == ERR_NONE)
        code = check_format(directory, txn, err);
    if (code == ERR_NONE)
        return directory_err_mdb(err, mdb_txn_commit(txn), "open");
    mdb_txn_abort(txn);
    return code;
}

static enum err_code open_file(struct directory *directory, struct err *err)
{
    unsigned flags = directory->is_copy ? MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK : 0;
    int stale = 0, result = mdb_env_create(&directory->env);

    if (result == 0)
        result = mdb_env_set_mapsize(directory->env, MAP_SIZE);
    if (result == 0)
        result = mdb_env_set_maxdbs(directory->env, 8);
    if (result == 0)
        result = mdb_env_set_maxreaders(directory->env, MAX_READERS);
    if (result == 0)
        result = mdb_env_open(directory->env, directory->folder, MDB_NOTLS | flags, 0600);
    if (result == 0 && !directory->is_copy)
        result = mdb_reader_check(directory->env, &stale);
    return directory_err_mdb(err, result, directory->folder);
}

void env_init(struct directory *directory)
{
    pthread_rwlockattr_t attributes;

    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&directory->env_lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
}

static void close_file(struct directory *directory)
{
    if (directory->env != NULL)
        mdb_env_close(directory->env);
    directory->env = NULL;
}

enum err_code env_open(struct directory *directory, struct err *err)
{
    enum err_code code = open_file(directory, err);

    if (code == ERR_NONE)
        code = open_tables(directory, err);
    if (code != ERR_NONE)
        close_file(directory);
    return code;
}

void env_close(struct directory *directory)
{
    close_file(directory);
    pthread_rwlock_destroy(&directory->env_lock);
}

/* failed: the environment that is of no use any more; somebody else may have replaced it already. */
static enum err_code reopen(struct directory *directory, const MDB_env *failed, struct err *err)
{
    enum err_code code = ERR_NONE;

    pthread_rwlock_wrlock(&directory->env_lock);
    if (directory->env == failed) {
        close_file(directory);
        code = env_open(directory, err);
        log_warning("directory", "opened again after a failed change%s",
                    code == ERR_NONE ? "" : ": no success");
    }
    pthread_rwlock_unlock(&directory->env_lock);
    return code;
}

static enum err_code begin(struct directory *directory, unsigned flags, MDB_txn **txn,
                           struct err *err)
{
    enum err_code code = ERR_NONE;

    *txn = NULL;
    pthread_rwlock_rdlock(&directory->env_lock);
    if (directory->env == NULL) {
        pthread_rwlock_unlock(&directory->env_lock);
        code = reopen(directory, NULL, err);
        if (code != ERR_NONE)
            return code;
        pthread_rwlock_rdlock(&directory->env_lock);
    }
    if (directory->env == NULL)
        code = err_set(err, ERR_UNAVAILABLE, "the directory is closed after a failure of its disk");
    else
        code = directory_err_mdb(err, mdb_txn_begin(directory->env, NULL, flags, txn), "begin");
    if (code != ERR_NONE)
        pthread_rwlock_unlock(&directory->env_lock);
    return code;
}

enum err_code begin_read(struct directory *directory, MDB_txn **txn, struct err *err)
{
    return begin(directory, MDB_RDONLY, txn, err);
}

enum err_code begin_write(struct directory *directory, MDB_txn **txn, struct err *err)
{
    return begin(directory, 0, txn, err);
}

void end_txn(struct directory *directory, MDB_txn *txn)
{
    mdb_txn_abort(txn);
    pthread_rwlock_unlock(&directory->env_lock);
}

enum err_code commit_txn(struct directory *directory, MDB_txn *txn, struct err *err)
{
    const MDB_env *env = directory->env;
    enum err_code code = directory_err_mdb(err, mdb_txn_commit(txn), "commit");

    pthread_rwlock_unlock(&directory->env_lock);
    if (code != ERR_NONE)
        reopen(directory, env, NULL);
    return code;
}
