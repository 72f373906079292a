/* Changing, removing and restoring accounts. */
#include <assert.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "mailbox-backend/directory/precis.h"
#include "mailbox-backend/directory/write.h"

static void apply_quota(Directory__Record *record, const struct account_change *change)
{
    if (change->quota_bytes != NULL) {
        record->quota_is_set = true;
        record->quota_bytes = *change->quota_bytes;
    }
    if (change->quota_messages != NULL)
        record->quota_messages = *change->quota_messages;
    if (change->quota_default) {
        record->quota_is_set = false;
        record->quota_bytes = record->quota_messages = 0;
    }
    if (change->quota_folders != NULL || change->quota_folders_default) {
        record->quota_folders_is_set = !change->quota_folders_default;
        record->quota_folders = change->quota_folders_default ? 0 : *change->quota_folders;
    }
}

static void apply_recovery(Directory__Record *record, const struct account_change *change)
{
    if (change->recovery_seconds != NULL || change->recovery_default) {
        record->recovery_is_set = !change->recovery_default;
        record->recovery_seconds = change->recovery_default ? 0 : *change->recovery_seconds;
    }
    if (change->recovery_quota != NULL || change->recovery_quota_default) {
        record->recovery_quota_is_set = !change->recovery_quota_default;
        record->recovery_quota = change->recovery_quota_default ? 0 : *change->recovery_quota;
    }
}

static void apply_pop3(Directory__Record *record, const struct account_change *change)
{
    if (change->pop3_folder != NULL)
        record->pop3_folder = (char *)(uintptr_t)change->pop3_folder;
    if (change->pop3_newest_first != NULL || change->pop3_order_default) {
        record->pop3_order_is_set = !change->pop3_order_default;
        record->pop3_newest_first = !change->pop3_order_default && *change->pop3_newest_first;
    }
}

static void apply(struct write *write, Directory__Record *record,
                  const struct account_change *change)
{
    bool was_disabled = record->disabled, could_impersonate = record->may_impersonate;
    unsigned before = record->services;

    if (change->display_name != NULL)
        record->display_name = (char *)(uintptr_t)change->display_name;
    if (change->services != NULL)
        record->services = *change->services;
    if (change->enabled != NULL)
        record->disabled = !*change->enabled;
    if (change->may_impersonate != NULL)
        record->may_impersonate = *change->may_impersonate;
    if (change->detail_folders != NULL)
        record->no_detail_folders = !*change->detail_folders;
    apply_quota(record, change);
    apply_recovery(record, change);
    apply_pop3(record, change);
    if (record->disabled != was_disabled || record->services != before ||
        record->may_impersonate != could_impersonate)
        write_changed(write, record, record->disabled ? 0 : record->services);
}

enum err_code account_set(struct directory *directory, struct str name,
                          const struct account_change *change, bool dry_run, struct err *err)
{
    struct arena arena = {0};
    Directory__Record *record;
    struct write write;
    enum err_code code = write_begin(&write, directory, dry_run, err);

    if (code != ERR_NONE)
        return code;
    code = write_find(&write, name, &arena, &record, err);
    if (code == ERR_NONE) {
        apply(&write, record, change);
        code = write_put(&write, directory->account, record, err);
    }
    code = write_end(&write, code, err);
    arena_reset(&arena);
    return code;
}

/* Fills the proof fields of from, outside any transaction since it is slow. */
static enum err_code make_proof(struct str given, struct arena *arena, Directory__Record *from,
                                struct err *err)
{
    char password[PASSWORD_MAX + 1];
    enum err_code code;

    directory__record__init(from);
    from->password_changed = time(NULL);
    if (given.data == NULL)
        return ERR_NONE;
    code = precis_opaque(given, password, sizeof(password), err);
    if (code == ERR_NONE)
        code = write_password(from, password, arena, err);
    mem_wipe(password, sizeof(password));
    return code;
}

static void copy_proof(Directory__Record *to, const Directory__Record *from)
{
    to->password_hash = from->password_hash;
    to->password_is_imported = false;
    to->password_changed = from->password_changed;
    to->scram_sha1 = from->scram_sha1;
    to->scram_sha256 = from->scram_sha256;
}

enum err_code account_set_password(struct directory *directory, struct str name,
                                   struct str password, bool dry_run, struct err *err)
{
    struct arena arena = {0};
    Directory__Record proof, *record;
    struct write write;
    enum err_code code = make_proof(password, &arena, &proof, err);

    if (code == ERR_NONE && (code = write_begin(&write, directory, dry_run, err)) == ERR_NONE) {
        code = write_find(&write, name, &arena, &record, err);
        if (code == ERR_NONE && password.data != NULL)
            code = write_check_login(record, err);
        if (code == ERR_NONE) {
            copy_proof(record, &proof);
            write_changed(&write, record, 0);
            code = write_put(&write, directory->account, record, err);
        }
        code = write_end(&write, code, err);
    }
    arena_reset(&arena);
    return code;
}

static enum err_code remove_entries(struct write *write, const Directory__Record *record,
                                    struct err *err)
{
    struct directory *directory = write->directory;
    enum err_code code = write_release(write, directory->name, record->name, err);

