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

static void both_ends_come_up_and_know_each_other(void **state)
{
    (void)state;
    rig_connect(&rig);
    assert_true(link_is_up(rig.front.link));
    assert_string_equal(link_peer_name(rig.front.link), "back1");
    assert_string_equal(link_peer(rig.back.link)->name, "front1");
    assert_int_equal(rig.front.downs, 0);
}

static void a_client_tries_until_the_back_end_is_there(void **state)
{
    (void)state;
    rig_client(&rig, "back1");
    rig_until(&rig, &rig.front.downs, 2);
    assert_false(link_is_up(rig.front.link));
    rig_listen(&rig);
    rig_until(&rig, &rig.front.ups, 1);
}

static void a_client_connects_again_after_the_back_end_went_away(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig_session(&rig);
    link_destroy(&rig.back.link);
    rig_until(&rig, &rig.front.downs, 1);
    assert_int_equal(rig.front.closes, 1);
    assert_int_equal(rig.front.close_reason, LINK__CLOSE__REASON__INTERNAL);
    assert_null(link_peer(rig.front.link));
    rig_until(&rig, &rig.front.ups, 2);
    rig_session(&rig);
    assert_int_equal(link_session_number(rig.front.session), 1); /* numbers are the connection's */
}

static void a_back_end_of_another_name_is_refused(void **state)
{
    (void)state;
    rig_listen(&rig);
    rig_client(&rig, "back2");
    rig_until(&rig, &rig.front.downs, 1);
    assert_int_equal(rig.front.ups, 0);
    assert_non_null(strstr(rig.front.down_text, "back1, not back2"));
}

static void opening_tells_the_back_and_its_answer_tells_the_front(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig_session(&rig);
    assert_string_equal(rig.back.text, "imap4be");
    assert_int_equal(rig.front.last_message, LINK__FRAME__BODY_OPENED);
    assert_string_equal(rig.front.text, "alice");
    assert_int_equal(link_session_count(rig.front.link), 1);
    assert_int_equal(link_session_count(rig.back.link), 1);
}

static void a_challenge_and_its_response_pass(void **state)
{
    Link__Challenge challenge = LINK__CHALLENGE__INIT;
    Link__Response response = LINK__RESPONSE__INIT;
    Link__Frame frame = LINK__FRAME__INIT;

    (void)state;
    rig.back.keeps_waiting = true;
    rig_connect(&rig);
    rig.front.session =
        link_open(rig.front.link, &(Link__Open)LINK__OPEN__INIT, &rig_session_events, &rig.front);
    rig_until(&rig, &rig.back.opens, 1);
    frame.body_case = LINK__FRAME__BODY_CHALLENGE;
    frame.challenge = &challenge;
    link_session_send(rig.back.session, &frame);
    rig_until(&rig, &rig.front.messages, 1);
    assert_int_equal(rig.front.last_message, LINK__FRAME__BODY_CHALLENGE);
    frame.body_case = LINK__FRAME__BODY_RESPONSE;
    frame.response = &response;
    link_session_send(rig.front.session, &frame);
    rig_until(&rig, &rig.back.messages, 1);
    assert_int_equal(rig.back.last_message, LINK__FRAME__BODY_RESPONSE);
}

static void a_refusal_ends_the_session_at_both_ends(void **state)
{
    (void)state;
    rig.back.keeps_waiting = true;
    rig_connect(&rig);
    rig.front.session =
        link_open(rig.front.link, &(Link__Open)LINK__OPEN__INIT, &rig_session_events, &rig.front);
    rig_until(&rig, &rig.back.opens, 1);
    link_session_refuse(rig.back.session, LINK__REFUSED__CODE__EXPIRED, "expired", 0);
    rig.back.session = NULL;
    rig_until(&rig, &rig.front.closes, 1);
    assert_int_equal(rig.front.refused, LINK__REFUSED__CODE__EXPIRED);
    assert_int_equal(link_session_count(rig.front.link), 0);
    assert_int_equal(link_session_count(rig.back.link), 0);
}

