/* What POP3 stuffs, LMTP's reader unstuffs: any bytes come back as they were, plus the final line end
   where they lack one. */
#include <stdlib.h>
#include <string.h>

#include "cas-proxy/lmtp_dot.h"
#include "mailbox-backend/pop3/dot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void stuff(const uint8_t *data, size_t size, struct buf *wire)
{
    struct dot dot = DOT_INIT;
    size_t half = size / 2;

    dot_feed(&dot, data, half, wire);
    dot_feed(&dot, data + half, size - half, wire);
    dot_finish(&dot, wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool whole = size == 0 || (size >= 2 && data[size - 2] == '\r' && data[size - 1] == '\n');
    struct buf wire = {0};
    struct buf text = {0};
    struct lmtp_dot dot = {0};

    stuff(data, size, &wire);
    if (lmtp_dot_feed(&dot, buf_bytes(&wire), buf_length(&wire), &text, SIZE_MAX) !=
            buf_length(&wire) ||
        !lmtp_dot_is_over(&dot) || buf_length(&text) != size + (whole ? 0 : 2) ||
        (size > 0 && memcmp(buf_bytes(&text), data, size) != 0))
        abort();
    buf_release(&wire);
    buf_release(&text);
    return 0;
}
