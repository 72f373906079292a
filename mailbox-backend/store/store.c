#include "mailbox-backend/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/file.h"
#include "common/mem.h"
#include "mailbox-backend/store/database.h"
#include "mailbox-backend/store/uid_map.h"

#define UID_MAPS_BYTES ((size_t)32 << 20)

static bool has_database(const struct store *store, unsigned number)
{
    char *path;
    bool found;

    if (asprintf(&path, "%s/db%u", store->folder, number + 1) < 0)
        abort();
    found = access(path, F_OK) == 0;
    free(path);
    return found;
}

static enum err_code check_settings(const struct store_settings *settings, struct err *err)
{
    if (settings->folder == NULL || settings->databases == 0 || settings->max_readers == 0)
        return err_set(err, ERR_INVALID, "the store needs a folder, a database and a reader");
    return ERR_NONE;
}

static enum err_code open_databases(struct store *store, struct err *err)
{
    unsigned wanted = store->settings.databases;

    while (store->database_count < wanted || has_database(store, store->database_count)) {
        unsigned number = store->database_count;
        struct database *database;
        enum err_code code = database_open(&database, store, number, err);

        if (code != ERR_NONE)
            return code;
        store->databases = mem_grow(store->databases, number + 1, sizeof(struct database *));
        store->databases[store->database_count++] = database;
    }
    return ERR_NONE;
}

static enum err_code lock_folder(struct store *store, struct err *err)
{
    char *path;
    enum err_code code = file_make_folders(store->folder, 0700, err);

    if (asprintf(&path, "%s/lock", store->folder) < 0)
        abort();
    if (code == ERR_NONE)
        code = file_lock(&store->lock_fd, path, err);
    free(path);
    return code;
}

enum err_code store_open(struct store **out, const struct store_settings *settings, struct err *err)
{
    struct store *store;
    enum err_code code = check_settings(settings, err);

    *out = NULL;
    if (code != ERR_NONE)
        return code;
    store = mem_alloc(sizeof(*store));
    store->settings = *settings;
    store->folder = mem_string(settings->folder);
    store->settings.folder = store->folder;
    store->lock_fd = -1;
    codecs_init(&store->codecs);
    store->uid_maps = uid_maps_create(UID_MAPS_BYTES);
    pthread_mutex_init(&store->lock, NULL);
    pthread_mutex_init(&store->create_lock, NULL);
    code = lock_folder(store, err);
    if (code == ERR_NONE)
        code = open_databases(store, err);
    if (code != ERR_NONE)
        store_close(&store);
    *out = store;
    return code;
}

void store_close(struct store **out)
{
    struct store *store = *out;

    *out = NULL;
    if (store == NULL)
        return;
    for (unsigned i = 0; i < store->database_count; i++)
        database_close(&store->databases[i]);
    mailboxes_release(store);
    if (store->lock_fd >= 0)
        file_unlock(&store->lock_fd);
    uid_maps_destroy(&store->uid_maps);
    codecs_release(&store->codecs);
    pthread_mutex_destroy(&store->lock);
    pthread_mutex_destroy(&store->create_lock);
    free(store->databases);
    free(store->folder);
    free(store);
}

void store_recovery_changed(struct store *store)
{
    for (unsigned i = 0; i < store->database_count; i++)
        atomic_store(&store->databases[i]->recovery_changed, true);
}

static void add_status(struct database *database, struct store_status *status)
{
    struct index_size index;
    struct segments_size segments;
    uint32_t format = atomic_load(&database->format);
    uint64_t age;

    if (status->oldest_format == 0 || format < status->oldest_format)
        status->oldest_format = format;
    if (index_measure(database->index, &index, NULL) == ERR_NONE) {
        status->mailboxes += index.guids;
        status->items += index.items;
        status->index_bytes += index.bytes;
    }
    segments_measure(database->segments, &segments);
    status->content_bytes += segments.live;
    status->segment_bytes += segments.disk;
    status->segments += segments.files;
    status->compacted_bytes += atomic_load(&database->moved);
    status->compacting = status->compacting || atomic_load(&database->compacting);
    status->commits += atomic_load(&database->commits);
    status->operations += atomic_load(&database->operations);
    index_oldest_reader(database->index, &age);
    if (age > status->oldest_reader_ms)
        status->oldest_reader_ms = age;
}

void store_status(struct store *store, struct store_status *status)
{
    *status = (struct store_status){.databases = store->database_count};
    for (unsigned i = 0; i < store->database_count; i++)
        add_status(store->databases[i], status);
}
