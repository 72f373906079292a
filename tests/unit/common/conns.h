/* A loop with two ends of connections on it, and what they were told. */
#ifndef TESTS_UNIT_COMMON_CONNS_H
#define TESTS_UNIT_COMMON_CONNS_H

#include "tests/unit/common/unit.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "common/conn.h"
#include "common/loop.h"

struct end {
    struct conn *conn;
    char told[64]; /* a letter for each event, as often as it came in a row only once */
    struct buf got;
    bool keep_input;    /* leave what comes in conn_input() */
    int close_at;       /* the event that the handler closes at, or -1 */
    const char *answer; /* written whenever there is input */
    bool finish_when_gone;
    void (*hook)(struct end *end, enum conn_event event);
};

static struct loop *loop;
static struct end a;
static struct end b;

static inline void note(struct end *end, enum conn_event event)
{
    size_t length = strlen(end->told);
    char letter = "CSIDTG"[event];

    if ((length == 0 || end->told[length - 1] != letter) && length + 1 < sizeof(end->told))
        end->told[length] = letter;
}

static inline void take_all(struct end *end)
{
    struct buf *input = conn_input(end->conn);

    buf_append(&end->got, buf_bytes(input), buf_length(input));
    conn_consume(end->conn, buf_length(input));
}

static inline void on_event(struct conn *conn, enum conn_event event, void *context)
{
    struct end *end = context;

    assert_ptr_equal(conn, end->conn);
    note(end, event);
    if (event == CONN_INPUT && !end->keep_input)
        take_all(end);
    if (event == CONN_INPUT && end->answer != NULL)
        conn_write(conn, end->answer, strlen(end->answer));
    if (end->hook != NULL)
        end->hook(end, event);
    if (end->close_at == (int)event) {
        conn_close(conn);
        end->conn = NULL;
    } else if (event == CONN_GONE && end->finish_when_gone) {
        conn_finish(conn);
        end->conn = NULL;
    }
}

/* Runs the loop until is_done says so. A test that waits for ever is ended by its runner. */
static bool (*is_done)(void);

static inline void look(struct loop_turn *turn)
{
    (void)turn;
    if (is_done())
        loop_stop(loop);
    else
        loop_again(loop); /* some of what is waited for is no event of the loop */
}

static inline void run_until(bool (*done)(void))
{
    struct loop_turn turn = {look, NULL, NULL};

    is_done = done;
    loop_turn_add(loop, &turn);
    loop_run(loop);
    loop_turn_remove(loop, &turn);
}

static int turns_left;

static inline bool turns_are_over(void)
{
    return turns_left-- <= 0;
}

/* Lets everything that can happen by itself happen. */
static inline void run_turns(int turns)
{
    turns_left = turns;
    run_until(turns_are_over);
}

static inline int conns_begin(void **state)
{
    (void)state;
    alarm(120);
    loop = loop_create(0);
    a = (struct end){.close_at = -1};
    b = (struct end){.close_at = -1};
    return 0;
}

static inline void end_end(struct end *end)
{
    if (end->conn != NULL)
        conn_close(end->conn);
    buf_release(&end->got);
}

static inline int conns_end(void **state)
{
    (void)state;
    end_end(&a);
    end_end(&b);
    loop_destroy(&loop);
    return 0;
}

static inline void set_non_blocking(int fd)
{
    assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
}

/* Both ends are conns, on a unix socket pair. */
static inline void open_both(void)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    a.conn = conn_open(loop, fds[0], on_event, &a);
    b.conn = conn_open(loop, fds[1], on_event, &b);
}

/* The two ends of a TCP connection over loopback. */
static inline void tcp_pair(int fds[2])
{
    struct net_address address;
    int listening;

    assert_int_equal(net_parse(&address, "127.0.0.1:0", NULL), ERR_NONE);
    assert_int_equal(net_listen(&listening, &address, false, 0, NULL), ERR_NONE);
    net_local_of(listening, &address);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fds[0], &address.at.any, address.length), 0);
    fds[1] = accept(listening, NULL, NULL);
    assert_true(fds[1] >= 0);
    close(listening);
    set_non_blocking(fds[0]);
    set_non_blocking(fds[1]);
}

/* a is a conn over TCP, the other end a bare descriptor. */
static inline int open_one(void)
{
    int fds[2];

    tcp_pair(fds);
    a.conn = conn_open(loop, fds[0], on_event, &a);
    return fds[1];
}

/* Appends what a bare descriptor has; true at its end. */
static inline bool drain_fd(int fd, struct buf *to)
{
    for (;;) {
        ssize_t got = read(fd, buf_reserve(to, 65536), 65536);

        if (got <= 0)
            return got == 0;
        buf_commit(to, (size_t)got);
    }
}

/* length bytes that show where they belong. */
static inline void write_pattern(struct buf *to, size_t from, size_t length)
{
    uint8_t *bytes = buf_reserve(to, length);

    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)((from + i) * 2654435761u >> 13);
    buf_commit(to, length);
}

static inline void assert_pattern(const struct buf *got, size_t length)
{
    struct buf expected = {0};

    assert_int_equal(buf_length(got), length);
    write_pattern(&expected, 0, length);
    assert_memory_equal(buf_bytes(got), buf_bytes(&expected), length);
    buf_release(&expected);
}

#endif
