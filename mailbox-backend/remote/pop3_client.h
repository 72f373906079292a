/* A POP3 client that only asks what there is: the ids by which POP3 clients know their messages (RFC 1939 section 7). Blocking,
   and nothing is ever deleted. */
#ifndef REMOTE_POP3_CLIENT_H
#define REMOTE_POP3_CLIENT_H

#include "mailbox-backend/remote/imap_client.h"

struct pop3_client;

/* As imap_client_open(), with USER and PASS, or AUTH PLAIN where an administrator logs in. */
enum err_code pop3_client_open(struct pop3_client **client,
                               const struct imap_client_settings *settings, struct err *err);
void pop3_client_close(struct pop3_client **client);

/* Sends the command ("LIST", "UIDL") and gives each line of the answer: a message's number and what stands
   behind it, printable ASCII. An error of entry ends the reading, and the client is of no more use. */
enum err_code pop3_client_list(struct pop3_client *client, const char *command,
                               enum err_code (*entry)(void *context, uint64_t number,
                                                      const char *word, struct err *err),
                               void *context, struct err *err);

#endif
