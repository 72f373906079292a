#include "common/keyed_hash.h"

#include <pthread.h>
#include <string.h>

#include "common/random.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint8_t process_key[16];

static void draw_key(void)
{
    random_bytes(process_key, sizeof(process_key));
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void round_of(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static uint64_t little_endian(const uint8_t *bytes, size_t length)
{
    uint64_t value = 0;

    for (size_t i = 0; i < length; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static void take(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    round_of(v);
    round_of(v);
    v[0] ^= word;
}

/* Begins with the variant's word in v[1]; the whole of the data is taken. */
static void take_all(uint64_t v[4], const uint8_t key[16], uint64_t variant, const void *data,
                     size_t length)
{
    const uint8_t *bytes = data;
    uint64_t k0 = little_endian(key, 8), k1 = little_endian(key + 8, 8);
    size_t whole = length - length % 8;

    v[0] = k0 ^ 0x736f6d6570736575;
    v[1] = k1 ^ 0x646f72616e646f6d ^ variant;
    v[2] = k0 ^ 0x6c7967656e657261;
    v[3] = k1 ^ 0x7465646279746573;
    for (size_t i = 0; i < whole; i += 8)
        take(v, little_endian(bytes + i, 8));
    take(v, little_endian(bytes + whole, length % 8) | (uint64_t)(length & 0xFF) << 56);
}

static uint64_t end(uint64_t v[4])
{
    for (int i = 0; i < 4; i++)
        round_of(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t keyed_hash_with(const uint8_t key[16], const void *data, size_t length)
{
    uint64_t v[4];

    take_all(v, key, 0, data, length);
    v[2] ^= 0xFF;
    return end(v);
}

void keyed_hash_128_with(const uint8_t key[16], const void *data, size_t length, uint64_t hash[2])
{
    uint64_t v[4];

    take_all(v, key, 0xEE, data, length);
    v[2] ^= 0xEE;
    hash[0] = end(v);
    v[1] ^= 0xDD;
    hash[1] = end(v);
}

uint64_t keyed_hash(const void *data, size_t length)
{
    pthread_once(&once, draw_key);
    return keyed_hash_with(process_key, data, length);
}

void keyed_hash_128(const void *data, size_t length, uint64_t hash[2])
{
    pthread_once(&once, draw_key);
    keyed_hash_128_with(process_key, data, length, hash);
}
