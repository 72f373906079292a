/* The LMTP service between an MTA, which the test plays, and back ends, which fake_back.h plays. */
#include "tests/unit/front/fake_back.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cas-proxy/certificates.h"
#include "cas-proxy/client.h"
#include "cas-proxy/limits.h"
#include "cas-proxy/links.h"
#include "cas-proxy/lmtp.h"
#include "cas-proxy/lmtp_access.h"

#define PATIENCE 20000 /* ms until an answer that must come counts as missing */

struct pair {
    char folder[64];
    struct front_settings settings;
    struct front_backend named[3]; /* the third is never there */
    struct fake_back backs[2];
    struct front front;
    struct front_loop home;
    struct link_self self;
    int fd;       /* the MTA's end */
    int accepted; /* the front's end */
};

/* ---- setting up, on the loop's thread ---- */

static void begin(struct front_loop *home, void *context)
{
    struct pair *pair = context;
    struct err err;

    fake_start(&pair->backs[0], home->loop);
    fake_start(&pair->backs[1], home->loop);
    assert_int_equal(links_open(home, &err), ERR_NONE);
}

static void accept_mta(struct front_loop *home, void *context)
{
    struct pair *pair = context;

    client_accept(home, &lmtp_protocol, &pair->settings.lmtp.service, false, pair->accepted, NULL);
}

static void end(struct front_loop *home, void *context)
{
    struct pair *pair = context;

    client_stop_all(home, NULL);
    links_close(home);
    fake_stop(&pair->backs[0]);
    fake_stop(&pair->backs[1]);
}

static void look_at_links(struct front_loop *home, void *context)
{
    bool *up = context;

    *up = link_is_up(home->backs[0].link) && link_is_up(home->backs[1].link);
}

static void wait_for_links(struct pair *pair)
{
    bool up = false;

    for (int tries = 0; !up && tries < PATIENCE / 5; tries++) {
        front_on_loops(&pair->front, look_at_links, &up);
        usleep(5000);
    }
    assert_true(up);
}

static void name_back(struct pair *pair, unsigned n, const char *name)
{
    char address[96];

    snprintf(address, sizeof(address), "unix:%s/%s", pair->folder, name);
    pair->named[n].name = mem_string(name);
    pair->named[n].address = mem_string(address);
    if (n < 2) {
        pair->backs[n].name = pair->named[n].name;
        strcpy(pair->backs[n].address, address);
    }
}

static void fill_settings(struct pair *pair)
{
    struct front_settings *settings = &pair->settings;

    settings->front.name = (char *)(uintptr_t) "front1";
    settings->lmtp.service.max_connections = 10;
    settings->lmtp.service.login_timeout = 300;
    settings->lmtp.max_recipients = 4;
    settings->lmtp.stall_timeout = 300;
    settings->backends = (struct setting_group){pair->named, 2};
}

static int create(void **state)
{
    struct pair *pair = mem_alloc(sizeof(*pair));
    struct limits_settings limits = {0};
    struct err err;

    strcpy(pair->folder, "/tmp/unit-front-XXXXXX");
    assert_non_null(mkdtemp(pair->folder));
    name_back(pair, 0, "one");
    name_back(pair, 1, "two");
    name_back(pair, 2, "away");
    fill_settings(pair);
    pair->self =
        (struct link_self){.role = LINK__HELLO__ROLE__FRONT, .name = "front1", .software = "test"};
    pair->front.settings = &pair->settings;
    pair->front.self = &pair->self;
    pair->front.limits = limits_create(&limits);
    assert_int_equal(certificates_create(&pair->front.certificates, &pair->settings, &err),
                     ERR_NONE);
    pair->front.loops = &pair->home;
    pair->front.loop_count = 1;
    pair->home.front = &pair->front;
    pair->home.loop = loop_create(0);
    assert_int_equal(loop_start(pair->home.loop, &err), ERR_NONE);
    *state = pair;
    return 0;
}

