/* Random bytes fit for keys, salts and identifiers. */
#ifndef COMMON_RANDOM_H
#define COMMON_RANDOM_H

#include <stddef.h>

/* Fills length bytes from the kernel's generator. Never fails: the process ends where the kernel has
   none. Any thread. */
void random_bytes(void *data, size_t length);

#endif
