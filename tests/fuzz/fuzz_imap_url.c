/* URLs of CATENATE: what is taken is within its ranges, and what is refused is repeated so that it fits in a response
   code. */
#include <string.h>

#include "mailbox-backend/imap4/imap_url.h"
#include "tests/unit/mime/check_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_safe(struct str text)
{
    struct buf out = {0};

    imap_url_write_safe(text, &out);
    for (size_t i = 0; i < buf_length(&out); i++) {
        uint8_t c = buf_bytes(&out)[i];

        CHECK(c > ' ' && c <= '~' && c != ']' && c != '\\');
    }
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct imap_url url;
    struct err err;

    if (imap_url_parse(&arena, str_n(data, size), &url, &err) == ERR_NONE) {
        CHECK(url.uid > 0);
        CHECK(url.mailbox.data == NULL || url.mailbox.length > 0);
        CHECK(url.mailbox.length < size);
        CHECK(!url.partial || (url.origin <= INT64_MAX && url.length > 0));
        CHECK(!url.partial || url.length <= INT64_MAX);
    } else {
        CHECK(err.code == ERR_INVALID && err.text[0] != '\0');
    }
    check_safe(str_n(data, size));
    arena_reset(&arena);
    return 0;
}
