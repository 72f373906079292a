#include "mailbox-backend/store/uid_map.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "common/mem.h"
#include "mailbox-backend/store/database.h"

#define BUCKETS 1024u
#define SCAN_ITEMS 128u

/* Going through fewer items costs no more than a look-up here. */
#define SMALL_FOLDER 64u

struct entry {
    unsigned database;
    uint32_t mailbox, folder; /* numbers that are never given again */
    struct uid_map *map;
    size_t bytes;
    LIST_ENTRY(entry) of_bucket;
    TAILQ_ENTRY(entry) by_use;
};

struct uid_maps {
    pthread_mutex_t lock;
    size_t bytes, most;
    LIST_HEAD(, entry) buckets[BUCKETS];
    TAILQ_HEAD(uses, entry) used; /* the longest unused first */
};

/* ---- a map ---- */

static struct uid_map *new_map(void)
{
    struct uid_map *map = mem_alloc(sizeof(*map));

    atomic_init(&map->references, 1);
    return map;
}

void uid_map_let_go(struct uid_map **out)
{
    struct uid_map *map = *out;

    *out = NULL;
    if (map == NULL || atomic_fetch_sub(&map->references, 1) != 1)
        return;
    uidset_release(&map->uids);
    uidset_release(&map->unseen);
    free(map);
}

/* Adds the items from first on that changed behind since to have, the unseen ones to unseen as well. */
static enum err_code collect(struct store_read *read, uint32_t folder, uint64_t since,
                             struct uidset *have, struct uidset *unseen, struct err *err)
{
    struct store_item items[SCAN_ITEMS];
    uint32_t first = 1;
    size_t count = SCAN_ITEMS;

    while (count == SCAN_ITEMS) {
        enum err_code code =
            store_item_scan(read, folder, first, UID_MAX, since, items, SCAN_ITEMS, &count, err);

        if (code != ERR_NONE)
            return code;
        for (size_t i = 0; i < count; i++) {
            uidset_add(have, items[i].uid);
            if ((items[i].flags.system & FLAG_SEEN) == 0)
                uidset_add(unseen, items[i].uid);
        }
        if (count > 0)
            first = items[count - 1].uid + 1;
    }
    return ERR_NONE;
}

static enum err_code build(struct store_read *read, uint32_t folder,
                           const struct folder_state *state, struct uid_map **out, struct err *err)
{
    struct uid_map *map = new_map();
    enum err_code code = collect(read, folder, 0, &map->uids, &map->unseen, err);

    map->modseq = state->highest_modseq;
    if (code != ERR_NONE)
        uid_map_let_go(&map);
    *out = map;
    return code;
}

static void apply(struct uid_map *map, const struct uid_map *old, const struct uidset *vanished,
                  const struct uidset *changed, const struct uidset *unseen)
{
    uidset_copy(&map->uids, &old->uids);
    uidset_subtract(&map->uids, vanished);
    uidset_unite(&map->uids, changed);
    uidset_copy(&map->unseen, &old->unseen);
    uidset_subtract(&map->unseen, vanished);
    uidset_subtract(&map->unseen, changed);
    uidset_unite(&map->unseen, unseen);
}

/* True when the map agrees with the folder's own counts. */
static bool adds_up(const struct uid_map *map, const struct folder_state *state)
{
    return uidset_size(&map->uids) == state->messages && uidset_size(&map->unseen) == state->unseen;
}

/* Makes the next map out of an older one. Without one in the end (and no error) it could not be told. */
static enum err_code advance(struct store_read *read, uint32_t folder,
                             const struct folder_state *state, const struct uid_map *old,
                             struct uid_map **out, struct err *err)
{
    struct uidset vanished = {0};
    struct uidset changed = {0};
    struct uidset unseen = {0};
    bool complete;
    enum err_code code = store_vanished(read, folder, old->modseq, &vanished, &complete, err);

    *out = NULL;
    if (code == ERR_NONE && complete)
        code = collect(read, folder, old->modseq, &changed, &unseen, err);
    if (code == ERR_NONE && complete) {
        *out = new_map();
        (*out)->modseq = state->highest_modseq;
        apply(*out, old, &vanished, &changed, &unseen);
        if (!adds_up(*out, state))
            uid_map_let_go(out);
    }
    uidset_release(&vanished);
    uidset_release(&changed);
    uidset_release(&unseen);
    return code;
}

/* ---- all maps ---- */

struct uid_maps *uid_maps_create(size_t most_bytes)
{
    struct uid_maps *maps = mem_alloc(sizeof(*maps));

    pthread_mutex_init(&maps->lock, NULL);
    maps->most = most_bytes;
    TAILQ_INIT(&maps->used);
    return maps;
}

