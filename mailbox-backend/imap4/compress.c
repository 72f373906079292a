#include "mailbox-backend/imap4/compress.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "common/mem.h"

#define CHUNK ((size_t)16 << 10)

/* Raw streams, without zlib's header; the client may use the largest window, ours is smaller. */
#define CLIENT_WINDOW (-15)
#define OUR_WINDOW (-13)
#define OUR_MEMORY 6

struct compress {
    z_stream from_client, to_client;
    struct buf input, output;
};

struct compress *compress_create(void)
{
    struct compress *compress = mem_alloc(sizeof(*compress));

    if (inflateInit2(&compress->from_client, CLIENT_WINDOW) != Z_OK) {
        free(compress);
        return NULL;
    }
    if (deflateInit2(&compress->to_client, Z_DEFAULT_COMPRESSION, Z_DEFLATED, OUR_WINDOW,
                     OUR_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
        inflateEnd(&compress->from_client);
        free(compress);
        return NULL;
    }
    return compress;
}

void compress_destroy(struct compress **compress)
{
    if (*compress == NULL)
        return;
    inflateEnd(&(*compress)->from_client);
    deflateEnd(&(*compress)->to_client);
    buf_release(&(*compress)->input);
    buf_release(&(*compress)->output);
    free(*compress);
    *compress = NULL;
}

struct buf *compress_input(struct compress *compress)
{
    return &compress->input;
}

struct buf *compress_output(struct compress *compress)
{
    return &compress->output;
}

static uInt at_most(size_t length)
{
    return length < INT_MAX ? (uInt)length : INT_MAX;
}

bool compress_inflate(struct compress *compress, struct buf *raw)
{
    z_stream *stream = &compress->from_client;

    while (buf_length(raw) > 0 && buf_length(&compress->input) < COMPRESS_AHEAD) {
        uInt given = at_most(buf_length(raw));
        int result;

        stream->next_in = (Bytef *)(uintptr_t)buf_bytes(raw);
        stream->avail_in = given;
        stream->next_out = buf_reserve(&compress->input, CHUNK);
        stream->avail_out = CHUNK;
        result = inflate(stream, Z_SYNC_FLUSH);
        buf_commit(&compress->input, CHUNK - stream->avail_out);
        buf_consume(raw, given - stream->avail_in);
        if (result != Z_OK && result != Z_BUF_ERROR)
            return false;
        if (result == Z_BUF_ERROR && stream->avail_in == given && stream->avail_out == CHUNK)
            return false; /* no way to go on */
    }
    return true;
}

void compress_deflate(struct compress *compress, struct buf *raw)
{
    z_stream *stream = &compress->to_client;

    while (buf_length(&compress->output) > 0) {
        uInt given = at_most(buf_length(&compress->output));

        stream->next_in = (Bytef *)(uintptr_t)buf_bytes(&compress->output);
        stream->avail_in = given;
        do {
            stream->next_out = buf_reserve(raw, CHUNK);
            stream->avail_out = CHUNK;
            deflate(stream, Z_SYNC_FLUSH);
            buf_commit(raw, CHUNK - stream->avail_out);
        } while (stream->avail_out == 0);
        buf_consume(&compress->output, given - stream->avail_in);
    }
}