static int destroy(void **state)
{
    struct pair *pair = *state;
    char command[96];

    front_on_loops(&pair->front, end, pair);
    loop_stop(pair->home.loop);
    loop_destroy(&pair->home.loop);
    links_free(&pair->home);
    certificates_destroy(&pair->front.certificates);
    limits_destroy(&pair->front.limits);
    for (int n = 0; n < 3; n++) {
        free(pair->named[n].name);
        free(pair->named[n].address);
    }
    close(pair->fd);
    snprintf(command, sizeof(command), "rm -rf '%s'", pair->folder);
    assert_int_equal(system(command), 0);
    free(pair);
    return 0;
}

/* ---- the MTA ---- */

static void send_bytes(struct pair *pair, const void *bytes, size_t length)
{
    const char *rest = bytes;

    while (length > 0) {
        ssize_t sent = write(pair->fd, rest, length);

        assert_true(sent > 0);
        rest += sent;
        length -= (size_t)sent;
    }
}

#define say(pair, literal) send_bytes(pair, literal, sizeof(literal) - 1)

/* What comes next is text, to the byte. */
static void expect(struct pair *pair, const char *text)
{
    struct pollfd poll_fd = {.fd = pair->fd, .events = POLLIN};
    char got[8192];
    size_t length = 0;

    assert_true(strlen(text) < sizeof(got));
    while (length < strlen(text)) {
        ssize_t come;

        assert_int_equal(poll(&poll_fd, 1, PATIENCE), 1);
        come = read(pair->fd, got + length, strlen(text) - length);
        assert_true(come > 0);
        length += (size_t)come;
    }
    got[length] = '\0';
    assert_string_equal(got, text);
}

static void expect_end(struct pair *pair)
{
    struct pollfd poll_fd = {.fd = pair->fd, .events = POLLIN};
    char byte;

    assert_int_equal(poll(&poll_fd, 1, PATIENCE), 1);
    assert_int_equal(read(pair->fd, &byte, 1), 0);
}

/* Starts everything, connects, says LHLO. */
static struct pair *connect_mta(void **state)
{
    struct pair *pair = *state;
    int fds[2];

    front_on_loops(&pair->front, begin, pair);
    wait_for_links(pair);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    pair->fd = fds[0];
    pair->accepted = fds[1];
    assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    front_on_loops(&pair->front, accept_mta, pair);
    expect(pair, "220 front1 LMTP \r\n");
    say(pair, "LHLO mta.example\r\n");
    expect(pair, "250-front1\r\n250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
                 "250-CHUNKING\r\n250 ENHANCEDSTATUSCODES\r\n");
    return pair;
}

static void expect_content(const struct fake_back *back, const char *text)
{
    assert_int_equal(buf_length(&back->content), strlen(text));
    if (strlen(text) > 0)
        assert_memory_equal(buf_bytes(&back->content), text, strlen(text));
}

static void expect_commands(const struct fake_back *back, const char *text)
{
    assert_int_equal(buf_length(&back->commands), strlen(text));
    assert_memory_equal(buf_bytes(&back->commands), text, strlen(text));
}

/* ---- tests ---- */

static void a_message_goes_once_to_every_back_end_concerned(void **state)
{
    struct pair *pair = connect_mta(state);

    pair->backs[1].result = "552 5.2.2 mailbox is full";
    say(pair, "MAIL FROM:<bob@example.net> SIZE=9 BODY=8BITMIME\r\nRCPT TO:<a@one>\r\n"
              "RCPT TO:<b@two>\r\nRCPT TO:<c@one>\r\nDATA\r\n..A\r\n\r\nb\n.\r\n\r\n.\r\nNOOP\r\n");
    expect(pair, "250 2.1.0 sender accepted\r\n250 2.0.0 ok\r\n250 2.0.0 ok\r\n250 2.0.0 ok\r\n"
                 "354 end with <CRLF>.<CRLF>\r\n250 2.0.0 delivered\r\n"
                 "552 5.2.2 mailbox is full\r\n250 2.0.0 delivered\r\n"
                 "250 2.0.0 still here\r\n");
    expect_content(&pair->backs[0], ".A\r\n\r\nb\n.\r\n\r\n");
    expect_content(&pair->backs[1], ".A\r\n\r\nb\n.\r\n\r\n");
    expect_commands(&pair->backs[0],
                    "LHLO mta.example\nMAIL FROM:<bob@example.net> SIZE=9 BODY=8BITMIME\n"
                    "RCPT TO:<a@one>\nRCPT TO:<c@one>\n");
    assert_int_equal(pair->backs[0].opened, 1);
}

