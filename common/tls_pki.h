/* A small private certification authority in a folder: ca.crt, ca.key, and NAME.crt with NAME.key for
   every certificate. ECDSA on P-256, keys readable by their owner only. Enough for the links between
   fronts and back ends, and for trying clients out. The engine, which must be built in, makes them and
   reads them; what one has made the other reads as well. */
#ifndef COMMON_TLS_PKI_H
#define COMMON_TLS_PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/tls.h"

enum pki_role {
    PKI_FRONT,  /* a front on links: OU = front, a TLS client */
    PKI_BACK,   /* a back end on links: OU = back, a TLS server */
    PKI_SERVER, /* the clients' side of a front: OU = server */
    PKI_CLIENT, /* a client with a certificate: OU = client */
};

/* "front", "back" … ERR_INVALID says what there is. */
enum err_code pki_role_parse(const char *text, enum pki_role *role, struct err *err);

/* Makes the folder, if need be, with a new CA whose common name is name. ERR_EXISTS when there is one:
   it is never replaced. days: how long it is valid. */
enum err_code pki_init(enum tls_engine engine, const char *folder, const char *name, unsigned days,
                       struct err *err);

#define PKI_HOSTS_MAX 32

struct pki_request {
    enum pki_role role;
    const char *name; /* CN, and the first DNS name; letters, digits, ".", "-", "_", "*" */
    const char *hosts[PKI_HOSTS_MAX]; /* more DNS names */
    size_t host_count;
    const char *addresses[PKI_HOSTS_MAX]; /* IPv4 and IPv6 */
    size_t address_count;
    unsigned days;
    const char *file; /* FILE.crt and FILE.key in the folder */
    bool replace;     /* what is there; else ERR_EXISTS */
};

/* Makes a key and a certificate. */
enum err_code pki_issue(enum tls_engine engine, const char *folder,
                        const struct pki_request *request, struct err *err);

struct pki_facts {
    char common_name[128];
    char unit[64];
    char issuer[128]; /* common name */
    char serial[64];  /* hexadecimal */
    char names[1024]; /* DNS names and addresses, ", " between; cut when there are too many */
    int64_t not_before, not_after; /* Unix times */
};

/* What stands in a certificate's file (the first, when it is a chain). */
enum err_code pki_read(enum tls_engine engine, const char *path, struct pki_facts *facts,
                       struct err *err);

#endif
