/* status: how the running back end is. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/tls.h"
#include "mailbox-backend/admin.h"
#include "mailbox-backend/link_service.h"
#include "mailbox-backend/session_registry.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/maintain.h"

static void put_services(struct admin_call *call)
{
    struct services *services = admin_host(call)->services;
    const struct service_name *service;
    const char *running[32];
    size_t count = 0;

    for (size_t n = 0; (service = services_name(services, n)) != NULL; n++) {
        if (service_is_running(services, service->name))
            running[count++] = service->name;
    }
    admin_put_list(call, "services", running, count);
}

static void put_sessions(struct admin_call *call, const struct backend *backend)
{
    struct session_registry *registry = backend->registry;

    admin_put_number(call, "links", link_service_links(backend->links));
    admin_put_number(call, "sessions", session_registry_count(registry, 0));
    admin_put_number(call, "imap4-sessions", session_registry_count(registry, SERVICE_IMAP4));
    admin_put_number(call, "pop3-sessions", session_registry_count(registry, SERVICE_POP3));
    admin_put_number(call, "lmtp-sessions", session_registry_count(registry, SERVICE_LMTP));
}

static uint64_t percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 100 : part * 100 / whole;
}

/* Whose mailboxes nobody gets at. */
static void put_unmounted(struct admin_call *call, struct store *store, unsigned databases)
{
    struct database_status *status = mem_alloc(sizeof(*status));
    char names[STORE_DATABASES_MAX][sizeof(status->name)];
    const char *list[STORE_DATABASES_MAX];
    size_t count = 0;

    for (unsigned n = 0; n < databases && n < STORE_DATABASES_MAX; n++) {
        if (store_database_status(store, n, status, NULL) != ERR_NONE || status->mounted)
            continue;
        memcpy(names[count], status->name, sizeof(status->name));
        list[count] = names[count];
        count++;
        admin_say(call, "%s is not mounted: %s", status->name, status->why);
    }
    admin_put_list(call, "unmounted", list, count);
    free(status);
}

static void put_store(struct admin_call *call, const struct backend *backend)
{
    struct store_status status;

    store_status(backend->store, &status);
    admin_put_number(call, "users", directory_count(backend->directory));
    admin_put_number(call, "databases", status.databases);
    put_unmounted(call, backend->store, status.databases);
    admin_put_time(call, "oldest-index-copy", status.oldest_copy);
    admin_put_number(call, "format", status.oldest_format);
    admin_put_number(call, "format-newest", FORMAT_NEWEST);
    admin_put_number(call, "mailboxes", status.mailboxes);
    admin_put_number(call, "messages", status.items);
    admin_put_bytes(call, "content", status.content_bytes);
    admin_put_bytes(call, "disk-content", status.segment_bytes);
    admin_put_number(call, "segments", status.segments);
    admin_put_number(call, "live-percent", percent(status.content_bytes, status.segment_bytes));
    admin_put_bytes(call, "compacted", status.compacted_bytes);
    admin_put_bool(call, "compacting", status.compacting);
    admin_put_bytes(call, "disk-index", status.index_bytes);
    admin_put_number(call, "commits", status.commits);
    admin_put_number(call, "operations", status.operations);
    admin_put_number(call, "oldest-reader-ms", status.oldest_reader_ms);
}

static enum err_code run_status(struct admin_call *call, struct err *err)
{
    const struct backend *backend = admin_backend(call);

    admin_put_text(call, "name", backend->settings->backend.name);
    admin_put_text(call, "version", VERSION);
    admin_put_text(call, "tls",
                   tls_library((enum tls_engine)backend->settings->backend.tls_engine));
    admin_put_text(call, "data", backend->settings->backend.data);
    put_services(call);
    put_sessions(call, backend);
    put_store(call, backend);
    return admin_row(call, err);
}

const struct admin_command backend_status_commands[] = {
    {
     .noun = "status",
     .verb = "",
     .arguments = "",
     .where = ADMIN_DAEMON,
     .help = "version, services, links, sessions, what is stored",
     .run = run_status,
     },
    {0 },
};