static void recipients_are_answered_one_by_one(void **state)
{
    struct pair *pair = connect_mta(state);

    say(pair, "MAIL FROM:<>\r\nRCPT TO:<nobody@one>\r\nRCPT TO:<full@one>\r\nRCPT TO:<a b>\r\n"
              "DATA\r\n");
    expect(pair, "250 2.1.0 sender accepted\r\n550 5.1.1 no such user here\r\n"
                 "552 5.2.2 mailbox is full\r\n"
                 "501 5.1.3 bad recipient address, RCPT TO:<address> is wanted\r\n"
                 "503 5.5.1 no valid recipients\r\n");
    say(pair, "RCPT TO:<a@one>\r\nRCPT TO:<b@one>\r\nRCPT TO:<c@one>\r\n");
    expect(pair, "250 2.0.0 ok\r\n250 2.0.0 ok\r\n452 4.5.3 too many recipients\r\n");
}

static void a_back_end_that_breaks_hurts_only_its_own(void **state)
{
    struct pair *pair = connect_mta(state);

    pair->backs[0].breaks = true;
    say(pair, "MAIL FROM:<>\r\nRCPT TO:<a@one>\r\nRCPT TO:<b@two>\r\nDATA\r\nA: b\r\n.\r\n");
    expect(pair, "250 2.1.0 sender accepted\r\n250 2.0.0 ok\r\n250 2.0.0 ok\r\n"
                 "354 end with <CRLF>.<CRLF>\r\n"
                 "451 4.3.0 mailbox is unavailable, try again later\r\n250 2.0.0 delivered\r\n");
    expect_content(&pair->backs[1], "A: b\r\n");
}

static void a_back_end_that_stalls_hurts_only_its_own(void **state)
{
    struct pair *pair = *state;
    char block[4096];

    pair->settings.lmtp.stall_timeout = 1;
    connect_mta(state);
    pair->backs[0].stalls = true;
    memset(block, 'x', sizeof(block));
    say(pair, "MAIL FROM:<>\r\nRCPT TO:<a@one>\r\nRCPT TO:<b@two>\r\nDATA\r\n");
    expect(pair, "250 2.1.0 sender accepted\r\n250 2.0.0 ok\r\n250 2.0.0 ok\r\n"
                 "354 end with <CRLF>.<CRLF>\r\n");
    for (int i = 0; i < 256; i++)
        send_bytes(pair, block, sizeof(block));
    say(pair, "\r\n.\r\n");
    expect(pair, "451 4.3.0 mailbox is unavailable, try again later\r\n250 2.0.0 delivered\r\n");
    assert_int_equal(buf_length(&pair->backs[1].content), 256 * sizeof(block) + 2);
}

static void a_back_end_that_refuses_is_a_temporary_failure(void **state)
{
    struct pair *pair = connect_mta(state);

    pair->backs[0].refuses_session = true;
    say(pair, "MAIL FROM:<>\r\nRCPT TO:<a@one>\r\nRCPT TO:<b@two>\r\n");
    expect(pair,
           "250 2.1.0 sender accepted\r\n451 4.3.0 mailbox is unavailable, try again later\r\n"
           "250 2.0.0 ok\r\n");
}

static void nothing_is_refused_for_good_while_a_back_end_is_away(void **state)
{
    struct pair *pair = *state;

    pair->settings.backends.count = 3;
    connect_mta(state);
    say(pair, "MAIL FROM:<>\r\nRCPT TO:<a@away>\r\nRCPT TO:<a@one>\r\n");
    expect(pair,
           "250 2.1.0 sender accepted\r\n451 4.3.0 mailbox is unavailable, try again later\r\n"
           "250 2.0.0 ok\r\n");
}

