/* Properties: small named values of a mailbox, a folder, an item. Those of an item stand under
   folder 0 and the item's id, so that MOVE does not touch them. */
#ifndef STORE_PROPERTY_H
#define STORE_PROPERTY_H

#include "mailbox-backend/store/batch.h"
#include "mailbox-backend/store/journal.h"

enum err_code property_check(const struct store_property *property, struct err *err);

/* A value of length 0 removes. */
enum err_code property_put(const struct tx *tx, uint32_t folder, uint64_t item_id,
                           const struct store_property *property, struct err *err);

/* How many a folder, or with folder 0 the mailbox, has whose names begin so. */
enum err_code properties_count(const struct tx *tx, uint32_t folder, const char *prefix,
                               unsigned *count, struct err *err);

/* Whether that would change a property of a folder, or of the mailbox (folder 0). */
bool property_differs(const struct tx *tx, uint32_t folder, const struct store_property *property);

/* All of a folder or an item. */
enum err_code properties_remove(const struct tx *tx, uint32_t folder, uint64_t item_id,
                                struct err *err);
enum err_code properties_copy(const struct tx *tx, uint64_t from_item, uint64_t to_item,
                              struct err *err);

Journal__Property **properties_note(struct batch *batch, uint64_t item_id,
                                    const struct store_property *properties, unsigned count);

#endif
