/* What the files of tls.h over mbedTLS share; nobody else includes it. Written for 2.28 and 3.6: no
   private struct fields, and the few calls that differ stand in tls_mbedtls_compat.h. */
#ifndef COMMON_TLS_MBEDTLS_H
#define COMMON_TLS_MBEDTLS_H

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <pthread.h>

#include "common/tls_engine.h"

/* mbedTLS keeps the ALPN list in the configuration, tls.h gives it per session: one of these for
   each list that was asked for. Unchanging once made. */
struct tls_variant {
    mbedtls_ssl_config config;
    char **alpn; /* NULL-terminated; NULL for none */
    struct tls_variant *next;
};

struct mbedtls_context {
    struct tls_context base;
    bool has_certificate;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    mbedtls_x509_crt authorities;
    mbedtls_ctr_drbg_context random; /* locks itself (MBEDTLS_THREADING_C) */
    pthread_mutex_t lock;            /* of variants */
    struct tls_variant *variants;
};

struct mbedtls_session {
    struct tls_session base;
    mbedtls_ssl_context ssl;
};

static inline struct mbedtls_context *mbedtls_context_of(const struct tls_session *session)
{
    return (struct mbedtls_context *)session->context;
}

/* mbedTLS's own functions take what does not change as changing too. */
static inline mbedtls_ssl_context *mbedtls_ssl_of(const struct tls_session *session)
{
    return (mbedtls_ssl_context *)(uintptr_t) & ((const struct mbedtls_session *)session)->ssl;
}

/* Fills err from a code of mbedTLS. */
enum err_code tls_mbedtls_err(struct err *err, enum err_code code, int status, const char *what);

/* The configuration for sessions of context with this ALPN list; lives as long as the context. */
const mbedtls_ssl_config *tls_mbedtls_config(struct mbedtls_context *context,
                                             const char *const *alpn);
void tls_mbedtls_free_variants(struct mbedtls_context *context);

/* Called with the name that a client asks for; notes it in the session. */
int tls_mbedtls_on_server_name(void *context, mbedtls_ssl_context *ssl, const unsigned char *name,
                               size_t length);

/* Has session tickets made and taken. tls_mbedtls_ticket.c. */
void tls_mbedtls_give_tickets(mbedtls_ssl_config *config, struct mbedtls_context *context);

/* The functions of struct tls_engine_ops. tls_mbedtls_session.c: */
struct tls_session *tls_mbedtls_session_create(struct tls_context *context,
                                               const struct tls_options *options);
void tls_mbedtls_session_destroy(struct tls_session *session);
void tls_mbedtls_shake_hands(struct tls_session *session);
void tls_mbedtls_decrypt(struct tls_session *session, struct buf *plain_in, size_t limit);
void tls_mbedtls_encrypt(struct tls_session *session, struct buf *plain_out, size_t share);
void tls_mbedtls_finish(struct tls_session *session);

/* tls_mbedtls_binding.c: */
size_t tls_mbedtls_channel_binding(const struct tls_session *session, enum tls_channel_binding kind,
                                   uint8_t out[TLS_CHANNEL_BINDING_MAX]);

/* tls_mbedtls_peer.c: */
bool tls_mbedtls_peer(const struct tls_session *session, struct tls_peer_facts *facts);
bool tls_mbedtls_peer_has_name(const struct tls_session *session, const char *dns_name);

/* tls_mbedtls_hash.c: */
void tls_mbedtls_digest(enum hash_kind kind, struct str data, uint8_t *out);
void tls_mbedtls_mac(enum hash_kind kind, struct str key, struct str data, uint8_t *out);
void tls_mbedtls_password(enum hash_kind kind, struct str password, struct str salt,
                          unsigned iterations, uint8_t *out);

/* tls_mbedtls_pki.c and tls_mbedtls_pki_read.c: */
enum err_code tls_mbedtls_pki_make(const struct pki_job *job, struct buf *key,
                                   struct buf *certificate, struct err *err);
enum err_code tls_mbedtls_pki_read(const struct buf *pem, const char *path, struct pki_facts *facts,
                                   struct err *err);

#endif
