/* What another IMAP server says: read whole and in pieces, it gives the same events and the same end. */
#include <stdlib.h>
#include <string.h>

#include "mailbox-backend/remote/imap_response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
    const uint8_t *bytes;
    size_t left, step;
};

static enum err_code give(void *context, void *bytes, size_t room, size_t *got, struct err *err)
{
    struct source *source = context;

    if (source->left == 0)
        return err_set(err, ERR_UNAVAILABLE, "the end");
    *got = source->left < source->step ? source->left : source->step;
    *got = *got < room ? *got : room;
    memcpy(bytes, source->bytes, *got);
    source->bytes += *got;
    source->left -= *got;
    return ERR_NONE;
}

/* A sum over everything that was told, the same however a body was cut. */
static enum err_code add(void *context, const struct imap_event *event, struct err *err)
{
    uint64_t *sum = context;

    (void)err;
    if (event->kind == IMAP_BODY) {
        for (size_t i = 0; i < event->length; i++)
            *sum = *sum * 31 + (uint8_t)event->text[i];
        return ERR_NONE;
    }
    *sum = *sum * 31 + event->kind + event->number + event->last + event->attributes;
    for (const char *at = event->name; at != NULL && *at != '\0'; at++)
        *sum = *sum * 31 + (uint8_t)*at;
    if (event->fetch != NULL)
        *sum = *sum * 31 + event->fetch->uid + event->fetch->flags + event->fetch->keyword_count;
    return ERR_NONE;
}

static uint64_t run(const uint8_t *data, size_t size, size_t step)
{
    struct source source = {data, size, step};
    struct imap_scan *scan = calloc(1, sizeof(*scan));
    uint64_t sum = 0;
    const struct imap_listener listener = {add, &sum};
    struct imap_response response;
    struct err err;

    if (scan == NULL)
        abort();
    scan->read = give;
    scan->context = &source;
    while (imap_response_read(scan, &listener, &response, &err) == ERR_NONE)
        sum = sum * 31 + response.status;
    free(scan);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (run(data, size, SIZE_MAX) != run(data, size, 1))
        abort();
    return 0;
}
