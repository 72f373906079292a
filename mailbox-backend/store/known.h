/* Which databases the store has: a file of its folder names them. A disk that is not mounted leaves an
   empty folder where a database was; only this tells it from one that is still to be made. */
#ifndef STORE_KNOWN_H
#define STORE_KNOWN_H

#include <stdbool.h>

#include "common/err.h"
#include "mailbox-backend/store/store.h"

struct known_databases {
    bool all[STORE_DATABASES_MAX];
    unsigned end; /* no known one has this number or a higher one */
};

/* Reads the file of the store's folder. None is known where there is no file: an older program has
   not written one. Lines that make no sense are logged and passed over. */
enum err_code known_read(struct known_databases *known, const char *folder, struct err *err);

/* Adds a database, from 0, and writes the file, durably. No error when it is known already. */
enum err_code known_add(struct known_databases *known, const char *folder, unsigned number,
                        struct err *err);

/* *holds: the database's folder has an index, a copy of one, or a segment; a folder that is not there has none. An
   error is one of the disk, or of rights: nobody knows then. */
enum err_code known_look(const char *folder, bool *holds, struct err *err);

#endif
