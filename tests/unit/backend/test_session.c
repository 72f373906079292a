#include "tests/unit/backend/session_rig.h"

static struct session_rig rig;

static int begin(void **state)
{
    (void)state;
    session_rig_begin(&rig);
    return 0;
}

static int end(void **state)
{
    (void)state;
    session_rig_end(&rig);
    return 0;
}

static void bytes_pass_both_ways_after_the_greeting(void **state)
{
    static struct client client;

    (void)state;
    client_open_plainly(&client, &rig, 0);
    assert_int_equal(client.told.last_message, LINK__FRAME__BODY_OPENED);
    client_expect(&client, "hello front ");
    client_say(&client, "echo one");
    client_say(&client, "\necho two\n");
    client_expect(&client, "onetwo");
    client_forget(&client);
}

static void an_engine_that_ends_has_its_last_words_sent(void **state)
{
    static struct client client;

    (void)state;
    client_open_plainly(&client, &rig, 0);
    client_say(&client, "quit\n");
    rig_until(&rig.rig, &client.told.closes, 1);
    client_expect(&client, "hello front bye");
    assert_int_equal(client.told.close_reason, LINK__CLOSE__REASON__NORMAL);
    assert_int_equal(fake_log.closes, 1);
    client_forget(&client);
}

static void an_engine_that_does_not_open_refuses_the_session(void **state)
{
    static struct client client;

    (void)state;
    fake_log.open_fails = ERR_EXISTS;
    client_open_plainly(&client, &rig, 0);
    assert_int_equal(client.told.last_message, LINK__FRAME__BODY_REFUSED);
    assert_int_equal(client.told.refused, LINK__REFUSED__CODE__IN_USE);
    rig_settle(&rig.rig);
    assert_int_equal(sessions_on_loop(rig.rig.loop), 0);
}

static void a_client_that_reads_slowly_bounds_the_output(void **state)
{
    static struct client client;
    size_t wanted = 3 << 20;
    size_t seen = 0;

    (void)state;
    client_open_plainly(&client, &rig, 0);
    client_expect(&client, "hello front ");
    client.told.keeps_credit = true;
    client_say(&client, "flood 3145728\n");
    while (seen < wanted) {
        size_t length;

        rig_until_data(&rig.rig, &client.told, 1);
        length = buf_length(&client.told.data);
        for (size_t i = 0; i < length; i++)
            assert_int_equal(buf_bytes(&client.told.data)[i], (seen + i) % 251);
        seen += length;
        buf_consume(&client.told.data, length);
        link_session_consumed(client.told.session, length);
    }
    assert_int_equal(seen, wanted);
    assert_true(fake_log.most_output <= (256 << 10));
    client_say(&client, "echo done\n");
    client_expect(&client, "done");
    client_forget(&client);
}

static void a_client_that_reads_nothing_does_not_hinder_another(void **state)
{
    static struct client slow, quick;

    (void)state;
    client_open_plainly(&slow, &rig, 0);
    client_expect(&slow, "hello front ");
    slow.told.keeps_credit = true;
    client_say(&slow, "flood 1000000\n");
    client_open_plainly(&quick, &rig, 1);
    client_say(&quick, "flood 300000\necho end\n");
    rig_until_data(&rig.rig, &quick.told, 12 + 300000 + 3);
    assert_int_equal(buf_length(&slow.told.data), LINK_CREDIT_FIRST - 12);
    client_forget(&slow);
    client_forget(&quick);
}

static void an_engine_that_consumes_nothing_is_sent_no_more_than_its_credit(void **state)
{
    static const char bytes[16384];
    static struct client client;
    size_t sent = 0;
    size_t part;

    (void)state;
    client_open_plainly(&client, &rig, 0);
    client_say(&client, "ignore\n");
    rig_settle(&rig.rig);
    do {
        part = link_session_data(client.told.session, bytes, sizeof(bytes));
        sent += part;
        rig_settle(&rig.rig);
    } while (part != 0);
    assert_true(sent <= LINK_CREDIT_FIRST);
    client_forget(&client);
}

