#include "tests/unit/common/conns.h"

#include <errno.h>
#include <sys/stat.h>

#include "common/privilege.h"

static bool b_has_ten(void)
{
    return buf_length(&b.got) >= 10;
}

static void what_one_end_writes_the_other_reads(void **state)
{
    (void)state;
    open_both();
    conn_write(a.conn, "01234", 5);
    conn_printf(a.conn, "%d%s", 56, "789");
    assert_int_equal(conn_pending(a.conn), 10);
    run_until(b_has_ten);
    assert_memory_equal(buf_bytes(&b.got), "0123456789", 10);
    assert_string_equal(b.told, "I");
    assert_string_equal(a.told, "");
    assert_int_equal(conn_pending(a.conn), 0);
}

static void output_of_a_turn_leaves_in_one_piece(void **state)
{
    int fds[2];
    char piece[16];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    set_non_blocking(fds[1]);
    a.conn = conn_open(loop, fds[0], on_event, &a);
    conn_write(a.conn, "one ", 4);
    conn_write(a.conn, "two ", 4);
    conn_write(a.conn, "three", 5);
    assert_int_equal(read(fds[1], piece, sizeof(piece)), -1);
    run_turns(3);
    assert_int_equal(read(fds[1], piece, sizeof(piece)), 13); /* a packet is a write() */
    close(fds[1]);
}

static bool b_is_gone(void)
{
    return strchr(b.told, 'G') != NULL;
}

static void a_close_by_the_peer_is_told_once_without_an_error(void **state)
{
    (void)state;
    open_both();
    conn_write(a.conn, "bye", 3);
    conn_finish(a.conn);
    a.conn = NULL;
    run_until(b_is_gone);
    run_turns(5);
    assert_string_equal(b.told, "IG");
    assert_int_equal(conn_error(b.conn)->code, ERR_NONE);
    conn_write(b.conn, "nobody hears this", 17);
    conn_set_timeout(b.conn, 1);
    run_turns(5);
    assert_string_equal(b.told, "IG");
}

static void close_in_the_handler(enum conn_event event)
{
    b.close_at = (int)event;
    conn_write(a.conn, "x", 1);
    if (event == CONN_GONE) {
        conn_close(a.conn);
        a.conn = NULL;
    }
    if (event == CONN_TIMEOUT)
        conn_set_timeout(b.conn, 1);
}

static bool b_is_closed(void)
{
    return b.conn == NULL;
}

static void a_handler_may_close_at_input(void **state)
{
    (void)state;
    open_both();
    close_in_the_handler(CONN_INPUT);
    run_until(b_is_closed);
    run_turns(5);
    assert_string_equal(b.told, "I");
    assert_string_equal(a.told, "G");
}

static void a_handler_may_close_when_gone(void **state)
{
    (void)state;
    open_both();
    close_in_the_handler(CONN_GONE);
    run_until(b_is_closed);
    assert_string_equal(b.told, "G"); /* conn_close() sends nothing of what was pending */
}

static void a_handler_may_close_at_a_timeout(void **state)
{
    (void)state;
    open_both();
    close_in_the_handler(CONN_TIMEOUT);
    run_until(b_is_closed);
    assert_string_equal(b.told, "IT");
}

static void close_the_other(struct end *end, enum conn_event event)
{
    struct end *other = end == &a ? &b : &a;

    (void)event;
    if (other->conn != NULL) {
        conn_close(other->conn);
        other->conn = NULL;
    }
}

static void a_handler_may_close_another_conn_that_has_work(void **state)
{
    int fds[4];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds + 2), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(write(fds[3], "x", 1), 1);
    a.conn = conn_open(loop, fds[0], on_event, &a);
    b.conn = conn_open(loop, fds[2], on_event, &b);
    a.hook = b.hook = close_the_other;
    conn_write(a.conn, "queued", 6);
    conn_write(b.conn, "queued", 6);
    run_turns(5);
    assert_int_equal(strlen(a.told) + strlen(b.told),
                     1); /* whichever came first closed the other */
    close(fds[1]);
    close(fds[3]);
}

static bool a_has_timed_out(void)
{
    return strchr(a.told, 'T') != NULL;
}

