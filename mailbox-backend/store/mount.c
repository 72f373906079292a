#include "mailbox-backend/store/mount.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"

/* One that cannot be looked into is told when it is opened. */
static bool holds_something(const struct store *store, unsigned number)
{
    struct err ignored;
    char *path;
    bool holds;

    if (asprintf(&path, "%s/db%u", store->folder, number + 1) < 0)
        abort();
    holds = known_look(path, &holds, &ignored) != ERR_NONE || holds;
    free(path);
    return holds;
}

/* NULL: it is mounted. */
static void set_why(struct store *store, unsigned number, const char *why)
{
    pthread_mutex_lock(&store->lock);
    free(store->unmounted[number]);
    store->unmounted[number] = why == NULL ? NULL : mem_string(why);
    pthread_mutex_unlock(&store->lock);
}

void store_why_unmounted(struct store *store, unsigned number, char why[STORE_WHY_SIZE])
{
    pthread_mutex_lock(&store->lock);
    snprintf(why, STORE_WHY_SIZE, "%s",
             store->unmounted[number] == NULL ? "" : store->unmounted[number]);
    pthread_mutex_unlock(&store->lock);
}

/* That it cannot be noted is no reason not to serve it. */
static void note(struct store *store, unsigned number)
{
    struct err err;

    if (known_add(&store->known, store->folder, number, &err) != ERR_NONE)
        log_warning(NULL, "db%u is not noted as a database of the store: %s", number + 1, err.text);
}

/* Others see the database when all of it is there. */
static enum err_code mount(struct store *store, unsigned number, struct database_opening *opening,
                           struct err *err)
{
    struct database *database;
    enum err_code code;

    opening->is_known = store->known.all[number];
    code = database_open(&database, store, number, opening, err);
    if (code == ERR_NONE)
        note(store, number);
    set_why(store, number, code == ERR_NONE ? NULL : err->text);
    atomic_store(&store->databases[number], database);
    return code;
}

static void tell_unmounted(unsigned number, const struct err *why)
{
    char name[16];

    snprintf(name, sizeof(name), "db%u", number + 1);
    log_error(name, "is not mounted, its mailboxes are unavailable: %s", why->text);
}

static bool is_wanted(const struct store *store, unsigned number)
{
    return number < STORE_DATABASES_MAX &&
           (number < store->settings.databases || number < store->known.end ||
            holds_something(store, number));
}

/* With all of them left alone because of crashes the store is open: what they need can be asked for. */
enum err_code store_mount_all(struct store *store, struct err *err)
{
    bool serves = false;
    struct err why, first = {0};
    enum err_code read = known_read(&store->known, store->folder, err);

    if (read != ERR_NONE)
        return read;
    for (unsigned number = 0; is_wanted(store, number); number++) {
        struct database_opening opening = {0};
        enum err_code code = mount(store, number, &opening, &why);

        atomic_store(&store->database_count, number + 1);
        serves = serves || code == ERR_NONE || opening.has_crashed;
        if (code == ERR_NONE)
            continue;
        tell_unmounted(number, &why);
        if (first.code == ERR_NONE || opening.is_newer) {
            first = why;
            err_prefix(&first, "db%u", number + 1);
        }
        if (opening.is_newer) {
            serves = false;
            break;
        }
    }
    if (!serves && err != NULL)
        *err = first;
    return serves ? ERR_NONE : first.code;
}

enum err_code store_mounted(struct store *store, unsigned number, struct database **database,
                            struct err *err)
{
    char why[STORE_WHY_SIZE];

    *database = NULL;
    if (number >= atomic_load(&store->database_count))
        return err_set(err, ERR_NOT_FOUND, "there is no database %u", number + 1);
    *database = atomic_load(&store->databases[number]);
    if (*database != NULL)
        return ERR_NONE;
    store_why_unmounted(store, number, why);
    return err_set(err, ERR_UNAVAILABLE, "db%u is not mounted: %s", number + 1, why);
}

enum err_code store_mount(struct store *store, unsigned number, struct err *err)
{
    struct database_opening opening = {.again = true};
    struct database *database;
    struct err why = {0};
    enum err_code code;

    pthread_mutex_lock(&store->mount_lock);
    code = store_mounted(store, number, &database, &why);
    if (code == ERR_UNAVAILABLE) {
        code = mount(store, number, &opening, &why);
        if (code != ERR_NONE)
            err_prefix(&why, "db%u", number + 1);
        else
            log_notice(atomic_load(&store->databases[number])->name, "is mounted");
    }
    pthread_mutex_unlock(&store->mount_lock);
    if (code != ERR_NONE && err != NULL)
        *err = why;
    return code;
}

enum err_code store_database_add(struct store *store, unsigned *number, struct err *err)
{
    struct database_opening opening = {0};
    struct err why = {0};
    enum err_code code;

    pthread_mutex_lock(&store->mount_lock);
    *number = atomic_load(&store->database_count);
    if (*number == STORE_DATABASES_MAX)
        code = err_set(&why, ERR_LIMIT, "there are %u databases, as many as can be", *number);
    else
        code = mount(store, *number, &opening, &why);
    if (code == ERR_NONE) {
        atomic_store(&store->database_count, *number + 1);
        log_notice(atomic_load(&store->databases[*number])->name, "is added");
    } else if (*number < STORE_DATABASES_MAX) {
        set_why(store, *number, NULL); /* it is no database of the store */
    }
    pthread_mutex_unlock(&store->mount_lock);
    if (code != ERR_NONE && err != NULL)
        *err = why;
    return code;
}