static void drop(struct uid_maps *maps, struct entry *entry)
{
    LIST_REMOVE(entry, of_bucket);
    TAILQ_REMOVE(&maps->used, entry, by_use);
    maps->bytes -= entry->bytes;
    uid_map_let_go(&entry->map);
    free(entry);
}

void uid_maps_destroy(struct uid_maps **out)
{
    struct uid_maps *maps = *out;

    *out = NULL;
    if (maps == NULL)
        return;
    while (!TAILQ_EMPTY(&maps->used))
        drop(maps, TAILQ_FIRST(&maps->used));
    pthread_mutex_destroy(&maps->lock);
    free(maps);
}

static unsigned bucket_of(const struct store_read *read, uint32_t folder)
{
    uint64_t mixed = (uint64_t)read->mailbox->number * 0x9E3779B97F4A7C15u + folder;

    return (unsigned)((mixed ^ mixed >> 32 ^ read->mailbox->database->number) % BUCKETS);
}

/* With the lock held. */
static struct entry *find(struct uid_maps *maps, const struct store_read *read, uint32_t folder)
{
    struct entry *entry;

    LIST_FOREACH(entry, &maps->buckets[bucket_of(read, folder)], of_bucket)
    {
        if (entry->folder == folder && entry->mailbox == read->mailbox->number &&
            entry->database == read->mailbox->database->number)
            return entry;
    }
    return NULL;
}

/* The map that is kept, as old or new as it is; NULL when there is none. */
static struct uid_map *look_up(struct uid_maps *maps, const struct store_read *read,
                               uint32_t folder)
{
    struct uid_map *map = NULL;
    struct entry *entry;

    pthread_mutex_lock(&maps->lock);
    entry = find(maps, read, folder);
    if (entry != NULL) {
        map = entry->map;
        atomic_fetch_add(&map->references, 1);
        TAILQ_REMOVE(&maps->used, entry, by_use);
        TAILQ_INSERT_TAIL(&maps->used, entry, by_use);
    }
    pthread_mutex_unlock(&maps->lock);
    return map;
}

static struct entry *new_entry(struct uid_maps *maps, const struct store_read *read,
                               uint32_t folder)
{
    struct entry *entry = mem_alloc(sizeof(*entry));

    entry->database = read->mailbox->database->number;
    entry->mailbox = read->mailbox->number;
    entry->folder = folder;
    LIST_INSERT_HEAD(&maps->buckets[bucket_of(read, folder)], entry, of_bucket);
    TAILQ_INSERT_TAIL(&maps->used, entry, by_use);
    return entry;
}

/* Keeps the map, unless a newer one is kept already. */
static void keep(struct uid_maps *maps, const struct store_read *read, uint32_t folder,
                 struct uid_map *map)
{
    struct entry *entry;

    pthread_mutex_lock(&maps->lock);
    entry = find(maps, read, folder);
    if (entry == NULL)
        entry = new_entry(maps, read, folder);
    if (entry->map == NULL || entry->map->modseq < map->modseq) {
        uid_map_let_go(&entry->map);
        atomic_fetch_add(&map->references, 1);
        entry->map = map;
        maps->bytes -= entry->bytes;
        entry->bytes = sizeof(*entry) + sizeof(*map) +
                       (map->uids.room + map->unseen.room) * sizeof(struct uid_range);
        maps->bytes += entry->bytes;
    }
    while (maps->bytes > maps->most)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): TAILQ_REMOVE, which it does not follow */
        drop(maps, TAILQ_FIRST(&maps->used));
    pthread_mutex_unlock(&maps->lock);
}

enum err_code uid_map_get(struct store_read *read, uint32_t folder,
                          const struct folder_state *state, struct uid_map **out, struct err *err)
{
    struct uid_maps *maps = read->mailbox->store->uid_maps;
    struct uid_map *kept;
    enum err_code code = ERR_NONE;

    *out = NULL;
    if (state->messages < SMALL_FOLDER)
        return build(read, folder, state, out, err);
    kept = look_up(maps, read, folder);
    if (kept != NULL && kept->modseq == state->highest_modseq) {
        *out = kept;
        return ERR_NONE;
    }
    if (kept != NULL && kept->modseq < state->highest_modseq)
        code = advance(read, folder, state, kept, out, err);
    uid_map_let_go(&kept);
    if (code == ERR_NONE && *out == NULL)
        code = build(read, folder, state, out, err);
    if (code == ERR_NONE)
        keep(maps, read, folder, *out);
    return code;
}

bool uid_map_is_kept(struct store_read *read, uint32_t folder, const struct folder_state *state)
{
    struct uid_map *map = NULL;
    bool kept = state->messages < SMALL_FOLDER;

    if (!kept)
        map = look_up(read->mailbox->store->uid_maps, read, folder);
    kept = kept || map != NULL;
    uid_map_let_go(&map);
    return kept;
}
