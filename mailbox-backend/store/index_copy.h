/* Copies of an index: made while it is in use, and opened to be read. */
#ifndef STORE_INDEX_COPY_H
#define STORE_INDEX_COPY_H

#include "mailbox-backend/store/index.h"

/* Writes the index as of one transaction, without its free pages, to a file or a pipe. A snapshot is
   held until it is written, so that the index grows under load. */
enum err_code index_copy(struct index *index, int to, struct err *err);

/* Opens a copy that nobody writes to, for one reader at a time; changes nothing, and makes no lock
   file. To be closed with index_close(). */
enum err_code index_open_copy(struct index **index, const char *path, struct err *err);

#endif
