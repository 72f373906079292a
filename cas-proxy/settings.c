#include "cas-proxy/settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/net.h"
#include "common/tls.h"
#include "common/tls_ticket.h"

#define CONNECTIONS_MOST 1000000u

#define SECTION(member, text) SETTING_SECTION(front_settings, member, text)

static const struct setting_section sections[] = {
    SECTION(front, "This front as a whole."),
    SECTION(tls, "The certificate that clients see. The files are read again on SIGHUP."),
    SECTION(imap4, "The IMAP4 service. It is off until `cas-proxy service enable imap4`."),
    SECTION(pop3, "The POP3 service. It is off until `cas-proxy service enable pop3`."),
    SECTION(lmtp, "The LMTP service, through which MTAs give mail: whoever reaches it can inject "
                  "some. It is off until `cas-proxy service enable lmtp`."),
    SECTION(limits, "What holds for all services."),
    SECTION(link, "How this front shows itself to back ends on other machines."),
    SETTING_SECTIONS(front_settings, "backend", backends, front_backend,
                     "One section for each back end, with its name: [backend back1]."),
};

/* In the order of enum tls_peer. */
static const char *const asking[] = {"no", "optional", "required", NULL};

/* In the order of enum binding. */
static const char *const bindings[] = {"auto", "always", "never", NULL};

/* One setting: its place in the file and in the struct, its type, its default, bounds, help. */
#define SETTING(section_name, word, member, kind, value, low, high, list, text)                    \
    {                                                                                              \
        .section = #section_name, .key = #word, .type = kind,                                      \
        .offset = offsetof(struct front_settings, section_name.member) -                           \
                  offsetof(struct front_settings, section_name),                                   \
        .preset = value, .least = low, .most = high, .choices = list, .help = text                 \
    }

#define TEXT(s, m, value, text) SETTING(s, m, m, SETTING_TEXT, value, 0, 0, NULL, text)
#define PATH(s, m, value, text) SETTING(s, m, m, SETTING_PATH, value, 0, 0, NULL, text)
#define BOOL(s, m, value, text) SETTING(s, m, m, SETTING_BOOL, value, 0, 0, NULL, text)
#define NETWORKS(s, m, text) SETTING(s, m, m, SETTING_NETWORKS, NULL, 0, 0, NULL, text)
#define CHOICE(s, m, value, list, text) SETTING(s, m, m, SETTING_CHOICE, value, 0, 0, list, text)
#define NUMBER(s, m, value, low, high, text)                                                       \
    SETTING(s, m, m, SETTING_NUMBER, value, low, high, NULL, text)
#define SECONDS(s, m, value, low, high, text)                                                      \
    SETTING(s, m, m, SETTING_SECONDS, value, low, high, NULL, text)

/* The same in a struct service_settings. */
#define LISTEN(s, m, value, text)                                                                  \
    SETTING(s, m, service.m, SETTING_ADDRESSES, value, 0, 0, NULL, text)
#define CONNECTIONS(s, m, value, text)                                                             \
    SETTING(s, m, service.m, SETTING_NUMBER, value, 1, CONNECTIONS_MOST, NULL, text)

/* What imap4 and pop3 have alike. */
#define MAIL_SERVICE(s, clear_port, tls_port)                                                      \
    LISTEN(s, listen, "*:" clear_port,                                                             \
           "Addresses where connections begin in clear and turn to TLS on request."),              \
        LISTEN(s, listen_tls, "*:" tls_port,                                                       \
               "Addresses where connections begin with TLS. Not opened while [tls] has no "        \
               "certificate."),                                                                    \
        SETTING(s, plaintext_auth, service.plaintext_auth, SETTING_BOOL, "no", 0, 0, NULL,         \
                "Takes passwords without TLS. Only for networks that nobody listens to."),         \
        SETTING(s, client_certificates, service.client_certificates, SETTING_CHOICE, "no", 0, 0,   \
                asking,                                                                            \
                "Asks clients for a certificate of the CA in [tls] client_ca. With `required` "    \
                "there is no TLS without one. Who has one may log in with EXTERNAL, where the "    \
                "back ends' [directory] external says by which of its names. Sessions are not "    \
                "resumed then."),                                                                  \
        CONNECTIONS(s, max_connections, "10000", "Connections at the same time, in all."),         \
        CONNECTIONS(s, max_connections_address, "100",                                             \
                    "Connections at the same time from one IPv4 address or one IPv6 /64."),        \
        SETTING(s, login_timeout, service.login_timeout, SETTING_SECONDS, "60s", 5, SETTING_HOUR,  \
                NULL, "How long a client may say nothing before it has logged in."),               \
        SETTING(s, banner, service.banner, SETTING_TEXT, "ready", 0, 0, NULL,                      \
                "Text of the greeting.")

