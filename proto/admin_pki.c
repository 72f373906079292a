/* pki init|issue|list: the small CA of common/tls_pki.h; ticket-key: the file of common/tls_ticket.h. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/tls_pki.h"
#include "common/tls_ticket.h"
#include "proto/admin.h"

#define CA_DAYS 3650
#define CERTIFICATE_DAYS 820 /* phones refuse longer ones from private CAs (825) */
#define DAYS_MAX 36500
#define WARN_SECONDS 2592000 /* 30 days before a certificate ends */

static enum err_code get_days(const struct admin_call *call, unsigned usual, unsigned *days,
                              struct err *err)
{
    uint64_t given = usual;
    enum err_code code = admin_value_number(call, "days", &given, err);

    if (code == ERR_NONE && (given == 0 || given > DAYS_MAX))
        code = err_set(err, ERR_INVALID, "--days is between 1 and %d", DAYS_MAX);
    *days = (unsigned)given;
    return code;
}

static enum err_code run_init(struct admin_call *call, struct err *err)
{
    const char *folder = admin_name(call, 0), *name = admin_value(call, "name");
    unsigned days;
    enum err_code code = get_days(call, CA_DAYS, &days, err);

    if (code == ERR_NONE)
        code = pki_init(TLS_ENGINE_AUTO, folder, name == NULL ? "private-ca" : name, days, err);
    if (code == ERR_EXISTS)
        admin_hint(call, "a CA is never replaced; take another folder, or move it away yourself");
    if (code == ERR_NONE)
        admin_say(call, "made the CA %s/ca.crt; keep %s/ca.key safe", folder, folder);
    return code;
}

/* Several --host or --ip. */
static enum err_code get_list(const struct admin_call *call, const char *flag, const char **items,
                              size_t *count, struct err *err)
{
    const char *value;

    for (*count = 0; (value = admin_value_n(call, flag, *count)) != NULL; (*count)++) {
        if (*count == PKI_HOSTS_MAX)
            return err_set(err, ERR_LIMIT, "more than %d times --%s", PKI_HOSTS_MAX, flag);
        items[*count] = value;
    }
    return ERR_NONE;
}

static enum err_code get_request(const struct admin_call *call, struct pki_request *request,
                                 struct err *err)
{
    const char *role = admin_value(call, "role"), *file = admin_value(call, "out");
    enum err_code code;

    *request = (struct pki_request){
        .name = admin_value(call, "name"),
        .replace = admin_has(call, "replace"),
    };
    if (role == NULL || request->name == NULL)
        return err_set(err, ERR_INVALID, "--role and --name must be given");
    request->file = file == NULL ? request->name : file;
    if ((code = pki_role_parse(role, &request->role, err)) == ERR_NONE &&
        (code = get_list(call, "host", request->hosts, &request->host_count, err)) == ERR_NONE &&
        (code = get_list(call, "ip", request->addresses, &request->address_count, err)) == ERR_NONE)
        code = get_days(call, CERTIFICATE_DAYS, &request->days, err);
    return code;
}

static enum err_code run_issue(struct admin_call *call, struct err *err)
{
    const char *folder = admin_name(call, 0);
    struct pki_request request;
    enum err_code code = get_request(call, &request, err);

    if (code == ERR_NONE)
        code = pki_issue(TLS_ENGINE_AUTO, folder, &request, err);
    if (code == ERR_EXISTS)
        admin_hint(call, "--replace makes a new key and certificate in its place");
    if (code == ERR_NOT_FOUND)
        admin_hint(call, "%s pki init %s makes the CA", admin_host(call)->program->name, folder);
    if (code == ERR_NONE)
        admin_say(call, "made %s/%s.crt and %s/%s.key", folder, request.file, folder, request.file);
    return code;
}

static enum err_code put_certificate(struct admin_call *call, const char *folder, const char *file,
                                     struct err *err)
{
    struct arena *arena = admin_arena(call);
    struct pki_facts facts;
    int64_t left;

