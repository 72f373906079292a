/* The fields that final delivery puts in front of a message: Return-Path and Received (RFC 5321
   section 4.4, RFC 3848, RFC 6531 section 4.3). Pure. */
#ifndef LMTP_TRACE_H
#define LMTP_TRACE_H

#include <stdint.h>

#include "common/buf.h"
#include "proto/lmtp_syntax.h"

/* Bytes of both fields together, at most: sender, both hosts' names, and what is around them. */
#define TRACE_MAX (LMTP_ADDRESS_MAX + 2 * LMTP_NAME_MAX + 256)

struct trace {
    const char *sender;         /* "" for the null reverse-path */
    const char *client_name;    /* as LHLO gave it */
    const char *client_address; /* IP, or anything else for none */
    const char *host;           /* who we are */
    bool secured;               /* the client came with TLS */
    bool utf8;                  /* SMTPUTF8 */
    const char *id;
    int64_t time; /* seconds since 1970 */
    int zone;     /* minutes east of UTC */
};

/* Appends both fields. There is no "for": one stored message serves all its recipients, and must show
   none of them to the others. */
void trace_write(const struct trace *trace, struct buf *out);

#endif
