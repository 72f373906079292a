#include "common/random.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *data, size_t length)
{
    uint8_t *bytes = data;

    while (length > 0) {
        ssize_t got = getrandom(bytes, length, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            perror("getrandom");
            abort();
        }
        bytes += got;
        length -= (size_t)got;
    }
}