static void a_timeout_fires_unless_it_was_ended(void **state)
{
    (void)state;
    open_both();
    conn_set_timeout(a.conn, 1);
    conn_set_timeout(b.conn, 1);
    conn_set_timeout(b.conn, 0);
    run_until(a_has_timed_out);
    run_turns(5);
    assert_string_equal(a.told, "T");
    assert_string_equal(b.told, "");
}

#define LARGE ((size_t)8 << 20)

static size_t written;

/* As a well-behaved owner does: until it is full, and again when it has drained. */
static void write_until_full(struct end *end, enum conn_event event)
{
    if (event != CONN_DRAINED && written != 0)
        return;
    while (written < LARGE && !conn_is_full(end->conn)) {
        size_t piece = LARGE - written < 10000 ? LARGE - written : 10000;

        write_pattern(conn_output(end->conn), written, piece);
        conn_flush(end->conn);
        written += piece;
    }
}

static bool b_has_all(void)
{
    return buf_length(&b.got) == LARGE;
}

static void back_pressure_bounds_both_ends(void **state)
{
    size_t stuck_at;

    (void)state;
    open_both();
    written = 0;
    a.hook = write_until_full;
    b.keep_input = true;
    write_until_full(&a, CONN_DRAINED);
    run_turns(200);
    stuck_at = written;
    assert_true(stuck_at < LARGE / 2);
    assert_true(conn_is_full(a.conn));
    assert_true(conn_pending(a.conn) < 512 * 1024);
    assert_int_equal(buf_length(conn_input(b.conn)),
                     64 * 1024 + 1); /* the limit, and the byte over */
    run_turns(50);
    assert_int_equal(written, stuck_at);

    b.keep_input = false;
    take_all(&b);
    run_until(b_has_all);
    assert_pattern(&b.got, LARGE);
    assert_false(conn_is_full(a.conn));
    assert_string_equal(a.told, "D");
}

static void a_smaller_limit_holds_and_a_larger_one_goes_on(void **state)
{
    struct buf pattern = {0};

    (void)state;
    open_both();
    write_pattern(&pattern, 0, 50000);
    conn_set_input_limit(b.conn, 1000);
    b.keep_input = true;
    conn_write(a.conn, buf_bytes(&pattern), 50000);
    run_turns(50);
    assert_int_equal(buf_length(conn_input(b.conn)), 1001);
    conn_set_input_limit(b.conn, 100000);
    run_turns(50);
    assert_pattern(conn_input(b.conn), 50000);
    buf_release(&pattern);
}

static void a_paused_conn_reads_nothing(void **state)
{
    (void)state;
    open_both();
    conn_pause(b.conn, true);
    conn_write(a.conn, "0123456789", 10);
    run_turns(20);
    assert_string_equal(b.told, "");
    conn_pause(b.conn, false);
    run_until(b_has_ten);
    assert_string_equal(b.told, "I");
}

static int bare;
static struct buf bare_got;

static bool bare_is_at_its_end(void)
{
    return drain_fd(bare, &bare_got);
}

static void a_half_closed_peer_still_gets_its_answer(void **state)
{
    (void)state;
    bare = open_one();
    a.answer = "+OK bye\r\n";
    a.finish_when_gone = true;
    assert_int_equal(write(bare, "QUIT\r\n", 6), 6);
    assert_int_equal(shutdown(bare, SHUT_WR), 0);
    run_until(bare_is_at_its_end);
    assert_string_equal(a.told, "IG");
    assert_int_equal(buf_length(&bare_got), 9);
    assert_memory_equal(buf_bytes(&bare_got), "+OK bye\r\n", 9);
    buf_release(&bare_got);
    close(bare);
}

static void finish_sends_everything_to_a_slow_reader(void **state)
{
    (void)state;
    bare = open_one();
    write_pattern(conn_output(a.conn), 0, LARGE);
    conn_flush(a.conn);
    conn_finish(a.conn);
    a.conn = NULL;
    run_turns(100);
    run_until(bare_is_at_its_end);
    assert_pattern(&bare_got, LARGE);
    assert_string_equal(a.told, "");
    buf_release(&bare_got);
    close(bare);
}

