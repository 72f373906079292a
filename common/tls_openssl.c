#include "common/tls_openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "common/mem.h"

/* AES-128 first: OpenSSL uses the processor's instructions for it. A client that puts ChaCha20 first
   has none of these and gets it. */
static const char suites_13[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
static const char suites_12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char groups[] = "X25519:P-256:P-384:P-521";

enum err_code tls_openssl_err(struct err *err, enum err_code code, const char *what)
{
    unsigned long number = ERR_peek_error();
    const char *reason = ERR_reason_error_string(number);

    ERR_clear_error();
    if (reason == NULL)
        return err_set(err, code, "%s: error %08lx", what, number);
    return err_set(err, code, "%s: %s", what, reason);
}

static const char *library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

X509 *tls_openssl_next(BIO *bio)
{
    return PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
}

/* True when all of the text was read: anything but its end is an error. */
static bool was_all(void)
{
    unsigned long number = ERR_peek_last_error();
    bool all = ERR_GET_LIB(number) == ERR_LIB_PEM && ERR_GET_REASON(number) == PEM_R_NO_START_LINE;

    if (all)
        ERR_clear_error();
    return all;
}

static BIO *text_of(const struct buf *pem)
{
    return BIO_new_mem_buf(buf_bytes(pem), (int)buf_length(pem) - 1); /* without the NUL */
}

/* ---- our own certificate ---- */

static bool use_chain(SSL_CTX *ssl, BIO *bio)
{
    X509 *certificate = tls_openssl_next(bio);
    bool good = certificate != NULL && SSL_CTX_use_certificate(ssl, certificate) == 1;

    X509_free(certificate);
    while (good && (certificate = tls_openssl_next(bio)) != NULL) {
        good = SSL_CTX_add1_chain_cert(ssl, certificate) == 1;
        X509_free(certificate);
    }
    return good && was_all();
}

static enum err_code read_chain(SSL_CTX *ssl, const struct buf *pem, const char *path,
                                struct err *err)
{
    BIO *bio = text_of(pem);
    bool good = use_chain(ssl, bio);

    BIO_free(bio);
    return good ? ERR_NONE : tls_openssl_err(err, ERR_INVALID, path);
}

/* A key with a passphrase is an error: nobody is there to ask. */
static int no_passphrase(char *room, int size, int writing, void *context)
{
    (void)room;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static enum err_code read_key(SSL_CTX *ssl, const struct buf *pem,
                              const struct tls_settings *settings, struct err *err)
{
    BIO *bio = text_of(pem);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    enum err_code code = ERR_NONE;

    if (key == NULL)
        code = tls_openssl_err(err, ERR_INVALID, settings->key_file);
    else if (X509_check_private_key(SSL_CTX_get0_certificate(ssl), key) != 1)
        code = err_set(err, ERR_INVALID, "%s: the key does not fit the certificate in %s",
                       settings->key_file, settings->certificate_file);
    else if (SSL_CTX_use_PrivateKey(ssl, key) != 1)
        code = tls_openssl_err(err, ERR_INVALID, settings->key_file);
    ERR_clear_error();
    EVP_PKEY_free(key);
    BIO_free(bio);
    return code;
}

/* ---- who may have signed the peer's ---- */

static bool add_authorities(SSL_CTX *ssl, BIO *bio)
{
    X509 *authority;
    bool good = true;
    size_t count = 0;

    for (; good && (authority = tls_openssl_next(bio)) != NULL; count++) {
        good = X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl), authority) == 1 &&
               SSL_CTX_add_client_CA(ssl, authority) == 1;
        X509_free(authority);
    }
    return good && count > 0 && was_all();
}

/* As with mbedTLS, each certificate of the file is an anchor, whether it signs itself or not. */
static enum err_code read_authorities(SSL_CTX *ssl, const struct buf *pem, const char *path,
                                      struct err *err)
{
    BIO *bio = text_of(pem);
    bool good = add_authorities(ssl, bio);

    BIO_free(bio);
    if (!good)
        return tls_openssl_err(err, ERR_INVALID, path);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN);
    return ERR_NONE;
}

/* ---- contexts ---- */

