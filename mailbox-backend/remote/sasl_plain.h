/* SASL PLAIN (RFC 4616), the client's side. */
#ifndef REMOTE_SASL_PLAIN_H
#define REMOTE_SASL_PLAIN_H

#include "common/buf.h"
#include "common/str.h"

/* Appends the message in base64: user is whose mailbox it is, admin logs in in its place (NULL: the user). */
void sasl_plain_encode(struct buf *out, const char *user, const char *admin, struct str password);

#endif
