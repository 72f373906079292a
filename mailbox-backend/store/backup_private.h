/* What the files of backups share. */
#ifndef STORE_BACKUP_PRIVATE_H
#define STORE_BACKUP_PRIVATE_H

#include <time.h>

#include "mailbox-backend/store/backup.h"
#include "mailbox-backend/store/index.h"
#include "mailbox-backend/store/record.h"

/* How far numbers jump at a restore: more than can have been given out since the backup. */
#define BACKUP_ROOM_UIDS (1u << 24)
#define BACKUP_ROOM_MODSEQS (1ull << 32)
#define BACKUP_ROOM_ITEMS (1ull << 32)
#define BACKUP_ROOM_FOLDERS (1u << 16)

struct backup_segment {
    uint32_t number, generation;
    uint64_t used;
    uint64_t settled; /* up to here the bytes stay as they are; behind, a draft may still write */
    uint32_t crc;     /* of these */
};

struct backup_database {
    unsigned number;  /* from 1 */
    uint64_t created; /* tells the lives of a store apart: a restore begins a new one */
    uint64_t index_size;
    uint32_t index_crc;
    struct backup_segment *segments; /* in order of number */
    size_t count;
};

struct backup_room {
    uint64_t uids, modseqs, items, folders;
};

struct backup_manifest {
    int64_t taken;
    uint64_t messages, bytes, copied;
    struct backup_room room;
    bool has_directory;
    uint64_t directory_size;
    uint32_t directory_crc;
    struct backup_database *databases;
    size_t count;
};

/* ---- the manifest ---- */

enum err_code manifest_write(const struct backup_manifest *manifest, const char *path,
                             struct err *err);
/* ERR_NOT_FOUND, ERR_CORRUPT; ERR_INVALID: of another version. Release it in any case. */
enum err_code manifest_read(struct backup_manifest *manifest, const char *path, struct err *err);
void manifest_release(struct backup_manifest *manifest);
struct backup_database *manifest_add(struct backup_manifest *manifest);
struct backup_segment *manifest_add_segment(struct backup_database *database);
const struct backup_segment *manifest_segment(const struct backup_database *database,
                                              uint32_t number);

/* ---- files ---- */

/* Paths, to be freed. */
char *backup_path(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *backup_segment_folder(const char *folder, const struct backup_database *database);
char *backup_segment_path(const char *folder, const struct backup_database *database,
                          const struct backup_segment *segment);

struct backup_pace {
    const struct backup_options *options;
    struct timespec began;
    uint64_t bytes;
};

/* Copies the bytes from at up to end, to the same place. pace may be NULL. */
enum err_code backup_copy(int from, int to, uint64_t at, uint64_t end, struct backup_pace *pace,
                          struct err *err);

/* Goes on with *crc over length bytes at an offset. ERR_CORRUPT when the file ends before. */
enum err_code backup_crc(int file, uint64_t at, uint64_t length, uint32_t *crc, struct err *err);

/* ERR_CORRUPT unless the file at path has exactly size bytes (at least size when more is fine), of
   which the first size have the checksum. */
enum err_code backup_check_file(const char *path, uint64_t size, bool more, uint32_t crc,
                                struct err *err);

/* The same for the index of a database, and all its pages must be sound: who opened it could crash. */
enum err_code backup_check_index(const char *path, const struct backup_database *database,
                                 struct err *err);

/* Whoever reads a backup uses it, until *use is closed; prune claims it, which ERR_EXISTS refuses
   meanwhile. ERR_NOT_FOUND: there is no whole backup of this name. */
enum err_code backup_use(const char *folder, const char *name, int *use, struct err *err);
enum err_code backup_claim(const char *folder, const char *name, int *use, struct err *err);

/* ---- removing, with the folder's lock held ---- */

/* Removes a backup; what is left of one after a crash, backup_finish_discards() removes. */
enum err_code backup_discard(const char *folder, const char *name, struct err *err);
enum err_code backup_finish_discards(const char *folder, struct err *err);

/* It has no manifest: nobody makes it any more, since the lock is ours. */
bool backup_is_broken_off(const char *folder, const char *name);

/* ---- parts of a restore ---- */

/* Adapts an index that was copied: see backup_restore(). database NULL: it is no backup's, and keeps all
   of its segments. *damaged: so many rows of folders and mailboxes could not be adapted, and are left for
   a repair, which gives what they stand for new numbers by itself. */
enum err_code backup_leap(struct index *index, const struct backup_database *database,
                          const struct backup_room *room, bool new_uid_validity, uint64_t *damaged,
                          struct err *err);

#endif
