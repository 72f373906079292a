#include "cas-proxy/certificates.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/mem.h"

struct certificates {
    pthread_mutex_t mutex;
    const struct front_settings *settings;
    struct tls_context *contexts[2]; /* by whether the client is asked for a certificate */
};

static enum err_code read_files(const struct front_settings *settings,
                                struct tls_context *contexts[2], struct err *err)
{
    struct tls_settings plain = {.engine = (enum tls_engine)settings->front.tls_engine,
                                 .role = TLS_SERVER,
                                 .certificate_file = settings->tls.certificate,
                                 .key_file = settings->tls.key,
                                 .peer = TLS_PEER_NONE};
    struct tls_settings asking = plain;
    enum err_code code;

    if (settings->tls.certificate == NULL)
        return ERR_NONE;
    code = tls_context_create(&contexts[0], &plain, err);
    if (code != ERR_NONE)
        return code;
    if (settings->link.ca == NULL) {
        contexts[1] = tls_context_ref(contexts[0]);
        return ERR_NONE;
    }
    asking.ca_file = settings->link.ca;
    asking.peer = TLS_PEER_OPTIONAL;
    code = tls_context_create(&contexts[1], &asking, err);
    if (code != ERR_NONE)
        tls_context_unref(&contexts[0]);
    return code;
}

enum err_code certificates_create(struct certificates **certificates,
                                  const struct front_settings *settings, struct err *err)
{
    struct tls_context *contexts[2] = {NULL, NULL};
    enum err_code code = read_files(settings, contexts, err);

    if (code != ERR_NONE)
        return code;
    *certificates = mem_alloc(sizeof(**certificates));
    pthread_mutex_init(&(*certificates)->mutex, NULL);
    (*certificates)->settings = settings;
    for (int i = 0; i < 2; i++)
        (*certificates)->contexts[i] = contexts[i];
    return ERR_NONE;
}

static void let_go(struct tls_context *contexts[2])
{
    for (int i = 0; i < 2; i++) {
        if (contexts[i] != NULL)
            tls_context_unref(&contexts[i]);
    }
}

void certificates_destroy(struct certificates **certificates)
{
    let_go((*certificates)->contexts);
    pthread_mutex_destroy(&(*certificates)->mutex);
    free(*certificates);
    *certificates = NULL;
}

enum err_code certificates_reload(struct certificates *certificates, struct err *err)
{
    struct tls_context *contexts[2] = {NULL, NULL};
    enum err_code code = read_files(certificates->settings, contexts, err);

    if (code != ERR_NONE)
        return code;
    pthread_mutex_lock(&certificates->mutex);
    for (int i = 0; i < 2; i++) {
        struct tls_context *old = certificates->contexts[i];

        certificates->contexts[i] = contexts[i];
        contexts[i] = old;
    }
    pthread_mutex_unlock(&certificates->mutex);
    let_go(contexts);
    return ERR_NONE;
}

struct tls_context *certificates_get(struct certificates *certificates, bool ask)
{
    struct tls_context *context;

    pthread_mutex_lock(&certificates->mutex);
    context = certificates->contexts[ask];
    if (context != NULL)
        context = tls_context_ref(context);
    pthread_mutex_unlock(&certificates->mutex);
    return context;
}

bool certificates_are_there(struct certificates *certificates)
{
    return certificates->settings->tls.certificate != NULL;
}