static void a_user_who_has_moved_is_looked_for_again(void **state)
{
    struct pair *pair = connect_mta(state);

    pair->backs[0].gives_away = true;
    say(pair, "MAIL FROM:<>\r\nRCPT TO:<moved@one>\r\nRSET\r\n");
    expect(pair, "250 2.1.0 sender accepted\r\n550 5.1.1 no such user here\r\n"
                 "250 2.0.0 reset\r\n");
    pair->backs[0].asked_for_moved = pair->backs[1].asked_for_moved = 0;
    pair->backs[1].takes_over = true;
    say(pair, "MAIL FROM:<>\r\nRCPT TO:<moved@one>\r\nDATA\r\n.\r\n");
    expect(pair, "250 2.1.0 sender accepted\r\n250 2.0.0 ok\r\n354 end with <CRLF>.<CRLF>\r\n"
                 "250 2.0.0 delivered\r\n");
    assert_int_equal(pair->backs[1].opened, 1);
}

static void bdat_is_relayed_as_it_comes(void **state)
{
    struct pair *pair = connect_mta(state);

    say(pair, "BDAT 4\r\nQUIT");
    expect(pair, "503 5.5.1 MAIL first\r\n");
    say(pair, "MAIL FROM:<>\r\nBDAT 2 LAST\r\nxxRCPT TO:<a@one>\r\nBDAT 6\r\nA: b\r\nBDAT 0\r\n"
              "RCPT TO:<b@one>\r\nDATA\r\nBDAT 5 LAST\r\n\r\n.\r\n");
    expect(pair, "250 2.1.0 sender accepted\r\n503 5.5.1 no valid recipients\r\n250 2.0.0 ok\r\n"
                 "250 2.0.0 6 octets received\r\n250 2.0.0 0 octets received\r\n"
                 "503 5.5.1 bad sequence of commands\r\n503 5.5.1 bad sequence of commands\r\n"
                 "250 2.0.0 delivered\r\n");
    expect_content(&pair->backs[0], "A: b\r\n\r\n.\r\n");
    say(pair, "MAIL FROM:<>\r\nRCPT TO:<a@one>\r\nBDAT 0 LAST\r\nBDAT\r\n");
    expect(pair, "250 2.1.0 sender accepted\r\n250 2.0.0 ok\r\n250 2.0.0 delivered\r\n"
                 "501 5.5.4 bad arguments\r\n"
                 "421 4.5.2 cannot tell where the chunk ends\r\n");
    expect_end(pair);
}

static void data_may_follow_a_bdat_that_was_refused(void **state)
{
    struct pair *pair = connect_mta(state);

    say(pair, "MAIL FROM:<>\r\nBDAT 2 LAST\r\nxxRCPT TO:<a@one>\r\nDATA\r\nA: b\r\n.\r\n");
    expect(pair, "250 2.1.0 sender accepted\r\n503 5.5.1 no valid recipients\r\n250 2.0.0 ok\r\n"
                 "354 end with <CRLF>.<CRLF>\r\n250 2.0.0 delivered\r\n");
    expect_content(&pair->backs[0], "A: b\r\n");
}

static void a_long_message_flows_through(void **state)
{
    struct pair *pair = connect_mta(state);
    struct buf text = {0};

    for (int i = 0; i < 300000; i++)
        buf_printf(&text, "line %d\r\n", i);
    say(pair, "MAIL FROM:<>\r\nRCPT TO:<a@one>\r\nRCPT TO:<b@two>\r\nDATA\r\n");
    expect(pair, "250 2.1.0 sender accepted\r\n250 2.0.0 ok\r\n250 2.0.0 ok\r\n"
                 "354 end with <CRLF>.<CRLF>\r\n");
    send_bytes(pair, buf_bytes(&text), buf_length(&text));
    say(pair, ".\r\n");
    expect(pair, "250 2.0.0 delivered\r\n250 2.0.0 delivered\r\n");
    for (int n = 0; n < 2; n++) {
        assert_int_equal(buf_length(&pair->backs[n].content), buf_length(&text));
        assert_memory_equal(buf_bytes(&pair->backs[n].content), buf_bytes(&text),
                            buf_length(&text));
    }
    buf_release(&text);
}

