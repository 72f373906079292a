/* What SEARCH answers with where RETURN is asked for (RFC 4731), and the result that is kept for "$" (RFC
   5182). Memory follows the number of uid ranges found, as that of a view. */
#ifndef IMAP4_SEARCH_RESULT_H
#define IMAP4_SEARCH_RESULT_H

#include "mailbox-backend/imap4/imap4.h"

enum search_return { /* bits */
                     RETURN_MIN = 1,
                     RETURN_MAX = 2,
                     RETURN_ALL = 4,
                     RETURN_COUNT = 8,
                     RETURN_SAVE = 16,
};

/* Embed it; {0} is the result of a search without RETURN. */
struct search_result {
    unsigned asked; /* enum search_return bits; 0: no RETURN, and nothing is gathered */
    uint32_t count;
    uint32_t min, max; /* uids; 0: nothing was found */
    uint64_t min_modseq, max_modseq, highest_modseq;
    struct uidset found;   /* where all are wanted */
    struct uidset numbers; /* the same, as they are told */
    size_t written;        /* ranges of numbers */
};

/* Takes "RETURN (…) " if it is there. */
bool search_result_take(struct parse *parse, struct search_result *result);

/* Messages come in the order of their uids. */
void search_result_add(struct search_result *result, const struct store_item *item);

/* Nothing that may follow makes a difference. */
bool search_result_is_whole(const struct search_result *result);

/* The search has ended well: keeps the result for "$" where SAVE is asked for. */
void search_result_save(struct imap *imap, const struct search_result *result);

/* Writes the ESEARCH response, as far as there is room; true when it is whole. */
bool search_result_tell(struct command *command, struct search_result *result, bool with_modseq);

void search_result_release(struct search_result *result);

#endif
