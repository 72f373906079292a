/* Raising a database's format to the newest: first the number, from which moment on older programs
   refuse the database, then its rows, a slice at a time. Rows that are not reached yet are read as they
   are. After a crash it goes on where it was. The writer's thread only. */
#ifndef STORE_UPGRADE_H
#define STORE_UPGRADE_H

#include "mailbox-backend/store/batch.h"

struct upgrade;

struct upgrade *upgrade_create(struct database *database);
void upgrade_destroy(struct upgrade **upgrade);

/* True when a slice should be run now. */
bool upgrade_is_due(const struct upgrade *upgrade);

void upgrade_slice(struct upgrade *upgrade, struct batch *batch);

/* A batch failed: one that has not begun is given up, else it waits a while. */
void upgrade_failed(struct upgrade *upgrade);

#endif
