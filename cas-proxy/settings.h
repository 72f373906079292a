/* The front's settings: the struct that its table (settings.c) fills. */
#ifndef FRONT_SETTINGS_H
#define FRONT_SETTINGS_H

#include "common/settings.h"

/* What every service has, whatever its protocol. */
struct service_settings {
    struct setting_list listen;     /* in clear, with STARTTLS/STLS */
    struct setting_list listen_tls; /* TLS from the first byte; not for lmtp */
    bool plaintext_auth;            /* credentials may come in clear; not for lmtp */
    uint64_t max_connections;
    uint64_t max_connections_address; /* from one address (IPv6: one /64) */
    uint64_t login_timeout;           /* seconds; lmtp: waiting for a command */
    char *banner;                     /* text of the greeting */
    int client_certificates;          /* an enum tls_peer; not for lmtp */
};

/* On which connections SCRAM-…-PLUS is offered. */
enum binding { BINDING_AUTO, BINDING_ALWAYS, BINDING_NEVER };

struct front_backend {
    char *name;    /* as in the back end's certificate */
    char *address; /* unix:/path or host:port */
};

struct front_settings {
    struct {
        char *name;    /* of this front: as in its certificate */
        char *data;    /* folder: state of the services, sockets */
        char *control; /* path of the control socket; empty: DATA/control */
        char *user, *group;
        uint64_t loops; /* 0: one per core */
        int tls_engine; /* an enum tls_engine */
        int log_target;
        int log_level;
    } front;
    struct {
        char *certificate, *key;
        char *client_ca;          /* who signs the certificates that clients are asked for */
        char *ticket_keys;        /* file; NULL: a key of this process's own */
        uint64_t ticket_lifetime; /* seconds; 0: no tickets */
        int channel_binding;      /* an enum binding */
    } tls;
    struct {
        struct service_settings service;
    } imap4;
    struct {
        struct service_settings service;
    } pop3;
    struct {
        struct service_settings service;
        struct setting_list lmtp_networks; /* who may give mail besides unix and loopback */
        uint64_t max_recipients;           /* of one transaction */
        uint64_t stall_timeout; /* seconds that a back end may be silent in a transaction */
    } lmtp;
    struct {
        struct setting_list trusted_networks; /* no per-address limits, no login delays */
        struct setting_list proxy_networks;   /* who sends a PROXY protocol header */
        uint64_t failed_login_delay;          /* seconds after the first few failures, doubling */
        uint64_t failed_login_delay_most;
        uint64_t failed_login_memory; /* seconds until one failure is forgotten */
        uint64_t max_failed_logins;   /* on one connection */
    } limits;
    struct {
        char *certificate, *key, *ca;
        struct setting_list unix_users; /* who may run back ends on this machine */
        bool allow_plain_tcp;           /* for tests */
    } link;
    struct setting_group backends; /* of struct front_backend */
};

extern const struct settings_table front_settings_table;

/* Checks what the table cannot know: back ends twice or under addresses that cannot be, TLS without
   its key. ERR_INVALID says what is wrong. */
enum err_code front_settings_check(const struct front_settings *settings, struct err *err);

/* The settings of a service by its name ("imap4", "pop3", "lmtp"). */
const struct service_settings *front_settings_service(const struct front_settings *settings,
                                                      const char *service);

/* Path of a file in the data folder, to be freed. */
char *front_settings_path(const struct front_settings *settings, const char *name);

/* Path of the control socket, to be freed. */
char *front_settings_control(const struct front_settings *settings);

#endif
