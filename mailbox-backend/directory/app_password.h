/* Application passwords: random ones besides a user's own, each for one program or device, for some
   services and from some networks, which can be revoked by themselves. They prove a user to PLAIN only.
   Of one only a salted digest is kept: what has 100 random bits cannot be guessed from it, so that
   a slow hash would cost time and give nothing. None is remembered in the credential cache. */
#ifndef DIRECTORY_APP_PASSWORD_H
#define DIRECTORY_APP_PASSWORD_H

#include "mailbox-backend/directory/internal.h"

/* The one of the record's that this is, spaces and dashes not counting; NULL when it is none. */
const Directory__AppPassword *app_password_find(const Directory__Record *record,
                                                struct str password);

/* Whether it is good for this service and from this address of a client ("192.0.2.7", "unix"). */
bool app_password_allows(const Directory__AppPassword *password, enum account_service service,
                         const char *address);

/* Notes when and from where it was used, unless that was done in the last hour: a write to the disk, so it
   belongs on a pool. That it cannot be noted is logged, and hinders nobody. */
void app_password_note(struct directory *directory, const Directory__Record *record,
                       const Directory__AppPassword *password, const char *address);

#endif
