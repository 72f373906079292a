/* Which uids a folder has, and which of them are unseen, kept in memory from one reading to the next. What
   changed since is added when somebody asks, so that only the first reader of a large folder goes
   through its items. Derived: a map that is lost, or let go for want of room, is made again. */
#ifndef STORE_UID_MAP_H
#define STORE_UID_MAP_H

#include <stdatomic.h>

#include "mailbox-backend/store/record.h"

/* Shared between threads, and not changed once it is. */
struct uid_map {
    atomic_uint references;
    uint64_t modseq; /* the folder's, of which this is the state */
    struct uidset uids;
    struct uidset unseen;
};

/* The maps of a store: those used last, at most so many bytes. */
struct uid_maps;
struct uid_maps *uid_maps_create(size_t most_bytes);
void uid_maps_destroy(struct uid_maps **maps);

/* The folder's map as of the snapshot, whose state is the folder's there. To be let go. */
enum err_code uid_map_get(struct store_read *read, uint32_t folder,
                          const struct folder_state *state, struct uid_map **map, struct err *err);

/* True when that costs little: the folder is small, or one of its maps is kept. */
bool uid_map_is_kept(struct store_read *read, uint32_t folder, const struct folder_state *state);

void uid_map_let_go(struct uid_map **map);

#endif
