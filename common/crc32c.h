/* CRC-32C (Castagnoli, RFC 3385): the checksum of stored bytes. */
#ifndef COMMON_CRC32C_H
#define COMMON_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of length bytes. seed is 0, or the result for the bytes before these: so
   crc32c(crc32c(0, a), b) is the checksum of a and b in a row. Any thread. */
uint32_t crc32c(uint32_t seed, const void *data, size_t length);

/* As crc32c(), without the processor's own instruction; for machines that have none, and tests. */
uint32_t crc32c_portable(uint32_t seed, const void *data, size_t length);

#endif
