/* Copying and moving items between folders of a mailbox. */
#ifndef STORE_COPY_H
#define STORE_COPY_H

#include "mailbox-backend/store/ops.h"

#define COPY_AT_ONCE 10000u /* items in one transaction, where the settings say nothing else */

/* A copy's modseq lies so far ahead that what happens in the mailbox while a claim is filled comes
   before it: its items appear all at once in the end. */
#define CLAIM_MODSEQ_AHEAD (UINT64_C(1) << 24)

/* What was found out at the start, and how far it has come. */
struct copy {
    uint32_t source_end; /* uids from here up came later, perhaps by this very copy */
    uint32_t count;      /* items in the source */
    uint64_t bytes;
    uint64_t keywords[2]; /* used by them */
    bool large;

    uint32_t first;  /* uid in the target */
    uint32_t filled; /* uids used */
    uint64_t modseq; /* of a claim */
    uint32_t unseen, deleted;
    uint64_t filled_bytes;
};

/* Bits of the source's keywords in the target; 0xFF: not looked up yet, 0xFE: there is no room. */
struct keyword_map {
    uint8_t to[STORE_KEYWORDS_MAX];
};

/* Where items come from and go to, in one batch. */
struct copy_run {
    struct batch *batch;
    struct task *task;
    struct copy *copy;
    struct folder_slot *source, *target;
    struct keyword_map map;
    bool is_move;
};

/* What the settings say of it. */
uint32_t copy_at_once(const struct copy_run *run);

/* Reads what is to be copied: ERR_CORRUPT when something of it is damaged. Of copies that are made
   at once the content is looked for too. */
enum err_code copy_survey(const struct copy_run *run, struct err *err);

void keyword_map_init(struct keyword_map *map);

/* Gives the target the keywords that the survey found. ERR_LIMIT when it has no room. */
enum err_code copy_keywords(struct copy_run *run, struct err *err);

/* Writes the item's rows into the target under this uid and modseq, and for a move takes them out
   of the source. Counts are the caller's. */
enum err_code copy_item(struct copy_run *run, struct store_item *item, uint32_t uid,
                        uint64_t modseq, struct err *err);

#endif
