/* Backups of a store that is in use, and of the directory beside it. A folder holds any number of
   backups (docs/store.md has the files): segments are shared between them, so that a later one copies
   only what was appended. Folders are given by path; "/proc/self/fd/N" will do. */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "mailbox-backend/store/store.h"

#define BACKUP_NAME_SIZE 24 /* 20261124T101500.250Z */

struct backup_facts {
    char name[BACKUP_NAME_SIZE];
    bool whole; /* false: it was broken off, and the rest says nothing */
    int64_t taken;
    unsigned databases;
    uint64_t messages;
    uint64_t bytes;   /* of it all */
    uint64_t copied;  /* of these, the ones that the backups before it did not have */
    uint64_t damaged; /* rows of indexes, as a restore found them: `database repair` mends them */
};

struct backup_options {
    uint64_t rate; /* bytes of segments copied a second; 0: no limit */
    /* Writes the directory to a file (may be NULL). */
    enum err_code (*directory)(void *context, int to, struct err *err);
    /* Asked now and then; false ends it with ERR_UNAVAILABLE. May be NULL. */
    bool (*wanted)(void *context);
    void *context;
};

/* Makes a backup: each database as of one transaction, then the directory. Waits for no writer and
   stops none. ERR_EXISTS while another backup is made in the folder. What failed leaves segments that
   the next one can use, and nothing else. */
enum err_code backup_run(struct store *store, const char *folder,
                         const struct backup_options *options, struct backup_facts *facts,
                         struct err *err);

/* The next backup in the folder behind the one named (""); ERR_NOT_FOUND at the end. */
enum err_code backup_next(const char *folder, const char *after, struct backup_facts *facts,
                          struct err *err);

struct backup_check {
    /* Told of each thing that is wrong, in one line. An error ends the check. */
    enum err_code (*found)(void *context, const char *problem, struct err *err);
    bool (*wanted)(void *context); /* as above */
    void *context;
    uint64_t messages, findings; /* set: items looked at */
};

/* Reads all of a backup and checks every checksum: of the manifest, of the files, of each row of the
   index, of each piece of each message. Changes nothing. ERR_NOT_FOUND: there is no such backup. */
enum err_code backup_verify(const char *folder, const char *name, struct backup_check *check,
                            struct err *err);

struct backup_target {
    const char *store;     /* folders, neither of which may be there (ERR_EXISTS) … */
    const char *directory; /* … but what is above them must, on one disk */
    uint64_t map_size;
    bool new_uid_validity; /* of all folders */
};

/* Makes a store and a directory out of a backup, for a back end that is stopped. Uids, modseqs, folder
   and item ids jump by the room that the backup left, all items get a new modseq, and whatever uid is
   not there counts as vanished. A folder whose uids have no such room left, or that was being filled by
   a large copy, gets a new UIDVALIDITY. ERR_CORRUPT: a file of the backup is damaged.
   A row that was damaged when the backup was made is left as it is, and counted. */
enum err_code backup_restore(const char *folder, const char *name,
                             const struct backup_target *target, struct backup_facts *facts,
                             struct err *err);

enum backup_fate {
    BACKUP_STAYS,
    BACKUP_GOES,
    BACKUP_BROKEN_OFF, /* goes as well */
    BACKUP_IN_USE,     /* should go, but somebody restores from it */
    BACKUP_UNREADABLE, /* stays: its manifest is damaged, or a newer program's */
};

struct backup_pruning {
    unsigned newest; /* so many stay, at least the newest one; */
    unsigned daily;  /* the last one of each of so many days (UTC) that have one, */
    unsigned weekly; /* and of so many weeks */
    bool dry_run;    /* tell only */
    /* Told of each backup what becomes of it. An error ends the pruning. */
    enum err_code (*told)(void *context, const char *name, int64_t taken, enum backup_fate fate,
                          struct err *err);
    void *context;
    uint64_t freed; /* set: bytes of the files that went, or would go */
};

/* Removes backups, and what only they needed. A backup is gone at once and as a whole, whenever this is
   cut short. ERR_EXISTS while a backup is made in the folder; ERR_NOT_FOUND: none ever was; ERR_CORRUPT:
   no segment was removed, since an unreadable backup may need it. */
enum err_code backup_prune(const char *folder, struct backup_pruning *pruning, struct err *err);

/* One mailbox as a backup has it. */
struct backup_reader;

/* ERR_NOT_FOUND: no such backup, or no mailbox of this GUID in it. Reads and checks the whole index that
   the mailbox is in. The backup is not pruned while it is open. */
enum err_code backup_reader_open(struct backup_reader **reader, const char *folder,
                                 const char *name, const struct store_guid *guid, struct err *err);
void backup_reader_close(struct backup_reader **reader);

/* For store_read_begin() and all that reads, one snapshot at a time; never for an operation. It is the
   reader's. Contents that are open must be closed before the reader. */
struct store_mailbox *backup_reader_mailbox(const struct backup_reader *reader);

/* The path, to be freed, of the directory's copy in a backup, after its checksum was found right.
   ERR_NOT_FOUND when there is none. */
enum err_code backup_directory(const char *folder, const char *name, char **path, struct err *err);

#endif
