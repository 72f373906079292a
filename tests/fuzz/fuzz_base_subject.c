/* libFuzzer's entry for base subjects: each is what the steps of RFC 5256 make, and its key is bounded. */
#include <string.h>

#include "mailbox-backend/mime/base_subject.h"
#include "tests/unit/mime/check_message.h"
#include "tests/unit/mime/plain_subject.h"

#define KEY_MAX 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Step 1 leaves it as it is: single spaces, ASCII, no encoded words. */
static bool is_plain(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] < ' ' || data[i] > '~' || data[i] == '=' ||
            (i > 0 && data[i] == ' ' && data[i - 1] == ' '))
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct buf key = {0};
    struct str base;

    mime_base_subject(&arena, str_n(data, size), &base);
    if (is_plain(data, size))
        CHECK(str_equal(base, plain_subject(str_n(data, size))));
    mime_collation_key(base, KEY_MAX, &key);
    CHECK(buf_length(&key) <= KEY_MAX);
    buf_release(&key);
    arena_reset(&arena);
    return 0;
}
