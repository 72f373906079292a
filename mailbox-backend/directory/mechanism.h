/* One SASL mechanism: what a proof does with the client's messages. */
#ifndef DIRECTORY_MECHANISM_H
#define DIRECTORY_MECHANISM_H

#include "mailbox-backend/directory/internal.h"

struct proof {
    struct directory *directory;
    const struct mechanism *mechanism; /* NULL: not one of ours */
    enum account_service service;
};

struct mechanism {
    const char *name;
    enum proof_result (*step)(struct proof *proof, const struct str *message, struct buf *challenge,
                              struct arena *arena, struct account *account);
    bool (*is_quick)(struct proof *proof, const struct str *message); /* see proof_is_cached() */
};

extern const struct mechanism mechanism_plain;

/* The end of every mechanism: the user of authenticated has proved who he is and wants to act as
   identity (as given; empty for himself). */
enum proof_result proof_authorize(struct proof *proof, const Directory__Record *authenticated,
                                  struct str identity, struct arena *arena,
                                  struct account *account);

#endif
