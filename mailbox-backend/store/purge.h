/* Removing all that belonged to a folder, a mailbox or a claim, in slices. */
#ifndef STORE_PURGE_H
#define STORE_PURGE_H

#include "mailbox-backend/store/batch.h"
#include "mailbox-backend/store/pending.h"

/* Removes up to *budget rows and lowers it; *finished when nothing is left and the pending row has
   been removed too. */
enum err_code purge_slice(struct batch *batch, const struct pending *pending, unsigned *budget,
                          bool *finished, struct err *err);

#endif
