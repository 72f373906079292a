/* Allocation that does not fail: the process ends, with a line on stderr, when the machine has no
   memory left. Memory is bounded by limits further up, so this is never a client's doing. */
#ifndef COMMON_MEM_H
#define COMMON_MEM_H

#include <stddef.h>

/* size zeroed bytes; release with free(). Never NULL. */
void *mem_alloc(size_t size);

/* count * size zeroed bytes, with the product checked. */
void *mem_array(size_t count, size_t size);

/* As realloc() with the product checked; the grown part is not zeroed. */
void *mem_grow(void *old, size_t count, size_t size);

/* Copies; release with free(). text may be NULL, which gives NULL. */
char *mem_string(const char *text);
char *mem_string_n(const void *data, size_t length);

/* Overwrites a secret in a way that the compiler keeps. */
void mem_wipe(void *data, size_t length);

/* Makes malloc() keep up to 16 MB of what was freed for the next use. glibc would give back and ask
   again for every large buffer, which costs a busy loop more than its work. loop_create() calls it. */
void mem_tune(void);

#endif
