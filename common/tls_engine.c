#include "common/tls_engine.h"

const char *const tls_engine_names[] = {"auto", "mbedtls", "openssl", NULL};

static const struct tls_engine_ops *const engines[] = {
#ifdef TLS_WITH_MBEDTLS
    [TLS_ENGINE_MBEDTLS] = &tls_mbedtls_ops,
#endif
#ifdef TLS_WITH_OPENSSL
    [TLS_ENGINE_OPENSSL] = &tls_openssl_ops,
#else
    [TLS_ENGINE_OPENSSL] = NULL,
#endif
};

const struct tls_engine_ops *tls_engine_ops(enum tls_engine engine)
{
    if (engine != TLS_ENGINE_AUTO)
        return engines[engine];
    return engines[TLS_ENGINE_MBEDTLS] != NULL ? engines[TLS_ENGINE_MBEDTLS]
                                               : engines[TLS_ENGINE_OPENSSL];
}

const struct tls_engine_ops *tls_engine_hash(void)
{
    return engines[TLS_ENGINE_OPENSSL] != NULL ? engines[TLS_ENGINE_OPENSSL]
                                               : engines[TLS_ENGINE_MBEDTLS];
}

enum err_code tls_engine_check(enum tls_engine engine, struct err *err)
{
    if (tls_engine_ops(engine) != NULL)
        return ERR_NONE;
    return err_set(err, ERR_INVALID, "the TLS engine %s is not built in, only %s",
                   tls_engine_names[engine], tls_library(TLS_ENGINE_AUTO));
}

const char *tls_library(enum tls_engine engine)
{
    return tls_engine_ops(engine)->library();
}
