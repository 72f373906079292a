#include "cas-proxy/certificates.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/tls_ticket.h"

#define OLD_KEY (INT64_C(7) * 86400) /* seconds: whoever rotates the keys seems to have stopped */

/* Each service has a context of its own, so that its session tickets are good for nothing else. */
enum { IMAP4, POP3, LMTP, SERVICES };

static const char *const services[SERVICES] = {[IMAP4] = "imap4", [POP3] = "pop3", [LMTP] = "lmtp"};

struct certificates {
    pthread_mutex_t mutex;
    const struct front_settings *settings;
    struct tls_ticket_keys *tickets; /* NULL: no tickets are given */
    struct tls_context *contexts[SERVICES];
};

/* Whom the clients' certificates must be of: MTAs have theirs from the link's CA. */
static void say_peer(const struct front_settings *settings, int service, struct tls_settings *files)
{
    files->service = services[service];
    files->peer =
        (enum tls_peer)front_settings_service(settings, services[service])->client_certificates;
    files->ca_file = files->peer == TLS_PEER_NONE ? NULL : settings->tls.client_ca;
    if (service == LMTP && settings->link.ca != NULL) {
        files->peer = TLS_PEER_OPTIONAL;
        files->ca_file = settings->link.ca;
    }
}

static enum err_code read_files(const struct certificates *certificates,
                                struct tls_context *contexts[SERVICES], struct err *err)
{
    const struct front_settings *settings = certificates->settings;
    struct tls_settings files = {.engine = (enum tls_engine)settings->front.tls_engine,
                                 .role = TLS_SERVER,
                                 .certificate_file = settings->tls.certificate,
                                 .key_file = settings->tls.key,
                                 .tickets = certificates->tickets};

    if (settings->tls.certificate == NULL)
        return ERR_NONE;
    for (int i = 0; i < SERVICES; i++) {
        say_peer(settings, i, &files);
        if (tls_context_create(&contexts[i], &files, err) != ERR_NONE)
            return err->code;
    }
    return ERR_NONE;
}

static void let_go(struct tls_context *contexts[SERVICES])
{
    for (int i = 0; i < SERVICES; i++)
        tls_context_unref(&contexts[i]);
}

/* ---- tickets ---- */

static void warn_of_old_key(const struct certificates *certificates)
{
    int64_t age = tls_ticket_keys_age(certificates->tickets);

    if (age > OLD_KEY)
        log_warning(NULL,
                    "the newest key in %s is %lld days old: `cas-proxy pki ticket-key` adds one",
                    certificates->settings->tls.ticket_keys, (long long)(age / 86400));
}

static enum err_code open_tickets(struct certificates *certificates, struct err *err)
{
    const struct front_settings *settings = certificates->settings;
    const char *path = settings->tls.ticket_keys;

    if (settings->tls.ticket_lifetime == 0)
        return ERR_NONE;
    if (path != NULL && path[0] == '\0')
        path = NULL;
    if (tls_ticket_keys_create(&certificates->tickets, path, settings->tls.ticket_lifetime, err) !=
        ERR_NONE)
        return err_prefix(err, "[tls] ticket_keys");
    warn_of_old_key(certificates);
    return ERR_NONE;
}

static enum err_code reload_tickets(struct certificates *certificates, struct err *err)
{
    if (certificates->tickets == NULL)
        return ERR_NONE;
    if (tls_ticket_keys_reload(certificates->tickets, err) != ERR_NONE)
        return err_prefix(err, "[tls] ticket_keys");
    warn_of_old_key(certificates);
    return ERR_NONE;
}

/* ---- the whole ---- */

enum err_code certificates_create(struct certificates **where,
                                  const struct front_settings *settings, struct err *err)
{
    struct certificates *certificates = mem_alloc(sizeof(*certificates));
    enum err_code code;

    pthread_mutex_init(&certificates->mutex, NULL);
    certificates->settings = settings;
    *where = certificates;
    code = open_tickets(certificates, err);
    if (code == ERR_NONE)
        code = read_files(certificates, certificates->contexts, err);
    if (code != ERR_NONE)
        certificates_destroy(where);
    return code;
}

void certificates_destroy(struct certificates **certificates)
{
    let_go((*certificates)->contexts);
    tls_ticket_keys_unref(&(*certificates)->tickets);
    pthread_mutex_destroy(&(*certificates)->mutex);
    free(*certificates);
    *certificates = NULL;
}

enum err_code certificates_reload(struct certificates *certificates, struct err *err)
{
    struct tls_context *contexts[SERVICES] = {NULL};
    enum err_code code = reload_tickets(certificates, err);

    if (code == ERR_NONE)
        code = read_files(certificates, contexts, err);
    if (code == ERR_NONE) {
        pthread_mutex_lock(&certificates->mutex);
        for (int i = 0; i < SERVICES; i++) {
            struct tls_context *old = certificates->contexts[i];

            certificates->contexts[i] = contexts[i];
            contexts[i] = old;
        }
        pthread_mutex_unlock(&certificates->mutex);
    }
    let_go(contexts);
    return code;
}

struct tls_context *certificates_get(struct certificates *certificates, const char *service)
{
    struct tls_context *context;
    int at = 0;

    while (at < SERVICES && strcmp(services[at], service) != 0)
        at++;
    assert(at < SERVICES);
    pthread_mutex_lock(&certificates->mutex);
    context = certificates->contexts[at];
    if (context != NULL)
        context = tls_context_ref(context);
    pthread_mutex_unlock(&certificates->mutex);
    return context;
}

bool certificates_are_there(struct certificates *certificates)
{
    return certificates->settings->tls.certificate != NULL;
}
