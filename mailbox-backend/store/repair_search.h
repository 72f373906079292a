/* What the files of the search for lost rows share. */
#ifndef STORE_REPAIR_SEARCH_H
#define STORE_REPAIR_SEARCH_H

#include "mailbox-backend/store/journal_walk.h"
#include "mailbox-backend/store/repair.h"

enum probe_kind {
    PROBE_UID,     /* owner, folder, number: the uid */
    PROBE_ITEM_ID, /* owner, number */
    PROBE_CONTENT, /* number */
};

struct probe {
    enum probe_kind kind;
    struct store_guid owner;
    uint32_t folder;
    uint64_t number;
    struct mend_task *task;

    bool found; /* by a record of this rank */
    struct journal_rank rank;
    bool has_item;                  /* the task's evidence has owner, folder, item and keywords */
    uint64_t new_item_id;           /* that it got when it was copied; 0: its own */
    uint32_t from_folder, from_uid; /* where a copy or a move took it from; 0: nowhere */
    uint64_t from_item_id;
    struct piece *pieces; /* of a content */
    uint32_t piece_count;
};

struct search {
    struct check *check;
    struct arena *arena;
    struct probe *probes;
    size_t count;
};

/* Holds what was found, and what the damaged rows themselves say, against what is there, and settles
   each task's evidence. */
enum err_code repair_weigh(struct search *search, struct mend_task *tasks, size_t count,
                           struct err *err);

#endif
