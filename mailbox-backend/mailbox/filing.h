/* Which folder a delivery goes to. */
#ifndef MAILBOX_FILING_H
#define MAILBOX_FILING_H

#include <stdbool.h>

#include "mailbox-backend/store/store.h"

/* The id of the Junk folder for junk, else of the folder that detail (the part behind the "+" of the
   address; "" for none or where the user does not allow it) names, else of the inbox. A folder that
   is not there, or cannot be asked for now, is no reason to lose mail: it goes to the inbox. */
uint32_t filing_folder(struct store_read *read, bool junk, const char *detail);

#endif
