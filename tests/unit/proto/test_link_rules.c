/* What a back end does with a peer that breaks the rules: the test writes the frames by hand. */
#include "tests/unit/proto/rig.h"

static struct rig rig;

static int begin(void **state)
{
    (void)state;
    rig_begin(&rig);
    return 0;
}

static int end(void **state)
{
    (void)state;
    rig_end(&rig);
    return 0;
}

/* The link ends, and says why in these words. */
static void assert_ends(const char *words)
{
    rig_until(&rig, &rig.back.downs, 1);
    if (strstr(rig.back.down_text, words) == NULL)
        fail_msg("ended with: %s", rig.back.down_text);
}

static void say(void (*change)(Link__Hello *hello))
{
    uint32_t bodies[FRAME_BODY_LAST];
    Link__Hello hello;

    rig_raw_back(&rig);
    rig_hello(&hello, bodies);
    change(&hello);
    rig_raw_say(&rig, &hello);
}

static void later_version(Link__Hello *hello)
{
    hello->version_least = 2;
    hello->version_most = 3;
}

static void wider_versions(Link__Hello *hello)
{
    hello->version_least = 0;
    hello->version_most = 3;
}

static void back_role(Link__Hello *hello)
{
    hello->role = LINK__HELLO__ROLE__BACK;
}

static void no_name(Link__Hello *hello)
{
    hello->name = (char *)"";
}

static void fewer_bodies(Link__Hello *hello)
{
    hello->n_bodies--;
}

static void a_hello_without_our_version_ends_the_link(void **state)
{
    (void)state;
    say(later_version);
    assert_ends("versions 2 to 3");
}

static void a_hello_with_more_versions_than_ours_is_fine(void **state)
{
    (void)state;
    say(wider_versions);
    rig_until(&rig, &rig.back.ups, 1);
}

static void a_hello_of_the_wrong_role_ends_the_link(void **state)
{
    (void)state;
    say(back_role);
    assert_ends("not a front");
}

static void a_hello_without_a_name_ends_the_link(void **state)
{
    (void)state;
    say(no_name);
    assert_ends("name");
}

static void a_hello_without_all_bodies_of_the_version_ends_the_link(void **state)
{
    (void)state;
    say(fewer_bodies);
    assert_ends("does not list body 18");
}

static void a_front_may_not_say_hello_twice(void **state)
{
    uint32_t bodies[FRAME_BODY_LAST];
    Link__Hello hello;

    (void)state;
    rig_raw_up(&rig);
    rig_hello(&hello, bodies);
    rig_raw_say(&rig, &hello);
    assert_ends("Hello twice");
}

static void frames_before_the_hello_end_the_link(void **state)
{
    (void)state;
    rig_raw_back(&rig);
    rig_raw_data(&rig, 1, 1);
    assert_ends("before the Hello");
}

static void a_frame_over_the_limit_ends_the_link(void **state)
{
    (void)state;
    rig_raw_up(&rig);
    rig_raw_write(&rig, "\x00\x01\x00\x01", 4);
    assert_ends("over the limit");
}

static void garbage_ends_the_link(void **state)
{
    (void)state;
    rig_raw_back(&rig);
    rig_raw_write(&rig, "\x00\x00\x00\x02zz", 6);
    assert_ends("malformed");
}

static void a_number_that_was_never_opened_ends_the_link(void **state)
{
    (void)state;
    rig_raw_up(&rig);
    rig_raw_session(&rig, 5);
    rig_raw_data(&rig, 6, 1);
    assert_ends("never opened");
}

static void opening_a_number_again_ends_the_link(void **state)
{
    Link__Open open = LINK__OPEN__INIT;
    Link__Frame frame = LINK__FRAME__INIT;

    (void)state;
    rig_raw_up(&rig);
    rig_raw_session(&rig, 5);
    frame.session = 5;
    frame.body_case = LINK__FRAME__BODY_OPEN;
    frame.open = &open;
    rig_raw_send(&rig, &frame);
    assert_ends("opened after session 5");
}

static void data_beyond_the_credit_ends_the_link(void **state)
{
    (void)state;
    rig.back.keeps_credit = true;
    rig_raw_up(&rig);
    rig_raw_session(&rig, 1);
    for (int i = 0; i < 4; i++)
        rig_raw_data(&rig, 1, FRAME_DATA_MAX);
    rig_until_data(&rig, &rig.back, LINK_CREDIT_FIRST);
    assert_int_equal(rig.back.downs, 0);
    rig_raw_data(&rig, 1, 1);
    assert_ends("beyond its credit");
    assert_int_equal(buf_length(&rig.back.data), LINK_CREDIT_FIRST);
}