static void finish_is_not_cut_off_by_unread_input(void **state)
{
    (void)state;
    bare = open_one();
    conn_pause(a.conn, true);
    assert_int_equal(write(bare, "never read", 10), 10);
    run_turns(5);
    conn_write(a.conn, "answer", 6);
    conn_finish(a.conn);
    a.conn = NULL;
    run_turns(20);
    assert_true(drain_fd(bare, &bare_got)); /* an end, not a reset */
    assert_int_equal(buf_length(&bare_got), 6);
    buf_release(&bare_got);
    close(bare);
}

static void a_finishing_conn_ends_with_its_loop(void **state)
{
    (void)state;
    bare = open_one();
    conn_finish(a.conn);
    a.conn = NULL;
    run_turns(5); /* the peer does not close: the sanitizer sees it if the conn stays */
    loop_destroy(&loop);
    assert_true(drain_fd(bare, &bare_got));
    buf_release(&bare_got);
    close(bare);
}

/* A client of the loop that was said good-bye to; the other end, which does not close. */
static int say_good_bye(void)
{
    int fds[2];
    struct conn *conn;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    conn = conn_open(loop, fds[0], on_event, NULL);
    conn_write(conn, "bye", 3);
    conn_finish(conn);
    return fds[1];
}

static void of_many_finishing_conns_the_oldest_are_closed(void **state)
{
    enum { MANY = 1025 };
    static int others[MANY];

    (void)state;
    if (privilege_raise_files(4096) < 2 * MANY + 100)
        skip();
    for (int i = 0; i < MANY; i++)
        others[i] = say_good_bye();
    run_turns(20);
    assert_int_equal(send(others[0], "x", 1, MSG_NOSIGNAL), -1);
    assert_int_equal(errno, EPIPE);
    assert_int_equal(send(others[1], "x", 1, MSG_NOSIGNAL), 1);
    for (int i = 0; i < MANY; i++) {
        assert_true(drain_fd(others[i], &bare_got));
        assert_int_equal(buf_length(&bare_got), 3);
        buf_release(&bare_got);
        close(others[i]);
    }
}

static bool a_is_gone(void)
{
    return strchr(a.told, 'G') != NULL;
}

