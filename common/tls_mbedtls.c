#include "common/tls_mbedtls.h"

#include <mbedtls/error.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/random.h"
#include "common/tls_mbedtls_compat.h"

enum err_code tls_mbedtls_err(struct err *err, enum err_code code, int status, const char *what)
{
    char text[120] = "";

    mbedtls_strerror(status, text, sizeof(text));
    return err_set(err, code, "%s: %s (-0x%04x)", what, text, (unsigned)-status);
}

static const char *library(void)
{
    return MBEDTLS_VERSION_STRING_FULL;
}

/* getrandom() instead of the sources that mbedTLS looks for itself, so that a sandbox without
   /dev/urandom is no trouble. */
static int seed(void *unused, unsigned char *bytes, size_t length)
{
    (void)unused;
    random_bytes(bytes, length);
    return 0;
}

/* Certificates that a later mbedTLS adds to a file and this one cannot read are an error too: half
   a chain would fail at some clients only. */
static enum err_code read_certificates(mbedtls_x509_crt *chain, const struct buf *pem,
                                       const char *path, struct err *err)
{
    int status = mbedtls_x509_crt_parse(chain, buf_bytes(pem), buf_length(pem));

    if (status < 0)
        return tls_mbedtls_err(err, ERR_INVALID, status, path);
    if (status > 0)
        return err_set(err, ERR_INVALID, "%s: %d of its certificates cannot be read", path, status);
    return ERR_NONE;
}

/* An elliptic curve of mbedTLS 2.28 computes a table when it is first used, without a lock. Using
   each shared key once, before threads do, makes it read-only from then on. The signature is well
   formed (r = s = 1) and wrong. */
static void warm_up(mbedtls_pk_context *key)
{
    static const unsigned char signature[] = {0x30, 6, 2, 1, 1, 2, 1, 1};
    static const unsigned char hash[32] = {42};

    if (mbedtls_pk_can_do(key, MBEDTLS_PK_ECDSA))
        (void)mbedtls_pk_verify(key, MBEDTLS_MD_SHA256, hash, sizeof(hash), signature,
                                sizeof(signature));
}

static enum err_code read_own(struct mbedtls_context *context, const struct tls_settings *settings,
                              const struct tls_pem *pem, struct err *err)
{
    enum err_code code = read_certificates(&context->certificate, &pem->certificates,
                                           settings->certificate_file, err);
    int status;

    if (code != ERR_NONE)
        return code;
    status = compat_parse_key(&context->key, buf_bytes(&pem->key), buf_length(&pem->key),
                              &context->random);
    if (status != 0)
        return tls_mbedtls_err(err, ERR_INVALID, status, settings->key_file);
    if (compat_check_pair(&context->certificate.pk, &context->key, &context->random) != 0)
        return err_set(err, ERR_INVALID, "%s: the key does not fit the certificate in %s",
                       settings->key_file, settings->certificate_file);
    warm_up(&context->key);
    context->has_certificate = true;
    return ERR_NONE;
}

static enum err_code read_authorities(struct mbedtls_context *context, const struct buf *pem,
                                      const char *path, struct err *err)
{
    enum err_code code = read_certificates(&context->authorities, pem, path, err);

    if (code != ERR_NONE)
        return code;
    for (mbedtls_x509_crt *at = &context->authorities; at != NULL; at = at->next)
        warm_up(&at->pk);
    return ERR_NONE;
}

static enum err_code fill(struct mbedtls_context *context, const struct tls_settings *settings,
                          const struct tls_pem *pem, struct err *err)
{
    int status = mbedtls_ctr_drbg_seed(&context->random, seed, NULL, NULL, 0);
    enum err_code code = ERR_NONE;

    if (status != 0)
        return tls_mbedtls_err(err, ERR_UNAVAILABLE, status, "random numbers for TLS");
    if (settings->certificate_file != NULL)
        code = read_own(context, settings, pem, err);
    if (code == ERR_NONE && settings->ca_file != NULL)
        code = read_authorities(context, &pem->authorities, settings->ca_file, err);
    return code;
}

static enum err_code context_create(struct tls_context **where, const struct tls_settings *settings,
                                    struct tls_pem *pem, struct err *err)
{
    struct mbedtls_context *context;
    enum err_code code;

    if (!compat_start())
        return err_set(err, ERR_UNAVAILABLE, "%s cannot be started", library());
    context = mem_alloc(sizeof(*context));
    tls_context_begin(&context->base, &tls_mbedtls_ops, settings);
    mbedtls_x509_crt_init(&context->certificate);
    mbedtls_x509_crt_init(&context->authorities);
    mbedtls_pk_init(&context->key);
    mbedtls_ctr_drbg_init(&context->random);
    pthread_mutex_init(&context->lock, NULL);
    *where = &context->base;
    code = fill(context, settings, pem, err);
    if (code != ERR_NONE)
        tls_context_unref(where);
    return code;
}

static void context_destroy(struct tls_context *base)
{
    struct mbedtls_context *context = (struct mbedtls_context *)base;

    tls_mbedtls_free_variants(context);
    mbedtls_x509_crt_free(&context->certificate);
    mbedtls_x509_crt_free(&context->authorities);
    mbedtls_pk_free(&context->key);
    mbedtls_ctr_drbg_free(&context->random);
    pthread_mutex_destroy(&context->lock);
    free(context);
}

static const char *version(const struct tls_session *session)
{
    return mbedtls_ssl_get_version(mbedtls_ssl_of(session));
}

static const char *cipher(const struct tls_session *session)
{
    return mbedtls_ssl_get_ciphersuite(mbedtls_ssl_of(session));
}

static const char *alpn(const struct tls_session *session)
{
    return mbedtls_ssl_get_alpn_protocol(mbedtls_ssl_of(session));
}

const struct tls_engine_ops tls_mbedtls_ops = {
    .library = library,
    .context_create = context_create,
    .context_destroy = context_destroy,
    .session_create = tls_mbedtls_session_create,
    .session_destroy = tls_mbedtls_session_destroy,
    .shake_hands = tls_mbedtls_shake_hands,
    .decrypt = tls_mbedtls_decrypt,
    .encrypt = tls_mbedtls_encrypt,
    .finish = tls_mbedtls_finish,
    .version = version,
    .cipher = cipher,
    .alpn = alpn,
    .channel_binding = tls_mbedtls_channel_binding,
    .peer = tls_mbedtls_peer,
    .peer_has_name = tls_mbedtls_peer_has_name,
    .hash_digest = tls_mbedtls_digest,
    .hash_mac = tls_mbedtls_mac,
    .hash_password = tls_mbedtls_password,
    .pki_make = tls_mbedtls_pki_make,
    .pki_read = tls_mbedtls_pki_read,
};
