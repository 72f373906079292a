#include "mailbox-backend/store/codec.h"

#include <stdlib.h>
#include <zstd.h>

#include "common/mem.h"

#define LEVEL 1
#define WORTH_TRYING 128 /* bytes; less does not shrink by the header's size */

void codecs_init(struct codecs *codecs)
{
    *codecs = (struct codecs){0};
    pthread_mutex_init(&codecs->lock, NULL);
}

void codecs_release(struct codecs *codecs)
{
    while (codecs->packer_count > 0)
        ZSTD_freeCCtx(codecs->packers[--codecs->packer_count]);
    while (codecs->unpacker_count > 0)
        ZSTD_freeDCtx(codecs->unpackers[--codecs->unpacker_count]);
    pthread_mutex_destroy(&codecs->lock);
}

static void *take(struct codecs *codecs, void **kept, unsigned *count)
{
    void *context;

    pthread_mutex_lock(&codecs->lock);
    context = *count > 0 ? kept[--*count] : NULL;
    pthread_mutex_unlock(&codecs->lock);
    return context;
}

/* False when enough are kept. */
static bool keep(struct codecs *codecs, void **kept, unsigned *count, void *context)
{
    bool done;

    pthread_mutex_lock(&codecs->lock);
    done = *count < CODECS_KEPT;
    if (done)
        kept[(*count)++] = context;
    pthread_mutex_unlock(&codecs->lock);
    return done;
}

size_t codec_pack(struct codecs *codecs, const uint8_t *real, size_t length, uint8_t **stored)
{
    size_t room = length - length / 10; /* a result that needs more is not worth it */
    ZSTD_CCtx *context;
    size_t size;

    *stored = NULL;
    if (length < WORTH_TRYING)
        return 0;
    context = take(codecs, codecs->packers, &codecs->packer_count);
    if (context == NULL)
        context = ZSTD_createCCtx();
    *stored = mem_grow(NULL, room, 1);
    size = ZSTD_compressCCtx(context, *stored, room, real, length, LEVEL);
    if (!keep(codecs, codecs->packers, &codecs->packer_count, context))
        ZSTD_freeCCtx(context);
    if (ZSTD_isError(size)) {
        free(*stored);
        *stored = NULL;
        return 0;
    }
    *stored = mem_grow(*stored, size, 1);
    return size;
}

enum err_code codec_unpack(struct codecs *codecs, const uint8_t *stored, size_t length,
                           uint8_t *real, size_t real_length, struct err *err)
{
    ZSTD_DCtx *context = take(codecs, codecs->unpackers, &codecs->unpacker_count);
    size_t size;

    if (context == NULL)
        context = ZSTD_createDCtx();
    size = ZSTD_decompressDCtx(context, real, real_length, stored, length);
    if (!keep(codecs, codecs->unpackers, &codecs->unpacker_count, context))
        ZSTD_freeDCtx(context);
    if (ZSTD_isError(size) || size != real_length)
        return err_set(err, ERR_CORRUPT, "a piece of content does not decompress");
    return ERR_NONE;
}
