/* Going through the directory, one entry a call. */
#include <assert.h>
#include <string.h>

#include "mailbox-backend/directory/write.h"

/* The first entry behind key->mv_data, or the first of all when that is empty. */
static int seek_behind(MDB_cursor *cursor, MDB_val *key, MDB_val *value)
{
    MDB_val behind = *key;
    int result;

    if (behind.mv_size == 0)
        return mdb_cursor_get(cursor, key, value, MDB_FIRST);
    result = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (result == 0 && key->mv_size == behind.mv_size &&
        memcmp(key->mv_data, behind.mv_data, behind.mv_size) == 0)
        result = mdb_cursor_get(cursor, key, value, MDB_NEXT);
    return result;
}

static enum err_code step(MDB_txn *txn, MDB_dbi table, MDB_val *key, MDB_val *value,
                          struct err *err)
{
    MDB_cursor *cursor;
    int result = mdb_cursor_open(txn, table, &cursor);

    if (result == 0) {
        result = seek_behind(cursor, key, value);
        mdb_cursor_close(cursor);
    }
    return directory_err_mdb(err, result, "list");
}

/* The account behind the next key of an index table. */
static enum err_code next_of(struct directory *directory, MDB_dbi table,
                             char cursor[DIRECTORY_CURSOR_SIZE], struct arena *arena,
                             struct account *account, struct err *err)
{
    MDB_val key = val_of_text(cursor), value = {0};
    Directory__Record *record = NULL;
    struct store_guid guid;
    MDB_txn *txn = NULL;
    enum err_code code = begin_read(directory, &txn, err);

    if (code != ERR_NONE)
        return code;
    code = step(txn, table, &key, &value, err);
    if (code == ERR_NONE &&
        (value.mv_size != sizeof(guid.bytes) || key.mv_size >= DIRECTORY_CURSOR_SIZE))
        code = err_set(err, ERR_CORRUPT, "directory: an entry behind \"%s\" is damaged", cursor);
    if (code == ERR_NONE) {
        assert(key.mv_data != NULL && value.mv_data != NULL);
        memcpy(cursor, key.mv_data, key.mv_size);
        cursor[key.mv_size] = '\0';
        memcpy(guid.bytes, value.mv_data, sizeof(guid.bytes));
        if (get_record(txn, directory->account, &guid, arena, &record, err) != ERR_NONE)
            code = err_set(err, ERR_CORRUPT, "directory: the account of %s is damaged", cursor);
    }
    end_txn(directory, txn);
    if (code == ERR_NONE)
        record_to_account(record, directory, arena, account);
    return code;
}

enum err_code directory_next(struct directory *directory, char cursor[DIRECTORY_CURSOR_SIZE],
                             struct arena *arena, struct account *account, struct err *err)
{
    return next_of(directory, directory->name, cursor, arena, account, err);
}

enum err_code directory_next_address(struct directory *directory,
                                     char cursor[DIRECTORY_CURSOR_SIZE], struct arena *arena,
                                     struct account *account, struct err *err)
{
    return next_of(directory, directory->address, cursor, arena, account, err);
}

enum err_code directory_next_removed(struct directory *directory, bool *more,
                                     struct directory_removed *removed, struct arena *arena,
                                     struct err *err)
{
    MDB_val key = val_of_guid(&removed->guid), value = {0};
    Directory__Record *record = NULL;
    MDB_txn *txn = NULL;
    enum err_code code = begin_read(directory, &txn, err);

    if (code != ERR_NONE)
        return code;
    if (!*more)
        key.mv_size = 0;
    code = step(txn, directory->removed, &key, &value, err);
    if (code == ERR_NONE)
        code = record_unpack(value.mv_data, value.mv_size, arena, &record, err);
    end_txn(directory, txn);
    if (code != ERR_NONE)
        return code;
    *more = true;
    memcpy(removed->guid.bytes, record->guid.data, sizeof(removed->guid.bytes));
    removed->name = record->name;
    removed->removed = record->removed;
    return ERR_NONE;
}

enum err_code directory_forget(struct directory *directory, const struct store_guid *guid,
                               struct err *err)
{
    MDB_val key = val_of_guid(guid);
    struct write write;
    enum err_code code = write_begin(&write, directory, false, err);

    if (code != ERR_NONE)
        return code;
    code = directory_err_mdb(err, mdb_del(write.txn, directory->removed, &key, NULL),
                             "removed account");
    return write_end(&write, code, err);
}

enum err_code directory_facts(struct directory *directory, struct str name,
                              struct account_facts *facts, struct err *err)
{
    struct arena arena = {0};
    Directory__Record *record;
    enum err_code code = find_record(directory, name, &arena, &record, err);

    if (code == ERR_NONE)
        *facts = (struct account_facts){
            .created = record->created,
            .password_changed = record->password_changed,
            .has_scram = record->scram_sha256 != NULL,
            .password_is_imported = record->password_is_imported,
            .app_passwords = record->n_app_passwords,
        };
    arena_reset(&arena);
    return code;
}
