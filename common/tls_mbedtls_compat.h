/* Where mbedTLS 3 differs from 2.28. */
#ifndef COMMON_TLS_MBEDTLS_COMPAT_H
#define COMMON_TLS_MBEDTLS_COMPAT_H

#include "common/tls_mbedtls.h"

#if MBEDTLS_VERSION_NUMBER >= 0x03000000

#include <psa/crypto.h>

/* TLS 1.3 works through PSA, which wants to be started once. */
static inline bool compat_start(void)
{
    return psa_crypto_init() == PSA_SUCCESS;
}

static inline int compat_parse_key(mbedtls_pk_context *key, const unsigned char *bytes,
                                   size_t length, mbedtls_ctr_drbg_context *random)
{
    return mbedtls_pk_parse_key(key, bytes, length, NULL, 0, mbedtls_ctr_drbg_random, random);
}

static inline int compat_check_pair(const mbedtls_pk_context *public_key,
                                    const mbedtls_pk_context *key, mbedtls_ctr_drbg_context *random)
{
    return mbedtls_pk_check_pair(public_key, key, mbedtls_ctr_drbg_random, random);
}

static inline void compat_set_versions(mbedtls_ssl_config *config)
{
    mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
}

static inline void compat_set_groups(mbedtls_ssl_config *config)
{
    static const uint16_t groups[] = {
        MBEDTLS_SSL_IANA_TLS_GROUP_X25519,    MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
        MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1,
        MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
    };

    mbedtls_ssl_conf_groups(config, groups);
}

#else

static inline bool compat_start(void)
{
    return true;
}

static inline int compat_parse_key(mbedtls_pk_context *key, const unsigned char *bytes,
                                   size_t length, mbedtls_ctr_drbg_context *random)
{
    (void)random;
    return mbedtls_pk_parse_key(key, bytes, length, NULL, 0);
}

static inline int compat_check_pair(const mbedtls_pk_context *public_key,
                                    const mbedtls_pk_context *key, mbedtls_ctr_drbg_context *random)
{
    (void)random;
    return mbedtls_pk_check_pair(public_key, key);
}

static inline void compat_set_versions(mbedtls_ssl_config *config)
{
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
}

/* 2.28 would prefer the largest curve, which costs a server ten times as much. */
static inline void compat_set_groups(mbedtls_ssl_config *config)
{
    static const mbedtls_ecp_group_id groups[] = {
        MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1,
        MBEDTLS_ECP_DP_SECP521R1,  MBEDTLS_ECP_DP_NONE,
    };

    mbedtls_ssl_conf_curves(config, groups);
}

#endif

/* 3.x tells a client of TLS 1.3 that a ticket has come, as if it were an error. */
static inline bool compat_is_passing(int status)
{
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
    if (status == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
        return true;
#endif
    return status == MBEDTLS_ERR_SSL_CRYPTO_IN_PROGRESS;
}

#endif
