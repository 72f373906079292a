/* Channel bindings as mbedTLS gives them: it tells neither a Finished message (tls-unique) nor exported
   keys (tls-exporter) by its public functions, so the certificate is all there is to bind to. */
#include <mbedtls/md.h>
#include <mbedtls/oid.h>

#include "common/tls_mbedtls.h"

static const mbedtls_x509_crt *server_certificate(const struct tls_session *session)
{
    const struct mbedtls_context *context = mbedtls_context_of(session);

    if (session->context->role == TLS_CLIENT)
        return mbedtls_ssl_get_peer_cert(mbedtls_ssl_of(session));
    return context->has_certificate ? &context->certificate : NULL;
}

/* The hash of the certificate's signature, MD5 and SHA-1 being replaced (RFC 5929 section 4.1); NULL for
   a signature whose algorithm alone does not say it. */
static const mbedtls_md_info_t *digest_of(const mbedtls_x509_crt *certificate)
{
    mbedtls_md_type_t digest;
    mbedtls_pk_type_t key;

    if (mbedtls_oid_get_sig_alg(&certificate->sig_oid, &digest, &key) != 0)
        return NULL;
    if (digest == MBEDTLS_MD_MD5 || digest == MBEDTLS_MD_SHA1)
        digest = MBEDTLS_MD_SHA256;
    return mbedtls_md_info_from_type(digest);
}

size_t tls_mbedtls_channel_binding(const struct tls_session *session, enum tls_channel_binding kind,
                                   uint8_t out[TLS_CHANNEL_BINDING_MAX])
{
    const mbedtls_x509_crt *certificate = server_certificate(session);
    const mbedtls_md_info_t *digest;

    if (kind != TLS_SERVER_END_POINT || certificate == NULL)
        return 0;
    digest = digest_of(certificate);
    if (digest == NULL || mbedtls_md_get_size(digest) > TLS_CHANNEL_BINDING_MAX ||
        mbedtls_md(digest, certificate->raw.p, certificate->raw.len, out) != 0)
        return 0;
    return mbedtls_md_get_size(digest);
}
