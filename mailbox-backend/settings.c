#include "mailbox-backend/settings.h"

#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/net.h"
#include "common/tls.h"
#include "mailbox-backend/directory/directory.h"

#define MEGABYTE ((uint64_t)1 << 20)
#define GIGABYTE ((uint64_t)1 << 30)
#define TERABYTE ((uint64_t)1 << 40)
#define NAME_MAX_BYTES 64

#define SECTION(member, text) SETTING_SECTION(backend_settings, member, text)

static const struct setting_section sections[] = {
    SECTION(backend, "This back end as a whole."),
    SECTION(link, "The link, over which fronts bring their clients' sessions."),
    SECTION(store, "Where mail is kept, and how."),
    SECTION(directory, "The users and their addresses."),
    SECTION(oauth,
            "Log-ins by the tokens of an issuer (OAuth 2.0, OpenID Connect), with the mechanisms "
            "OAUTHBEARER and XOAUTH2, under TLS only."),
    SECTION(imap4be, "The IMAP4 service behind the fronts. It is off until "
                     "`mailbox-backend service enable imap4be`."),
    SECTION(pop3be, "The POP3 service behind the fronts. It is off until "
                    "`mailbox-backend service enable pop3be`."),
    SECTION(lmtpbe, "The LMTP service behind the fronts, which takes mail in. It is off until "
                    "`mailbox-backend service enable lmtpbe`."),
};

/* One setting: its place in the file and in the struct, its type, its default, bounds, help. */
#define SETTING(section_name, member, kind, value, low, high, list, must, text)                    \
    {                                                                                              \
        .section = #section_name, .key = #member, .type = kind,                                    \
        .offset = offsetof(struct backend_settings, section_name.member) -                         \
                  offsetof(struct backend_settings, section_name),                                 \
        .preset = value, .least = low, .most = high, .choices = list, .required = must,            \
        .help = text                                                                               \
    }

#define REQUIRED(s, m, text) SETTING(s, m, SETTING_TEXT, NULL, 0, 0, NULL, true, text)
#define TEXT(s, m, value, text) SETTING(s, m, SETTING_TEXT, value, 0, 0, NULL, false, text)
#define PATH(s, m, value, text) SETTING(s, m, SETTING_PATH, value, 0, 0, NULL, false, text)
#define BOOL(s, m, value, text) SETTING(s, m, SETTING_BOOL, value, 0, 0, NULL, false, text)
#define LIST(s, m, text) SETTING(s, m, SETTING_LIST, NULL, 0, 0, NULL, false, text)
#define ADDRESSES(s, m, text) SETTING(s, m, SETTING_ADDRESSES, NULL, 0, 0, NULL, false, text)
#define CHOICE(s, m, value, list, text)                                                            \
    SETTING(s, m, SETTING_CHOICE, value, 0, 0, list, false, text)
#define NUMBER(s, m, value, low, high, text)                                                       \
    SETTING(s, m, SETTING_NUMBER, value, low, high, NULL, false, text)
#define SIZE(s, m, value, low, high, text)                                                         \
    SETTING(s, m, SETTING_SIZE, value, low, high, NULL, false, text)
#define SECONDS(s, m, value, low, high, text)                                                      \
    SETTING(s, m, SETTING_SECONDS, value, low, high, NULL, false, text)

static const char *const pop3_orders[] = {
    [POP3_OLDEST_FIRST] = "oldest-first", [POP3_NEWEST_FIRST] = "newest-first", NULL};
static const char *const pop3_utf8_choices[] = {[POP3_UTF8_CONVERT] = "convert",
                                                [POP3_UTF8_REFUSE] = "refuse",
                                                [POP3_UTF8_AS_IS] = "as-is",
                                                NULL};

