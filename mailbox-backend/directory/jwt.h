/* JSON Web Tokens (RFC 7519) that an issuer's keys have signed (RFC 7515, RFC 7517). The only part that names
   libcjose and jansson. Any thread; a signature takes some 0.1 ms to verify. */
#ifndef DIRECTORY_JWT_H
#define DIRECTORY_JWT_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/str.h"

#define JWT_MOST 12288 /* bytes of a token */

struct jwt_rules {
    const char *issuer; /* what `iss` must be, to the letter */
    const char *keys;   /* path of the issuer's key set (JWKS); read again when it has changed */
    const char *const *audience; /* one of which must be in `aud` */
    size_t audience_count;
    const char *const *algorithms; /* that are taken: "RS256", "ES256"; jwt_algorithm_check() */
    size_t algorithm_count;
    const char
        *scope; /* that must be among those of the token (`scope`, `scp`); "" or NULL: none */
    const char *claim; /* which claim names the user: "email" */
    uint64_t skew;     /* seconds that the issuer's clock may differ */
};

struct jwt;

/* rules and what they point to must live as long. The keys are read when they are first needed, or by
   jwt_read_keys(), which logs how many there are or what is wrong. */
struct jwt *jwt_create(const struct jwt_rules *rules);
void jwt_read_keys(struct jwt *jwt);
void jwt_destroy(struct jwt **jwt);

/* ERR_INVALID for a name that is not one of a signature by a private key (RFC 7518 section 3.1): "none" and the HS
   family, whose key would have to be secret, are not. */
enum err_code jwt_algorithm_check(const char *name, struct err *err);

/* Appends the user that the token names. ERR_DENIED says why it is not good, ERR_UNAVAILABLE that there
   are no keys to check it with; neither text holds anything of the token that is a secret. */
enum err_code jwt_verify(struct jwt *jwt, struct str token, struct buf *user, struct err *err);

#endif