static void data_before_the_session_is_open_ends_the_link(void **state)
{
    (void)state;
    rig.back.keeps_waiting = true;
    rig_raw_up(&rig);
    rig_raw_session(&rig, 1);
    rig_raw_data(&rig, 1, 1);
    assert_ends("not open");
}

static void too_much_data_in_one_frame_ends_the_link(void **state)
{
    static uint8_t payload[FRAME_DATA_MAX + 1];
    Link__Frame frame = LINK__FRAME__INIT;

    (void)state;
    rig_raw_up(&rig);
    rig_raw_session(&rig, 1);
    frame.session = 1;
    frame.body_case = LINK__FRAME__BODY_DATA;
    frame.data.data = payload;
    frame.data.len = sizeof(payload);
    rig_raw_send(&rig, &frame);
    assert_ends("more than 16384");
}

static void more_credit_than_there_may_be_ends_the_link(void **state)
{
    Link__Window window = LINK__WINDOW__INIT;
    Link__Frame frame = LINK__FRAME__INIT;

    (void)state;
    rig_raw_up(&rig);
    rig_raw_session(&rig, 1);
    frame.session = 1;
    frame.body_case = LINK__FRAME__BODY_WINDOW;
    frame.window = &window;
    window.credit = LINK_CREDIT_MOST - LINK_CREDIT_FIRST;
    rig_raw_send(&rig, &frame);
    rig_until(&rig, &rig.back.rooms, 1);
    assert_int_equal(link_session_room(rig.back.session), LINK_CREDIT_MOST);
    window.credit = 1;
    rig_raw_send(&rig, &frame);
    assert_ends("credit");
}

static void frames_for_a_closed_session_are_dropped(void **state)
{
    (void)state;
    rig_raw_up(&rig);
    rig_raw_session(&rig, 1);
    link_session_close(rig.back.session, LINK__CLOSE__REASON__NORMAL, "");
    rig.back.session = NULL;
    rig_raw_data(&rig, 1, 100);
    rig_raw_session(&rig, 2);
    assert_int_equal(buf_length(&rig.back.data), 0);
    assert_int_equal(rig.back.downs, 0);
}

static void a_close_is_answered_by_a_close(void **state)
{
    Link__Close close = LINK__CLOSE__INIT;
    Link__Frame frame = LINK__FRAME__INIT;
    struct frame_view view;

    (void)state;
    rig_raw_up(&rig);
    rig_raw_session(&rig, 1);
    frame.session = 1;
    frame.body_case = LINK__FRAME__BODY_CLOSE;
    frame.close = &close;
    rig_raw_send(&rig, &frame);
    assert_true(rig_raw_wait(&rig, LINK__FRAME__BODY_CLOSE, &view));
    assert_int_equal(view.session, 1);
    assert_int_equal(rig.back.closes, 1);
}

static void an_unknown_body_on_session_0_is_ignored(void **state)
{
    (void)state;
    rig_raw_up(&rig);
    rig_raw_write(&rig, "\x00\x00\x00\x03\x9a\x01\x00", 7); /* body 19 */
    rig_raw_session(&rig, 1);
    assert_int_equal(rig.back.downs, 0);
}

static void an_unknown_body_closes_its_session_only(void **state)
{
    struct frame_view view;

    (void)state;
    rig_raw_up(&rig);
    rig_raw_session(&rig, 1);
    rig_raw_session(&rig, 2);
    rig_raw_write(&rig, "\x00\x00\x00\x05\x08\x01\x9a\x01\x00", 9);
    rig_until(&rig, &rig.back.closes, 1);
    assert_int_equal(rig.back.close_reason, LINK__CLOSE__REASON__UNSUPPORTED);
    assert_true(rig_raw_wait(&rig, LINK__FRAME__BODY_CLOSE, &view));
    assert_int_equal(view.session, 1);
    assert_int_equal(link_session_count(rig.back.link), 1);
    assert_int_equal(rig.back.downs, 0);
}

static void a_body_from_the_wrong_side_ends_the_link(void **state)
{
    Link__Opened opened = LINK__OPENED__INIT;
    Link__Frame frame = LINK__FRAME__INIT;

    (void)state;
    rig_raw_up(&rig);
    rig_raw_session(&rig, 1);
    frame.session = 1;
    frame.body_case = LINK__FRAME__BODY_OPENED;
    frame.opened = &opened;
    rig_raw_send(&rig, &frame);
    assert_ends("wrong side");
}

