/* What clients send first with OAUTHBEARER and XOAUTH2, as the front and the back end read it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/oauth_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try(bool (*reader)(struct str, struct buf *, struct str *), struct str message)
{
    struct buf user = {0};
    struct str token = {NULL, 0};

    if (reader(message, &user, &token)) {
        assert(token.length > 0 && token.data > message.data);
        assert(token.data + token.length < message.data + message.length);
        assert(memchr(token.data, '\001', token.length) == NULL);
        assert(buf_length(&user) == 0 || memchr(buf_bytes(&user), '\0', buf_length(&user)) == NULL);
    }
    buf_release(&user);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size == 0 ? 1 : size); /* of its own size: a read past the end is seen */

    if (size > 0)
        memcpy(copy, data, size);
    try(oauth_read_bearer, (struct str){copy, size});
    try(oauth_read_xoauth2, (struct str){copy, size});
    free(copy);
    return 0;
}
