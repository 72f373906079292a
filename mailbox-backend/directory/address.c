/* Mail addresses of accounts. */
#include <string.h>

#include "mailbox-backend/directory/write.h"

/* An address, or "@domain" for a catch-all. */
static enum err_code normalise(struct directory *directory, struct str given, char text[NAME_SIZE],
                               struct err *err)
{
    if (given.length == 0 || given.data[0] != '@')
        return name_address(given, directory->default_domain, text, err);
    text[0] = '@';
    return name_domain(str_n(given.data + 1, given.length - 1), text + 1, err);
}

static enum err_code append(struct write *write, Directory__Record *record, char *text,
                            struct arena *arena, struct err *err)
{
    struct directory *directory = write->directory;
    char **grown = arena_array(arena, record->n_addresses + 1, sizeof(*grown));
    enum err_code code = write_claim(write, directory->address, text, record, err);

    if (code != ERR_NONE)
        return code;
    for (size_t i = 0; i < record->n_addresses; i++) {
        if (strcmp(record->addresses[i], text) == 0)
            return err_set(err, ERR_EXISTS, "%s is an address of %s already", text, record->name);
        grown[i] = record->addresses[i];
    }
    grown[record->n_addresses++] = text;
    record->addresses = grown;
    return write_put(write, directory->account, record, err);
}

enum err_code address_add(struct directory *directory, struct str name, struct str address,
                          bool dry_run, struct err *err)
{
    struct arena arena = {0};
    char text[NAME_SIZE];
    Directory__Record *record;
    struct write write;
    enum err_code code = normalise(directory, address, text, err);

    if (code != ERR_NONE || (code = write_begin(&write, directory, dry_run, err)) != ERR_NONE)
        return code;
    code = write_find(&write, name, &arena, &record, err);
    if (code == ERR_NONE)
        code = append(&write, record, text, &arena, err);
    code = write_end(&write, code, err);
    arena_reset(&arena);
    return code;
}

static enum err_code drop(struct write *write, const char *text, struct arena *arena,
                          struct err *err)
{
    struct directory *directory = write->directory;
    Directory__Record *record;
    struct store_guid guid;
    size_t kept = 0;
    enum err_code code = guid_by_address(directory, write->txn, text, &guid, err);

    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND, "no address %s", text);
    if (code != ERR_NONE ||
        (code = get_record(write->txn, directory->account, &guid, arena, &record, err)) !=
            ERR_NONE ||
        (code = write_release(write, directory->address, text, err)) != ERR_NONE)
        return code;
    for (size_t i = 0; i < record->n_addresses; i++) {
        if (strcmp(record->addresses[i], text) != 0)
            record->addresses[kept++] = record->addresses[i];
    }
    record->n_addresses = kept;
    return write_put(write, directory->account, record, err);
}

enum err_code address_remove(struct directory *directory, struct str address, bool dry_run,
                             struct err *err)
{
    struct arena arena = {0};
    char text[NAME_SIZE];
    struct write write;
    enum err_code code = normalise(directory, address, text, err);

    if (code != ERR_NONE || (code = write_begin(&write, directory, dry_run, err)) != ERR_NONE)
        return code;
    code = write_end(&write, drop(&write, text, &arena, err), err);
    arena_reset(&arena);
    return code;
}
