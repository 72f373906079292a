/* COMPRESS=DEFLATE (RFC 4978): what lies between the session's bytes and those of the engine. Memory is
   some 130 KB for each session that compresses, and what is inflated ahead of the engine. */
#ifndef IMAP4_COMPRESS_H
#define IMAP4_COMPRESS_H

#include <stdbool.h>

#include "common/buf.h"

/* Bytes that are inflated before the engine has taken any, so that a few bytes cannot become many at
   once. */
#define COMPRESS_AHEAD ((size_t)64 << 10)

struct compress;

/* NULL when there is no memory for it. */
struct compress *compress_create(void);
void compress_destroy(struct compress **compress); /* also of NULL */

struct buf *compress_input(struct compress *compress);  /* what was inflated */
struct buf *compress_output(struct compress *compress); /* what is to be deflated */

/* Takes bytes from raw and appends to the input, up to COMPRESS_AHEAD there. False when raw is broken, or
   the client has ended its stream. */
bool compress_inflate(struct compress *compress, struct buf *raw);

/* Moves all of the output to raw, such that the client can inflate all of it. */
void compress_deflate(struct compress *compress, struct buf *raw);

#endif