static const struct setting settings[] = {
    REQUIRED(backend, name,
             "The name of this back end: as in the fronts' lists and, with TLS, in its "
             "certificate. Letters, digits, \"-\" and \".\"."),
    PATH(backend, data, "/var/lib/mailbox-backend",
         "The folder that holds everything: mail, users, the state of the services."),
    PATH(backend, control, NULL,
         "The socket on which administrators' commands are taken. Without it: `control` in the "
         "data folder."),
    TEXT(backend, user, NULL, "The user to run as when started by root. Empty: stay."),
    TEXT(backend, group, NULL,
         "The group to run as when started by root. Empty: that of the user."),
    NUMBER(backend, loops, "0", 0, 256, "Threads that serve sessions. 0: one for each processor."),
    NUMBER(backend, step_threads, "0", 0, 1024,
           "Threads for long work such as reading cold mail. 0: twice the processors."),
    NUMBER(backend, hash_threads, "0", 0, 256,
           "Threads that check passwords. 0: half the processors, at least 1."),
    SECONDS(backend, stop_timeout, "10s", 1, 10 * SETTING_MINUTE,
            "How long sessions may take to end when the program stops."),
    CHOICE(backend, tls_engine, "auto", tls_engine_names,
           "The library that TLS of links is done with. `auto` is mbedtls where that is built in, "
           "else "
           "openssl. mbedTLS 2.28 knows TLS 1.2 only; OpenSSL also 1.3, and takes a fraction of "
           "the time."),
    CHOICE(backend, log_target, "stderr", log_targets, "Where log lines go."),
    CHOICE(backend, log_level, "info", log_levels,
           "The least important lines that are logged. `info` has a line for every command."),
    ADDRESSES(link, listen,
              "Where fronts connect: unix:/path for those on this machine, address:port for others "
              "(needs certificate, key and ca)."),
    PATH(link, certificate, NULL,
         "The certificate of this back end (PEM): CN and a dNSName are its name, OU is `back`."),
    PATH(link, key, NULL, "The key of the certificate (PEM), readable by nobody else."),
    PATH(link, ca, NULL,
         "The CA of this deployment (PEM), which signed the certificates of the fronts."),
    LIST(link, fronts,
         "Names of the fronts that may connect by TLS. Empty: all with a certificate of the CA "
         "for a front."),
    LIST(link, unix_users,
         "Users whose fronts may connect to the unix socket, besides root and the user that "
         "this program runs as."),
    BOOL(link, allow_plain_tcp, "no",
         "Takes links over TCP without TLS. For tests only: anyone on the network reads and "
         "changes all mail."),
    NUMBER(store, databases, "2", 1, 256,
           "Databases, each with a writer of its own; about one for each processor. Can be "
           "raised later, not lowered."),
    SIZE(store, map_size, "512G", 16 * MEGABYTE, 64 * TERABYTE,
         "Address space of one database's index: the most that the index can grow to. It takes "
         "neither memory nor disk space until used."),
    SIZE(store, message_size_limit, "128M", 64 << 10, 2 * GIGABYTE,
         "The largest message that is taken."),
    SIZE(store, content_budget, "256M", 16 * MEGABYTE, 64 * GIGABYTE,
         "Memory for messages on their way in, all sessions together. Beyond it new ones are "
         "put off."),
    SECONDS(
        store, recovery_time, "14d", 0, 3650 * SETTING_DAY,
        "How long a deleted message can be recovered. `user set --recovery` sets it for one user."),
    SIZE(store, recovery_quota, "30G", 0, 64 * TERABYTE,
         "The most that one mailbox's deleted messages may take while they can be recovered; above "
         "it "
         "the oldest go for good. 0: no limit. `user set --recovery-quota` sets it for one user."),
    SIZE(store, compact_rate, "32M", 0, 64 * GIGABYTE,
         "Bytes a second that each database may move to win back the space of deleted messages, "
         "while it keeps up with them. 0: no limit."),
    SECONDS(store, index_copy_interval, "1h", 0, 30 * SETTING_DAY,
            "How often the index of each database is copied beside it, for `database rebuild`. 0: "
            "never."),
    BOOL(store, compress, "yes",
         "Compresses messages on the disk where that saves at least a tenth."),
    BOOL(store, search_index, "yes",
         "Keeps an index of the texts of messages for users whose clients search in them, about a "
         "quarter of "
         "the size of the text. Searches find the same without it, but slowly."),
    NUMBER(store, max_readers, "512", 16, 65536,
           "Threads and commands that may read one database at the same moment."),
    TEXT(directory, default_domain, NULL,
         "The domain of log-in names and addresses that are given without one."),
    SECONDS(directory, credential_cache_time, "5m", 0, SETTING_DAY,
            "How long a password that was right is not hashed again. 0: hash at every login."),
    BOOL(directory, scram, "yes",
         "Offers SCRAM-SHA-256 and SCRAM-SHA-1. A user with an imported password hash cannot log "
         "in with "
         "them before the first login with PLAIN or LOGIN: say no until all have done so if their "
         "clients "
         "prefer SCRAM."),
    CHOICE(directory, external, "no", directory_external_names,
           "Lets clients log in with EXTERNAL as the user that their certificate names, by its "
           "first mail address (an rfc822Name) or its common name: a log-in name or one of the "
           "user's addresses. The fronts ask for certificates and say whose are good: [tls] "
           "client_ca there."),
    TEXT(directory, recipient_delimiter, "+",
         "What stands between user and detail in user+detail@domain. Empty: no details."),
    SIZE(directory, quota_bytes, "0", 0, 64 * TERABYTE,
         "The most that a mailbox may hold when its user has no quota of their own. 0: no "
         "limit."),
    NUMBER(directory, quota_folders, "0", 0, STORE_FOLDERS_MAX,
           "The most folders that a user without a limit of their own may make. 0: 9999, the most "
           "of any mailbox."),
    SECONDS(directory, removed_time, "30d", 0, 3650 * SETTING_DAY,
            "How long the mail of a removed user is kept."),
    TEXT(oauth, issuer, NULL,
         "Whose tokens are taken: what they have as `iss`, to the letter. Empty: nobody's."),
    PATH(oauth, keys, NULL,
         "The issuer's public keys, a key set (JWKS) as it publishes it under jwks_uri. It is read "
         "again when the file has changed; nothing is fetched from here."),
    LIST(oauth, audience, "What a token must be for: one of these is in its `aud`."),
    SETTING(oauth, algorithms, SETTING_LIST, "RS256, ES256", 0, 0, NULL, false,
            "Signature algorithms that are taken: RS, PS or ES with 256, 384 or 512."),
    TEXT(oauth, scope, NULL,
         "The scope that a token must have (`scope` or `scp`), which is told to clients as well. "
         "Empty: any."),
    TEXT(oauth, claim, "email",
         "The claim that names the user: a log-in name or one of the user's addresses."),
    SECONDS(oauth, clock_skew, "60s", 0, SETTING_HOUR,
            "How much the issuer's clock may differ from ours."),
    TEXT(oauth, discovery, NULL,
         "The URL of the issuer's OpenID configuration, which is told to clients whose token is "
         "refused."),
    SECONDS(imap4be, idle_timeout, "30m", 30 * SETTING_MINUTE, SETTING_DAY,
            "How long a client may do nothing (RFC 9051 section 5.4: at least 30 minutes)."),
    SECONDS(imap4be, idle_keepalive, "2m", 10, SETTING_HOUR,
            "How often a client in IDLE is told that the connection stands, so that no firewall "
            "forgets it."),
    SECONDS(imap4be, progress_interval, "15s", 1, SETTING_HOUR,
            "How often a client is told how far its search or sort is (RFC 9585)."),
    SIZE(imap4be, max_literal, "64K", 1 << 10, 128 << 10,
         "The longest literal in a command, messages to APPEND excepted."),
    NUMBER(imap4be, max_sessions_user, "64", 1, 100000, "IMAP sessions that one user may have."),
    NUMBER(imap4be, message_limit, "0", 0, UINT32_MAX,
           "Messages that one FETCH, SEARCH, STORE, COPY, MOVE, APPEND or UID EXPUNGE may be about "
           "(MESSAGELIMIT, "
           "RFC 9738, which wants 1000 or more). A client that does not know it then sees only the "
           "newest ones "
           "of a large folder. 0: no limit."),
    NUMBER(imap4be, save_limit, "0", 0, UINT32_MAX,
           "Messages that one COPY or APPEND may be about (SAVELIMIT, RFC 9738, which wants 1000 "
           "or more), where "
           "message_limit is not set. 0: no limit."),
    BOOL(imap4be, append_8bit_headers, "no",
         "Takes messages with 8-bit header fields from clients that have not enabled UTF8=ACCEPT, "
         "which RFC 6855 section 4 forbids. Say yes while clients copy old mail in."),
    TEXT(imap4be, metadata_admin, NULL,
         "How clients reach the administrator, a URI such as mailto:postmaster@example.org: the "
         "entry /shared/admin of the server (METADATA, RFC 5464)."),
    TEXT(imap4be, metadata_comment, NULL,
         "What clients are told of the server: its entry /shared/comment."),
    NUMBER(imap4be, metadata_max_value, "8191", 1024, 8191,
           "The most octets of an entry that a client sets with SETMETADATA."),
    NUMBER(imap4be, metadata_max_entries, "100", 10, 10000,
           "The most private entries that a user may set on one folder, or on the server, and the "
           "most "
           "shared ones of a folder."),
    SECONDS(pop3be, idle_timeout, "30m", 10 * SETTING_MINUTE, SETTING_DAY,
            "How long a client may do nothing (RFC 1939 section 3: at least 10 minutes)."),
    BOOL(pop3be, lock, "yes",
         "Lets only one POP3 session at a time have a maildrop (RFC 1939 section 8)."),
    SECONDS(pop3be, login_delay, "0s", 0, SETTING_DAY,
            "The least time between two logins of one user (LOGIN-DELAY, RFC 2449). 0: none."),
    TEXT(pop3be, folder, "INBOX",
         "The folder that POP3 shows. `user set --pop3-folder` sets it for one user."),
    CHOICE(pop3be, order, "oldest-first", pop3_orders,
           "Which message is number 1, by when they came into the folder. `user set --pop3-order` "
           "sets it for one user."),
    CHOICE(pop3be, utf8_headers, "convert", pop3_utf8_choices,
           "What a client that has not said UTF8 gets of a message whose header is UTF-8 (RFC 6856 "
           "section 2.1): its header converted to ASCII (RFC 6858), -ERR [UTF8], or the message as "
           "it is, which the RFC forbids."),
    NUMBER(pop3be, max_sessions_user, "16", 1, 100000, "POP3 sessions that one user may have."),
    SECONDS(lmtpbe, idle_timeout, "5m", 30, SETTING_DAY,
            "How long a front may leave a delivery session silent."),
    NUMBER(lmtpbe, max_recipients, "1000", 100, 100000,
           "Recipients of one message; more are put off to another transaction (452)."),
    LIST(lmtpbe, fronts,
         "Names of the fronts that may bring mail over TLS, or `*` for all. A front on the "
         "unix socket always may."),
    LIST(lmtpbe, junk_header,
         "`Name: value` of header fields that send a message to Junk, such as `X-Spam-Flag: "
         "YES`."),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct settings_table backend_settings_table = {
    .program = "mailbox-backend",
    .sections = sections,
    .section_count = COUNT(sections),
    .settings = settings,
    .setting_count = COUNT(settings),
    .size = sizeof(struct backend_settings),
};

static bool is_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    size_t length = strlen(name);

    return length > 0 && length <= NAME_MAX_BYTES && strspn(name, allowed) == length;
}

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static bool listens_on_tcp(const struct backend_settings *whole)
{
    for (size_t i = 0; i < whole->link.listen.count; i++) {
        if (strncmp(whole->link.listen.items[i], "unix:", 5) != 0)
            return true;
    }
    return false;
}