static void rset_and_the_end_close_the_sessions(void **state)
{
    struct pair *pair = connect_mta(state);

    say(pair, "MAIL FROM:<>\r\nRCPT TO:<a@one>\r\nRSET\r\nDATA\r\nMAIL FROM:<>\r\n"
              "RCPT TO:<a@one>\r\nQUIT\r\n");
    expect(pair, "250 2.1.0 sender accepted\r\n250 2.0.0 ok\r\n250 2.0.0 reset\r\n"
                 "503 5.5.1 bad sequence of commands\r\n250 2.1.0 sender accepted\r\n"
                 "250 2.0.0 ok\r\n221 2.0.0 bye\r\n");
    expect_end(pair);
    assert_int_equal(pair->backs[0].opened, 2);
    for (int tries = 0; pair->backs[0].sessions > 0 && tries < PATIENCE; tries++) {
        bool up;

        front_on_loops(&pair->front, look_at_links, &up);
        usleep(1000);
    }
    assert_int_equal(pair->backs[0].sessions, 0);
}

static void what_is_no_lmtp_is_refused(void **state)
{
    struct pair *pair = connect_mta(state);
    char line[5000];

    say(pair, "EHLO a\r\nFOO\r\nLHLO a b\r\nRCPT TO:<a@one>\r\nVRFY a\r\nSTARTTLS\r\n");
    expect(pair, "500 5.5.1 this is LMTP, say LHLO\r\n500 5.5.1 unknown command\r\n"
                 "501 5.5.4 a domain or an address literal is wanted\r\n"
                 "503 5.5.1 bad sequence of commands\r\n252 2.5.0 cannot tell, RCPT can\r\n"
                 "454 4.7.0 TLS is not available\r\n");
    memset(line, 'x', sizeof(line));
    send_bytes(pair, line, sizeof(line));
    say(pair, "\r\nNOOP\r\n");
    expect(pair, "500 5.5.2 line too long\r\n250 2.0.0 still here\r\n");
    for (int i = 0; i < 15; i++) {
        say(pair, "FOO\r\n");
        expect(pair, "500 5.5.1 unknown command\r\n");
    }
    expect(pair, "421 4.7.0 too many errors\r\n");
    expect_end(pair);
}

static void strangers_are_not_let_in(void **state)
{
    struct pair *pair = connect_mta(state);
    struct client client = {.home = &pair->home};
    struct net_range allowed;
    struct err err;

    assert_int_equal(net_parse(&client.peer, "127.0.0.9:25", &err), ERR_NONE);
    assert_int_equal(lmtp_access(&client), LMTP_ALLOWED);
    assert_int_equal(net_parse(&client.peer, "[::1]:25", &err), ERR_NONE);
    assert_int_equal(lmtp_access(&client), LMTP_ALLOWED);
    assert_int_equal(net_parse(&client.peer, "192.0.2.1:25", &err), ERR_NONE);
    assert_int_equal(lmtp_access(&client), LMTP_REFUSED);
    assert_int_equal(net_range_parse(&allowed, "192.0.2.0/24", &err), ERR_NONE);
    pair->front.lmtp_allowed = &allowed;
    pair->front.lmtp_allowed_count = 1;
    assert_int_equal(lmtp_access(&client), LMTP_ALLOWED);
    pair->front.lmtp_allowed_count = 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_goes_once_to_every_back_end_concerned),
        TEST(recipients_are_answered_one_by_one),
        TEST(a_back_end_that_breaks_hurts_only_its_own),
        TEST(a_back_end_that_stalls_hurts_only_its_own),
        TEST(a_back_end_that_refuses_is_a_temporary_failure),
        TEST(nothing_is_refused_for_good_while_a_back_end_is_away),
        TEST(a_user_who_has_moved_is_looked_for_again),
        TEST(bdat_is_relayed_as_it_comes),
        TEST(data_may_follow_a_bdat_that_was_refused),
        TEST(a_long_message_flows_through),
        TEST(rset_and_the_end_close_the_sessions),
        TEST(what_is_no_lmtp_is_refused),
        TEST(strangers_are_not_let_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
