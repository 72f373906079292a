/* OpenSSL lays out a ticket itself, with what it is given here: AES-256-CBC and HMAC-SHA-256 over all of
   it (RFC 5077 section 4). It also checks the ticket's age. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <string.h>

#include "common/mem.h"
#include "common/random.h"
#include "common/tls_openssl.h"

/* What the callback of OpenSSL answers. */
enum answer { FAILED = -1, FULL_HANDSHAKE = 0, USED = 1, USED_AND_RENEWED = 2 };

static bool start_mac(EVP_MAC_CTX *mac, const struct tls_ticket_key *key)
{
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_init(mac, key->mac, sizeof(key->mac), parameters) == 1;
}

static enum answer seal(struct tls_context *context, unsigned char *id, unsigned char *iv,
                        EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct tls_ticket_key key;
    bool good;

    tls_ticket_keys_newest(context->tickets, context->binding, &key);
    memcpy(id, key.id, sizeof(key.id));
    random_bytes(iv, (size_t)EVP_CIPHER_get_iv_length(EVP_aes_256_cbc()));
    good = EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.seal, iv) == 1 &&
           start_mac(mac, &key);
    mem_wipe(&key, sizeof(key));
    return good ? USED : FAILED;
}

static enum answer open_sealed(struct tls_context *context, const unsigned char *id,
                               unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct tls_ticket_key key;
    enum answer answer;
    bool good;

    if (!tls_ticket_keys_find(context->tickets, context->binding, id, &key))
        return FULL_HANDSHAKE;
    good = EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.seal, iv) == 1 &&
           start_mac(mac, &key);
    answer = key.is_newest ? USED : USED_AND_RENEWED;
    mem_wipe(&key, sizeof(key));
    return good ? answer : FAILED;
}

static int on_ticket(SSL *ssl, unsigned char *id, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int sealing)
{
    const struct openssl_session *session = SSL_get_app_data(ssl);
    struct tls_context *context = session->base.context;

    if (sealing)
        return seal(context, id, iv, cipher, mac);
    return open_sealed(context, id, iv, cipher, mac);
}

bool tls_openssl_give_tickets(struct openssl_context *context)
{
    const char *binding = context->base.binding;
    uint8_t
        id[HASH_SIZE_MAX]; /* of the sessions, so that OpenSSL keeps the services apart as well */

    tls_openssl_digest(HASH_SHA256, str_of(binding), id);
    SSL_CTX_clear_options(context->ssl, SSL_OP_NO_TICKET);
    SSL_CTX_set_timeout(context->ssl, (long)tls_ticket_keys_lifetime(context->base.tickets));
    return SSL_CTX_set_num_tickets(context->ssl, 1) == 1 &&
           SSL_CTX_set_session_id_context(context->ssl, id, sizeof(id)) == 1 &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(context->ssl, on_ticket) == 1;
}
