/* How many sessions each user has with each service, over all loops, so that one user cannot take all
   there is. Any thread may call. */
#ifndef BACKEND_SESSION_REGISTRY_H
#define BACKEND_SESSION_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "mailbox-backend/directory/directory.h"

struct session_registry;

struct session_registry *session_registry_create(void);
void session_registry_destroy(struct session_registry **registry);

/* Counts one more session. False, and nothing counted, when the user has most of them already. */
bool session_registry_add(struct session_registry *registry, const struct store_guid *account,
                          enum account_service service, uint64_t most);
void session_registry_remove(struct session_registry *registry, const struct store_guid *account,
                             enum account_service service);

/* Sessions of one service, whoever has them; service 0: of all. */
uint64_t session_registry_count(struct session_registry *registry, unsigned service);
/* One more, or one less, for session_registry_count(). */
void session_registry_note(struct session_registry *registry, enum account_service service,
                           bool more);

#endif
