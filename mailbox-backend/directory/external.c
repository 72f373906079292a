/* EXTERNAL (RFC 4422 appendix A): the user is whom a client certificate names, which the front has
   verified. Which of its names that is says [directory] external. */
#include <string.h>

#include "mailbox-backend/directory/mechanism.h"

const char *const directory_external_names[] = {"no", "email", "common_name", NULL};

static const char *name_of(const struct proof *proof)
{
    const Link__Client *client = proof->client;

    if (!client->secured)
        return "";
    switch (proof->directory->external) {
    case EXTERNAL_EMAIL:
        return client->certificate_email;
    case EXTERNAL_COMMON_NAME:
        return client->certificate_common_name;
    case EXTERNAL_NO:
        break;
    }
    return "";
}

/* The message is the authorization identity; empty: the user of the certificate. */
static enum proof_result external_step(struct proof *proof, const struct str *message,
                                       struct buf *challenge, struct arena *arena,
                                       struct account *account)
{
    struct str name = str_of(name_of(proof));
    Directory__Record *record;

    (void)challenge; /* an empty one asks the client to begin */
    if (message == NULL)
        return PROOF_CHALLENGE;
    if (message->length > 0 && memchr(message->data, '\0', message->length) != NULL)
        return PROOF_INVALID;
    if (name.length == 0)
        return PROOF_WRONG;
    if (!proof_find(proof, name, arena, &record))
        return PROOF_UNAVAILABLE;
    if (record == NULL)
        return PROOF_WRONG;
    return proof_authorize(proof, record, *message, arena, account);
}

static bool external_is_quick(struct proof *proof, const struct str *message)
{
    (void)proof;
    (void)message;
    return true;
}

const struct mechanism mechanism_external = {"EXTERNAL", external_step, external_is_quick, NULL,
                                             NULL};
