/* The client's first message of OAUTHBEARER (RFC 7628 section 3.1) and of XOAUTH2 (Google's and Microsoft's
   older one), which the front reads to find whose mailbox it is and the back end to verify. Pure. */
#ifndef PROTO_OAUTH_MESSAGE_H
#define PROTO_OAUTH_MESSAGE_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/str.h"

/* Appends to user whose mailbox it is, nothing where the message does not say; *token lies in the
   message, is not empty, and has only characters of a bearer token (RFC 6750 section 2.1). False when the
   message is malformed, has no bearer token, or wants a channel binding; user may have grown then. */
bool oauth_read_bearer(struct str message, struct buf *user, struct str *token);

/* XOAUTH2: "user=NAME^Aauth=Bearer TOKEN^A^A". NAME is not empty. */
bool oauth_read_xoauth2(struct str message, struct buf *user, struct str *token);

#endif
