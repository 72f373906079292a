/* The keys that seal TLS session tickets (RFC 5077, RFC 8446 section 4.6.1). With a file of keys that all
   fronts share, a client resumes its session at another front, or after a restart.

   The file is text, a key a line: the Unix time at which it was made, a space, 64 hexadecimal digits.
   Empty lines and those that begin with # do not count. The newest key seals; the others open. */
#ifndef COMMON_TLS_TICKET_H
#define COMMON_TLS_TICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define TLS_TICKET_ID 16
#define TLS_TICKET_SECRET 32
#define TLS_TICKET_KEYS_MOST 16            /* in a file */
#define TLS_TICKET_ROTATION INT64_C(86400) /* seconds that a key seals, where we make them */
#define TLS_TICKET_LIFETIME_MOST (UINT64_C(7) * 86400) /* RFC 8446 section 4.6.1 */

struct tls_ticket_keys; /* reference counted; any thread */

/* What is wanted of one key. It is derived from the file's, so that a ticket is good only for what
   binding says, and the file's own key is never used with two ciphers. */
struct tls_ticket_key {
    uint8_t id[TLS_TICKET_ID]; /* stands in the ticket, in clear */
    uint8_t seal[TLS_TICKET_SECRET];
    uint8_t mac[TLS_TICKET_SECRET];
    bool is_newest;
};

/* path NULL: a key of our own making that nobody else has, and a new one each day. lifetime: for how many
   seconds a ticket is good. A file that others can read is ERR_DENIED, one with anything but keys or
   with none ERR_INVALID. */
enum err_code tls_ticket_keys_create(struct tls_ticket_keys **keys, const char *path,
                                     uint64_t lifetime, struct err *err);
struct tls_ticket_keys *tls_ticket_keys_ref(struct tls_ticket_keys *keys);
void tls_ticket_keys_unref(struct tls_ticket_keys **keys);

/* Reads the file again; on an error the keys stay as they were. Nothing to do without a file. */
enum err_code tls_ticket_keys_reload(struct tls_ticket_keys *keys, struct err *err);

uint64_t tls_ticket_keys_lifetime(const struct tls_ticket_keys *keys);

/* Seconds since the newest key of the file was made; 0 without a file. */
int64_t tls_ticket_keys_age(struct tls_ticket_keys *keys);

/* The key to seal with. */
void tls_ticket_keys_newest(struct tls_ticket_keys *keys, const char *binding,
                            struct tls_ticket_key *key);

/* The key of a ticket; false when it is none of ours. */
bool tls_ticket_keys_find(struct tls_ticket_keys *keys, const char *binding,
                          const uint8_t id[TLS_TICKET_ID], struct tls_ticket_key *key);

/* Adds a new key to the file, which is made if need be (mode 0600), and removes those that have not sealed for
   keep seconds. count: how many there are now. */
enum err_code tls_ticket_file_add(const char *path, uint64_t keep, size_t *count, struct err *err);

#endif
