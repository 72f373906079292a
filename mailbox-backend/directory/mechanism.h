/* One SASL mechanism: what a proof does with the client's messages. */
#ifndef DIRECTORY_MECHANISM_H
#define DIRECTORY_MECHANISM_H

#include "mailbox-backend/directory/internal.h"

struct proof {
    struct directory *directory;
    const struct mechanism *mechanism; /* NULL: not one of ours */
    enum account_service service;
    const Link__Client *client;
    void *state; /* the mechanism's own */
};

struct mechanism {
    const char *name;
    enum proof_result (*step)(struct proof *proof, const struct str *message, struct buf *challenge,
                              struct arena *arena, struct account *account);
    /* Whether step hashes no password; NULL: at_once tells. */
    bool (*is_quick)(struct proof *proof, const struct str *message);
    void (*end)(struct proof *proof); /* frees the state, if any; NULL: has none */
    /* As proof_step_at_once(); NULL where is_quick is there. */
    bool (*at_once)(struct proof *proof, const struct str *message, struct arena *arena,
                    struct account *account, enum proof_result *result);
};

extern const struct mechanism mechanism_plain, mechanism_scram_sha1, mechanism_scram_sha1_plus,
    mechanism_scram_sha256, mechanism_scram_sha256_plus, mechanism_external, mechanism_oauthbearer,
    mechanism_xoauth2;

/* The record of a name as given, or NULL where there is no such user. False when the directory cannot
   say now, which is logged. */
bool proof_find(struct proof *proof, struct str name, struct arena *arena,
                Directory__Record **record);

/* The end of every mechanism: the user of authenticated has proved who he is and wants to act as
   identity (as given; empty for himself). */
enum proof_result proof_authorize(struct proof *proof, const Directory__Record *authenticated,
                                  struct str identity, struct arena *arena,
                                  struct account *account);

#endif
