/* Rounds over all mailboxes that end what can no longer be recovered: what is past its time, what a
   mailbox has above its recovery quota, and, when the disk is short, what is nearest to its end.
   The writer's thread only. */
#ifndef STORE_EXPIRY_H
#define STORE_EXPIRY_H

#include "mailbox-backend/store/batch.h"

struct expiry;

struct expiry *expiry_create(struct database *database);
void expiry_destroy(struct expiry **expiry);

/* True when a slice should be run now. */
bool expiry_is_due(struct expiry *expiry);

/* A round is under way: the next slice should follow at once. */
bool expiry_in_round(const struct expiry *expiry);

/* Looks at about SLICE_RECORDS rows. */
void expiry_slice(struct expiry *expiry, struct batch *batch);

#endif
