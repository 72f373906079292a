#include "tests/unit/proto/unit.h"

#include "proto/frame.h"

/* A frame of the given bytes behind a length. */
static size_t framed(uint8_t *out, const void *message, size_t length)
{
    out[0] = (uint8_t)(length >> 24);
    out[1] = (uint8_t)(length >> 16);
    out[2] = (uint8_t)(length >> 8);
    out[3] = (uint8_t)length;
    memcpy(out + 4, message, length);
    return length + 4;
}

static enum frame_result read_message(const void *message, size_t length, struct frame_view *view)
{
    static uint8_t bytes[FRAME_MAX + 4];
    struct err err;

    return frame_read(bytes, framed(bytes, message, length), view, &err);
}

static void data_by_hand_is_what_protobuf_writes(void **state)
{
    static const size_t lengths[] = {0, 1, 127, 128, 4096, FRAME_DATA_MAX};
    static const uint32_t sessions[] = {0, 1, 127, 128, 70000, UINT32_MAX};
    static uint8_t payload[FRAME_DATA_MAX];

    (void)state;
    memset(payload, 0xA5, sizeof(payload));
    for (size_t i = 0; i < 36; i++) {
        Link__Frame frame = LINK__FRAME__INIT;
        struct buf by_hand = {0};
        struct buf by_library = {0};

        frame.session = sessions[i / 6];
        frame.body_case = LINK__FRAME__BODY_DATA;
        frame.data.data = payload;
        frame.data.len = lengths[i % 6];
        assert_true(frame_write(&by_library, &frame));
        frame_write_data(&by_hand, frame.session, payload, frame.data.len);
        assert_int_equal(buf_length(&by_hand), buf_length(&by_library));
        assert_memory_equal(buf_bytes(&by_hand), buf_bytes(&by_library), buf_length(&by_hand));
        buf_release(&by_hand);
        buf_release(&by_library);
    }
}

static void data_is_found_without_a_copy(void **state)
{
    struct buf bytes = {0};
    struct frame_view view;

    (void)state;
    frame_write_data(&bytes, 9, "octets", 6);
    assert_int_equal(frame_read(buf_bytes(&bytes), buf_length(&bytes), &view, NULL), FRAME_WHOLE);
    assert_int_equal(view.session, 9);
    assert_int_equal(view.body, LINK__FRAME__BODY_DATA);
    assert_int_equal(view.payload_length, 6);
    assert_ptr_equal(view.payload, buf_bytes(&bytes) + buf_length(&bytes) - 6);
    buf_release(&bytes);
}

static void a_frame_in_parts_is_whole_only_at_its_last_byte(void **state)
{
    struct buf bytes = {0};
    struct frame_view view;

    (void)state;
    frame_write_data(&bytes, 300, "octets", 6);
    for (size_t length = 0; length < buf_length(&bytes); length++)
        assert_int_equal(frame_read(buf_bytes(&bytes), length, &view, NULL), FRAME_PARTIAL);
    assert_int_equal(frame_read(buf_bytes(&bytes), buf_length(&bytes), &view, NULL), FRAME_WHOLE);
    buf_release(&bytes);
}

static void a_length_over_the_limit_is_bad_before_the_frame_has_come(void **state)
{
    static const uint8_t over[] = {0, 1, 0, 1};
    static const uint8_t at[] = {0, 1, 0, 0};
    struct frame_view view;
    struct err err;

    (void)state;
    assert_int_equal(frame_read(at, sizeof(at), &view, &err), FRAME_PARTIAL);
    assert_int_equal(frame_read(over, sizeof(over), &view, &err), FRAME_BAD);
    assert_int_equal(err.code, ERR_INVALID);
}

