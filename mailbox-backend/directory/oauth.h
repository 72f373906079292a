/* How OAUTHBEARER and XOAUTH2 are set. */
#ifndef DIRECTORY_OAUTH_H
#define DIRECTORY_OAUTH_H

#include "mailbox-backend/directory/jwt.h"

struct oauth_settings {
    struct jwt_rules rules; /* issuer "" or NULL: neither mechanism is offered */
    const char *
        discovery; /* URL of the issuer's OpenID configuration, told to clients; "" or NULL: none */
};

/* Checks what is set: names of algorithms, what must be there with an issuer, texts that go into JSON as
   they are. ERR_INVALID. */
enum err_code oauth_check(const struct oauth_settings *settings, struct err *err);

#endif
