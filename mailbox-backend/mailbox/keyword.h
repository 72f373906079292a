/* Keywords: flags of a folder's own making ($Forwarded, Junk …), bits in an item and names in a
   list. Bits are only ever added to a folder. Names differ by more than ASCII case. */
#ifndef MAILBOX_KEYWORD_H
#define MAILBOX_KEYWORD_H

#include "common/arena.h"
#include "mailbox-backend/store/store.h"

struct keyword_list {
    char (*names)[STORE_KEYWORD_NAME_MAX + 1]; /* names[n]: bit n */
    unsigned count;
};

/* Reads a folder's list anew. *grown (may be NULL): there are names that were not in list
   before. */
enum err_code keyword_list_read(struct keyword_list *list, struct store_read *read, uint32_t folder,
                                bool *grown, struct err *err);
void keyword_list_release(struct keyword_list *list);

/* The bit of a name, -1 when the folder has none such. */
int keyword_find(const struct keyword_list *list, struct str name);

bool keyword_is_set(const struct store_flags *flags, unsigned bit);

/* Whether some bit is set that list has no name for: the list is older than the item. */
bool keyword_list_is_behind(const struct keyword_list *list, const struct store_flags *flags);

#endif