/* Sessions are resumed by tickets or not at all: nothing is kept here. */
static void set_modes(SSL_CTX *ssl)
{
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ssl, 0);
    SSL_CTX_set_max_early_data(ssl, 0);
    SSL_CTX_set_recv_max_early_data(ssl, 0);
}

static bool set_rules(SSL_CTX *ssl)
{
    return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ssl, 0) == 1 &&
           SSL_CTX_set_cipher_list(ssl, suites_12) == 1 &&
           SSL_CTX_set_ciphersuites(ssl, suites_13) == 1 &&
           SSL_CTX_set1_groups_list(ssl, groups) == 1;
}

static enum err_code fill(struct openssl_context *context, const struct tls_settings *settings,
                          const struct tls_pem *pem, struct err *err)
{
    enum err_code code = ERR_NONE;

    if (context->ssl == NULL || !set_rules(context->ssl))
        return tls_openssl_err(err, ERR_UNAVAILABLE, library());
    set_modes(context->ssl);
    tls_openssl_set_callbacks(context);
    if (context->base.tickets != NULL && !tls_openssl_give_tickets(context))
        return tls_openssl_err(err, ERR_UNAVAILABLE, library());
    if (settings->certificate_file != NULL) {
        code = read_chain(context->ssl, &pem->certificates, settings->certificate_file, err);
        if (code == ERR_NONE)
            code = read_key(context->ssl, &pem->key, settings, err);
    }
    if (code == ERR_NONE && settings->ca_file != NULL)
        code = read_authorities(context->ssl, &pem->authorities, settings->ca_file, err);
    return code;
}

static enum err_code context_create(struct tls_context **where, const struct tls_settings *settings,
                                    struct tls_pem *pem, struct err *err)
{
    struct openssl_context *context = mem_alloc(sizeof(*context));
    enum err_code code;

    ERR_clear_error();
    tls_context_begin(&context->base, &tls_openssl_ops, settings);
    context->ssl =
        SSL_CTX_new(settings->role == TLS_SERVER ? TLS_server_method() : TLS_client_method());
    *where = &context->base;
    code = fill(context, settings, pem, err);
    if (code != ERR_NONE)
        tls_context_unref(where);
    return code;
}

static void context_destroy(struct tls_context *base)
{
    struct openssl_context *context = (struct openssl_context *)base;

    SSL_CTX_free(context->ssl);
    free(context);
}

/* ---- facts ---- */

static const char *version(const struct tls_session *session)
{
    return SSL_get_version(openssl_ssl_of(session));
}

static const char *cipher(const struct tls_session *session)
{
    return SSL_CIPHER_get_name(SSL_get_current_cipher(openssl_ssl_of(session)));
}

/* OpenSSL has the name without a NUL; it is one of the list's. */
static const char *alpn(const struct tls_session *session)
{
    const char *const *name = ((const struct openssl_session *)session)->alpn;
    const unsigned char *chosen;
    unsigned length;

    SSL_get0_alpn_selected(openssl_ssl_of(session), &chosen, &length);
    if (length == 0 || name == NULL)
        return NULL;
    while (*name != NULL && !str_equal(str_of(*name), str_n(chosen, length)))
        name++;
    return *name;
}

const struct tls_engine_ops tls_openssl_ops = {
    .library = library,
    .context_create = context_create,
    .context_destroy = context_destroy,
    .session_create = tls_openssl_session_create,
    .session_destroy = tls_openssl_session_destroy,
    .shake_hands = tls_openssl_shake_hands,
    .decrypt = tls_openssl_decrypt,
    .encrypt = tls_openssl_encrypt,
    .finish = tls_openssl_finish,
    .version = version,
    .cipher = cipher,
    .alpn = alpn,
    .channel_binding = tls_openssl_channel_binding,
    .peer = tls_openssl_peer,
    .peer_has_name = tls_openssl_peer_has_name,
    .hash_digest = tls_openssl_digest,
    .hash_mac = tls_openssl_mac,
    .hash_password = tls_openssl_password,
    .pki_make = tls_openssl_pki_make,
    .pki_read = tls_openssl_pki_read,
};
