/* The thread that keeps a copy of a database's index beside it, index.copy: what a rebuild begins
   with. */
#ifndef STORE_COPIER_H
#define STORE_COPIER_H

#include "mailbox-backend/store/database.h"

struct copier;

/* Copies every seconds; 0: never. Before operations are taken: what the copy that is there needs is
   kept from now on. */
enum err_code copier_start(struct copier **copier, struct database *database, uint64_t seconds,
                           struct err *err);

/* Breaks off a copy that is being made. */
void copier_stop(struct copier **copier);

/* Makes a copy now. Not at the same time as the thread, which is for a store with an interval of 0.
   ERR_UNAVAILABLE: the disk has no room for it, or the index grew too much while it was read. */
enum err_code copier_copy(struct database *database, struct err *err);

/* When the newest copy was made (0: there is none), and its bytes. */
void copier_status(const struct database *database, int64_t *made, uint64_t *bytes);

#endif
