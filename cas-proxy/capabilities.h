/* What a client may be told before its back end is known: what the front does itself, and what all
   connected back ends can. One for each loop. */
#ifndef FRONT_CAPABILITIES_H
#define FRONT_CAPABILITIES_H

#include "cas-proxy/client.h"
#include "cas-proxy/sasl.h"

struct capabilities;

struct capabilities *capabilities_create(struct front_loop *home);
void capabilities_destroy(struct capabilities **capabilities);

/* A link came up, went down, or its back end said something new. */
void capabilities_changed(struct front_loop *home);

/* The list for this client now: "IMAP4rev1 SASL-IR … STARTTLS LOGINDISABLED", without "CAPABILITY". */
void capabilities_imap4(const struct client *client, struct buf *out);

/* The lines of CAPA for this client now, each with its end, without the first and the last one. */
void capabilities_pop3(const struct client *client, struct buf *out);

/* True when all back ends that serve POP3 offer it ("UTF8"). */
bool capabilities_pop3_has(const struct client *client, const char *word);

/* Appends the SASL mechanisms that this client may use, each with before in front and after behind. */
void capabilities_mechanisms(const struct client *client, const char *before, const char *after,
                             struct buf *out);

/* The user whom the client's certificate names, by the back ends' rule; the text is in room. False when
   there is none, and EXTERNAL is not offered. */
bool capabilities_external(const struct client *client, struct client_facts *room,
                           const char **name);

/* Finds a mechanism by its name. False when it is not offered to this client. */
bool capabilities_find_mechanism(const struct client *client, struct str name,
                                 enum sasl_mechanism *mechanism);

/* True when mechanisms that bind to TLS are offered to this client now. */
bool capabilities_may_bind(const struct client *client);

/* True when credentials may be sent over this connection as it is. */
bool capabilities_may_login(const struct client *client);

#endif
