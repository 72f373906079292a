/* Looking after a store: what an administrator runs on it, while it serves. */
#ifndef STORE_MAINTAIN_H
#define STORE_MAINTAIN_H

#include "mailbox-backend/store/store.h"

/* Of a database's folder: texts that nothing tells the owner of. (Not lost+found: a disk of its own has one of
   root's.) */
#define FOUND_FOLDER "found"

#define RECOVERED_NAME "Recovered" /* the folder of a mailbox for what has lost its own */

/* One thing that is wrong. */
struct maintain_finding {
    unsigned database; /* from 0 */
    bool has_mailbox;
    struct store_guid mailbox;
    uint32_t folder, uid; /* where it is; 0: no folder, or no item, in particular */
    char problem[240];    /* one line in plain words */
    const char *advice;   /* what to do about it; static */
};

/* Fills facts with what the content, read anew, gives. */
typedef enum err_code content_facts_fn(void *context, struct store_content *content,
                                       struct content_facts *facts, struct err *err);

struct check_options {
    bool content;            /* reads all stored messages too, else only the index */
    content_facts_fn *facts; /* and compares each item with what this gives; NULL: it does not */
    unsigned share;          /* percent of the time that it may work; 100: without pauses */
    uint32_t window; /* content ids whose references are counted at once, 4 bytes of memory each;
                        0: as many as is good */

    /* Called in between, never while a snapshot is held. wanted (may be NULL): false ends the check.
       found: an error ends it too. */
    bool (*wanted)(void *context);
    enum err_code (*found)(void *context, const struct maintain_finding *finding, struct err *err);
    void *context;
};

struct check_result {
    uint64_t mailboxes, folders, items, contents; /* that were looked at */
    uint64_t bytes;                               /* of messages that were read */
    uint64_t findings;                            /* also those that were too many to be told */
};

/* Checks one database (from 0) against itself, and changes nothing: the checksum of every row, every
   count, reference, uid, modseq and name, and the live bytes of the segments. Works in short
   snapshots; what seems wrong because the store moved on in between is looked at again before it is
   told. Memory does not grow with the store, but for eight words a segment. ERR_NOT_FOUND: there is no
   such database. ERR_UNAVAILABLE: it went down, or the check is not wanted any more. */
enum err_code store_check(struct store *store, unsigned database,
                          const struct check_options *options, struct check_result *result,
                          struct err *err);

struct repair_options {
    struct check_options check; /* its found is not called */
    bool dry_run;               /* only tells what is wrong, and what would be done */

    /* One finding: mended, and done says how and what was lost; or not, and done says why. */
    enum err_code (*told)(void *context, const struct maintain_finding *finding, bool mended,
                          const char *done, struct err *err);
};

struct repair_result {
    struct check_result check; /* of the last round */
    uint64_t mended;
    uint64_t left; /* findings that could not be mended */
};

/* Checks one database, and mends what can be mended from what is there, while the store serves: each
   finding is looked at again and mended by an operation of the writer. What lowers a count of uses
   waits until everything that counts can be read. A text that nothing uses any more goes to its
   owner's folder Recovered, or, where no operation record tells the owner, to a file in the
   database's folder FOUND_FOLDER. Errors as store_check(). */
enum err_code store_repair(struct store *store, unsigned database,
                           const struct repair_options *options, struct repair_result *result,
                           struct err *err);

#define STORE_WHY_SIZE 240

struct database_status {
    uint64_t mailboxes, items;
    uint64_t content_bytes; /* live */
    uint64_t segment_bytes; /* on the disk */
    uint64_t segment_free;  /* of these, in files that wait to be used */
    uint64_t
        segments_erasing; /* files that will be removed as what was purged with `erase` is in them */
    uint64_t index_bytes;         /* on the disk */
    uint64_t index_map;           /* that the index may reach */
    uint64_t commits, operations; /* since the start */
    uint64_t created;             /* seconds since 1970 */
    int64_t copied;               /* when the index was copied last; 0: there is no copy */
    uint64_t copy_bytes;
    uint32_t format; /* store/format.h */
    bool upgrading;  /* its rows are being brought to this format */
    char name[16];
    bool mounted;
    char why[STORE_WHY_SIZE]; /* it is not mounted, and what can be done; else "" */
};

/* ERR_NOT_FOUND: there is no such database (from 0). Of one that is not mounted only the name is told, and
   why it is not. */
enum err_code store_database_status(struct store *store, unsigned database,
                                    struct database_status *status, struct err *err);

/* Opens a database (from 0) that is not mounted, although it may have crashed the process before; one
   that is mounted is left as it is. Its mailboxes can be opened from then on. Errors say what is wrong. */
enum err_code store_mount(struct store *store, unsigned database, struct err *err);

/* Makes one more database, *number (from 0), which is open and takes new mailboxes at once. It is there at the
   next start too, whatever settings.databases says. ERR_LIMIT: there are STORE_DATABASES_MAX. */
enum err_code store_database_add(struct store *store, unsigned *number, struct err *err);

/* Raises the database's format to the newest that this program knows, for good: an older program
   refuses it from then on. Returns when all is done; it goes on by itself when it is not wanted any
   more before (ERR_UNAVAILABLE), and after a crash. Never on a loop. */
enum err_code store_upgrade(struct store *store, unsigned database, bool (*wanted)(void *context),
                            void *context, struct err *err);

#endif
