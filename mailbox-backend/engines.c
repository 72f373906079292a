#include "mailbox-backend/engines.h"

#include <stdlib.h>
#include <string.h>

#include "mailbox-backend/imap4/engine.h"
#include "mailbox-backend/lmtp/engine.h"
#include "mailbox-backend/pop3/engine.h"

static uint64_t imap4_idle_timeout(const struct backend_settings *settings)
{
    return settings->imap4be.idle_timeout;
}

static uint64_t imap4_max_sessions(const struct backend_settings *settings)
{
    return settings->imap4be.max_sessions_user;
}

static uint64_t pop3_idle_timeout(const struct backend_settings *settings)
{
    return settings->pop3be.idle_timeout;
}

static uint64_t pop3_max_sessions(const struct backend_settings *settings)
{
    return settings->pop3be.max_sessions_user;
}

static uint64_t lmtp_idle_timeout(const struct backend_settings *settings)
{
    return settings->lmtpbe.idle_timeout;
}

const struct engine_entry engines[] = {
    {&imap4_engine, SERVICE_IMAP4, false, imap4_idle_timeout, imap4_max_sessions},
    {&pop3_engine,  SERVICE_POP3,  false, pop3_idle_timeout,  pop3_max_sessions },
    {&lmtp_engine,  SERVICE_LMTP,  true,  lmtp_idle_timeout,  NULL              },
};

const size_t engine_count = sizeof(engines) / sizeof(engines[0]);

const struct engine_entry *engine_find(const char *service)
{
    for (size_t i = 0; i < engine_count; i++) {
        if (strcmp(engines[i].engine->service, service) == 0)
            return &engines[i];
    }
    return NULL;
}

static const struct service_name names[] = {
    {"imap4be", "imap4", "IMAP4rev1 access to mailboxes"           },
    {"pop3be",  "pop3",  "POP3 access to inboxes"                  },
    {"lmtpbe",  "lmtp",  "delivery of mail that the fronts take in"},
};

enum err_code backend_services_open(struct services **services,
                                    const struct backend_settings *settings, struct err *err)
{
    char *file = backend_path(settings, "services");
    struct services_settings how = {
        .file = file,
        .names = names,
        .count = sizeof(names) / sizeof(names[0]),
        .other_side = "front",
    };
    enum err_code code = services_open(services, &how, err);

    free(file);
    return code;
}