static void input_that_is_consumed_gives_its_credit_back(void **state)
{
    static const char bytes[65536];
    static struct client client;
    size_t sent = 0;

    (void)state;
    client_open_plainly(&client, &rig, 0);
    client_say(&client, "eat\n");
    while (sent < (4u << 20)) {
        sent += link_session_data(client.told.session, bytes, sizeof(bytes));
        uv_run(loop_uv(rig.rig.loop), UV_RUN_ONCE);
    }
    client_forget(&client);
}

static void long_work_runs_on_a_worker(void **state)
{
    static struct client client;

    (void)state;
    client_open_plainly(&client, &rig, 0);
    client_say(&client, "work\necho after\n");
    client_expect(&client, "hello front on a workerafter");
    client_forget(&client);
}

static void input_that_comes_while_a_worker_runs_is_not_lost(void **state)
{
    static struct client client;

    (void)state;
    client_open_plainly(&client, &rig, 0);
    client_say(&client, "wait\n");
    rig_settle(&rig.rig);
    client_say(&client, "echo 1\necho 2");
    rig_settle(&rig.rig);
    client_say(&client, "3\n");
    rig_settle(&rig.rig);
    client_expect(&client, "hello front ");
    assert_int_equal(buf_length(&client.told.data), 0);
    session_rig_release();
    client_expect(&client, "on a worker123");
    client_forget(&client);
}

static void other_sessions_go_on_while_a_worker_runs(void **state)
{
    static struct client waiting, other;

    (void)state;
    client_open_plainly(&waiting, &rig, 0);
    client_say(&waiting, "wait\n");
    client_open_plainly(&other, &rig, 1);
    client_say(&other, "work\n");
    client_expect(&other, "hello front on a worker");
    session_rig_release();
    client_expect(&waiting, "hello front on a worker");
    client_forget(&waiting);
    client_forget(&other);
}

static void a_session_whose_front_goes_away_lives_until_its_worker_is_done(void **state)
{
    static struct client client;

    (void)state;
    client_open_plainly(&client, &rig, 0);
    client_say(&client, "wait\n");
    rig_settle(&rig.rig);
    link_session_close(client.told.session, LINK__CLOSE__REASON__CLIENT_GONE, "");
    rig_settle(&rig.rig);
    assert_int_equal(fake_log.closes, 0);
    assert_int_equal(sessions_on_loop(rig.rig.loop), 1);
    session_rig_release();
    while (sessions_on_loop(rig.rig.loop) != 0)
        uv_run(loop_uv(rig.rig.loop), UV_RUN_ONCE);
    assert_int_equal(fake_log.closes, 1);
    client_forget(&client);
}

static void sessions_take_turns(void **state)
{
    static struct client a, b;

    (void)state;
    client_open_plainly(&a, &rig, 0);
    client_open_plainly(&b, &rig, 1);
    client_say(&a, "turns 4\n");
    client_say(&b, "turns 4\n");
    client_expect(&a, "hello front turned");
    client_expect(&b, "hello front turned");
    assert_string_equal(fake_log.turns, "abababab");
    client_forget(&a);
    client_forget(&b);
}

static void a_tick_comes_once(void **state)
{
    static struct client client;

    (void)state;
    client_open_plainly(&client, &rig, 0);
    client_say(&client, "tick\n");
    client_expect(&client, "hello front tick");
    client_say(&client, "echo x\n");
    client_expect(&client, "x");
    client_forget(&client);
}

static void an_idle_client_is_told_good_bye(void **state)
{
    static struct client client;

    (void)state;
    rig.settings.imap4be.idle_timeout = 1;
    client_open_plainly(&client, &rig, 0);
    rig_until(&rig.rig, &client.told.closes, 1);
    client_expect(&client, "hello front idle for too long");
    assert_int_equal(client.told.close_reason, LINK__CLOSE__REASON__IDLE);
    client_forget(&client);
}

static void a_client_whose_command_runs_is_not_idle(void **state)
{
    static struct client busy, idle;

    (void)state;
    rig.settings.imap4be.idle_timeout = 1;
    client_open_plainly(&busy, &rig, 0);
    client_say(&busy, "wait\n");
    rig_settle(&rig.rig);
    client_open_plainly(&idle, &rig, 1);
    rig_until(&rig.rig, &idle.told.closes, 1);
    assert_int_equal(busy.told.closes, 0);
    session_rig_release();
    client_expect(&busy, "hello front on a worker");
    client_forget(&busy);
    client_forget(&idle);
}

