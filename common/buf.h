/* A queue of bytes: written at the end, read from the start. Holds no memory while it is empty and
   has been released. */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Embed it; {0} is an empty buffer. Read through the functions. */
struct buf {
    uint8_t *memory;
    size_t start; /* first byte not yet consumed */
    size_t end;   /* one past the last byte */
    size_t size;
};

static inline size_t buf_length(const struct buf *buf)
{
    return buf->end - buf->start;
}

/* The unread bytes; good until the buffer is next written to or released. NULL is possible when
   there are none. */
static inline const uint8_t *buf_bytes(const struct buf *buf)
{
    return buf->memory == NULL ? NULL : buf->memory + buf->start;
}

/* Appends a copy. */
void buf_append(struct buf *buf, const void *data, size_t length);
void buf_text(struct buf *buf, const char *text);
void buf_byte(struct buf *buf, uint8_t byte);
void buf_number(struct buf *buf,
                uint64_t number); /* in decimal; for what is written by the thousand */
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Room for length bytes at the end, to be filled by the caller and made part of the buffer by
   buf_commit(). */
uint8_t *buf_reserve(struct buf *buf, size_t length);
void buf_commit(struct buf *buf, size_t length);

/* Takes length bytes (at most buf_length()) off the start. */
void buf_consume(struct buf *buf, size_t length);

/* Cuts the buffer to its first length unread bytes. */
void buf_truncate(struct buf *buf, size_t length);

/* Empties the buffer and gives its memory back. */
void buf_release(struct buf *buf);

/* Gives the memory back if nothing is in it: what an idle session calls. */
void buf_release_idle(struct buf *buf);

/* Moves everything in from to the end of to; from is empty afterwards. No copy when to is empty. */
void buf_move(struct buf *to, struct buf *from);

#endif
