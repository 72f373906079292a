/* A-labels of domains ("xn--…") to Unicode, RFC 3492. */
#ifndef DIRECTORY_PUNYCODE_H
#define DIRECTORY_PUNYCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes what stands behind "xn--" (ASCII, any case). False when it is malformed or does not fit. */
bool punycode_decode(const uint32_t *text, size_t length, uint32_t *points, size_t room,
                     size_t *count);

#endif
