/* Reading new items into a mailbox's gram file. */
#ifndef SEARCH_GRAM_BUILD_H
#define SEARCH_GRAM_BUILD_H

#include "mailbox-backend/search/gram_file.h"

/* Fewer items than this make no block: who searches reads them. */
#define GRAM_ITEMS_LEAST 256u

/* Asked between messages whether to go on. */
struct gram_wanted {
    bool (*ask)(void *context);
    void *context;
};

/* Adds blocks of the items that came behind file->upto, if there are enough of them: of 65,536 at most, then
   *whole is false and it is to be called again. A message that is damaged counts as one that may have every text.
   Long work: reads all these messages. ERR_UNAVAILABLE: not wanted any more; what was added stays. */
enum err_code gram_build(struct gram_file *file, struct store_mailbox *mailbox,
                         const struct gram_wanted *wanted, bool *whole, struct err *err);

#endif
