#include "common/mem.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *memory)
{
    if (memory == NULL) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *mem_alloc(size_t size)
{
    return must(calloc(1, size == 0 ? 1 : size));
}

void *mem_array(size_t count, size_t size)
{
    return must(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size));
}

void *mem_grow(void *old, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        return must(NULL);
    return must(realloc(old, total == 0 ? 1 : total));
}

char *mem_string(const char *text)
{
    return text == NULL ? NULL : mem_string_n(text, strlen(text));
}

char *mem_string_n(const void *data, size_t length)
{
    char *copy = must(malloc(length + 1));

    if (length != 0)
        memcpy(copy, data, length);
    copy[length] = '\0';
    return copy;
}

void mem_wipe(void *data, size_t length)
{
    if (length != 0)
        explicit_bzero(data, length);
}

void mem_tune(void)
{
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
}