static void a_stop_lets_the_engine_say_good_bye(void **state)
{
    static const struct session_choice all = {0};
    static struct client idle, full, working;

    (void)state;
    client_open_plainly(&idle, &rig, 0);
    client_open_plainly(&full, &rig, 1);
    client_say(&full, "flood 300000\n");
    full.told.keeps_credit = true;
    client_open_plainly(&working, &rig, 2);
    client_say(&working, "wait\n");
    rig_settle(&rig.rig);
    sessions_stop(&rig.backend, &all, LINK__CLOSE__REASON__SHUTDOWN, "stopping");
    rig_until(&rig.rig, &idle.told.closes, 1);
    client_expect(&idle, "hello front stopping");
    assert_int_equal(idle.told.close_reason, LINK__CLOSE__REASON__SHUTDOWN);
    assert_string_equal(idle.told.close_text, "stopping");
    session_rig_release();
    rig_until(&rig.rig, &working.told.closes, 1);
    client_expect(&working, "hello front on a workerstopping");
    assert_int_equal(full.told.closes, 0); /* its output has to be read first */
    link_session_consumed(full.told.session, buf_length(&full.told.data) - 12);
    full.told.keeps_credit = false;
    rig_until(&rig.rig, &full.told.closes, 1);
    client_forget(&idle);
    client_forget(&full);
    client_forget(&working);
}

static void an_answer_waits_for_its_operation(void **state)
{
    static struct client client;

    (void)state;
    session_rig_store(&rig);
    client_open_plainly(&client, &rig, 0);
    client_say(&client, "set\necho next\nset\n");
    client_expect(&client, "hello front setnextset");
    client_forget(&client);
}

static void a_session_whose_front_goes_away_lives_until_its_operation_is_done(void **state)
{
    static struct client client;

    (void)state;
    session_rig_store(&rig);
    for (int i = 1; i <= 20; i++) {
        client_open_plainly(&client, &rig, 0);
        client_say(&client, "set\n");
        link_session_close(client.told.session, LINK__CLOSE__REASON__CLIENT_GONE, "");
        while (sessions_on_loop(rig.rig.loop) != 0)
            uv_run(loop_uv(rig.rig.loop), UV_RUN_ONCE);
        assert_int_equal(fake_log.closes, i);
        client_forget(&client);
    }
}

static void a_change_by_one_session_wakes_another_that_watches(void **state)
{
    static struct client watcher, writer;

    (void)state;
    session_rig_store(&rig);
    client_open_plainly(&watcher, &rig, 0);
    client_say(&watcher, "watch\n");
    client_expect(&watcher, "hello front watching");
    client_open_plainly(&writer, &rig, 1);
    client_say(&writer, "set\n");
    client_expect(&writer, "hello front set");
    client_expect(&watcher, "changed");
    client_forget(&watcher);
    client_forget(&writer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(bytes_pass_both_ways_after_the_greeting),
        TEST(an_engine_that_ends_has_its_last_words_sent),
        TEST(an_engine_that_does_not_open_refuses_the_session),
        TEST(a_client_that_reads_slowly_bounds_the_output),
        TEST(a_client_that_reads_nothing_does_not_hinder_another),
        TEST(an_engine_that_consumes_nothing_is_sent_no_more_than_its_credit),
        TEST(input_that_is_consumed_gives_its_credit_back),
        TEST(long_work_runs_on_a_worker),
        TEST(input_that_comes_while_a_worker_runs_is_not_lost),
        TEST(other_sessions_go_on_while_a_worker_runs),
        TEST(a_session_whose_front_goes_away_lives_until_its_worker_is_done),
        TEST(sessions_take_turns),
        TEST(a_tick_comes_once),
        TEST(an_idle_client_is_told_good_bye),
        TEST(a_client_whose_command_runs_is_not_idle),
        TEST(a_stop_lets_the_engine_say_good_bye),
        TEST(an_answer_waits_for_its_operation),
        TEST(a_session_whose_front_goes_away_lives_until_its_operation_is_done),
        TEST(a_change_by_one_session_wakes_another_that_watches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
