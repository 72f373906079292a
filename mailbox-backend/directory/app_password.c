#include "mailbox-backend/directory/app_password.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/net.h"
#include "common/random.h"
#include "common/tls_hash.h"
#include "mailbox-backend/directory/write.h"

#define SALT_SIZE 16
#define SECRET_MAX 64     /* bytes, without spaces and dashes; a longer one is none of ours */
#define NOTE_SECONDS 3600 /* how coarse last_used is */
#define PASSWORDS_MOST 32 /* of one user: each costs a digest at each login by PLAIN */
#define NETWORKS_MOST 16  /* of one password */
#define NAME_MOST 64      /* bytes */

/* As it is written down, in groups, or as it is typed in, without. */
static bool strip(struct str password, char secret[SECRET_MAX], size_t *length)
{
    *length = 0;
    for (size_t i = 0; i < password.length; i++) {
        if (password.data[i] == '-' || password.data[i] == ' ')
            continue;
        if (*length == SECRET_MAX)
            return false;
        secret[(*length)++] = password.data[i];
    }
    return *length > 0;
}

static bool is_same(const ProtobufCBinaryData *kept, const uint8_t made[HASH_SIZE_MAX])
{
    unsigned difference = 0;

    for (size_t i = 0; i < hash_size(HASH_SHA256); i++)
        difference |= (unsigned)(kept->data[i] ^ made[i]);
    return difference == 0;
}

const Directory__AppPassword *app_password_find(const Directory__Record *record,
                                                struct str password)
{
    const Directory__AppPassword *found = NULL;
    char secret[SECRET_MAX];
    size_t length;

    if (record->n_app_passwords == 0 || !strip(password, secret, &length))
        return NULL;
    for (size_t i = 0; i < record->n_app_passwords; i++) {
        const Directory__AppPassword *one = record->app_passwords[i];
        uint8_t made[HASH_SIZE_MAX];

        hash_mac(HASH_SHA256, str_n(one->salt.data, one->salt.len), str_n(secret, length), made);
        if (one->digest.len == hash_size(HASH_SHA256) && is_same(&one->digest, made))
            found = one;
    }
    mem_wipe(secret, sizeof(secret));
    return found;
}

/* A client's address has no port. */
static bool parse_host(const char *text, struct net_address *address)
{
    char whole[NET_TEXT_MAX];

    if (strcmp(text, "unix") == 0) {
        *address = (struct net_address){.at.any.sa_family = AF_UNIX};
        return true;
    }
    snprintf(whole, sizeof(whole), strchr(text, ':') != NULL ? "[%s]:0" : "%s:0", text);
    return net_parse(address, whole, NULL) == ERR_NONE;
}

static bool is_from(const Directory__AppPassword *password, const char *text)
{
    struct net_address address;
    struct net_range range;

    if (password->n_networks == 0)
        return true;
    if (!parse_host(text, &address))
        return false;
    for (size_t i = 0; i < password->n_networks; i++) {
        if (net_range_parse(&range, password->networks[i], NULL) == ERR_NONE &&
            net_range_has(&range, &address))
            return true;
    }
    return false;
}

bool app_password_allows(const Directory__AppPassword *password, enum account_service service,
                         const char *address)
{
    return (password->services & service) != 0 && is_from(password, address);
}

/* ---- changes ---- */

static size_t place_of(const Directory__Record *record, const char *name)
{
    size_t i = 0;

    while (i < record->n_app_passwords && strcmp(record->app_passwords[i]->name, name) != 0)
        i++;
    return i;
}

static void mark(Directory__AppPassword *password, int64_t now, const char *address)
{
    password->last_used = now;
    password->last_address = (char *)(uintptr_t)address;
}

void app_password_note(struct directory *directory, const Directory__Record *record,
                       const Directory__AppPassword *password, const char *address)
{
    int64_t now = time(NULL);
    struct arena arena = {0};
    Directory__Record *current;
    struct store_guid guid;
    struct write write;
    struct err err;
    enum err_code code;

    if (now - password->last_used < NOTE_SECONDS && now >= password->last_used)
        return;
    memcpy(guid.bytes, record->guid.data, sizeof(guid.bytes));
    code = write_begin(&write, directory, false, &err);
    if (code == ERR_NONE) {
        code = get_record(write.txn, directory->account, &guid, &arena, &current, &err);
        if (code == ERR_NONE && current->generation == record->generation &&
            place_of(current, password->name) < current->n_app_passwords) {
            mark(current->app_passwords[place_of(current, password->name)], now, address);
            code = write_put(&write, directory->account, current, &err);
        }
        code = write_end(&write, code, &err);
    }
    if (code != ERR_NONE && code != ERR_NOT_FOUND)
        log_warning(NULL, "the use of an application password was not noted: %s", err.text);
    arena_reset(&arena);
}

static enum err_code check_name(const char *name, struct err *err)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7F)
            return err_set(err, ERR_INVALID,
                           "an application password's name has no control "
                           "characters");
    }
    if (length == 0 || length > NAME_MOST)
        return err_set(err, ERR_INVALID, "an application password's name has 1 to %d bytes",
                       NAME_MOST);
    return ERR_NONE;
}

static enum err_code check_new(const struct app_password_new *new, struct err *err)
{
    const unsigned possible = SERVICE_IMAP4 | SERVICE_POP3;
    struct net_range range;
    enum err_code code = check_name(new->name, err);

