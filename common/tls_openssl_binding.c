/* Channel bindings (RFC 5056) as OpenSSL gives them. */
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/tls_openssl.h"

#define EXPORTER_SIZE 32 /* RFC 9266 section 3 */

static size_t exporter(SSL *ssl, uint8_t out[TLS_CHANNEL_BINDING_MAX])
{
    struct str label = STR("EXPORTER-Channel-Binding");

    if (SSL_version(ssl) != TLS1_3_VERSION ||
        SSL_export_keying_material(ssl, out, EXPORTER_SIZE, label.data, label.length, NULL, 0, 0) !=
            1)
        return 0;
    return EXPORTER_SIZE;
}

/* The first Finished of the handshake: the client's, or the server's where a session is resumed. Without
   the extended master secret a man in the middle can have two sessions with one master secret and make
   a resumption's Finished alike on both (RFC 7627 section 1), so then there is none. */
static size_t unique(SSL *ssl, uint8_t out[TLS_CHANNEL_BINDING_MAX])
{
    bool is_of_server = SSL_session_reused(ssl) == 1;
    bool is_ours = (SSL_is_server(ssl) == 1) == is_of_server;
    size_t length;

    if (SSL_version(ssl) != TLS1_2_VERSION || SSL_get_extms_support(ssl) != 1)
        return 0;
    length = is_ours ? SSL_get_finished(ssl, out, TLS_CHANNEL_BINDING_MAX)
                     : SSL_get_peer_finished(ssl, out, TLS_CHANNEL_BINDING_MAX);
    return length <= TLS_CHANNEL_BINDING_MAX ? length : 0;
}

/* The certificate's hash by the algorithm of its signature, MD5 and SHA-1 being replaced. A signature
   without one hash of its own (Ed25519) leaves it undefined. */
static size_t end_point(SSL *ssl, uint8_t out[TLS_CHANNEL_BINDING_MAX])
{
    X509 *certificate =
        SSL_is_server(ssl) == 1 ? SSL_get_certificate(ssl) : SSL_get0_peer_certificate(ssl);
    const EVP_MD *digest;
    unsigned length = 0;
    int nid;

    if (certificate == NULL || X509_get_signature_info(certificate, &nid, NULL, NULL, NULL) != 1 ||
        nid == NID_undef)
        return 0;
    digest = EVP_get_digestbynid(nid == NID_md5 || nid == NID_sha1 ? NID_sha256 : nid);
    if (digest == NULL || EVP_MD_get_size(digest) > TLS_CHANNEL_BINDING_MAX ||
        X509_digest(certificate, digest, out, &length) != 1)
        return 0;
    return length;
}

size_t tls_openssl_channel_binding(const struct tls_session *session, enum tls_channel_binding kind,
                                   uint8_t out[TLS_CHANNEL_BINDING_MAX])
{
    static size_t (*const kinds[TLS_CHANNEL_BINDINGS])(SSL * ssl, uint8_t * out) = {
        [TLS_EXPORTER] = exporter,
        [TLS_UNIQUE] = unique,
        [TLS_SERVER_END_POINT] = end_point,
    };

    return kinds[kind](openssl_ssl_of(session), out);
}
