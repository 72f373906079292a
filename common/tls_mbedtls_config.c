#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/tls_mbedtls_compat.h"

/* ECDHE with an AEAD only. ChaCha20 first: mbedTLS encrypts with it nearly twice as fast as with
   its AES-GCM, also where the processor has AES instructions. */
static const int suites[] = {
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    0,
};

static void set_peer_rules(mbedtls_ssl_config *config, struct mbedtls_context *context)
{
    static const int modes[] = {
        [TLS_PEER_NONE] = MBEDTLS_SSL_VERIFY_NONE,
        [TLS_PEER_OPTIONAL] = MBEDTLS_SSL_VERIFY_OPTIONAL,
        [TLS_PEER_REQUIRED] = MBEDTLS_SSL_VERIFY_REQUIRED,
    };

    mbedtls_ssl_conf_authmode(config, modes[context->base.peer]);
    mbedtls_ssl_conf_ca_chain(config, &context->authorities, NULL);
    if (context->has_certificate)
        mbedtls_ssl_conf_own_cert(config, &context->certificate, &context->key);
}

static void set_up(mbedtls_ssl_config *config, struct mbedtls_context *context)
{
    bool server = context->base.role == TLS_SERVER;

    mbedtls_ssl_config_init(config);
    mbedtls_ssl_config_defaults(config, server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    compat_set_versions(config);
    compat_set_groups(config);
    mbedtls_ssl_conf_ciphersuites(config, suites);
    mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &context->random);
    set_peer_rules(config, context);
    if (server)
        mbedtls_ssl_conf_sni(config, tls_mbedtls_on_server_name, NULL);
#ifdef MBEDTLS_SSL_RENEGOTIATION
    mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
#ifdef MBEDTLS_SSL_SESSION_TICKETS
    if (context->base.tickets != NULL)
        tls_mbedtls_give_tickets(config, context);
    else if (!server) /* a server gives none until it is told how to make them */
        mbedtls_ssl_conf_session_tickets(config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#endif
}

static bool same_list(char *const *a, const char *const *b)
{
    if (a == NULL || b == NULL)
        return a == NULL && b == NULL;
    while (*a != NULL && *b != NULL && strcmp(*a, *b) == 0) {
        a++;
        b++;
    }
    return *a == NULL && *b == NULL;
}

static char **copy_list(const char *const *list)
{
    size_t count = 0;
    char **copy;

    if (list == NULL)
        return NULL;
    while (list[count] != NULL)
        count++;
    copy = mem_array(count + 1, sizeof(*copy));
    for (size_t i = 0; i < count; i++)
        copy[i] = mem_string(list[i]);
    return copy;
}

static struct tls_variant *make_variant(struct mbedtls_context *context, const char *const *alpn)
{
    struct tls_variant *variant = mem_alloc(sizeof(*variant));

    set_up(&variant->config, context);
    variant->alpn = copy_list(alpn);
    if (alpn != NULL)
        mbedtls_ssl_conf_alpn_protocols(&variant->config, (const char **)variant->alpn);
    variant->next = context->variants;
    context->variants = variant;
    return variant;
}

const mbedtls_ssl_config *tls_mbedtls_config(struct mbedtls_context *context,
                                             const char *const *alpn)
{
    struct tls_variant *variant;

    pthread_mutex_lock(&context->lock);
    variant = context->variants;
    while (variant != NULL && !same_list(variant->alpn, alpn))
        variant = variant->next;
    if (variant == NULL)
        variant = make_variant(context, alpn);
    pthread_mutex_unlock(&context->lock);
    return &variant->config;
}

void tls_mbedtls_free_variants(struct mbedtls_context *context)
{
    while (context->variants != NULL) {
        struct tls_variant *variant = context->variants;

        context->variants = variant->next;
        mbedtls_ssl_config_free(&variant->config);
        for (char **name = variant->alpn; name != NULL && *name != NULL; name++)
            free(*name);
        free(variant->alpn);
        free(variant);
    }
}