    if (code == ERR_NONE && (new->services == 0 || (new->services & ~possible) != 0))
        code = err_set(err, ERR_INVALID, "an application password is for imap4, pop3 or both");
    if (code == ERR_NONE && new->network_count > NETWORKS_MOST)
        code = err_set(err, ERR_LIMIT, "an application password has %d networks at most",
                       NETWORKS_MOST);
    for (size_t i = 0; code == ERR_NONE && i < new->network_count; i++)
        code = net_range_parse(&range, new->networks[i], err);
    return code;
}

static ProtobufCBinaryData keep(struct arena *arena, const uint8_t *bytes, size_t length)
{
    return (ProtobufCBinaryData){length, (uint8_t *)arena_copy(arena, bytes, length)};
}

static Directory__AppPassword *make(const struct app_password_new *new, struct arena *arena)
{
    Directory__AppPassword *one = arena_alloc(arena, sizeof(*one));
    uint8_t salt[SALT_SIZE], digest[HASH_SIZE_MAX];
    char secret[SECRET_MAX];
    size_t length = 0;

    directory__app_password__init(one);
    strip(new->secret, secret, &length);
    random_bytes(salt, sizeof(salt));
    hash_mac(HASH_SHA256, str_n(salt, sizeof(salt)), str_n(secret, length), digest);
    mem_wipe(secret, sizeof(secret));
    one->salt = keep(arena, salt, sizeof(salt));
    one->digest = keep(arena, digest, hash_size(HASH_SHA256));
    one->name = (char *)(uintptr_t) new->name;
    one->services = new->services;
    one->networks = (char **)(uintptr_t) new->networks;
    one->n_networks = new->network_count;
    one->created = time(NULL);
    return one;
}

static enum err_code put_new(struct write *write, Directory__Record *record,
                             const struct app_password_new *new, struct arena *arena,
                             struct err *err)
{
    size_t count = record->n_app_passwords;
    Directory__AppPassword **list = arena_array(arena, count + 1, sizeof(*list));

    if (place_of(record, new->name) < count)
        return err_set(err, ERR_EXISTS, "%s has an application password \"%s\" already",
                       record->name, new->name);
    if (count >= PASSWORDS_MOST)
        return err_set(err, ERR_LIMIT, "%s has %d application passwords, the most there may be",
                       record->name, PASSWORDS_MOST);
    if (count > 0)
        memcpy(list, record->app_passwords, count * sizeof(*list));
    list[count] = make(new, arena);
    record->app_passwords = list;
    record->n_app_passwords = count + 1;
    return write_put(write, write->directory->account, record, err);
}

enum err_code app_password_add(struct directory *directory, const struct app_password_new *new,
                               bool dry_run, struct err *err)
{
    struct arena arena = {0};
    Directory__Record *record;
    struct write write;
    enum err_code code = check_new(new, err);

    if (code != ERR_NONE || (code = write_begin(&write, directory, dry_run, err)) != ERR_NONE)
        return code;
    code = write_find(&write, new->login, &arena, &record, err);
    if (code == ERR_NONE)
        code = write_check_login(record, err);
    if (code == ERR_NONE)
        code = put_new(&write, record, new, &arena, err);
    code = write_end(&write, code, err);
    arena_reset(&arena);
    return code;
}

/* Takes them off the record; gives the services that they were good for. ERR_NOT_FOUND. */
static enum err_code take_off(Directory__Record *record, const char *name, unsigned *services,
                              struct err *err)
{
    size_t kept = 0, count = record->n_app_passwords;

    *services = 0;
    for (size_t i = 0; i < count; i++) {
        Directory__AppPassword *one = record->app_passwords[i];

        if (name != NULL && strcmp(one->name, name) != 0)
            record->app_passwords[kept++] = one;
        else
            *services |= one->services;
    }
    record->n_app_passwords = kept;
    if (kept < count)
        return ERR_NONE;
    return err_set(err, ERR_NOT_FOUND, "%s has no %sapplication password%s%s%s", record->name,
                   name == NULL ? "" : "such ", name == NULL ? "" : ": \"",
                   name == NULL ? "" : name, name == NULL ? "" : "\"");
}

enum err_code app_password_revoke(struct directory *directory, struct str login, const char *name,
                                  bool dry_run, struct err *err)
{
    struct arena arena = {0};
    Directory__Record *record;
    struct write write;
    unsigned services;
    enum err_code code = write_begin(&write, directory, dry_run, err);

    if (code != ERR_NONE)
        return code;
    code = write_find(&write, login, &arena, &record, err);
    if (code == ERR_NONE)
        code = take_off(record, name, &services, err);
    if (code == ERR_NONE) {
        write_changed(&write, record, record->services & ~services);
        code = write_put(&write, directory->account, record, err);
    }
    code = write_end(&write, code, err);
    arena_reset(&arena);
    return code;
}

enum err_code app_password_list(struct directory *directory, struct str login, struct arena *arena,
                                struct app_password_facts **list, size_t *count, struct err *err)
{
    Directory__Record *record;
    enum err_code code = find_record(directory, login, arena, &record, err);

    if (code != ERR_NONE)
        return code;
    *count = record->n_app_passwords;
    *list = arena_array(arena, *count + 1, sizeof(**list));
    for (size_t i = 0; i < *count; i++) {
        const Directory__AppPassword *one = record->app_passwords[i];

        (*list)[i] = (struct app_password_facts){
            .name = one->name,
            .services = one->services,
            .networks = (const char *const *)one->networks,
            .network_count = one->n_networks,
            .created = one->created,
            .last_used = one->last_used,
            .last_address = one->last_address,
        };
    }
    return ERR_NONE;
}
