/* Making accounts. */
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "common/random.h"
#include "mailbox-backend/directory/precis.h"
#include "mailbox-backend/directory/write.h"

static const struct {
    const char *name;
    enum account_service service;
} service_names[] = {
    {"imap4", SERVICE_IMAP4},
    {"pop3",  SERVICE_POP3 },
    {"lmtp",  SERVICE_LMTP },
};

#define SERVICE_COUNT (sizeof(service_names) / sizeof(service_names[0]))

const char *account_service_name(enum account_service service)
{
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        if (service_names[i].service == service)
            return service_names[i].name;
    }
    return "";
}

static unsigned service_bit(struct str word)
{
    if (str_is_nocase(word, "all"))
        return SERVICES_ALL;
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        if (str_is_nocase(word, service_names[i].name))
            return service_names[i].service;
    }
    return 0;
}

enum err_code account_services_parse(const char *text, unsigned *services, struct err *err)
{
    unsigned bits = 0;

    for (const char *at = text; !str_is_nocase(str_of(text), "none");) {
        size_t length = strcspn(at, ",");
        unsigned bit = service_bit(str_trim(str_n(at, length)));

        if (bit == 0)
            return err_set(err, ERR_INVALID,
                           "services are imap4, pop3, lmtp (joined by commas), all or none");
        bits |= bit;
        if (at[length] == '\0')
            break;
        at += length + 1;
    }
    *services = bits;
    return ERR_NONE;
}

static enum err_code set_proof(Directory__Record *record, const struct account_new *new,
                               struct arena *arena, struct err *err)
{
    char password[PASSWORD_MAX + 1];
    enum err_code code;

    if (new->hash != NULL) {
        record->password_hash = arena_string(arena, new->hash);
        record->password_is_imported = true;
        record->password_changed = time(NULL);
        return ERR_NONE;
    }
    if (new->password.data == NULL)
        return ERR_NONE;
    code = precis_opaque(new->password, password, sizeof(password), err);
    if (code == ERR_NONE)
        code = write_password(record, password, arena, err);
    mem_wipe(password, sizeof(password));
    return code;
}

/* The record of a new account; what is slow (hashing) happens here, before the transaction. */
static enum err_code make_record(struct directory *directory, const struct account_new *new,
                                 struct arena *arena, Directory__Record *record, struct err *err)
{
    char name[NAME_SIZE];
    uint8_t guid[sizeof(struct store_guid)];
    enum err_code code = name_login(new->name, directory->default_domain, name, err);

    if (code != ERR_NONE)
        return code;
    directory__record__init(record);
    random_bytes(guid, sizeof(guid));
    record->guid =
        (ProtobufCBinaryData){sizeof(guid), (uint8_t *)arena_copy(arena, guid, sizeof(guid))};
    record->name = arena_string(arena, name);
    if (new->display_name != NULL)
        record->display_name = arena_string(arena, new->display_name);
    record->addresses = arena_array(arena, 1, sizeof(*record->addresses));
    record->addresses[0] = record->name;
    record->n_addresses = 1;
    record->services = new->services;
    record->disabled = new->disabled;
    record->is_shared = new->is_shared;
    record->quota_is_set = new->quota_is_set;
    record->quota_bytes = new->quota_bytes;
    record->quota_messages = new->quota_messages;
    record->quota_folders_is_set = new->quota_folders_is_set;
    record->quota_folders = new->quota_folders;
    record->epoch = 1;
    record->generation = 1;
    record->created = time(NULL);
    return set_proof(record, new, arena, err);
}

static enum err_code enter(struct write *write, const Directory__Record *record, struct err *err)
{
    struct directory *directory = write->directory;
    MDB_val key = val_of_text(record->name), value;
    enum err_code code;

    if (mdb_get(write->txn, directory->name, &key, &value) == 0)
        return err_set(err, ERR_EXISTS, "user %s exists", record->name);
    if ((code = write_claim(write, directory->name, record->name, record, err)) == ERR_NONE &&
        (code = write_claim(write, directory->address, record->name, record, err)) == ERR_NONE)
        code = write_put(write, directory->account, record, err);
    return code;
}

static bool is_own_fault(enum err_code code)
{
    return code == ERR_EXISTS || code == ERR_INVALID || code == ERR_LIMIT;
}

static enum err_code enter_all(struct write *write, const Directory__Record *records, size_t count,
                               struct err *results, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (results[i].code != ERR_NONE)
            continue;
        if (enter(write, &records[i], &results[i]) != ERR_NONE && !is_own_fault(results[i].code)) {
            *err = results[i];
            return err->code;
        }
    }
    return ERR_NONE;
}

static enum err_code add(struct directory *directory, const struct account_new *new, size_t count,
                         bool dry_run, struct arena *arena, Directory__Record *records,
                         struct err *results, struct err *err)
{
    struct write write;
    enum err_code code;

    for (size_t i = 0; i < count; i++) {
        results[i] = (struct err){0};
        make_record(directory, &new[i], arena, &records[i], &results[i]);
    }
    code = write_begin(&write, directory, dry_run, err);
    if (code != ERR_NONE)
        return code;
    code = enter_all(&write, records, count, results, err);
    return write_end(&write, code, err);
}

enum err_code account_add(struct directory *directory, const struct account_new *new, bool dry_run,
                          struct arena *arena, struct account *account, struct err *err)
{
    Directory__Record *record = arena_alloc(arena, sizeof(*record));
    struct err result, whole;
    enum err_code code = add(directory, new, 1, dry_run, arena, record, &result, &whole);

    if (code != ERR_NONE)
        return err_set(err, code, "%s", whole.text);
    if (result.code != ERR_NONE)
        return err_set(err, result.code, "%s", result.text);
    if (account != NULL)
        record_to_account(record, directory, arena, account);
    return ERR_NONE;
}

enum err_code account_add_many(struct directory *directory, const struct account_new *new,
                               size_t count, bool dry_run, struct err *results, struct err *err)
{
    struct arena arena = {0};
    Directory__Record *records = arena_array(&arena, count, sizeof(*records));
    struct err whole = {0};
    enum err_code code = add(directory, new, count, dry_run, &arena, records, results, &whole);

    arena_reset(&arena);
    return code == ERR_NONE ? code : err_set(err, code, "%s", whole.text);
}
