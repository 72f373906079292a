#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/mem.h"
#include "common/random.h"
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

    if (result == MDB_NOTFOUND) {
        value = (MDB_val){1, &format};
        result = mdb_put(txn, directory->meta, &key, &value, 0);
    } else if (result == 0 && (value.mv_size != 1 || *(uint8_t *)value.mv_data != FORMAT)) {
        return err_set(err, ERR_UNAVAILABLE, "the directory was written by another version");
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
    MDB_txn *txn;
    enum err_code code =
        directory_err_mdb(err, mdb_txn_begin(directory->env, NULL, 0, &txn), "open");

    if (code != ERR_NONE)
        return code;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && code == ERR_NONE; i++)
        code = directory_err_mdb(
            err, mdb_dbi_open(txn, tables[i].name, MDB_CREATE, tables[i].table), tables[i].name);
    if (code == ERR_NONE)
        code = check_format(directory, txn, err);
    if (code == ERR_NONE)
        return directory_err_mdb(err, mdb_txn_commit(txn), "open");
    mdb_txn_abort(txn);
    return code;
}

static enum err_code open_env(struct directory *directory, const char *folder, struct err *err)
{
    int stale = 0, result = mdb_env_create(&directory->env);

    if (result == 0)
        result = mdb_env_set_mapsize(directory->env, MAP_SIZE);
    if (result == 0)
        result = mdb_env_set_maxdbs(directory->env, 8);
    if (result == 0)
        result = mdb_env_set_maxreaders(directory->env, MAX_READERS);
    if (result == 0)
        result = mdb_env_open(directory->env, folder, MDB_NOTLS, 0600);
    if (result == 0)
        result = mdb_reader_check(directory->env, &stale);
    return directory_err_mdb(err, result, folder);
}

static enum err_code take_lock(struct directory *directory, const char *folder, struct err *err)
{
    struct buf path = {0};
    enum err_code code;

    buf_printf(&path, "%s/lock", folder);
    buf_byte(&path, '\0');
    code = file_lock(&directory->lock, (const char *)buf_bytes(&path), err);
    buf_release(&path);
    return code;
}

static enum err_code make_decoy(struct directory *directory, struct err *err)
{
    uint8_t bytes[16];
    char unknown[2 * sizeof(bytes) + 1];

    random_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        unknown[2 * i] = (char)('a' + (bytes[i] >> 4));
        unknown[2 * i + 1] = (char)('a' + (bytes[i] & 15));
    }
    unknown[sizeof(unknown) - 1] = '\0';
    return password_hash(unknown, directory->decoy, err);
}

static enum err_code open_all(struct directory *directory,
                              const struct directory_settings *settings, struct err *err)
{
    char domain[NAME_DOMAIN_MAX + 1];
    enum err_code code = ERR_NONE;

    if (settings->default_domain != NULL && settings->default_domain[0] != '\0' &&
        (code = name_domain(str_of(settings->default_domain), domain, err)) != ERR_NONE) {
        err_prefix(err, "default domain %s", settings->default_domain);
        return code;
    }
    if ((code = file_make_folders(settings->folder, 0700, err)) == ERR_NONE &&
        (code = take_lock(directory, settings->folder, err)) == ERR_NONE &&
        (code = open_env(directory, settings->folder, err)) == ERR_NONE &&
        (code = open_tables(directory, err)) == ERR_NONE)
        code = make_decoy(directory, err);
    return code;
}

enum err_code directory_open(struct directory **out, const struct directory_settings *settings,
                             struct err *err)
{
    struct directory *directory = mem_alloc(sizeof(*directory));
    struct err local;
    enum err_code code;

    directory->lock = -1;
    directory->default_domain = mem_string(settings->default_domain);
    directory->delimiter = mem_string(settings->delimiter);
    directory->default_quota_bytes = settings->default_quota_bytes;
    directory->cache = credential_cache_create(settings->cache_seconds);
    pthread_mutex_init(&directory->listener_mutex, NULL);
    code = open_all(directory, settings, err != NULL ? err : &local);
    if (code != ERR_NONE)
        directory_close(&directory);
    *out = directory;
    return code;
}

void directory_close(struct directory **out)
{
    struct directory *directory = *out;

    if (directory == NULL)
        return;
    if (directory->env != NULL)
        mdb_env_close(directory->env);
    if (directory->lock >= 0)
        file_unlock(&directory->lock);
    credential_cache_destroy(&directory->cache);
    pthread_mutex_destroy(&directory->listener_mutex);
    free(directory->default_domain);
    free(directory->delimiter);
    free(directory);
    *out = NULL;
}
