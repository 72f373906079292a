#include "mailbox-backend/store/store.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/file.h"
#include "common/mem.h"
#include "mailbox-backend/store/copier.h"
#include "mailbox-backend/store/mount.h"
#include "mailbox-backend/store/uid_map.h"

#define UID_MAPS_BYTES ((size_t)32 << 20)

static enum err_code check_settings(const struct store_settings *settings, struct err *err)
{
    if (settings->folder == NULL || settings->databases == 0 ||
        settings->databases > STORE_DATABASES_MAX || settings->max_readers == 0)
        return err_set(err, ERR_INVALID, "the store needs a folder, a database and a reader");
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
    pthread_mutex_init(&store->mount_lock, NULL);
    code = lock_folder(store, err);
    if (code == ERR_NONE)
        code = store_mount_all(store, err);
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
    for (unsigned i = 0; i < store->database_count; i++) {
        struct database *database = atomic_exchange(&store->databases[i], NULL);

        database_close(&database);
        free(store->unmounted[i]);
    }
    mailboxes_release(store);
    if (store->lock_fd >= 0)
        file_unlock(&store->lock_fd);
    uid_maps_destroy(&store->uid_maps);
    codecs_release(&store->codecs);
    pthread_mutex_destroy(&store->lock);
    pthread_mutex_destroy(&store->create_lock);
    pthread_mutex_destroy(&store->mount_lock);
    free(store->folder);
    free(store);
}

void store_recovery_changed(struct store *store)
{
    for (unsigned i = 0; i < store->database_count; i++) {
        struct database *database = atomic_load(&store->databases[i]);

        if (database != NULL)
            atomic_store(&database->recovery_changed, true);
    }
}

static void add_status(struct database *database, struct store_status *status)
{
    struct index_size index;
    struct segments_size segments;
    uint32_t format = atomic_load(&database->format);
    uint64_t age, copy_bytes;
    int64_t copied;

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
    copier_status(database, &copied, &copy_bytes);
    if (status->mounted++ == 0 || copied < status->oldest_copy)
        status->oldest_copy = copied;
    index_oldest_reader(database->index, &age);
    if (age > status->oldest_reader_ms)
        status->oldest_reader_ms = age;
}

void store_status(struct store *store, struct store_status *status)
{
    *status = (struct store_status){.databases = store->database_count};
    for (unsigned i = 0; i < status->databases; i++) {
        struct database *database = atomic_load(&store->databases[i]);

        if (database != NULL)
            add_status(database, status);
        else
            status->unmounted++;
    }
}