static const struct setting settings[] = {
    TEXT(front, name, "front1", "The name of this front, as in its certificate."),
    PATH(front, data, "/var/lib/cas-proxy",
         "The folder for the state of the services and for sockets. No mail, no users."),
    PATH(front, control, NULL,
         "The socket on which administrators' commands are taken. Without it: `control` in the "
         "data folder."),
    TEXT(front, user, NULL, "The user to run as when started by root. Empty: stay."),
    TEXT(front, group, NULL, "The group to run as when started by root. Empty: that of the user."),
    NUMBER(front, loops, "0", 0, 256, "Threads that serve connections. 0: one for each processor."),
    CHOICE(front, tls_engine, "auto", tls_engine_names,
           "The library that TLS is done with. `auto` is mbedtls where that is built in, else "
           "openssl. mbedTLS 2.28 knows TLS 1.2 only; OpenSSL also 1.3, and takes a fraction of "
           "the time."),
    CHOICE(front, log_target, "stderr", log_targets, "Where log lines go."),
    CHOICE(front, log_level, "info", log_levels,
           "The least important lines that are logged. `info` has a line for every login and for "
           "the end of every connection."),

    PATH(tls, certificate, NULL,
         "The certificate (PEM) and those between it and its CA. Without one there is no TLS."),
    PATH(tls, key, NULL, "The key of the certificate (PEM), readable by nobody else."),
    PATH(tls, client_ca, NULL,
         "The CA (PEM) that signs the certificates of mail clients, for the services whose "
         "client_certificates asks for them. Whoever it signs for gets into the mailbox of the "
         "user that the certificate names."),
    PATH(tls, ticket_keys, NULL,
         "The keys of session tickets, the same file on all fronts, readable by nobody else: "
         "clients "
         "then resume sessions at any of them. `cas-proxy pki ticket-key FILE` adds a key, which "
         "should be done daily. Without a file each front has keys of its own."),
    SECONDS(tls, ticket_lifetime, "1d", 0, TLS_TICKET_LIFETIME_MOST,
            "How long a client may resume a session without a full handshake. 0: never."),

    CHOICE(
        tls, channel_binding, "auto", bindings,
        "Where SCRAM-SHA-256-PLUS and SCRAM-SHA-1-PLUS are offered, which bind a login to its TLS "
        "connection. `auto`: where there is the binding that clients use with this version of "
        "TLS (tls-exporter with 1.3, tls-unique with 1.2), that is with the engine openssl. "
        "`always`: also where only tls-server-end-point is there (mbedtls); clients that know "
        "tls-unique only cannot log in then. `never` is for fronts behind something that ends "
        "TLS and begins it anew."),

    MAIL_SERVICE(imap4, "143", "993"),
    MAIL_SERVICE(pop3, "110", "995"),

    LISTEN(lmtp, listen, NULL,
           "Addresses where MTAs connect. None: `unix:` with `lmtp` in the data folder, and "
           "127.0.0.1:24. From elsewhere than unix sockets and loopback, lmtp_networks or client "
           "certificates are needed."),
    CONNECTIONS(lmtp, max_connections, "1000", "Connections at the same time, in all."),
    CONNECTIONS(lmtp, max_connections_address, "1000",
                "Connections at the same time from one IPv4 address or one IPv6 /64."),
    SETTING(lmtp, command_timeout, service.login_timeout, SETTING_SECONDS, "5m", 5, SETTING_DAY,
            NULL, "How long an MTA may say nothing (RFC 5321 section 4.5.3.2: 5 minutes)."),
    SETTING(lmtp, banner, service.banner, SETTING_TEXT, "ready", 0, 0, NULL,
            "Text of the greeting."),
    NETWORKS(lmtp, lmtp_networks,
             "Who may give mail besides unix sockets, loopback and MTAs with a client certificate "
             "of the CA in [link]."),
    NUMBER(lmtp, max_recipients, "1000", 100, 100000, "Recipients of one transaction."),
    SECONDS(lmtp, stall_timeout, "30s", 1, 10 * SETTING_MINUTE,
            "How long a back end may stand still in a transaction before its recipients get a "
            "temporary failure."),

    NETWORKS(limits, trusted_networks,
             "Where many users come from one address, such as webmail: no limits by address and "
             "no delay after failed logins."),
    NETWORKS(limits, proxy_networks,
             "Load balancers: a connection from there must begin with a PROXY protocol header "
             "(version 1 or 2), which is believed."),
    SECONDS(limits, failed_login_delay, "1s", 0, SETTING_MINUTE,
            "How long a login waits after the third failed one from its address; it doubles with "
            "each more. 0: never."),
    SECONDS(limits, failed_login_delay_most, "15s", 0, SETTING_MINUTE, "The longest such wait."),
    SECONDS(limits, failed_login_memory, "60s", 1, SETTING_DAY,
            "How long until one failed login of an address is forgotten."),
    NUMBER(limits, max_failed_logins, "4", 1, 100,
           "Failed logins on one connection until it is closed."),

    PATH(link, certificate, NULL,
         "The certificate of this front (PEM): CN and a dNSName are its name, OU is `front`."),
    PATH(link, key, NULL, "The key of the certificate (PEM), readable by nobody else."),
    PATH(link, ca, NULL,
         "The CA of this deployment (PEM), which signed the certificates of the back ends."),
    SETTING(link, unix_users, unix_users, SETTING_LIST, NULL, 0, 0, NULL,
            "Users whose back ends are believed on unix sockets, besides root and the user that "
            "this program runs as."),
    BOOL(link, allow_plain_tcp, "no",
         "Makes links over TCP without TLS. For tests only: anyone on the network reads them."),

    {.section = "backend",
       .key = "address",
       .type = SETTING_TEXT,
       .offset = offsetof(struct front_backend, address),
       .required = true,
       .help = "Where it takes links: unix:/path on this machine, ADDRESS:PORT elsewhere (needs "
             "certificate, key and ca in [link])."},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct settings_table front_settings_table = {
    .program = "cas-proxy",
    .sections = sections,
    .section_count = COUNT(sections),
    .settings = settings,
    .setting_count = COUNT(settings),
    .size = sizeof(struct front_settings),
};

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static enum err_code check_backend(const struct front_settings *whole, size_t n, struct err *err)
{
    const struct front_backend *backends = whole->backends.items;
    struct net_address address;

    for (size_t i = 0; i < n; i++) {
        if (strcmp(backends[i].name, backends[n].name) == 0)
            return err_set(err, ERR_INVALID, "[backend %s] is there twice", backends[n].name);
    }
    if (net_parse(&address, backends[n].address, err) != ERR_NONE)
        return err_prefix(err, "[backend %s] address", backends[n].name);
    if (address.at.any.sa_family != AF_UNIX && !whole->link.allow_plain_tcp &&
        !(is_given(whole->link.certificate) && is_given(whole->link.ca)))
        return err_set(err, ERR_INVALID,
                       "[backend %s] has a TCP address: [link] needs certificate, key and ca",
                       backends[n].name);
    return ERR_NONE;
}

enum err_code front_settings_check(const struct front_settings *whole, struct err *err)
{
    if (tls_engine_check((enum tls_engine)whole->front.tls_engine, err) != ERR_NONE)
        return err_prefix(err, "[front] tls_engine");
    if (is_given(whole->tls.certificate) != is_given(whole->tls.key))
        return err_set(err, ERR_INVALID, "[tls] certificate and key belong together");
    if ((whole->imap4.service.client_certificates != TLS_PEER_NONE ||
         whole->pop3.service.client_certificates != TLS_PEER_NONE) &&
        !is_given(whole->tls.client_ca))
        return err_set(err, ERR_INVALID, "client_certificates needs client_ca in [tls]");
    if (is_given(whole->link.certificate) != is_given(whole->link.key))
        return err_set(err, ERR_INVALID, "[link] certificate and key belong together");
    for (size_t i = 0; i < whole->backends.count; i++) {
        if (check_backend(whole, i, err) != ERR_NONE)
            return err->code;
    }
    return ERR_NONE;
}

const struct service_settings *front_settings_service(const struct front_settings *whole,
                                                      const char *service)
{
    if (strcmp(service, "imap4") == 0)
        return &whole->imap4.service;
    return strcmp(service, "pop3") == 0 ? &whole->pop3.service : &whole->lmtp.service;
}

char *front_settings_path(const struct front_settings *whole, const char *name)
{
    size_t size = strlen(whole->front.data) + strlen(name) + 2;
    char *path = mem_alloc(size);

    snprintf(path, size, "%s/%s", whole->front.data, name);
    return path;
}

char *front_settings_control(const struct front_settings *whole)
{
    if (is_given(whole->front.control))
        return mem_string(whole->front.control);
    return front_settings_path(whole, "control");
}