static void a_reset_is_told_with_its_reason(void **state)
{
    struct linger linger = {1, 0};

    (void)state;
    bare = open_one();
    setsockopt(bare, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    close(bare);
    run_until(a_is_gone);
    assert_int_equal(conn_error(a.conn)->code, ERR_UNAVAILABLE);
    assert_non_null(strstr(conn_error(a.conn)->text, "reset"));
    conn_finish(a.conn); /* nothing can be sent any more */
    a.conn = NULL;
}

static struct listener *listener;
static struct net_address listening_at;

static void on_accept(struct listener *from, int fd, const struct net_address *peer, void *context)
{
    assert_ptr_equal(from, listener);
    assert_ptr_equal(context, &b);
    b.conn = conn_open_accepted(loop, fd, peer, on_event, &b);
    listener_close(listener); /* from within its handler */
    listener = NULL;
}

static void listen_at(const char *text)
{
    int fd;

    assert_int_equal(net_parse(&listening_at, text, NULL), ERR_NONE);
    assert_int_equal(net_listen(&fd, &listening_at, false, 0600, NULL), ERR_NONE);
    net_local_of(fd, &listening_at);
    listener = listener_open(loop, fd, on_accept, &b);
}

static void a_conn_connects_to_a_listener(void **state)
{
    char one[NET_TEXT_MAX];
    char two[NET_TEXT_MAX];
    unsigned uid;
    int pid;

    (void)state;
    listen_at("127.0.0.1:0");
    a.conn = conn_connect(loop, &listening_at, on_event, &a);
    conn_write(a.conn, "0123456789", 10); /* waits until the connection stands */
    assert_string_equal(a.told, "");
    run_until(b_has_ten);
    assert_string_equal(a.told, "C");
    assert_string_equal(net_text(conn_peer(a.conn), one), net_text(conn_local(b.conn), two));
    assert_string_equal(net_text(conn_local(a.conn), one), net_text(conn_peer(b.conn), two));
    assert_false(conn_peer_uid(b.conn, &uid, &pid));
    assert_ptr_equal(conn_loop(a.conn), loop);
}

static void a_unix_peer_is_known_by_uid_and_pid(void **state)
{
    char folder[64];
    char text[128];
    unsigned uid;
    int pid;

    (void)state;
    folder_begin(folder);
    snprintf(text, sizeof(text), "unix:%s/socket", folder);
    listen_at(text);
    a.conn = conn_connect(loop, &listening_at, on_event, &a);
    conn_write(a.conn, "0123456789", 10);
    run_until(b_has_ten);
    assert_true(conn_peer_uid(b.conn, &uid, &pid));
    assert_int_equal(uid, getuid());
    assert_int_equal(pid, getpid());
    assert_string_equal(net_text(conn_peer(b.conn), text), "unix");
    folder_end(folder);
}

static void a_refused_connection_is_told_later(void **state)
{
    struct net_address nowhere;

    (void)state;
    listen_at("127.0.0.1:0");
    listener_close(listener);
    a.conn = conn_connect(loop, &listening_at, on_event, &a);
    assert_int_equal(net_parse(&nowhere, "unix:/nonexistent/socket", NULL), ERR_NONE);
    b.conn = conn_connect(loop, &nowhere, on_event, &b);
    assert_string_equal(a.told, "");
    assert_string_equal(b.told, "");
    run_until(a_is_gone);
    run_until(b_is_gone);
    assert_string_equal(a.told, "G");
    assert_non_null(strstr(conn_error(a.conn)->text, "refused"));
    assert_non_null(strstr(conn_error(b.conn)->text, "no such file"));
}

static void an_impossible_address_is_told_later_too(void **state)
{
    struct net_address address = {.length = sizeof(struct sockaddr_in)};

    (void)state;
    address.at.any.sa_family = AF_PACKET;
    a.conn = conn_connect(loop, &address, on_event, &a);
    assert_string_equal(a.told, "");
    run_until(a_is_gone);
    assert_int_equal(conn_error(a.conn)->code, ERR_UNAVAILABLE);
}

static void a_conn_may_be_closed_while_it_connects(void **state)
{
    (void)state;
    listen_at("127.0.0.1:0");
    a.conn = conn_connect(loop, &listening_at, on_event, &a);
    conn_close(a.conn);
    a.conn = NULL;
    run_turns(10);
    assert_string_equal(a.told, "");
    if (listener != NULL)
        listener_close(listener);
}

static void the_handler_can_be_changed(void **state)
{
    (void)state;
    open_both();
    conn_set_handler(a.conn, on_event, &a);
    conn_set_handler(b.conn, on_event, &b);
    conn_write(a.conn, "0123456789", 10);
    run_until(b_has_ten);
}

int main(void)
{
#define ON_LOOP(test) cmocka_unit_test_setup_teardown(test, conns_begin, conns_end)
    const struct CMUnitTest tests[] = {
        ON_LOOP(what_one_end_writes_the_other_reads),
        ON_LOOP(output_of_a_turn_leaves_in_one_piece),
        ON_LOOP(a_close_by_the_peer_is_told_once_without_an_error),
        ON_LOOP(a_handler_may_close_at_input),
        ON_LOOP(a_handler_may_close_when_gone),
        ON_LOOP(a_handler_may_close_at_a_timeout),
        ON_LOOP(a_handler_may_close_another_conn_that_has_work),
        ON_LOOP(a_timeout_fires_unless_it_was_ended),
        ON_LOOP(back_pressure_bounds_both_ends),
        ON_LOOP(a_smaller_limit_holds_and_a_larger_one_goes_on),
        ON_LOOP(a_paused_conn_reads_nothing),
        ON_LOOP(a_half_closed_peer_still_gets_its_answer),
        ON_LOOP(finish_sends_everything_to_a_slow_reader),
        ON_LOOP(finish_is_not_cut_off_by_unread_input),
        ON_LOOP(a_finishing_conn_ends_with_its_loop),
        ON_LOOP(of_many_finishing_conns_the_oldest_are_closed),
        ON_LOOP(a_reset_is_told_with_its_reason),
        ON_LOOP(a_conn_connects_to_a_listener),
        ON_LOOP(a_unix_peer_is_known_by_uid_and_pid),
        ON_LOOP(a_refused_connection_is_told_later),
        ON_LOOP(an_impossible_address_is_told_later_too),
        ON_LOOP(a_conn_may_be_closed_while_it_connects),
        ON_LOOP(the_handler_can_be_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
