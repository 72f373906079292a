/* What the files of tls.h over OpenSSL 3 share; nobody else includes it. */
#ifndef COMMON_TLS_OPENSSL_H
#define COMMON_TLS_OPENSSL_H

#include <openssl/ssl.h>

#include "common/tls_engine.h"

struct openssl_context {
    struct tls_context base;
    SSL_CTX *ssl;
};

struct openssl_session {
    struct tls_session base;
    SSL *ssl;
    const char *const *alpn; /* server: what is offered; NULL for nothing */
    bool has_bad_peer;       /* the peer's certificate was found bad, and is passed over */
    bool is_renegotiating;   /* the peer asked for another handshake */
};

static inline SSL *openssl_ssl_of(const struct tls_session *session)
{
    return ((const struct openssl_session *)session)->ssl;
}

/* Fills err with the first of OpenSSL's queued errors, and empties the queue. */
enum err_code tls_openssl_err(struct err *err, enum err_code code, const char *what);

/* What OpenSSL calls a session for: put into a context. tls_openssl_session.c. */
void tls_openssl_set_callbacks(struct openssl_context *context);

/* Has session tickets made and taken. tls_openssl_ticket.c. */
bool tls_openssl_give_tickets(struct openssl_context *context);

/* The functions of struct tls_engine_ops. tls_openssl_session.c: */
struct tls_session *tls_openssl_session_create(struct tls_context *context,
                                               const struct tls_options *options);
void tls_openssl_session_destroy(struct tls_session *session);
void tls_openssl_shake_hands(struct tls_session *session);
void tls_openssl_decrypt(struct tls_session *session, struct buf *plain_in, size_t limit);
void tls_openssl_encrypt(struct tls_session *session, struct buf *plain_out, size_t share);
void tls_openssl_finish(struct tls_session *session);

/* tls_openssl_bio.c: bytes to and from the session's buffers, without any of its own. */
BIO *tls_openssl_bio(struct tls_session *session);

/* tls_openssl_binding.c: */
size_t tls_openssl_channel_binding(const struct tls_session *session, enum tls_channel_binding kind,
                                   uint8_t out[TLS_CHANNEL_BINDING_MAX]);

/* tls_openssl_peer.c: */
bool tls_openssl_peer(const struct tls_session *session, struct tls_peer_facts *facts);
bool tls_openssl_peer_has_name(const struct tls_session *session, const char *dns_name);

/* tls_openssl_hash.c: */
void tls_openssl_digest(enum hash_kind kind, struct str data, uint8_t *out);
void tls_openssl_mac(enum hash_kind kind, struct str key, struct str data, uint8_t *out);
void tls_openssl_password(enum hash_kind kind, struct str password, struct str salt,
                          unsigned iterations, uint8_t *out);

/* tls_openssl_pki.c and tls_openssl_pki_read.c: */
enum err_code tls_openssl_pki_make(const struct pki_job *job, struct buf *key,
                                   struct buf *certificate, struct err *err);
enum err_code tls_openssl_pki_read(const struct buf *pem, const char *path, struct pki_facts *facts,
                                   struct err *err);

/* The next certificate of a PEM text, NULL at its end; bio is over the text. */
X509 *tls_openssl_next(BIO *bio);

#endif