static void bytes_arrive_in_order_and_unchanged(void **state)
{
    static uint8_t bytes[3 << 20];
    size_t sent = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    rig_connect(&rig);
    rig_session(&rig);
    while (sent < sizeof(bytes)) {
        sent += link_session_data(rig.front.session, bytes + sent, sizeof(bytes) - sent);
        uv_run(loop_uv(rig.loop), UV_RUN_ONCE);
    }
    rig_until_data(&rig, &rig.back, sizeof(bytes));
    assert_int_equal(buf_length(&rig.back.data), sizeof(bytes));
    assert_memory_equal(buf_bytes(&rig.back.data), bytes, sizeof(bytes));
}

static size_t fill(struct link_session *session)
{
    static const uint8_t bytes[65536];
    size_t sent = 0;
    size_t part;

    do {
        part = link_session_data(session, bytes, sizeof(bytes));
        sent += part;
        rig_settle(&rig);
    } while (part != 0);
    return sent;
}

static void a_receiver_that_keeps_its_credit_stops_the_sender_at_64_k(void **state)
{
    (void)state;
    rig.front.keeps_credit = true;
    rig_connect(&rig);
    rig_session(&rig);
    assert_int_equal(fill(rig.back.session), LINK_CREDIT_FIRST);
    assert_int_equal(link_session_room(rig.back.session), 0);
    assert_int_equal(buf_length(&rig.front.data), LINK_CREDIT_FIRST);
}

static void credit_that_comes_back_grows_to_256_k(void **state)
{
    (void)state;
    rig.front.keeps_credit = true;
    rig_connect(&rig);
    rig_session(&rig);
    fill(rig.back.session);
    link_session_consumed(rig.front.session, LINK_CREDIT_FIRST);
    rig_until(&rig, &rig.back.rooms, 1);
    assert_int_equal(link_session_room(rig.back.session), LINK_CREDIT_MOST);
    assert_int_equal(fill(rig.back.session), LINK_CREDIT_MOST);
}

static void a_session_that_takes_nothing_does_not_stop_another(void **state)
{
    struct link_session *slow;
    struct buf before = {0};

    (void)state;
    rig.front.keeps_credit = true;
    rig_connect(&rig);
    rig_session(&rig);
    slow = rig.back.session;
    fill(slow);
    assert_int_equal(link_session_room(slow), 0);
    buf_move(&before, &rig.front.data);
    rig.front.keeps_credit = false;
    rig_session(&rig);
    assert_int_equal(link_session_data(rig.back.session, "quick", 5), 5);
    rig_until_data(&rig, &rig.front, 5);
    assert_memory_equal(buf_bytes(&rig.front.data), "quick", 5);
    buf_release(&before);
}

static void a_close_arrives_after_the_last_bytes(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig_session(&rig);
    link_session_data(rig.back.session, "good bye", 8);
    link_session_close(rig.back.session, LINK__CLOSE__REASON__IDLE, "too quiet");
    rig.back.session = NULL;
    rig_until(&rig, &rig.front.closes, 1);
    assert_int_equal(buf_length(&rig.front.data), 8);
    assert_int_equal(rig.front.close_reason, LINK__CLOSE__REASON__IDLE);
    assert_string_equal(rig.front.close_text, "too quiet");
    rig_settle(&rig);
    assert_int_equal(rig.back.closes, 0);
    assert_int_equal(link_session_count(rig.back.link), 0);
    assert_true(link_is_up(rig.front.link));
}

static void both_may_close_at_the_same_moment(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig_session(&rig);
    link_session_data(rig.front.session, "late", 4);
    link_session_close(rig.front.session, LINK__CLOSE__REASON__CLIENT_GONE, "");
    link_session_close(rig.back.session, LINK__CLOSE__REASON__NORMAL, "");
    rig_settle(&rig);
    assert_int_equal(rig.front.closes + rig.back.closes, 0);
    assert_int_equal(rig.front.downs + rig.back.downs, 0);
}

