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
#include <stdatomic.h>

#include "common/tls.h"

#define TLS_NAME_MAX 255 /* bytes of a server name */

/* mbedTLS keeps the ALPN list in the configuration, tls.h gives it per session: one of these for
   each list that was asked for. Unchanging once made. */
struct tls_variant {
    mbedtls_ssl_config config;
    char **alpn; /* NULL-terminated; NULL for none */
    struct tls_variant *next;
};

struct tls_context {
    atomic_uint references;
    enum tls_role role;
    enum tls_peer peer;
    bool has_certificate;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    mbedtls_x509_crt authorities;
    mbedtls_ctr_drbg_context random; /* locks itself (MBEDTLS_THREADING_C) */
    pthread_mutex_t lock;            /* of variants */
    struct tls_variant *variants;
};

struct tls_session {
    mbedtls_ssl_context ssl;
    struct tls_context *context;
    enum tls_state state;
    struct buf *cipher_in;  /* within tls_session_advance() only */
    struct buf *cipher_out; /* likewise */
    struct err error;
    char server_name[TLS_NAME_MAX + 1];
};

/* Fills err from a code of mbedTLS. */
enum err_code tls_mbedtls_err(struct err *err, enum err_code code, int status, const char *what);

/* The configuration for sessions of context with this ALPN list; lives as long as the context. */
const mbedtls_ssl_config *tls_mbedtls_config(struct tls_context *context, const char *const *alpn);
void tls_mbedtls_free_variants(struct tls_context *context);

/* Called with the name that a client asks for; notes it in the session. */
int tls_mbedtls_on_server_name(void *context, mbedtls_ssl_context *ssl, const unsigned char *name,
                               size_t length);

#endif
