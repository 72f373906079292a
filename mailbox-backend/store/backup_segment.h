/* The segments of a backup that is being made. */
#ifndef STORE_BACKUP_SEGMENT_H
#define STORE_BACKUP_SEGMENT_H

#include "mailbox-backend/store/backup_private.h"
#include "mailbox-backend/store/database.h"

/* One that is kept from being recycled. */
struct kept_segment {
    struct segment_record record; /* as the index copy has it */
    uint64_t settled;             /* segments_keep() */
    bool let_go;
};

struct segment_list {
    struct segments *set;
    struct kept_segment *segments;
    size_t count;
};

/* Keeps what the index copy names; segments_hold() is in force. */
enum err_code segment_list_take(struct segment_list *list, struct segments *set, struct index *copy,
                                struct err *err);
void segment_list_let_go(struct segment_list *list, size_t n);
void segment_list_release(struct segment_list *list);

struct segment_copy {
    const char *folder; /* of the backups */
    struct database *database;
    struct backup_database *entry; /* gets the segment */
    const struct kept_segment *kept;
    const struct backup_segment *before; /* what an older backup has of it, or NULL */
    struct backup_pace *pace;
};

/* Copies what is not there yet. */
enum err_code segment_copy(const struct segment_copy *copy, struct err *err);

#endif