static void questions_are_answered(void **state)
{
    (void)state;
    rig_connect(&rig);
    assert_true(link_ask_location(rig.front.link, 41, "alice", "imap4be"));
    rig_until(&rig, &rig.front.answers, 1);
    assert_string_equal(rig.back.text, "alice");
    assert_int_equal(rig.front.request, 41);
    assert_true(link_ask_resolve(rig.front.link, 42, "bob@example.test"));
    rig_until(&rig, &rig.front.answers, 2);
    assert_string_equal(rig.back.text, "bob@example.test");
    assert_int_equal(rig.front.request, 42);
}

static void a_draining_back_end_gets_no_new_sessions(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig_session(&rig);
    link_say_drain(rig.back.link, "restart");
    rig_until(&rig, &rig.front.drains, 1);
    assert_true(link_is_draining(rig.front.link));
    assert_null(
        link_open(rig.front.link, &(Link__Open)LINK__OPEN__INIT, &rig_session_events, NULL));
    assert_int_equal(link_session_data(rig.front.session, "goes on", 7), 7);
}

static void changed_services_are_told_on_a_link_that_is_up(void **state)
{
    (void)state;
    rig_connect(&rig);
    rig_session(&rig);
    link_say_services(rig.back.link);
    rig_until(&rig, &rig.front.ups, 2);
    assert_int_equal(rig.front.closes, 0);
}

static void many_sessions_come_and_go(void **state)
{
    (void)state;
    rig_connect(&rig);
    for (int i = 0; i < 499; i++) {
        rig_session(&rig);
        if (i % 3 != 0)
            link_session_close(rig.front.session, LINK__CLOSE__REASON__NORMAL, "");
    }
    rig_settle(&rig);
    assert_int_equal(link_session_number(rig.front.session), 499);
    assert_int_equal(link_session_count(rig.front.link), 167);
    assert_int_equal(link_session_count(rig.back.link), 167);
}

static void destroy_from_data(void *context, const uint8_t *bytes, size_t length)
{
    struct told *told = context;

    told_data(context, bytes, length);
    link_destroy(&told->link);
}

static void a_link_may_be_destroyed_from_within_an_event(void **state)
{
    static const struct link_session_events destroying = {
        .data = destroy_from_data,
        .closed = told_closed,
    };

    (void)state;
    rig_connect(&rig);
    rig_session(&rig);
    link_session_attach(rig.back.session, &destroying, &rig.back);
    link_session_data(rig.front.session, "one", 3);
    link_session_data(rig.front.session, "two", 3);
    rig_until(&rig, &rig.front.closes, 1);
    assert_int_equal(rig.back.closes, 1);
    assert_int_equal(buf_length(&rig.back.data), 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(both_ends_come_up_and_know_each_other),
        TEST(a_client_tries_until_the_back_end_is_there),
        TEST(a_client_connects_again_after_the_back_end_went_away),
        TEST(a_back_end_of_another_name_is_refused),
        TEST(opening_tells_the_back_and_its_answer_tells_the_front),
        TEST(a_challenge_and_its_response_pass),
        TEST(a_refusal_ends_the_session_at_both_ends),
        TEST(bytes_arrive_in_order_and_unchanged),
        TEST(a_receiver_that_keeps_its_credit_stops_the_sender_at_64_k),
        TEST(credit_that_comes_back_grows_to_256_k),
        TEST(a_session_that_takes_nothing_does_not_stop_another),
        TEST(a_close_arrives_after_the_last_bytes),
        TEST(both_may_close_at_the_same_moment),
        TEST(questions_are_answered),
        TEST(a_draining_back_end_gets_no_new_sessions),
        TEST(changed_services_are_told_on_a_link_that_is_up),
        TEST(many_sessions_come_and_go),
        TEST(a_link_may_be_destroyed_from_within_an_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
