#include "mailbox-backend/directory/write.h"

#include <string.h>
#include <time.h>

#include "common/log.h"
#include "mailbox-backend/directory/scram.h"

enum err_code write_begin(struct write *write, struct directory *directory, bool dry_run,
                          struct err *err)
{
    *write = (struct write){.directory = directory, .dry_run = dry_run};
    return begin_write(directory, &write->txn, err);
}

static void tell(const struct write *write)
{
    struct directory *directory = write->directory;
    directory_listener *listener;
    void *context;

    pthread_mutex_lock(&directory->listener_mutex);
    listener = directory->listener;
    context = directory->listener_context;
    pthread_mutex_unlock(&directory->listener_mutex);
    if (listener != NULL)
        listener(context, &write->guid, write->services_left);
}

enum err_code write_end(struct write *write, enum err_code code, struct err *err)
{
    if (code != ERR_NONE || write->dry_run) {
        end_txn(write->directory, write->txn);
        return code;
    }
    code = commit_txn(write->directory, write->txn, err);
    if (code == ERR_NONE && write->is_ending)
        tell(write);
    return code;
}

enum err_code write_find(struct write *write, struct str given, struct arena *arena,
                         Directory__Record **record, struct err *err)
{
    struct directory *directory = write->directory;
    char name[NAME_SIZE];
    struct store_guid guid;
    enum err_code code = name_login(given, directory->default_domain, name, err);

    if (code == ERR_NONE)
        code = guid_by_name(directory, write->txn, name, &guid, err);
    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND, "no user %s", name);
    if (code != ERR_NONE)
        return code;
    return get_record(write->txn, directory->account, &guid, arena, record, err);
}

static struct store_guid guid_of(const Directory__Record *record)
{
    struct store_guid guid;

    memcpy(guid.bytes, record->guid.data, sizeof(guid.bytes));
    return guid;
}

enum err_code write_put(struct write *write, MDB_dbi table, const Directory__Record *record,
                        struct err *err)
{
    struct store_guid guid = guid_of(record);
    struct buf bytes = {0};
    MDB_val key = val_of_guid(&guid), value;
    int result;

    record_pack(record, &bytes);
    value = (MDB_val){buf_length(&bytes), bytes.memory + bytes.start};
    result = mdb_put(write->txn, table, &key, &value, 0);
    buf_release(&bytes);
    return directory_err_mdb(err, result, "account");
}

enum err_code write_delete(struct write *write, MDB_dbi table, const Directory__Record *record,
                           struct err *err)
{
    struct store_guid guid = guid_of(record);
    MDB_val key = val_of_guid(&guid);

    return directory_err_mdb(err, mdb_del(write->txn, table, &key, NULL), "account");
}

/* ERR_EXISTS when the text is in the table as somebody else's. */
static enum err_code check_free(struct write *write, MDB_dbi table, const char *text,
                                const struct store_guid *guid, struct err *err)
{
    MDB_val key = val_of_text(text), value;
    int result = mdb_get(write->txn, table, &key, &value);
    Directory__Record *owner;
    struct store_guid other;
    struct arena arena = {0};
    enum err_code code;

    if (result == MDB_NOTFOUND)
        return ERR_NONE;
    if (result != 0)
        return directory_err_mdb(err, result, text);
    if (value.mv_size != sizeof(other.bytes))
        return err_set(err, ERR_CORRUPT, "directory: the entry of %s is damaged", text);
    memcpy(other.bytes, value.mv_data, sizeof(other.bytes));
    if (memcmp(other.bytes, guid->bytes, sizeof(other.bytes)) == 0)
        return ERR_NONE;
    code = get_record(write->txn, write->directory->account, &other, &arena, &owner, err);
    if (code == ERR_NONE)
        code = err_set(err, ERR_EXISTS, "%s belongs to user %s", text, owner->name);
    arena_reset(&arena);
    return code;
}

enum err_code write_claim(struct write *write, MDB_dbi table, const char *text,
                          const Directory__Record *record, struct err *err)
{
    struct store_guid guid = guid_of(record);
    MDB_val key = val_of_text(text), value = val_of_guid(&guid);
    enum err_code code = check_free(write, write->directory->name, text, &guid, err);

    if (code == ERR_NONE)
        code = check_free(write, write->directory->address, text, &guid, err);
    if (code != ERR_NONE)
        return code;
    return directory_err_mdb(err, mdb_put(write->txn, table, &key, &value, 0), text);
}

enum err_code write_release(struct write *write, MDB_dbi table, const char *text, struct err *err)
{
    MDB_val key = val_of_text(text);

    return directory_err_mdb(err, mdb_del(write->txn, table, &key, NULL), text);
}

void write_changed(struct write *write, Directory__Record *record, unsigned services_left)
{
    record->generation++;
    write->is_ending = true;
    write->guid = guid_of(record);
    write->services_left = services_left;
}

enum err_code write_password(Directory__Record *record, const char *password, struct arena *arena,
                             struct err *err)
{
    char hash[PASSWORD_HASH_MAX];
    enum err_code code = password_hash(password, hash, err);

    if (code != ERR_NONE)
        return code;
    record->password_hash = arena_string(arena, hash);
    record->password_is_imported = false;
    record->password_changed = time(NULL);
    record->scram_sha1 = scram_key(HASH_SHA1, password, arena);
    record->scram_sha256 = scram_key(HASH_SHA256, password, arena);
    return ERR_NONE;
}

enum err_code write_check_login(const Directory__Record *record, struct err *err)
{
    if (record->is_shared)
        return err_set(err, ERR_DENIED, "%s is a shared mailbox: nobody logs in with it",
                       record->name);
    return ERR_NONE;
}

void account_gain_scram(struct directory *directory, const struct store_guid *guid,
                        uint64_t generation, const char *password)
{
    struct arena arena = {0};
    Directory__ScramKey *sha1 = scram_key(HASH_SHA1, password, &arena);
    Directory__ScramKey *sha256 = scram_key(HASH_SHA256, password, &arena);
    Directory__Record *record;
    struct write write;
    struct err err;
    enum err_code code = write_begin(&write, directory, false, &err);

    if (code == ERR_NONE) {
        code = get_record(write.txn, directory->account, guid, &arena, &record, &err);
        if (code == ERR_NONE && record->generation == generation) {
            record->scram_sha1 = sha1;
            record->scram_sha256 = sha256;
            code = write_put(&write, directory->account, record, &err);
        }
        code = write_end(&write, code, &err);
    }
    if (code != ERR_NONE && code != ERR_NOT_FOUND) /* the log-in is good all the same */
        log_warning(NULL, "SCRAM keys were not kept: %s", err.text);
    arena_reset(&arena);
}
