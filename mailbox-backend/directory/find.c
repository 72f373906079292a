#include <string.h>

#include "mailbox-backend/directory/internal.h"

enum err_code get_record(MDB_txn *txn, MDB_dbi table, const struct store_guid *guid,
                         struct arena *arena, Directory__Record **record, struct err *err)
{
    MDB_val key = val_of_guid(guid), value;
    int result = mdb_get(txn, table, &key, &value);

    if (result != 0)
        return directory_err_mdb(err, result, "account");
    return record_unpack(value.mv_data, value.mv_size, arena, record, err);
}

static enum err_code get_guid(MDB_txn *txn, MDB_dbi table, const char *text,
                              struct store_guid *guid, struct err *err)
{
    MDB_val key = val_of_text(text), value;
    int result = mdb_get(txn, table, &key, &value);

    if (result != 0)
        return directory_err_mdb(err, result, text);
    if (value.mv_size != sizeof(guid->bytes))
        return err_set(err, ERR_CORRUPT, "directory: the entry of %s is damaged", text);
    memcpy(guid->bytes, value.mv_data, sizeof(guid->bytes));
    return ERR_NONE;
}

enum err_code guid_by_name(struct directory *directory, MDB_txn *txn, const char *name,
                           struct store_guid *guid, struct err *err)
{
    enum err_code code = get_guid(txn, directory->name, name, guid, err);

    return code == ERR_NOT_FOUND ? guid_by_address(directory, txn, name, guid, err) : code;
}

enum err_code guid_by_address(struct directory *directory, MDB_txn *txn, const char *address,
                              struct store_guid *guid, struct err *err)
{
    return get_guid(txn, directory->address, address, guid, err);
}

/* For who looks up, a name too long for anybody is no possible name. */
static enum err_code no_name(enum err_code code, struct err *err)
{
    if (code == ERR_LIMIT && err != NULL)
        err->code = ERR_INVALID;
    return code == ERR_LIMIT ? ERR_INVALID : code;
}

enum err_code find_record(struct directory *directory, struct str given, struct arena *arena,
                          Directory__Record **record, struct err *err)
{
    char name[NAME_SIZE];
    struct store_guid guid;
    MDB_txn *txn = NULL;
    enum err_code code = name_login(given, directory->default_domain, name, err);

    if (code != ERR_NONE)
        return no_name(code, err);
    if ((code = begin_read(directory, &txn, err)) != ERR_NONE)
        return code;
    code = guid_by_name(directory, txn, name, &guid, err);
    if (code == ERR_NONE)
        code = get_record(txn, directory->account, &guid, arena, record, err);
    end_txn(directory, txn);
    return code;
}

enum err_code directory_find(struct directory *directory, struct str name, struct arena *arena,
                             struct account *account, struct err *err)
{
    Directory__Record *record = NULL;
    enum err_code code = find_record(directory, name, arena, &record, err);

    if (code == ERR_NONE)
        record_to_account(record, directory, arena, account);
    return code;
}

enum err_code directory_find_guid(struct directory *directory, const struct store_guid *guid,
                                  struct arena *arena, struct account *account, struct err *err)
{
    Directory__Record *record = NULL;
    MDB_txn *txn = NULL;
    enum err_code code = begin_read(directory, &txn, err);

    if (code != ERR_NONE)
        return code;
    code = get_record(txn, directory->account, guid, arena, &record, err);
    end_txn(directory, txn);
    if (code == ERR_NONE)
        record_to_account(record, directory, arena, account);
    return code;
}

static bool is_for_nobody(enum err_code code)
{
    return code == ERR_NOT_FOUND || code == ERR_INVALID || code == ERR_LIMIT;
}

static enum err_code guid_by_given(struct directory *directory, MDB_txn *txn, struct str given,
                                   struct store_guid *guid, struct err *err)
{
    char name[NAME_SIZE];
    enum err_code code = name_address(given, directory->default_domain, name, err);

    return code == ERR_NONE ? guid_by_address(directory, txn, name, guid, err) : code;
}

/* A domain's catch-all takes what no account can be named, too: "a b"@example.org. */
static enum err_code guid_by_catch_all(struct directory *directory, MDB_txn *txn, struct str given,
                                       struct store_guid *guid, struct err *err)
{
    const char *at = given.length == 0 ? given.data : memrchr(given.data, '@', given.length);
    struct str domain = str_of(directory->default_domain);
    char entry[NAME_SIZE] = "@";
    enum err_code code;

    if (at == given.data)
        return err_set(err, ERR_INVALID, "an address without a local part");
    if (at != NULL)
        domain = str_n(at + 1, given.length - (size_t)(at + 1 - given.data));
    code = name_domain(domain, entry + 1, err);
    return code == ERR_NONE ? guid_by_address(directory, txn, entry, guid, err) : code;
}

/* The address itself, else without its detail, else its domain's catch-all. */
static enum err_code resolve(struct directory *directory, MDB_txn *txn, struct str given,
                             struct store_guid *guid, char detail[NAME_LOCAL_MAX + 1],
                             struct err *err)
{
    char base[NAME_SIZE];
    enum err_code code = guid_by_given(directory, txn, given, guid, err);

    detail[0] = '\0';
    if (!is_for_nobody(code))
        return code;
    if (directory->delimiter != NULL &&
        name_split_detail(given, directory->delimiter, base, detail)) {
        code = guid_by_given(directory, txn, str_of(base), guid, err);
        if (!is_for_nobody(code))
            return code;
    }
    detail[0] = '\0';
    return no_name(guid_by_catch_all(directory, txn, given, guid, err), err);
}

enum err_code directory_resolve(struct directory *directory, struct str address,
                                struct arena *arena, struct account *account, const char **detail,
                                struct err *err)
{
    char behind[NAME_LOCAL_MAX + 1];
    Directory__Record *record = NULL;
    struct store_guid guid;
    MDB_txn *txn = NULL;
    enum err_code code = begin_read(directory, &txn, err);

    if (code != ERR_NONE)
        return code;
    code = resolve(directory, txn, address, &guid, behind, err);
    if (code == ERR_NONE)
        code = get_record(txn, directory->account, &guid, arena, &record, err);
    end_txn(directory, txn);
    if (code != ERR_NONE)
        return code;
    record_to_account(record, directory, arena, account);
    *detail = arena_string(arena, behind);
    return ERR_NONE;
}

uint64_t directory_count(struct directory *directory)
{
    MDB_stat stat = {0};
    MDB_txn *txn = NULL;

    if (begin_read(directory, &txn, NULL) != ERR_NONE)
        return 0;
    if (mdb_stat(txn, directory->account, &stat) != 0)
        stat.ms_entries = 0;
    end_txn(directory, txn);
    return stat.ms_entries;
}

void directory_listen(struct directory *directory, directory_listener *listener, void *context)
{
    pthread_mutex_lock(&directory->listener_mutex);
    directory->listener = listener;
    directory->listener_context = context;
    pthread_mutex_unlock(&directory->listener_mutex);
}
