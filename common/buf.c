#include "common/buf.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define FIRST_SIZE ((size_t)256)

uint8_t *buf_reserve(struct buf *buf, size_t length)
{
    size_t used = buf_length(buf);
    size_t size = buf->size == 0 ? FIRST_SIZE : buf->size;
    bool moves_up = buf->start != 0 && buf->start >= buf->size / 2;

    if (buf->memory != NULL && buf->size - buf->end >= length)
        return buf->memory + buf->end;
    while (size < used + length)
        size *= 2;
    if (size == buf->size && !moves_up)
        size *= 2; /* what moving would gain is used up too soon */
    if (buf->start != 0 && buf->memory != NULL)
        memmove(buf->memory, buf->memory + buf->start, used);
    if (size != buf->size)
        buf->memory = mem_grow(buf->memory, size, 1);
    buf->size = size;
    buf->start = 0;
    buf->end = used;
    return buf->memory + used;
}

void buf_commit(struct buf *buf, size_t length)
{
    assert(buf->size - buf->end >= length);
    buf->end += length;
}

void buf_append(struct buf *buf, const void *data, size_t length)
{
    if (length == 0)
        return;
    memcpy(buf_reserve(buf, length), data, length);
    buf->end += length;
}

void buf_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_byte(struct buf *buf, uint8_t byte)
{
    *buf_reserve(buf, 1) = byte;
    buf->end++;
}

void buf_number(struct buf *buf, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);

    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    buf_append(buf, digits + at, sizeof(digits) - at);
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    va_list again;
    size_t room;
    int length;

    va_copy(again, args);
    buf_reserve(buf, 128);
    room = buf->size - buf->end;
    length = vsnprintf((char *)buf->memory + buf->end, room, format, args);
    if ((size_t)length >= room) {
        buf_reserve(buf, (size_t)length + 1);
        vsnprintf((char *)buf->memory + buf->end, (size_t)length + 1, format, again);
    }
    va_end(again);
    buf->end += (size_t)length;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
}

void buf_consume(struct buf *buf, size_t length)
{
    assert(length <= buf_length(buf));
    buf->start += length;
    if (buf->start == buf->end) {
        buf->start = 0;
        buf->end = 0;
    }
}

void buf_truncate(struct buf *buf, size_t length)
{
    assert(length <= buf_length(buf));
    buf->end = buf->start + length;
}

void buf_release(struct buf *buf)
{
    free(buf->memory);
    *buf = (struct buf){0};
}

void buf_release_idle(struct buf *buf)
{
    if (buf_length(buf) == 0)
        buf_release(buf);
}

void buf_move(struct buf *to, struct buf *from)
{
    if (buf_length(to) == 0) {
        struct buf empty = *to;

        empty.start = empty.end = 0;
        *to = *from;
        *from = empty;
        return;
    }
    buf_append(to, buf_bytes(from), buf_length(from));
    buf_consume(from, buf_length(from));
}
