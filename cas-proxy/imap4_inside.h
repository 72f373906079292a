/* What imap4.c (events, where commands end) and imap4_command.c (what they do) share. */
#ifndef FRONT_IMAP4_INSIDE_H
#define FRONT_IMAP4_INSIDE_H

#include "cas-proxy/client.h"
#include "cas-proxy/imap4_parse.h"
#include "cas-proxy/login.h"

#define IMAP4_TAG_MAX 128

struct imap4 {
    struct login login;
    struct login_extra extra;
    struct imap4_scan scan;
    size_t line_seen;        /* of a SASL answer */
    char tag[IMAP4_TAG_MAX]; /* of the command that authenticates */
    struct buf id;           /* key NUL value NUL …, of the client's ID */
    size_t id_count;
    bool is_answering; /* the next line is a SASL answer */
    bool starts_tls;   /* once the command is consumed */
    unsigned bad, commands;
};

/* Does what a whole command says. */
void imap4_run(struct client *client, struct str line);

/* Whether the literal that line, a command so far, announces at its end is wanted. If not, the command
   has been answered: nobody sends a password in clear to hear that it was not wanted. */
bool imap4_wants_literal(struct client *client, struct str line);

/* Takes the client's answer to a SASL challenge. */
void imap4_sasl_answer(struct client *client, struct str line);

/* The back end's challenge, or the front's own, goes to the client. */
void imap4_challenged(struct client *client, const char *challenge);

/* "tag BAD text"; the connection is ended when there were too many of them. An empty tag gives "*". */
void imap4_bad(struct client *client, struct str tag, const char *text);

/* The back end's refusal, or the front's own, as the answer to the command that authenticates. */
void imap4_refused(struct client *client, Link__Refused__Code code, const char *text);

/* Appends before, the capabilities and after to the output. */
void imap4_say_capability(struct client *client, const char *before, const char *after);

#endif
