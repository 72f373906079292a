#include "common/crc32c.h"

#include <pthread.h>
#include <string.h>

#define POLYNOMIAL 0x82F63B78u /* reflected */

static uint32_t table[256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void fill_table(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;

        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        table[byte] = crc;
    }
}

uint32_t crc32c_portable(uint32_t seed, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    uint32_t crc = ~seed;

    pthread_once(&table_once, fill_table);
    for (size_t i = 0; i < length; i++)
        crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xFF];
    return ~crc;
}

#if defined(__x86_64__)

#include <nmmintrin.h>

/* Fewer than eight bytes. */
__attribute__((target("sse4.2"))) static inline uint32_t
crc32c_tail(uint32_t crc, const uint8_t *bytes, size_t length)
{
    if (length & 4) {
        uint32_t word;

        memcpy(&word, bytes, sizeof(word));
        crc = _mm_crc32_u32(crc, word);
        bytes += sizeof(word);
    }
    if (length & 2) {
        uint16_t word;

        memcpy(&word, bytes, sizeof(word));
        crc = _mm_crc32_u16(crc, word);
        bytes += sizeof(word);
    }
    return length & 1 ? _mm_crc32_u8(crc, *bytes) : crc;
}

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t seed, const void *data,
                                                               size_t length)
{
    const uint8_t *bytes = data;
    uint64_t crc = ~seed;

    for (; length >= sizeof(uint64_t); length -= sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, bytes, sizeof(word));
        crc = _mm_crc32_u64(crc, word);
        bytes += sizeof(word);
    }
    return ~crc32c_tail((uint32_t)crc, bytes, length);
}

uint32_t crc32c(uint32_t seed, const void *data, size_t length)
{
    if (__builtin_cpu_supports("sse4.2"))
        return crc32c_sse42(seed, data, length);
    return crc32c_portable(seed, data, length);
}

#else

uint32_t crc32c(uint32_t seed, const void *data, size_t length)
{
    return crc32c_portable(seed, data, length);
}

#endif
