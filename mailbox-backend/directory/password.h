/* Password hashes as crypt(3) knows them. */
#ifndef DIRECTORY_PASSWORD_H
#define DIRECTORY_PASSWORD_H

#include <stdbool.h>

#include "common/err.h"
#include "common/str.h"

#define PASSWORD_MAX 511      /* bytes, of libxcrypt */
#define PASSWORD_HASH_MAX 384 /* bytes with the NUL, of libxcrypt */

/* A yescrypt hash of the cost that the system thinks right, under a new salt. Takes some 20 ms and
   16 MB. */
enum err_code password_hash(const char *password, char hash[PASSWORD_HASH_MAX], struct err *err);

/* What looks like such a hash, costs as much to compare with, and fits no password. Takes no time. */
enum err_code password_decoy(char hash[PASSWORD_HASH_MAX], struct err *err);

/* Whether the password gives this hash. A hash of any method of crypt(5). */
bool password_fits(const char *hash, const char *password);

enum password_kind {
    PASSWORD_NONE,  /* no log-in by password: empty, "!", "*" and the like */
    PASSWORD_HASH,  /* a hash that password_fits() understands */
    PASSWORD_PLAIN, /* the password itself */
};

/* Reads the password field of a passwd-file: a crypt(3) hash with or without Dovecot's scheme in
   front ({CRYPT}, {SHA512-CRYPT}, {BLF-CRYPT} …), or {PLAIN}. *rest is the field without the scheme.
   ERR_INVALID for schemes that are not crypt(3)'s. */
enum err_code password_read_field(struct str field, enum password_kind *kind, struct str *rest,
                                  struct err *err);

#endif