void backend_settings_oauth(const struct backend_settings *whole, struct oauth_settings *oauth)
{
    *oauth = (struct oauth_settings){
        .rules =
            {
                    .issuer = whole->oauth.issuer,
                    .keys = whole->oauth.keys,
                    .audience = (const char *const *)whole->oauth.audience.items,
                    .audience_count = whole->oauth.audience.count,
                    .algorithms = (const char *const *)whole->oauth.algorithms.items,
                    .algorithm_count = whole->oauth.algorithms.count,
                    .scope = whole->oauth.scope,
                    .claim = whole->oauth.claim,
                    .skew = whole->oauth.clock_skew,
                    },
        .discovery = whole->oauth.discovery,
    };
}

enum err_code backend_settings_check(const struct backend_settings *whole, struct err *err)
{
    bool certificate = is_given(whole->link.certificate);
    struct oauth_settings oauth;

    backend_settings_oauth(whole, &oauth);
    if (oauth_check(&oauth, err) != ERR_NONE)
        return err_prefix(err, "[oauth]");

    if (!is_name(whole->backend.name))
        return err_set(err, ERR_INVALID,
                       "[backend] name = %s: a name has 1 to %d letters, digits, \"-\" and \".\"",
                       whole->backend.name, NAME_MAX_BYTES);
    if (tls_engine_check((enum tls_engine)whole->backend.tls_engine, err) != ERR_NONE)
        return err_prefix(err, "[backend] tls_engine");
    if (certificate != is_given(whole->link.key) || (certificate && !is_given(whole->link.ca)))
        return err_set(err, ERR_INVALID, "[link] certificate, key and ca belong together");
    if (listens_on_tcp(whole) && !certificate && !whole->link.allow_plain_tcp)
        return err_set(err, ERR_INVALID,
                       "[link] listen has a TCP address: it needs certificate, key and ca");
    return ERR_NONE;
}

char *backend_path(const struct backend_settings *whole, const char *name)
{
    size_t length = strlen(whole->backend.data) + strlen(name) + 2;
    char *path = mem_alloc(length);

    snprintf(path, length, "%s/%s", whole->backend.data, name);
    return path;
}

char *backend_control_path(const struct backend_settings *whole)
{
    if (is_given(whole->backend.control))
        return mem_string(whole->backend.control);
    return backend_path(whole, "control");
}
