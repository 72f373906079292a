/* mailbox migrate: a whole account from another IMAP server. */
#include <stdlib.h>
#include <string.h>

#include "mailbox-backend/admin.h"
#include "mailbox-backend/directory/admin.h"
#include "mailbox-backend/mailbox/mailbox.h"
#include "mailbox-backend/migrate.h"

#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

/* ---- where the account is ---- */

static const struct scheme {
    const char *clear, *tls, *clear_port, *tls_port;
} imap = {"imap://", "imaps://", "143", "993"}, pop3 = {"pop3://", "pop3s://", "110", "995"};

/* "imaps://old.example.org:993" */
static enum err_code parse_url(struct admin_call *call, const char *flag,
                               const struct scheme *scheme, struct wire_settings *wire,
                               struct err *err)
{
    const char *from = admin_value(call, flag);
    struct str text = str_of(from == NULL ? "" : from);
    char *at, *colon, *bracket;

    wire->secure = str_starts_nocase(text, scheme->tls);
    if (!wire->secure && !str_starts_nocase(text, scheme->clear))
        return err_set(err, ERR_INVALID, "say --%s=%sHOST, or %sHOST for STARTTLS", flag,
                       scheme->tls, scheme->clear);
    at = arena_string(admin_arena(call), from + strlen(wire->secure ? scheme->tls : scheme->clear));
    at[strcspn(at, "/")] = '\0';
    bracket = at[0] == '[' ? strchr(at, ']') : NULL;
    colon = strchr(bracket == NULL ? at : bracket, ':');
    if (colon != NULL)
        *colon = '\0';
    if (bracket != NULL)
        *bracket = '\0';
    wire->host = bracket == NULL ? at : at + 1;
    wire->port = colon != NULL ? colon + 1 : wire->secure ? scheme->tls_port : scheme->clear_port;
    return wire->host[0] != '\0' && strspn(wire->port, "0123456789") == strlen(wire->port) &&
                   wire->port[0] != '\0'
               ? ERR_NONE
               : err_set(err, ERR_INVALID, "%s names no host and port", from);
}

static enum err_code make_tls(struct admin_call *call, struct tls_context **tls, struct err *err)
{
    const char *ca = admin_value(call, "ca");
    bool insecure = admin_has(call, "insecure");
    const struct tls_settings settings = {
        .role = TLS_CLIENT,
        .peer = insecure ? TLS_PEER_NONE : TLS_PEER_REQUIRED,
        .ca_file = insecure     ? NULL
                   : ca != NULL ? ca
                                : SYSTEM_CA,
    };
    enum err_code code;

    if (ca != NULL && ca[0] != '/')
        return err_set(err, ERR_INVALID, "--ca is a path from / on: the daemon reads it");
    code = tls_context_create(tls, &settings, err);
    if (code != ERR_NONE && !insecure)
        admin_hint(call, "--ca=FILE names the certificates to trust (Debian's: ca-certificates)");
    return code;
}

static enum err_code read_login(struct admin_call *call, struct imap_login *login, struct err *err)
{
    login->user = admin_value(call, "login");
    login->admin = admin_value(call, "master");
    if (login->user == NULL)
        login->user = admin_name(call, 0);
    if (!admin_secret(call, &login->password))
        return err_set(err, ERR_INVALID,
                       "say --password-stdin: the old server's password comes "
                       "on the input");
    return ERR_NONE;
}

/* The values of a flag that may be given often, and NULL. */
static const char *const *read_list(struct admin_call *call, const char *flag)
{
    const char **list;
    size_t count = 0;

    while (admin_value_n(call, flag, count) != NULL)
        count++;
    list = arena_array(admin_arena(call), count + 1, sizeof(*list));
    for (size_t i = 0; i < count; i++)
        list[i] = admin_value_n(call, flag, i);
    return list;
}

/* ---- what it tells ---- */

static enum err_code put_row(void *context, const struct migrate_row *row, struct err *err)
{
    struct admin_call *call = context;

    if (row->problem[0] != '\0')
        admin_findings(call);
    admin_put_text(call, "folder", row->folder);
    admin_put_number(call, "uid", row->uid);
    admin_put_number(call, "new", row->messages);
    admin_put_bytes(call, "bytes", row->bytes);
    admin_put_number(call, "flags", row->flags);
    admin_put_number(call, "removed", row->removed);
    admin_put_text(call, "problem", row->problem);
    return admin_row(call, err);
}

static void put_progress(void *context, const struct migrate_progress *progress)
{
    double seconds = progress->seconds > 0.001 ? progress->seconds : 0.001;
    double rate = (double)progress->done / seconds;
    unsigned long long left =
        rate > 0 ? (unsigned long long)((double)(progress->all - progress->done) / rate) : 0;

    admin_progress(context,
                   "%s: %llu of %llu messages, %.1f MB, %.0f messages/s, %.1f MB/s, "
                   "%llu:%02llu left",
                   progress->folder, (unsigned long long)progress->done,
                   (unsigned long long)progress->all, (double)progress->bytes / 1e6, rate,
                   (double)progress->bytes / 1e6 / seconds, left / 60, left % 60);
}

