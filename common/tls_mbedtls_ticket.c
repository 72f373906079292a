/* A ticket: the key's id, a nonce, then sealed by AES-256-GCM the time at which it was made and the
   session as mbedTLS writes it, and the tag. Id and nonce are authenticated with it. */
#include <mbedtls/gcm.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "common/random.h"
#include "common/tls_mbedtls.h"

#ifdef MBEDTLS_SSL_SESSION_TICKETS

#define NONCE 12
#define TAG 16
#define TIME 8
#define HEAD (TLS_TICKET_ID + NONCE)

static int use_key(mbedtls_gcm_context *gcm, const struct tls_ticket_key *key)
{
    return mbedtls_gcm_setkey(gcm, MBEDTLS_CIPHER_ID_AES, key->seal, 8 * sizeof(key->seal));
}

static void put_time(unsigned char *to, int64_t time)
{
    for (int i = TIME - 1; i >= 0; i--, time >>= 8)
        to[i] = (unsigned char)time;
}

static int64_t get_time(const unsigned char *from)
{
    uint64_t time = 0;

    for (int i = 0; i < TIME; i++)
        time = time << 8 | from[i];
    return (int64_t)time;
}

/* Seals length bytes behind the head in their place. */
static int seal(struct tls_context *context, unsigned char *ticket, size_t length)
{
    struct tls_ticket_key key;
    mbedtls_gcm_context gcm;
    int status;

    tls_ticket_keys_newest(context->tickets, context->binding, &key);
    memcpy(ticket, key.id, TLS_TICKET_ID);
    random_bytes(ticket + TLS_TICKET_ID, NONCE);
    mbedtls_gcm_init(&gcm);
    status = use_key(&gcm, &key);
    if (status == 0)
        status = mbedtls_gcm_crypt_and_tag(
            &gcm, MBEDTLS_GCM_ENCRYPT, length, ticket + TLS_TICKET_ID, NONCE, ticket, HEAD,
            ticket + HEAD, ticket + HEAD, TAG, ticket + HEAD + length);
    mbedtls_gcm_free(&gcm);
    mem_wipe(&key, sizeof(key));
    return status;
}

static int on_write(void *of, const mbedtls_ssl_session *session, unsigned char *start,
                    const unsigned char *end, size_t *length, uint32_t *lifetime)
{
    struct tls_context *context = of;
    size_t room = (size_t)(end - start), used = 0;
    int status;

    if (room < HEAD + TIME + TAG)
        return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
    put_time(start + HEAD, time(NULL));
    status =
        mbedtls_ssl_session_save(session, start + HEAD + TIME, room - HEAD - TIME - TAG, &used);
    if (status == 0)
        status = seal(context, start, TIME + used);
    *length = HEAD + TIME + used + TAG;
    *lifetime = (uint32_t)tls_ticket_keys_lifetime(context->tickets);
    return status;
}

/* What is no good ticket of ours has one answer, after which mbedTLS does a full handshake. */
static int open_sealed(struct tls_context *context, unsigned char *ticket, size_t length)
{
    struct tls_ticket_key key;
    mbedtls_gcm_context gcm;
    int status;

    if (!tls_ticket_keys_find(context->tickets, context->binding, ticket, &key))
        return MBEDTLS_ERR_SSL_INVALID_MAC;
    mbedtls_gcm_init(&gcm);
    status = use_key(&gcm, &key);
    if (status == 0)
        status =
            mbedtls_gcm_auth_decrypt(&gcm, length, ticket + TLS_TICKET_ID, NONCE, ticket, HEAD,
                                     ticket + HEAD + length, TAG, ticket + HEAD, ticket + HEAD);
    mbedtls_gcm_free(&gcm);
    mem_wipe(&key, sizeof(key));
    return status == 0 ? 0 : MBEDTLS_ERR_SSL_INVALID_MAC;
}

static int on_parse(void *of, mbedtls_ssl_session *session, unsigned char *ticket, size_t length)
{
    struct tls_context *context = of;
    int64_t lifetime = (int64_t)tls_ticket_keys_lifetime(context->tickets), age;
    int status;

    if (length < HEAD + TIME + TAG)
        return MBEDTLS_ERR_SSL_INVALID_MAC;
    length -= HEAD + TAG;
    status = open_sealed(context, ticket, length);
    if (status != 0)
        return status;
    age = time(NULL) - get_time(ticket + HEAD);
    if (age > lifetime || age < -lifetime)
        return MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
    if (mbedtls_ssl_session_load(session, ticket + HEAD + TIME, length - TIME) != 0)
        return MBEDTLS_ERR_SSL_INVALID_MAC;
    return 0;
}

void tls_mbedtls_give_tickets(mbedtls_ssl_config *config, struct mbedtls_context *context)
{
    mbedtls_ssl_conf_session_tickets_cb(config, on_write, on_parse, &context->base);
}

#else

void tls_mbedtls_give_tickets(mbedtls_ssl_config *config, struct mbedtls_context *context)
{
    (void)config;
    (void)context; /* the library was built without them */
}

#endif
