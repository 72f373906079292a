/* The format of a database: one number for all its files and rows, in the database's own row. A
   database keeps the format it was made with, whichever program writes to it, until `database upgrade`
   raises it; a program refuses a database whose format it does not know. So a program can be replaced by
   an older one as long as nothing was upgraded. Whatever is written differently from one format to the next
   is named here, and the writer asks. */
#ifndef STORE_FORMAT_H
#define STORE_FORMAT_H

#include "common/err.h"
#include "mailbox-backend/store/index.h"

#define FORMAT_NEWEST                                                                              \
    2u /* which this program knows, with all before it; databases are made with it */

enum format_difference {
    FORMAT_RECOVERABLE_COUNTS, /* a mailbox counts its recoverable items */
    FORMAT_DIFFERENCES,
};

/* Whether a database of this format is written so. */
bool format_has(uint32_t format, enum format_difference difference);

/* What this format (2 … FORMAT_NEWEST) brought, for people; static. */
const char *format_brought(uint32_t format);

/* The format that the database's own row names, whatever else stands in it; 0 when it is no such row. */
uint32_t format_of(struct bytes database_row);

/* ERR_UNAVAILABLE for a format that this program does not know: names both, and what to do. */
enum err_code format_check(uint32_t format, struct err *err);

/* The same for the database that the transaction is of. */
enum err_code format_check_row(const struct tx *tx, struct err *err);

/* The same in a snapshot of its own. */
enum err_code format_check_index(struct index *index, struct err *err);

/* Where the format stands in the database's own row. Rows of version 1 end before it: format 1. */
#define FORMAT_AT 37u

#endif
