/* libFuzzer: a run of frames from a peer. Whatever is found must lie inside the input, unpack within
   its bound, and come out the same when written and read again. */
#include <assert.h>

#include "proto/frame.h"

static void check_again(const Link__Frame *frame)
{
    struct buf bytes = {0};
    struct frame_view view;

    if (frame_write(&bytes, frame)) {
        assert(frame_read(buf_bytes(&bytes), buf_length(&bytes), &view, NULL) == FRAME_WHOLE);
        assert(view.session == frame->session);
        assert(view.body == (uint32_t)frame->body_case);
    }
    buf_release(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct frame_view view;
    struct err err;

    while (frame_read(bytes, length, &view, &err) == FRAME_WHOLE) {
        struct arena arena = {0};
        Link__Frame *frame;

        assert(view.size <= length);
        assert(view.payload >= bytes && view.payload + view.payload_length <= bytes + view.size);
        if (view.body <= FRAME_BODY_LAST && frame_unpack(&view, &arena, &frame, &err) == ERR_NONE)
            check_again(frame);
        assert(arena.total <= FRAME_UNPACK_MAX + 64);
        arena_reset(&arena);
        bytes += view.size;
        length -= view.size;
    }
    return 0;
}
