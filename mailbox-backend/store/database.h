/* The store and its databases, as the store's own files see them. */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include <pthread.h>
#include <stdatomic.h>

#include "mailbox-backend/store/codec.h"
#include "mailbox-backend/store/crash.h"
#include "mailbox-backend/store/index.h"
#include "mailbox-backend/store/known.h"
#include "mailbox-backend/store/record.h"
#include "mailbox-backend/store/segment.h"
#include "mailbox-backend/store/store.h"

struct copier;
struct writer;

struct database {
    struct store *store;
    unsigned number; /* from 0; its folder is db<number + 1> */
    char name[16];
    char *folder;
    struct crash_marks marks;
    struct index *index;
    struct segments *segments;
    struct writer *writer;
    struct copier *copier;
    struct database_record record; /* the writer's, as of the last commit */
    uint64_t tried;     /* the writer's: the highest number a batch has had, also a failed one */
    struct hold *holds; /* the writer's */
    atomic_uint_fast64_t commits, operations;
    atomic_uint_fast64_t moved; /* bytes of records that compaction has moved since the start */
    atomic_bool compacting;
    atomic_bool short_of_room;    /* new content found little room */
    atomic_bool recovery_changed; /* what holds for a mailbox: its rows must be looked at */
    atomic_bool upgrade_wanted;
    atomic_bool copy_wanted; /* of the index, soon */
    atomic_uint format;      /* as in the record, for all threads */
};

#define MAILBOX_BUCKETS 4096u

struct store {
    struct store_settings settings;
    char *folder;
    int lock_fd;
    _Atomic(struct database *) databases[STORE_DATABASES_MAX]; /* NULL: not mounted (mount.h) */
    atomic_uint database_count;
    pthread_mutex_t mount_lock; /* one is opened at a time; of `known`, too */
    struct known_databases known;
    struct codecs codecs;
    atomic_uint_fast64_t content_bytes; /* of drafts, in memory */
    struct uid_maps *uid_maps;

    pthread_mutex_t lock;        /* of the mailboxes by GUID, and of `unmounted` */
    pthread_mutex_t create_lock; /* one creation at a time: a GUID is in one database */
    struct store_mailbox *mailboxes[MAILBOX_BUCKETS];
    char *unmounted[STORE_DATABASES_MAX]; /* why; NULL: it is mounted */
    struct store_mailbox *removed;        /* their objects stay: someone may hold them */
    uint64_t removals;                    /* of mailboxes, since the start */
};

struct recent {
    uint32_t folder;
    uint32_t from; /* uids from here up nobody has been told of */
    uint64_t used; /* when it was asked for last, in recent_uses */
};

/* Kept until the store closes, for the watermarks of \Recent. */
struct store_mailbox {
    atomic_uint references; /* of callers */
    struct store *store;
    struct database *database;
    uint32_t number;
    struct store_guid guid;
    struct store_mailbox *next; /* of the bucket */

    pthread_mutex_t lock; /* of what follows; held while watches are called */
    struct store_watch *watches;
    struct recent *recents; /* in the order of folders */
    size_t recent_count;
    uint64_t recent_uses;
};

struct store_read {
    struct store_mailbox *mailbox;
    struct tx tx;
    struct mailbox_state state;
    struct tx_scan summaries; /* summaries are mostly asked for in order */
    uint32_t summary_folder;
    uint32_t summary_uid; /* that the scan stands on; 0: on none */
};

/* How a database is opened, and what came of it. */
struct database_opening {
    bool again;       /* although it crashed the process: the administrator asks for it */
    bool is_known;    /* it was there before: an empty folder is not made a database again */
    bool has_crashed; /* result: it is left alone, because it did */
    bool is_newer;    /* result: it has a format that this program does not know */
};
enum err_code database_open(struct database **database, struct store *store, unsigned number,
                            struct database_opening *opening, struct err *err);
void database_close(struct database **database);

/* ERR_UNAVAILABLE when the disk or the index has no room for more content (the reserve that keeps
   deletion possible): want more bytes. */
enum err_code database_has_room(struct database *database, uint64_t want, struct err *err);

/* A durable copy of the index has everything up to this transaction: segments whose operation
   records are newer are kept from then on until the next copy. Before the first call nothing is
   kept for copies. Any thread. */
void database_index_copied_up_to(struct database *database, uint64_t txn);

/* The size of the largest segment files: as set, but small enough for a small disk, of which two are held
   in reserve. */
uint64_t database_segment_size(const struct database *database);

/* There is room for the next segment file, so that compaction may begin to make more. */
bool database_can_compact(struct database *database);

/* Little room is left: what may be recovered must go early. */
bool database_is_short(struct database *database);

/* As store_content_open(), by id. */
enum err_code content_open(struct database *database, const struct tx *tx, uint64_t id,
                           struct store_content **content, struct err *err);

/* The mailbox is no longer found by its GUID. */
void mailbox_forget(struct store_mailbox *mailbox);

/* The object of a mailbox that was opened since the start; NULL when none is known. Not one more
   reference: it stays until the store closes. */
struct store_mailbox *mailbox_known(struct store *store, const struct store_guid *guid);
void mailboxes_release(struct store *store);

/* A mailbox in a database that is a copy: for reading, and known to nobody else. */
enum err_code mailbox_open_copy(struct database *copy, const struct store_guid *guid,
                                struct store_mailbox **mailbox, struct err *err);
void mailbox_close_copy(struct store_mailbox **mailbox);

/* The first uid that came since the process started or since the last claim. */
void recent_arrived(struct store_mailbox *mailbox, uint32_t folder, uint32_t uid);

#endif
