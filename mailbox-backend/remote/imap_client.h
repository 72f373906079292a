/* An IMAP client, one command at a time, for taking an account over from another server. Blocking: worker
   threads and tools only. */
#ifndef REMOTE_IMAP_CLIENT_H
#define REMOTE_IMAP_CLIENT_H

#include "common/str.h"
#include "mailbox-backend/remote/imap_response.h"
#include "mailbox-backend/remote/wire.h"

struct imap_client;

enum imap_capability { /* bits: those that make a difference */
                       IMAP_CAN_STARTTLS = 1,
                       IMAP_CAN_PLAIN = 2, /* AUTH=PLAIN */
                       IMAP_CAN_LIST_EXTENDED = 4,
                       IMAP_NO_LOGIN = 8, /* LOGINDISABLED */
                       IMAP_CAN_NAMESPACE = 16,
                       IMAP_CAN_SPECIAL_USE = 32,
                       IMAP_CAN_CONDSTORE = 64, /* or QRESYNC, which contains it */
                       IMAP_CAN_ESEARCH = 128,
};

struct imap_login {
    const char *user;
    const char *admin;   /* logs in in the user's place, by SASL PLAIN (RFC 4616); NULL: the user */
    struct str password; /* of whoever logs in */
};

struct imap_client_settings {
    struct wire_settings wire;
    struct imap_login login;
    bool clear_text_allowed; /* go on without TLS where the server has no STARTTLS */
};

/* Connects, secures, logs in. The settings stay the caller's and must live as long. ERR_DENIED: the
   server refuses the login; ERR_UNAVAILABLE: everything else, or it says that it is not the time. */
enum err_code imap_client_open(struct imap_client **client,
                               const struct imap_client_settings *settings, struct err *err);

/* Says goodbye where the connection is still good. */
void imap_client_close(struct imap_client **client);

unsigned imap_client_capabilities(const struct imap_client *client); /* after the login */

/* The connection is of no more use: it is gone, or an event of a listener ended a response midway. */
bool imap_client_is_broken(const struct imap_client *client);
uint64_t imap_client_octets(const struct imap_client *client); /* that have come */

/* A command in the making: words as they are, names and passwords quoted, or as literals. */
void imap_client_begin(struct imap_client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void imap_client_put(struct imap_client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void imap_client_put_string(struct imap_client *client, struct str bytes);

/* Sends it and reads up to its end. ERR_DENIED (NO) and ERR_INVALID (BAD) say what the server said; what
   means "not now" (RFC 5530, and what Exchange says when it throttles) breaks the connection and is
   ERR_UNAVAILABLE. */
enum err_code imap_client_finish(struct imap_client *client, const struct imap_listener *listener,
                                 struct err *err);

#endif
