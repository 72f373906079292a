/* The certificates that clients see. They can be read anew while connections stand: those keep what
   they began with. Any thread. */
#ifndef FRONT_CERTIFICATES_H
#define FRONT_CERTIFICATES_H

#include "cas-proxy/settings.h"
#include "common/tls.h"

struct certificates;

/* Reads the files of [tls]; without a certificate there nothing is offered. Where [link] has a CA, MTAs
   are asked for a certificate of it, and get no session tickets. */
enum err_code certificates_create(struct certificates **certificates,
                                  const struct front_settings *settings, struct err *err);
void certificates_destroy(struct certificates **certificates);

/* Reads the files again. On an error the old ones stay in use. */
enum err_code certificates_reload(struct certificates *certificates, struct err *err);

/* What new connections of a service ("imap4", "pop3", "lmtp") use, for tls_context_unref(); NULL when
   there is none. */
struct tls_context *certificates_get(struct certificates *certificates, const char *service);
bool certificates_are_there(struct certificates *certificates);

#endif