static void a_question_on_a_session_ends_the_link(void **state)
{
    Link__Locate locate = LINK__LOCATE__INIT;
    Link__Frame frame = LINK__FRAME__INIT;

    (void)state;
    rig_raw_up(&rig);
    rig_raw_session(&rig, 1);
    frame.session = 1;
    frame.body_case = LINK__FRAME__BODY_LOCATE;
    frame.locate = &locate;
    rig_raw_send(&rig, &frame);
    assert_ends("on session 1");
}

static void a_ping_is_answered_with_its_number(void **state)
{
    Link__Ping ping = LINK__PING__INIT;
    Link__Frame frame = LINK__FRAME__INIT;
    struct frame_view view;
    struct arena arena = {0};
    Link__Frame *answer;

    (void)state;
    rig_raw_up(&rig);
    ping.id = 4711;
    frame.body_case = LINK__FRAME__BODY_PING;
    frame.ping = &ping;
    rig_raw_send(&rig, &frame);
    assert_true(rig_raw_wait(&rig, LINK__FRAME__BODY_PONG, &view));
    assert_int_equal(frame_unpack(&view, &arena, &answer, NULL), ERR_NONE);
    assert_int_equal(answer->pong->id, 4711);
    arena_reset(&arena);
}

static void a_peer_that_asks_and_never_reads_is_hung_up_on(void **state)
{
    Link__Ping ping = LINK__PING__INIT;
    Link__Frame frame = LINK__FRAME__INIT;
    struct buf bytes = {0};

    (void)state;
    rig_raw_up(&rig);
    ping.id = UINT64_MAX;
    frame.body_case = LINK__FRAME__BODY_PING;
    frame.ping = &ping;
    for (int i = 0; i < 1000; i++)
        assert_true(frame_write(&bytes, &frame));
    while (rig.back.link != NULL)
        rig_raw_write(&rig, buf_bytes(&bytes), buf_length(&bytes));
    assert_ends("reads nothing");
    buf_release(&bytes);
}

static void a_peer_that_hangs_up_ends_the_link_and_its_sessions(void **state)
{
    (void)state;
    rig_raw_up(&rig);
    rig_raw_session(&rig, 1);
    rig_settle(&rig); /* its answers are out */
    shutdown(rig.raw, SHUT_WR);
    assert_ends("closed by the other side");
    assert_int_equal(rig.back.closes, 1);
}

static void tcp_without_tls_is_refused(void **state)
{
    (void)state;
    rig_listen_tcp(&rig);
    rig_client(&rig, "back1");
    rig_until(&rig, &rig.front.downs, 1);
    assert_non_null(strstr(rig.front.down_text, "needs a certificate"));
    assert_int_equal(rig.back.ups, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_hello_without_our_version_ends_the_link),
        TEST(a_hello_with_more_versions_than_ours_is_fine),
        TEST(a_hello_of_the_wrong_role_ends_the_link),
        TEST(a_hello_without_a_name_ends_the_link),
        TEST(a_hello_without_all_bodies_of_the_version_ends_the_link),
        TEST(a_front_may_not_say_hello_twice),
        TEST(frames_before_the_hello_end_the_link),
        TEST(a_frame_over_the_limit_ends_the_link),
        TEST(garbage_ends_the_link),
        TEST(a_number_that_was_never_opened_ends_the_link),
        TEST(opening_a_number_again_ends_the_link),
        TEST(data_beyond_the_credit_ends_the_link),
        TEST(data_before_the_session_is_open_ends_the_link),
        TEST(too_much_data_in_one_frame_ends_the_link),
        TEST(more_credit_than_there_may_be_ends_the_link),
        TEST(frames_for_a_closed_session_are_dropped),
        TEST(a_close_is_answered_by_a_close),
        TEST(an_unknown_body_on_session_0_is_ignored),
        TEST(an_unknown_body_closes_its_session_only),
        TEST(a_body_from_the_wrong_side_ends_the_link),
        TEST(a_question_on_a_session_ends_the_link),
        TEST(a_ping_is_answered_with_its_number),
        TEST(a_peer_that_asks_and_never_reads_is_hung_up_on),
        TEST(a_peer_that_hangs_up_ends_the_link_and_its_sessions),
        TEST(tcp_without_tls_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
