/* What SEARCH and SORT answer with where RETURN is asked for (RFC 4731; PARTIAL: RFC 9394; SORT: RFC 5267 section 3), and the
   result that is kept for "$" (RFC 5182). Memory follows the number of uid ranges found, as that of a view. */
#ifndef IMAP4_SEARCH_RESULT_H
#define IMAP4_SEARCH_RESULT_H

#include "mailbox-backend/imap4/imap4.h"
#include "mailbox-backend/imap4/partial.h"

enum search_return { /* bits */
                     RETURN_MIN = 1,
                     RETURN_MAX = 2,
                     RETURN_ALL = 4,
                     RETURN_COUNT = 8,
                     RETURN_SAVE = 16,
                     RETURN_PARTIAL = 32,
};

/* Embed it; {0} is the result of a search without RETURN. */
struct search_result {
    unsigned asked; /* enum search_return bits; 0: no RETURN, and nothing is gathered */
    struct partial_range partial;
    uint32_t count;
    uint32_t min, max; /* uids; 0: nothing was found */
    uint64_t min_modseq, max_modseq, highest_modseq;
    struct uidset found;   /* where all are wanted */
    struct uidset numbers; /* what ALL or PARTIAL tells of them */
    size_t written;        /* ranges of numbers; of SORT, messages */
    bool begun;            /* some of them are told */

    bool
        sorts; /* SORT: to be set before anything else, then the messages are told in this order: */
    uint32_t (*uid_at)(const void *context, size_t n);
    const void *context;
};

/* Takes "RETURN (…) " if it is there. SORT knows no PARTIAL. */
bool search_result_take(struct parse *parse, struct search_result *result);

/* A search that is to be saved begins, or was answered NO: "$" is empty until it ends well (RFC 5182 section
   2.1). */
void search_result_unsave(struct imap *imap, const struct search_result *result);

/* Messages come in the order of their uids. */
void search_result_add(struct search_result *result, const struct store_item *item);

/* Nothing that may follow makes a difference. with_modseq: as for search_result_tell(). */
bool search_result_is_whole(const struct search_result *result, bool with_modseq);

/* SORT: all were added, and uid_at() gives the nth in the order asked for, result->count in all; the first and the last of
   them have these mod-sequences. */
void search_result_order(struct search_result *result,
                         uint32_t (*uid_at)(const void *context, size_t n), const void *context,
                         uint64_t first_modseq, uint64_t last_modseq);

/* The search has ended well: keeps the result for "$" where SAVE is asked for. */
void search_result_save(struct imap *imap, const struct search_result *result);

/* Writes the ESEARCH response, as far as there is room; true when it is whole. */
bool search_result_tell(struct command *command, struct search_result *result, bool with_modseq);

void search_result_release(struct search_result *result);

#endif