    if (pki_read(TLS_ENGINE_AUTO, arena_printf(arena, "%s/%s", folder, file), &facts, err) !=
        ERR_NONE) {
        admin_findings(call);
        admin_put_text(call, "file", file);
        admin_put_text(call, "state", err->text);
        return admin_row(call, err);
    }
    left = facts.not_after - time(NULL);
    if (left < WARN_SECONDS)
        admin_findings(call);
    admin_put_text(call, "file", file);
    admin_put_text(call, "state",
                   left < 0              ? "expired"
                   : left < WARN_SECONDS ? "expires soon"
                                         : "good");
    admin_put_text(call, "name", facts.common_name);
    admin_put_text(call, "role", facts.unit);
    admin_put_time(call, "until", facts.not_after);
    admin_put_text(call, "names", facts.names);
    admin_put_text(call, "serial", facts.serial);
    return admin_row(call, err);
}

static int is_certificate(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 4 && strcmp(entry->d_name + length - 4, ".crt") == 0;
}

static enum err_code run_list(struct admin_call *call, struct err *err)
{
    const char *folder = admin_name(call, 0);
    struct dirent **entries;
    int count = scandir(folder, &entries, is_certificate, alphasort);
    enum err_code code = ERR_NONE;

    if (count < 0)
        return err_errno(err, errno, "%s", folder);
    for (int i = 0; i < count; i++) {
        if (code == ERR_NONE)
            code = put_certificate(call, folder, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    return code;
}

static enum err_code run_ticket_key(struct admin_call *call, struct err *err)
{
    const char *path = admin_name(call, 0);
    size_t count;
    enum err_code code = tls_ticket_file_add(path, TLS_TICKET_LIFETIME_MOST, &count, err);

    if (code == ERR_NONE)
        admin_say(call, "added a key to %s, which has %zu now; fronts take it up on SIGHUP", path,
                  count);
    return code;
}

static const struct admin_flag init_flags[] = {
    {"name",                               "NAME", "the CA's common name (private-ca)"},
    {"days", "DAYS", "how long it is valid (3650)"},
    {0                              },
};

static const struct admin_flag issue_flags[] = {
    {"role",                                                          "ROLE", "front or back (links), server (the clients' side), client"},
    {"name",    "NAME", "common name and first DNS name; of a front or back: its name"},
    {"host",                                                          "NAME", "one more DNS name; may be given again"},
    {"ip", "ADDRESS", "an IP address; may be given again"},
    {"days",                                                          "DAYS", "how long it is valid (820)"},
    {"out",                        "FILE", "FILE.crt and FILE.key instead of NAME.crt and NAME.key"},
    {"replace",                                                            NULL, "replace what is there"},
    {0                           },
};

const struct admin_command admin_pki_commands[] = {
    {
     .noun = "pki",
     .verb = "init",
     .arguments = "FOLDER",
     .least = 1,
     .most = 1,
     .where = ADMIN_LOCAL,
     .flags = init_flags,
     .help = "make a private CA (ECDSA P-256)",
     .run = run_init,
     },
    {
     .noun = "pki",
     .verb = "issue",
     .arguments = "FOLDER",
     .least = 1,
     .most = 1,
     .where = ADMIN_LOCAL,
     .flags = issue_flags,
     .help = "make a key and a certificate signed by the CA",
     .run = run_issue,
     },
    {
     .noun = "pki",
     .verb = "list",
     .arguments = "FOLDER",
     .least = 1,
     .most = 1,
     .where = ADMIN_LOCAL,
     .traits = ADMIN_ROWS,
     .help = "the certificates in a folder, and until when they are valid",
     .run = run_list,
     },
    {
     .noun = "pki",
     .verb = "ticket-key",
     .arguments = "FILE",
     .least = 1,
     .most = 1,
     .where = ADMIN_LOCAL,
     .help = "add a key for TLS session tickets to a file, and remove those past use",
     .run = run_ticket_key,
     },
    {0     },
};
