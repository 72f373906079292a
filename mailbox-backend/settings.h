/* The back end's settings: the struct that its table (settings.c) fills. */
#ifndef BACKEND_SETTINGS_H
#define BACKEND_SETTINGS_H

#include "common/settings.h"
#include "mailbox-backend/directory/oauth.h"

enum pop3_order { POP3_OLDEST_FIRST, POP3_NEWEST_FIRST };

/* What a POP3 client without UTF8 gets of a message whose header is UTF-8. */
enum pop3_utf8_headers { POP3_UTF8_CONVERT, POP3_UTF8_REFUSE, POP3_UTF8_AS_IS };

struct backend_settings {
    struct {
        char *name;            /* of this back end: as in its certificate and the fronts' lists */
        char *data;            /* folder: store/, directory/, services, keys */
        char *control;         /* path of the control socket; default DATA/control */
        char *user, *group;    /* to run as; empty: stay */
        uint64_t loops;        /* 0: one per core */
        uint64_t step_threads; /* 0: twice the cores */
        uint64_t hash_threads; /* 0: half the cores, at least 1 */
        uint64_t stop_timeout; /* seconds that sessions get to end when the program stops */
        int tls_engine;        /* an enum tls_engine */
        int log_target;
        int log_level;
    } backend;
    struct {
        struct setting_list listen; /* unix:/path, host:port */
        char *certificate, *key, *ca;
        struct setting_list fronts; /* names that may connect by TLS; empty: any with OU front */
        struct setting_list unix_users; /* user names allowed on the unix socket besides our own */
        bool allow_plain_tcp;           /* for tests */
    } link;
    struct {
        uint64_t databases, map_size, message_size_limit, content_budget, recovery_time;
        uint64_t recovery_quota;
        uint64_t compact_rate;        /* bytes a second and database; 0: no limit */
        uint64_t index_copy_interval; /* seconds; 0: no copies */
        bool compress;
        bool search_index;
        uint64_t max_readers;
    } store;
    struct {
        char *default_domain;
        uint64_t credential_cache_time; /* seconds */
        bool scram;                     /* offered */
        int external;                   /* an enum external */
        char *recipient_delimiter;      /* "+" */
        uint64_t quota_bytes;           /* for accounts without one of their own; 0: no limit */
        uint64_t quota_folders;
        uint64_t removed_time; /* how long a removed user's mail is kept */
    } directory;
    struct {
        char *issuer, *keys, *scope, *claim, *discovery;
        struct setting_list audience, algorithms;
        uint64_t clock_skew; /* seconds */
    } oauth;
    struct {
        uint64_t idle_timeout;      /* seconds */
        uint64_t idle_keepalive;    /* seconds between "* OK Still here" in IDLE */
        uint64_t progress_interval; /* seconds between INPROGRESS responses */
        uint64_t max_literal;       /* bytes of a non-APPEND literal */
        uint64_t max_sessions_user;
        uint64_t message_limit;                  /* messages of one command; 0: no limit */
        uint64_t save_limit;                     /* of one COPY or APPEND; 0: no limit */
        char *metadata_admin, *metadata_comment; /* "": none */
        uint64_t metadata_max_value, metadata_max_entries;
        bool append_8bit_headers; /* from clients that have not enabled UTF8=ACCEPT too */
    } imap4be;
    struct {
        uint64_t idle_timeout;
        bool lock;
        uint64_t login_delay; /* seconds; 0: none */
        char *folder;         /* path of the one that is shown */
        int order;            /* an enum pop3_order */
        int utf8_headers;     /* an enum pop3_utf8_headers */
        uint64_t max_sessions_user;
    } pop3be;
    struct {
        uint64_t idle_timeout;
        uint64_t max_recipients;
        struct setting_list fronts; /* that may give mail over TLS; "*": all. Unix sockets always */
        struct setting_list junk_header; /* "X-Spam-Flag: YES" */
    } lmtpbe;
};

extern const struct settings_table backend_settings_table;

/* Checks what the table cannot know: the name's form, TLS without its files. ERR_INVALID. */
enum err_code backend_settings_check(const struct backend_settings *settings, struct err *err);

/* The section [oauth] as the directory takes it; points into the settings. */
void backend_settings_oauth(const struct backend_settings *settings, struct oauth_settings *oauth);

/* A path below the data folder; release with free(). */
char *backend_path(const struct backend_settings *settings, const char *name);

/* The path of the control socket; release with free(). */
char *backend_control_path(const struct backend_settings *settings);

#endif