static void malformed_frames_are_bad(void **state)
{
    struct frame_view view;

    (void)state;
    assert_int_equal(read_message("", 0, &view), FRAME_BAD);           /* no body */
    assert_int_equal(read_message("\x08\x01", 2, &view), FRAME_BAD);   /* a session only */
    assert_int_equal(read_message("\x4a\x05zz", 4, &view), FRAME_BAD); /* body beyond the end */
    assert_int_equal(read_message("\x08", 1, &view), FRAME_BAD);       /* cut */
    assert_int_equal(read_message("\x4b\x00", 2, &view), FRAME_BAD);   /* a group */
    assert_int_equal(read_message("\x02\x00", 2, &view), FRAME_BAD);   /* field 0 */
    assert_int_equal(read_message("\x4a\x01z\x52\x00", 5, &view), FRAME_BAD); /* two bodies */
    assert_int_equal(read_message("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, &view),
                     FRAME_BAD); /* an endless number */
}

static void unknown_bodies_and_fields_are_passed_over(void **state)
{
    struct frame_view view;

    (void)state;
    /* session 1, field 100 as number, field 101 as bytes, body 42 */
    assert_int_equal(read_message("\x08\x01\xa0\x06\x07\xaa\x06\x02xy\xd2\x02\x01z", 14, &view),
                     FRAME_WHOLE);
    assert_int_equal(view.session, 1);
    assert_int_equal(view.body, 42);
    assert_int_equal(view.payload_length, 1);
}

static void a_frame_that_would_take_too_much_memory_is_refused(void **state)
{
    static uint8_t message[FRAME_MAX];
    struct arena arena = {0};
    struct frame_view view;
    Link__Frame *frame;
    struct err err;
    size_t pairs = (FRAME_MAX - 8) / 2;

    (void)state;
    /* An Open of nothing but empty Pairs: two bytes each on the wire. */
    message[0] = 0x1a;
    message[1] = (uint8_t)(0x80 | (pairs * 2 & 0x7f));
    message[2] = (uint8_t)(0x80 | (pairs * 2 >> 7 & 0x7f));
    message[3] = (uint8_t)(pairs * 2 >> 14);
    for (size_t i = 0; i < pairs; i++)
        message[4 + 2 * i] = 0x3a;
    assert_int_equal(read_message(message, 4 + pairs * 2, &view), FRAME_WHOLE);
    assert_int_equal(view.body, LINK__FRAME__BODY_OPEN);
    assert_int_equal(frame_unpack(&view, &arena, &frame, &err), ERR_LIMIT);
    assert_true(arena.total <= FRAME_UNPACK_MAX + 4096);
    arena_reset(&arena);
}

static void a_body_that_is_no_valid_message_is_refused(void **state)
{
    struct arena arena = {0};
    struct frame_view view;
    Link__Frame *frame;
    struct err err;

    (void)state;
    assert_int_equal(read_message("\x52\x02\x08\xff", 4, &view),
                     FRAME_WHOLE); /* Window, cut inside */
    assert_int_equal(frame_unpack(&view, &arena, &frame, &err), ERR_INVALID);
    arena_reset(&arena);
}

static void a_frame_over_the_limit_is_not_written(void **state)
{
    static char text[FRAME_MAX + 1];
    Link__Drain drain = LINK__DRAIN__INIT;
    Link__Frame frame = LINK__FRAME__INIT;
    struct buf bytes = {0};

    (void)state;
    memset(text, 'x', FRAME_MAX);
    drain.reason = text;
    frame.body_case = LINK__FRAME__BODY_DRAIN;
    frame.drain = &drain;
    buf_text(&bytes, "before");
    assert_false(frame_write(&bytes, &frame));
    assert_int_equal(buf_length(&bytes), 6);
    buf_release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_by_hand_is_what_protobuf_writes),
        cmocka_unit_test(data_is_found_without_a_copy),
        cmocka_unit_test(a_frame_in_parts_is_whole_only_at_its_last_byte),
        cmocka_unit_test(a_length_over_the_limit_is_bad_before_the_frame_has_come),
        cmocka_unit_test(malformed_frames_are_bad),
        cmocka_unit_test(unknown_bodies_and_fields_are_passed_over),
        cmocka_unit_test(a_frame_that_would_take_too_much_memory_is_refused),
        cmocka_unit_test(a_body_that_is_no_valid_message_is_refused),
        cmocka_unit_test(a_frame_over_the_limit_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
