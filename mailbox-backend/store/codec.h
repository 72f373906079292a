/* Compression of pieces: zstd at its fastest level, with contexts that are kept for the next use. */
#ifndef STORE_CODEC_H
#define STORE_CODEC_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define CODECS_KEPT 16

/* Embed it; codecs_init() before use. Any thread. */
struct codecs {
    pthread_mutex_t lock;
    void *packers[CODECS_KEPT];
    void *unpackers[CODECS_KEPT];
    unsigned packer_count, unpacker_count;
};

void codecs_init(struct codecs *codecs);
void codecs_release(struct codecs *codecs);

/* Compresses into new memory (*stored, free() it) and gives its length; 0 and NULL when that would
   not save a tenth. */
size_t codec_pack(struct codecs *codecs, const uint8_t *real, size_t length, uint8_t **stored);

/* Fills real, which must have exactly the length that the bytes had. */
enum err_code codec_unpack(struct codecs *codecs, const uint8_t *stored, size_t length,
                           uint8_t *real, size_t real_length, struct err *err);

#endif
