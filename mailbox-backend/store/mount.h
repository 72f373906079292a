/* Which databases of the store are open. One that cannot be opened, or that has crashed the process
   twice in a row, is left alone: the others are served. */
#ifndef STORE_MOUNT_H
#define STORE_MOUNT_H

#include "mailbox-backend/store/database.h"
#include "mailbox-backend/store/maintain.h"

/* Opens all databases that there are, and makes those that settings.databases asks for and that the store
   has not had yet (known.h). Fails when none can be opened, with what is wrong with the first, and for a
   database of a newer format. */
enum err_code store_mount_all(struct store *store, struct err *err);

/* The database (from 0), which stays open until the store closes. ERR_NOT_FOUND: there is none;
   ERR_UNAVAILABLE: it is not mounted, and why. */
enum err_code store_mounted(struct store *store, unsigned number, struct database **database,
                            struct err *err);

/* Copies why it is not mounted; "" when it is. */
void store_why_unmounted(struct store *store, unsigned number, char why[STORE_WHY_SIZE]);

#endif
