/* Bringing a mailbox, or some of its folders, back from a backup: into place or beside it. Messages are
   known again by their EMAILID, folder by folder, so that a restore that ended early, or is run twice,
   brings nothing twice. They are put in as new ones are, a few to a commit, under new uids. */
#ifndef BACKEND_RESTORE_H
#define BACKEND_RESTORE_H

#include "mailbox-backend/store/store.h"

struct restore_counts {
    uint64_t messages; /* that the backup has */
    uint64_t there;    /* of these, that need not be restored */
    uint64_t restored;
    uint64_t flags;   /* messages that got other flags or keywords */
    uint64_t removed; /* that the backup does not have */
    uint64_t failed;  /* damaged, or not to be taken */
};

struct restore_folder {
    const char *from; /* path in the backup; NULL: it has none, and the folder went */
    const char *to;   /* path in the mailbox */
    bool was_made;
    struct restore_counts counts;
};

struct restore_request {
    struct store *store;
    struct store_mailbox *from; /* backup_reader_mailbox() */
    struct store_mailbox *to;   /* NULL in a dry run: there is none yet */
    const char *folder;         /* normalised path: it and those below; NULL: all */
    const char *into;           /* normalised path of the folder to hold them; NULL: in place */
    bool flags;                 /* flags and keywords of messages that are there, too */
    bool exact;                 /* what the backup does not have becomes recoverable */
    bool dry_run;               /* count only */
    uint64_t quota_bytes, quota_messages; /* 0: no limit */

    /* Told of each folder when it is done, and of each message that could not be brought (uid 0: of several, of
       which nothing is known). An error ends the restore. */
    enum err_code (*done)(void *context, const struct restore_folder *folder, struct err *err);
    enum err_code (*failed)(void *context, const char *path, uint32_t uid, const char *problem,
                            struct err *err);
    bool (*wanted)(void *context); /* false ends it with ERR_UNAVAILABLE */
    void *context;
};

struct restore_result {
    uint64_t folders;
    struct restore_counts counts;
    bool over_quota; /* the ERR_LIMIT that ended it is the quota's */
};

/* Worker threads only. *result is filled on failure, too: what was restored stays. Nothing is removed from
   a folder before all of it was restored. ERR_NOT_FOUND: the backup has no such folder. */
enum err_code restore_run(const struct restore_request *request, struct restore_result *result,
                          struct err *err);

#endif
