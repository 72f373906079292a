/* What clients send in a SCRAM exchange, as the front and the back end read it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/scram_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(struct str part, struct str whole)
{
    return part.length == 0 ||
           (part.data >= whole.data && part.data + part.length <= whole.data + whole.length);
}

static void read_first(struct str message)
{
    struct scram_first first;
    struct buf name = {0};

    if (!scram_read_first(message, &first))
        return;
    assert(first.user.length > 0 && first.nonce.length > 0);
    assert(first.header.length + first.bare.length == message.length);
    assert(lies_in(first.user, message) && lies_in(first.nonce, message));
    assert(lies_in(first.identity, message) && lies_in(first.binding_name, message));
    scram_name(first.user, &name);
    scram_name(first.identity, &name);
    assert(buf_length(&name) <= first.user.length + first.identity.length);
    buf_release(&name);
}

static void read_final(struct str message)
{
    struct scram_final final;

    if (!scram_read_final(message, &final))
        return;
    assert(final.without_proof.length + strlen(",p=") + final.proof.length == message.length);
    assert(lies_in(final.binding, message) && lies_in(final.nonce, message));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size == 0 ? 1 : size); /* of its own size: a read past the end is seen */
    struct str message = {copy, size};

    if (size > 0)
        memcpy(copy, data, size);
    read_first(message);
    read_final(message);
    free(copy);
    return 0;
}
