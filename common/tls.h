/* TLS as a transformation of bytes, with no socket in sight. The libraries behind it are named only in
   common/tls_mbedtls* and common/tls_openssl*; which of them are built in is the Makefile's TLS=. TLS
   1.2 and up, AEAD with ECDHE only, no renegotiation, no early data. */
#ifndef COMMON_TLS_H
#define COMMON_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

struct tls_ticket_keys; /* tls_ticket.h */

struct tls_context; /* certificates and rules; shared by the loops, reference counted, unchanging */
struct tls_session; /* one connection */

/* AUTO: mbedTLS where it is built in, else OpenSSL. */
enum tls_engine { TLS_ENGINE_AUTO, TLS_ENGINE_MBEDTLS, TLS_ENGINE_OPENSSL };

/* "auto", "mbedtls", "openssl", NULL: in the order of the enum, for a setting of choices. */
extern const char *const tls_engine_names[];

/* ERR_INVALID, with what there is instead, when the engine is not built in. */
enum err_code tls_engine_check(enum tls_engine engine, struct err *err);

/* The engine's library and its version: "mbed TLS 2.28.3", "OpenSSL 3.0.15 3 Sep 2024". The engine must
   be built in. */
const char *tls_library(enum tls_engine engine);

enum tls_role { TLS_SERVER, TLS_CLIENT };
enum tls_peer { TLS_PEER_NONE, TLS_PEER_OPTIONAL, TLS_PEER_REQUIRED }; /* the peer's certificate */

struct tls_settings {
    enum tls_engine engine;
    enum tls_role role;
    const char *certificate_file; /* PEM chain; NULL for a client without one */
    const char *key_file; /* PEM, not open to others: 0600, or root's with 0640 (ssl-cert) */
    const char *ca_file;  /* PEM: who may have signed the peer; NULL with TLS_PEER_NONE */
    enum tls_peer peer;

    /* Server: the keys of session tickets, or NULL for none, and which service the tickets are good for.
       None are given where the peer's certificate is asked for: a ticket would stand for it. */
    struct tls_ticket_keys *tickets;
    const char *service;
};

/* Reads and checks the files (the key must fit the certificate). ERR_INVALID also when the engine is not
   built in. */
enum err_code tls_context_create(struct tls_context **context, const struct tls_settings *settings,
                                 struct err *err);
struct tls_context *tls_context_ref(struct tls_context *context);
void tls_context_unref(struct tls_context **context);

struct tls_options {
    const char *server_name; /* client: SNI, and the name that the certificate must have; or NULL */
    const char *const *alpn; /* NULL-terminated, preferred first; or NULL. Must live as long as the
                                  session. A client that offers ALPN with none of these is refused;
                                  one that offers none is welcome */
};

struct tls_session *tls_session_create(struct tls_context *context,
                                       const struct tls_options *options);
void tls_session_destroy(struct tls_session **session);

enum tls_state { TLS_HANDSHAKE, TLS_OPEN, TLS_CLOSED /* by the peer's close_notify */, TLS_FAILED };

/* Moves bytes: takes ciphertext from cipher_in (as much as it can, bounded by plain_limit bytes of
   plain_in), appends plain text to plain_in; takes up to plain_share bytes of plain_out and appends
   ciphertext to cipher_out. Either pair may be NULL. Call again while it makes progress. */
enum tls_state tls_session_advance(struct tls_session *session, struct buf *cipher_in,
                                   struct buf *plain_in, size_t plain_limit, struct buf *plain_out,
                                   size_t plain_share, struct buf *cipher_out);
void tls_session_finish(struct tls_session *session, struct buf *cipher_out); /* close_notify */
const struct err *tls_session_error(const struct tls_session *session);       /* after TLS_FAILED */

/* Facts, once TLS_OPEN. NULL or "" where there is none; good as long as the session. */
const char *tls_session_version(const struct tls_session *session); /* "TLSv1.2" */
const char *tls_session_cipher(const struct tls_session *session);
const char *
tls_session_server_name(const struct tls_session *session); /* SNI that the client sent */
const char *tls_session_alpn(const struct tls_session *session);

/* What binds an authentication to this session, so that nobody in the middle can pass it on. */
enum tls_channel_binding {
    TLS_EXPORTER, /* RFC 9266; under TLS 1.3 only */
    TLS_UNIQUE,   /* RFC 5929 section 3; under TLS 1.2 only, with RFC 7627's master secret */
    TLS_SERVER_END_POINT, /* RFC 5929 section 4 */
};
#define TLS_CHANNEL_BINDINGS 3
#define TLS_CHANNEL_BINDING_MAX 64 /* bytes */

/* "tls-exporter", "tls-unique", "tls-server-end-point": in the order of the enum. */
extern const char *const tls_channel_binding_names[TLS_CHANNEL_BINDINGS];

/* Writes the value, which both ends of the session have alike; returns its length, 0 where this kind
   is not to be had of the session: by its version, by its certificate, or by the engine. Once TLS_OPEN. */
size_t tls_session_channel_binding(const struct tls_session *session, enum tls_channel_binding kind,
                                   uint8_t out[TLS_CHANNEL_BINDING_MAX]);

/* A verified peer certificate's facts; false when there is none. */
struct tls_peer_facts {
    char common_name[128];
    char unit[64]; /* OU */
    char subject[256];
    char email[256];      /* the first rfc822Name among the alternative names, or "" */
    char fingerprint[65]; /* SHA-256 of the certificate, in hexadecimal */
};
bool tls_session_peer(const struct tls_session *session, struct tls_peer_facts *facts);
/* True when the peer's certificate has this dNSName among its subject alternative names. */
bool tls_session_peer_has_name(const struct tls_session *session, const char *dns_name);

#endif
