/* Making the index of a database again, out of the newest copy of it and the operation records that
   came after; or, without a copy, out of the segments alone (docs/store.md, "Rebuilding"). The store
   must be closed. */
#ifndef STORE_REBUILD_H
#define STORE_REBUILD_H

#include "mailbox-backend/store/store.h"

struct rebuild_options {
    unsigned database; /* from 0 */
    bool without_copy; /* although there is one */
    bool empty;        /* nothing is left of the database: an index without messages */
    /* Whose mailbox takes the messages that no record names the mailbox of; NULL: they are refused
       with ERR_INVALID, when there are some, and nothing has changed. */
    const struct store_guid *owner;
    /* Told now and then, in one line of plain words, what is being done and what was found. */
    void (*say)(void *context, const char *line);
    void *context;
};

struct rebuild_result {
    bool from_copy;
    uint64_t batches, operations; /* replayed */
    uint64_t unknown;             /* operations that named what is not there */
    uint64_t gaps;                /* places where batches are missing */
    uint64_t damaged;             /* records that failed their checksum, files without a header */
    uint64_t rows;                /* of the copy that are damaged: a repair mends them */
    uint64_t kept_pieces;         /* that nothing names: each is in a file (rebuild_pieces.c) */
    uint64_t mailboxes, messages; /* in the new index */
    uint64_t unreadable;          /* messages whose content is not there any more */
    uint64_t without_owner;       /* messages whose mailbox no record names */
    int64_t last;                 /* when the last operation was made that is known; 0: none is */
    char kept[300];               /* path of the index that was there before; "": there was none */
};

/* Makes a new index and puts it in its place, when it is whole; the old one is kept aside. All that
   is numbered jumps as at a restore (backup.h), since nobody knows what was done last. Without a copy
   messages come into folders below "Recovered", under new UIDVALIDITY. ERR_EXISTS: the store is open;
   ERR_NOT_FOUND: there is no such database, or no copy of its index; ERR_CORRUPT: pages of the copy are
   damaged; ERR_UNAVAILABLE: its folder is empty,
   and options.empty is not set. Takes the folder's lock. */
enum err_code store_rebuild(const struct store_settings *settings,
                            const struct rebuild_options *options, struct rebuild_result *result,
                            struct err *err);

#endif
