#include "common/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define FIRST_BLOCK ((size_t)2 << 10)
#define LARGEST_STEP ((size_t)64 << 10)

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) unsigned char bytes[];
};

static struct arena_block *add_block(struct arena *arena, size_t need)
{
    size_t size = arena->blocks == NULL ? FIRST_BLOCK : arena->blocks->size * 2;
    struct arena_block *block;

    if (size > LARGEST_STEP)
        size = LARGEST_STEP;
    if (size < need)
        size = need;
    block = mem_grow(NULL, sizeof(*block) + size, 1);
    block->next = arena->blocks;
    block->used = 0;
    block->size = size;
    arena->blocks = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct arena_block *block = arena->blocks;
    size_t need;
    void *memory;

    if (size > SIZE_MAX / 2)
        abort();
    need = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (block == NULL || block->size - block->used < need)
        block = add_block(arena, need);
    memory = block->bytes + block->used;
    block->used += need;
    arena->total += need;
    memset(memory, 0, size);
    return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        abort();
    return arena_alloc(arena, total);
}

char *arena_copy(struct arena *arena, const void *data, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    if (length != 0)
        memcpy(copy, data, length);
    return copy;
}

char *arena_string(struct arena *arena, const char *text)
{
    return arena_copy(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_list again;
    char *text;
    int length;

    va_start(args, format);
    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *block = arena->blocks;

    while (block != NULL) {
        struct arena_block *next = block->next;

        free(block);
        block = next;
    }
    arena->blocks = NULL;
    arena->total = 0;
}
