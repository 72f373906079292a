#include "proto/dot_run.h"

#include <string.h>

size_t dot_run(const uint8_t *bytes, size_t length)
{
    const uint8_t *end = bytes + length;
    const uint8_t *at = bytes;

    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        if (at < end && *at == '.' && at - bytes >= 2 && at[-2] == '\r')
            return (size_t)(at - bytes);
        if (at == end)
            break;
    }
    return length;
}