static bool is_wanted(void *context)
{
    return admin_is_wanted(context);
}

static void say(struct admin_call *call, const struct migrate_result *result)
{
    admin_say(
        call,
        "%llu folders looked at (%llu unchanged): %llu messages brought (%.1f MB), %llu got new "
        "flags, %llu removed, %llu left as they were changed here, %llu could not be taken, "
        "%llu problems with folders; %llu POP3 ids taken over; connected anew %llu times",
        (unsigned long long)result->folders, (unsigned long long)result->unchanged,
        (unsigned long long)result->messages, (double)result->bytes / 1e6,
        (unsigned long long)result->flags, (unsigned long long)result->removed,
        (unsigned long long)result->kept, (unsigned long long)result->refused,
        (unsigned long long)result->problems, (unsigned long long)result->uidls,
        (unsigned long long)result->reconnected);
}

/* ---- the command ---- */

static enum err_code fill(struct admin_call *call, struct migrate_request *request,
                          struct imap_client_settings *uidls, struct tls_context **tls,
                          struct err *err)
{
    struct imap_client_settings *source = &request->source;
    enum err_code code = parse_url(call, "from", &imap, &source->wire, err);

    if (code == ERR_NONE)
        code = read_login(call, &source->login, err);
    if (code == ERR_NONE)
        code = make_tls(call, tls, err);
    source->wire.tls = *tls;
    source->wire.wanted = is_wanted;
    source->wire.context = call;
    source->clear_text_allowed = admin_has(call, "insecure");
    request->only = read_list(call, "folder");
    request->without = read_list(call, "exclude");
    if (code != ERR_NONE || !admin_has(call, "pop3-uidls"))
        return code;
    *uidls = *source;
    request->uidls = uidls;
    return parse_url(call, "pop3-uidls", &pop3, &uidls->wire, err);
}

static enum err_code migrate_account(struct admin_call *call, struct migrate_request *request,
                                     struct err *err)
{
    struct account account;
    struct migrate_result result;
    enum err_code code = admin_find_account(call, admin_arena(call), &account, err);

    if (code == ERR_NONE)
        code = mailbox_open(request->store, &account, &request->mailbox, err);
    if (code != ERR_NONE)
        return code;
    code = migrate_run(request, &result, err);
    store_mailbox_unref(&request->mailbox);
    if (code == ERR_NONE)
        say(call, &result);
    else if (result.messages > 0)
        admin_hint(call, "%llu messages were brought before, and will not be brought twice",
                   (unsigned long long)result.messages);
    return code;
}

static enum err_code run_migrate(struct admin_call *call, struct err *err)
{
    struct tls_context *tls = NULL;
    struct imap_client_settings uidls;
    struct migrate_request request = {
        .store = admin_backend(call)->store,
        .size_limit = admin_backend(call)->settings->store.message_size_limit,
        .row = put_row,
        .progress = put_progress,
        .wanted = is_wanted,
        .context = call,
    };
    enum err_code code = fill(call, &request, &uidls, &tls, err);

    if (code == ERR_NONE)
        code = migrate_account(call, &request, err);
    tls_context_unref(&tls);
    return code;
}

static const struct admin_flag migrate_flags[] = {
    {"from",                                                              "imaps://HOST[:PORT]", "the other server; imap:// is with STARTTLS"},
    {"login",                       "NAME", "of the account there; else LOGIN"},
    {"master",                                                             "NAME", "log in as this administrator in the account's place (SASL PLAIN)"},
    {"ca",                                 "FILE", "certificates to trust, else the system's"},
    {"pop3-uidls",                                                            "pop3s://HOST[:PORT]",
     "take the ids of POP3 clients over from there; pop3:// is with STLS"},
    {"insecure", NULL, "check no certificate, and do without STARTTLS where there is none"},
    {"folder",                                                                "PATH", "only this folder and those below it; may be given often"},
    {"exclude",                         "PATH", "not this folder and those below it; may be given often"},
    {0                                                       }
};

const struct admin_command backend_migrate_commands[] = {
    {
     .noun = "mailbox",
     .verb = "migrate",
     .arguments = "LOGIN --from=imaps://HOST",
     .least = 1,
     .most = 1,
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES | ADMIN_ROWS | ADMIN_SECRET,
     .needs = BACKEND_DIRECTORY | BACKEND_STORE,
     .flags = migrate_flags,
     .help = "bring a whole account from another IMAP server, and again what has changed there",
     .run = run_migrate,
     },
    {0},
};