    for (size_t i = 0; i < record->n_addresses && code == ERR_NONE; i++)
        code = write_release(write, directory->address, record->addresses[i], err);
    return code == ERR_NONE ? write_delete(write, directory->account, record, err) : code;
}

enum err_code account_remove(struct directory *directory, struct str name, bool dry_run,
                             struct err *err)
{
    struct arena arena = {0};
    Directory__Record *record;
    struct write write;
    enum err_code code = write_begin(&write, directory, dry_run, err);

    if (code != ERR_NONE)
        return code;
    code = write_find(&write, name, &arena, &record, err);
    if (code == ERR_NONE)
        code = remove_entries(&write, record, err);
    if (code == ERR_NONE) {
        record->removed = time(NULL);
        write_changed(&write, record, 0);
        code = write_put(&write, directory->removed, record, err);
    }
    code = write_end(&write, code, err);
    arena_reset(&arena);
    return code;
}

/* The account of that name that was removed last. */
static enum err_code find_removed(struct write *write, const char *name, struct arena *arena,
                                  Directory__Record **found, struct err *err)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    enum err_code code = ERR_NONE;
    int result = mdb_cursor_open(write->txn, write->directory->removed, &cursor);

    if (result != 0)
        return directory_err_mdb(err, result, "removed accounts");
    *found = NULL;
    while (code == ERR_NONE && mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        Directory__Record *record;

        code = record_unpack(value.mv_data, value.mv_size, arena, &record, err);
        if (code == ERR_NONE && strcmp(record->name, name) == 0 &&
            (*found == NULL || (*found)->removed < record->removed))
            *found = record;
    }
    mdb_cursor_close(cursor);
    if (code == ERR_NONE && *found == NULL)
        code = err_set(err, ERR_NOT_FOUND, "no removed user %s", name);
    return code;
}

/* Puts the record back with its name and those of its addresses that nobody has got meanwhile. */
static enum err_code enter(struct write *write, Directory__Record *record, struct err *err)
{
    struct directory *directory = write->directory;
    size_t kept = 0;
    enum err_code code = write_claim(write, directory->name, record->name, record, err);

    if (code == ERR_EXISTS)
        return err_set(err, code, "%s is in use again: remove that user or address first",
                       record->name);
    for (size_t i = 0; i < record->n_addresses && code == ERR_NONE; i++) {
        code = write_claim(write, directory->address, record->addresses[i], record, err);
        if (code == ERR_NONE)
            record->addresses[kept++] = record->addresses[i];
        else if (code == ERR_EXISTS)
            code = ERR_NONE; /* somebody else's by now */
    }
    if (code != ERR_NONE)
        return code;
    record->n_addresses = kept;
    record->removed = 0;
    return write_put(write, directory->account, record, err);
}

static enum err_code restore(struct write *write, Directory__Record *record, struct err *err)
{
    enum err_code code;

    assert(record != NULL);
    code = enter(write, record, err);
    return code == ERR_NONE ? write_delete(write, write->directory->removed, record, err) : code;
}

enum err_code account_restore(struct directory *directory, struct str given, bool dry_run,
                              struct err *err)
{
    struct arena arena = {0};
    char name[NAME_SIZE];
    Directory__Record *record = NULL;
    struct write write;
    enum err_code code = name_login(given, directory->default_domain, name, err);

    if (code != ERR_NONE || (code = write_begin(&write, directory, dry_run, err)) != ERR_NONE)
        return code;
    code = find_removed(&write, name, &arena, &record, err);
    if (code == ERR_NONE)
        code = restore(&write, record, err);
    code = write_end(&write, code, err);
    arena_reset(&arena);
    return code;
}

/* ERR_EXISTS while the directory still knows the account, perhaps as one that was removed. */
static enum err_code check_gone(struct write *write, const Directory__Record *record,
                                struct arena *arena, struct err *err)
{
    struct store_guid guid;
    Directory__Record *other;
    enum err_code code;

    memcpy(guid.bytes, record->guid.data, sizeof(guid.bytes));
    code = get_record(write->txn, write->directory->account, &guid, arena, &other, err);
    if (code == ERR_NONE)
        return err_set(err, ERR_EXISTS, "%s is there", other->name);
    if (code == ERR_NOT_FOUND)
        code = get_record(write->txn, write->directory->removed, &guid, arena, &other, err);
    if (code == ERR_NONE)
        return err_set(err, ERR_EXISTS,
                       "%s was removed, but is kept: `user restore` brings it back", other->name);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code account_bring_back(struct directory *directory, struct directory *copy,
                                 struct str name, bool dry_run, struct err *err)
{
    struct arena arena = {0};
    Directory__Record *record;
    struct write write;
    enum err_code code = find_record(copy, name, &arena, &record, err);

    if (code == ERR_NONE && (code = write_begin(&write, directory, dry_run, err)) == ERR_NONE) {
        code = check_gone(&write, record, &arena, err);
        if (code == ERR_NONE) {
            write_changed(&write, record, 0);
            record->n_app_passwords = 0;
            code = enter(&write, record, err);
        }
        code = write_end(&write, code, err);
    }
    arena_reset(&arena);
    return code;
}
