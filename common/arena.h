/* Memory that lives as long as one command. Nothing taken from an arena is freed on its own:
   arena_reset() ends all of it at once. An arena that was never used holds no memory. */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stddef.h>

struct arena_block;

/* Embed it; {0} is an empty arena. */
struct arena {
    struct arena_block *blocks;
    size_t total; /* bytes handed out since the last reset, for limits */
};

/* Returns size zeroed bytes, aligned for any type, good until arena_reset(). Never NULL. */
void *arena_alloc(struct arena *arena, size_t size);

/* count * size zeroed bytes, with the product checked. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A copy of length bytes with a NUL behind it. */
char *arena_copy(struct arena *arena, const void *data, size_t length);
char *arena_string(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Ends everything taken from the arena and gives its memory back; the arena can be used again. */
void arena_reset(struct arena *arena);

#endif
