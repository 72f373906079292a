/* Going through the messages that may match a search: for SEARCH, SORT and THREAD. A slice's records are
   copied out and decided in one short snapshot, with the envelopes that delivery kept; the messages that
   this leaves open are read on a worker. */
#ifndef IMAP4_SEARCH_RUN_H
#define IMAP4_SEARCH_RUN_H

#include "mailbox-backend/imap4/progress.h"
#include "mailbox-backend/imap4/search.h"

#define SEARCH_SLICE 128

/* What is done where more messages would be gone through than a command may be about (RFC 9738): none of it; only the newest
   are gone through; or the command is answered NO. */
enum search_limit { SEARCH_NO_LIMIT, SEARCH_CUT, SEARCH_REFUSE };

struct search_run {
    struct search search;
    struct arena moment; /* memory for one message */
    uint8_t summary[STORE_SUMMARY_MAX];
    struct store_item items[SEARCH_SLICE];
    enum truth truths[SEARCH_SLICE];
    size_t count, at;
    uint32_t next_uid; /* of the next slice; 0: there is none */
    enum search_limit limit;
    bool wants_hint; /* the search index is still to be asked */
    bool enough;     /* set by hit(): no more are wanted */
    bool wants_uids; /* hit() looks at uids alone, and at mod-sequences where keys have one */
    bool is_settled; /* what is to be gone through are the hits: there is no need to look at them */
    struct progress progress;

    uint64_t hit_cost; /* as many bytes as reading a hit is worth, for the share of a step */
    /* Called for each message found, in the order of their uids; may read. */
    enum err_code (*hit)(struct command *command, const struct store_item *item, struct err *err);
};

/* Takes the search keys, CHARSET included where it is optional, and chooses what to go through. When it
   returns false the answer has been given. */
bool search_run_take(struct command *command, struct search_run *run);

/* Goes on. True when all were gone through; or when it failed, with err set. Else *step says how to go
   on. */
bool search_run_go(struct command *command, struct search_run *run, enum step *step,
                   struct err *err);

void search_run_release(struct command *command, struct search_run *run);

/* Opens a message's content. */
enum err_code search_run_open(struct command *command, const struct store_item *item,
                              struct store_content **content, struct err *err);

#endif
