/* What the files of a restore share. */
#ifndef BACKEND_RESTORE_PRIVATE_H
#define BACKEND_RESTORE_PRIVATE_H

#include "common/arena.h"
#include "mailbox-backend/mailbox/mailbox.h"
#include "mailbox-backend/restore.h"

/* ---- which messages of two folders are the same ---- */

struct uid_pair {
    uint32_t from, to;
};

/* All in order of uid. Release it. */
struct restore_match {
    uint32_t *missing;      /* uids in the backup that the folder has no message for */
    struct uid_pair *pairs; /* NULL unless flags are wanted */
    uint32_t *extra;        /* uids in the folder that the backup has no message for */
    size_t missing_count, pair_count, extra_count;
};

/* Messages with one EMAILID, which copies are, are told apart by their number, not by their place: of
   three in the backup and one in the folder two are missing. to_folder 0: there is none. Memory: some
   4 to 8 bytes a message, and 24 for 65,536 of them and for copies of one message. */
enum err_code restore_match(const struct restore_request *request, uint32_t from_folder,
                            uint32_t to_folder, struct restore_match *match, struct err *err);
void restore_match_release(struct restore_match *match);

/* ---- one folder ---- */

#define RESTORE_LOT 32 /* operations of one commit */
#define RESTORE_LOT_BYTES (4u << 20)

typedef char restore_keywords[STORE_KEYWORDS_MAX][STORE_KEYWORD_NAME_MAX + 1];

/* A message on its way. */
struct restore_item {
    struct store_op op;
    struct store_draft *draft;
    struct arena arena; /* what op points to */
    uint32_t uid;       /* in the backup */
};

struct restoring {
    const struct restore_request *request;
    struct restore_result *result;
    struct restore_folder folder; /* being restored */
    uint32_t from, to;            /* its ids; to 0: not there (a dry run) */
    bool is_inbox;                /* in place: POP3 clients know these messages */
    restore_keywords keywords;    /* of the backup's folder */
    unsigned keyword_count;
    struct restore_item lot[RESTORE_LOT];
    size_t count;
    uint64_t lot_bytes;
};

/* Puts these uids of the backup into the folder. */
enum err_code restore_put(struct restoring *restoring, const uint32_t *uids, size_t count,
                          struct err *err);

/* Gives messages that are there the flags that they had. */
enum err_code restore_flags(struct restoring *restoring, const struct uid_pair *pairs, size_t count,
                            struct err *err);

/* ---- what came since ---- */

/* Expunges these uids of the folder. */
enum err_code restore_expunge(struct restoring *restoring, const uint32_t *uids, size_t count,
                              struct err *err);

/* Deletes the folders that the backup does not have. */
enum err_code restore_delete_folders(struct restoring *restoring, struct err *err);

/* True for the folder that is asked for, those below it, or when all are. */
bool restore_covers(const struct restore_request *request, struct str path);

/* ERR_UNAVAILABLE when nobody wants it any more. */
enum err_code restore_go_on(const struct restore_request *request, struct err *err);

/* Tells the caller of the folder, and begins to count anew. */
enum err_code restore_tell(struct restoring *restoring, struct err *err);

#endif
