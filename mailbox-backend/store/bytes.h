/* Numbers in keys and rows: big-endian, at any address. */
#ifndef STORE_BYTES_H
#define STORE_BYTES_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A run of bytes that somebody else owns. */
struct bytes {
    const uint8_t *data;
    size_t length;
};

static inline void put_u16(uint8_t *at, uint16_t value)
{
    value = htobe16(value);
    memcpy(at, &value, sizeof(value));
}

static inline void put_u32(uint8_t *at, uint32_t value)
{
    value = htobe32(value);
    memcpy(at, &value, sizeof(value));
}

static inline void put_u64(uint8_t *at, uint64_t value)
{
    value = htobe64(value);
    memcpy(at, &value, sizeof(value));
}

static inline void put_u48(uint8_t *at, uint64_t value)
{
    put_u16(at, (uint16_t)(value >> 32));
    put_u32(at + 2, (uint32_t)value);
}

static inline uint16_t get_u16(const uint8_t *at)
{
    uint16_t value;

    memcpy(&value, at, sizeof(value));
    return be16toh(value);
}

static inline uint32_t get_u32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return be32toh(value);
}

static inline uint64_t get_u64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return be64toh(value);
}

static inline uint64_t get_u48(const uint8_t *at)
{
    return (uint64_t)get_u16(at) << 32 | get_u32(at + 2);
}

/* Signed dates in 48 bits: good for four million years. */
static inline int64_t get_i48(const uint8_t *at)
{
    return (int64_t)(get_u48(at) << 16) >> 16;
}

#endif
