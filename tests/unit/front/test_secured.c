/* TLS and the PROXY header: what comes before the first command, or between two. */
#include "tests/unit/front/stage.h"

static char folder[64];
static struct stage stage;
static struct actor *const first = &stage.backs[0];
static struct tls_context *client_context;

/* The client's end of TLS. */
static struct tls_session *session;
static struct buf cipher_in, cipher_out, plain_in, plain_out;

static int make_certificate(void **state)
{
    char command[512];

    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/unit-secured-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(command, sizeof(command),
             "cd %s && umask 077 && openssl req -x509 -newkey ec -pkeyopt "
             "ec_paramgen_curve:P-256 -nodes -keyout key -out certificate -days 30 "
             "-subj /CN=localhost >log 2>&1",
             folder);
    return system(command);
}

static int remove_certificate(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static int begin(void **state)
{
    struct tls_settings settings = {.role = TLS_CLIENT, .peer = TLS_PEER_NONE};
    char more[512];

    (void)state;
    snprintf(more, sizeof(more),
             "[tls]\ncertificate = %s/certificate\nkey = %s/key\n"
             "[imap4]\nbanner = hello\n[pop3]\nbanner = hello\n",
             folder, folder);
    stage_begin(&stage, more);
    assert_int_equal(tls_context_create(&client_context, &settings, NULL), ERR_NONE);
    first->claims = "alice";
    stage_link(&stage);
    return 0;
}

static int end(void **state)
{
    (void)state;
    tls_session_destroy(&session);
    tls_context_unref(&client_context);
    buf_release(&cipher_in);
    buf_release(&cipher_out);
    buf_release(&plain_in);
    buf_release(&plain_out);
    stage_end(&stage);
    return 0;
}

static void connect_to(const struct client_protocol *protocol, bool tls)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    stage.client = fds[1];
    client_accept(&stage.home, protocol, front_settings_service(&stage.settings, protocol->service),
                  tls, fds[0], NULL);
}

static void begin_tls(const char *const *alpn)
{
    struct tls_options options = {.alpn = alpn};

    session = tls_session_create(client_context, &options);
}

/* One exchange of what is there; false when the front has closed. */
static bool turn_tls(void)
{
    char bytes[16384];
    ssize_t got = read(stage.client, bytes, sizeof(bytes));
    enum tls_state state;

    if (got > 0)
        buf_append(&cipher_in, bytes, (size_t)got);
    state = tls_session_advance(session, &cipher_in, &plain_in, 1 << 16, &plain_out, 1 << 14,
                                &cipher_out);
    if (buf_length(&cipher_out) > 0) {
        stage_say_n(&stage, buf_bytes(&cipher_out), buf_length(&cipher_out));
        buf_consume(&cipher_out, buf_length(&cipher_out));
    }
    uv_run(loop_uv(stage.loop), UV_RUN_NOWAIT);
    return got != 0 && state != TLS_FAILED && state != TLS_CLOSED;
}

static void expect_tls(const char *text)
{
    size_t length = strlen(text);

    while (buf_length(&plain_in) < length)
        assert_true(turn_tls());
    assert_memory_equal(buf_bytes(&plain_in), text, length);
    buf_consume(&plain_in, length);
}

static void starttls_secures_and_then_takes_credentials(void **state)
{
    (void)state;
    connect_to(&imap4_protocol, false);
    stage_expect(&stage, "* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID IDLE MOVE STARTTLS "
                         "LOGINDISABLED] hello\r\n");
    stage_say(&stage, "a ID (\"name\" \"in clear\")\r\n");
    stage_expect(&stage, "* ID (\"name\" \"cas-proxy\" \"version\" \"" VERSION "\")\r\n");
    stage_expect(&stage, "a OK ID completed\r\n");
    stage_say(&stage, "b STARTTLS\r\n");
    stage_expect(&stage, "b OK begin TLS now\r\n");
    begin_tls(NULL);
    buf_text(&plain_out, "c CAPABILITY\r\nd STARTTLS\r\ne LOGIN alice pw\r\n");
    expect_tls("* CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID IDLE MOVE AUTH=PLAIN AUTH=LOGIN\r\n");
    expect_tls("c OK CAPABILITY completed\r\nd BAD TLS is on already\r\n");
    expect_tls("[the back end speaks]\r\n");
    assert_string_equal(first->id, "");
}

static void stls_secures_pop3(void **state)
{
    (void)state;
    connect_to(&pop3_protocol, false);
    stage_expect(&stage, "+OK hello\r\n");
    stage_say(&stage, "STLS\r\n");
    stage_expect(&stage, "+OK begin TLS now\r\n");
    begin_tls(NULL);
    buf_text(&plain_out, "USER alice\r\nPASS pw\r\n");
    expect_tls("+OK send PASS\r\n[the back end speaks]\r\n");
}

static void clear_text_behind_starttls_closes_the_connection(void **state)
{
    (void)state;
    log_open("test", LOG_TO_STDERR, LOG_LEVEL_ERROR);
    connect_to(&imap4_protocol, false);
    stage_expect(&stage, "* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID IDLE MOVE STARTTLS "
                         "LOGINDISABLED] hello\r\n");
    stage_say(&stage, "a STARTTLS\r\nb NOOP\r\n");
    stage_expect(&stage, "a OK begin TLS now\r\n");
    stage_expect_close(&stage);
    close(stage.client);
    connect_to(&pop3_protocol, false);
    stage_expect(&stage, "+OK hello\r\n");
    stage_say(&stage, "STLS\r\nNOOP\r\n");
    stage_expect(&stage, "+OK begin TLS now\r\n");
    stage_expect_close(&stage);
}

static void connection_that_begins_with_tls_is_greeted_under_it(void **state)
{
    static const char *const alpn[] = {"imap", NULL};

    (void)state;
    connect_to(&imap4_protocol, true);
    begin_tls(alpn);
    expect_tls("* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID IDLE MOVE AUTH=PLAIN AUTH=LOGIN] "
               "hello\r\n");
    assert_string_equal(tls_session_alpn(session), "imap");
}

static void client_of_another_protocol_is_refused_by_alpn(void **state)
{
    static const char *const alpn[] = {"http/1.1", NULL};

    (void)state;
    connect_to(&imap4_protocol, true);
    begin_tls(alpn);
    while (turn_tls())
        ;
    assert_int_equal(buf_length(&plain_in), 0);
}

static void stop_during_the_handshake_just_closes(void **state)
{
    (void)state;
    connect_to(&imap4_protocol, true);
    client_stop_all(&stage.home, NULL);
    stage_expect_close(&stage);
}

/* A load balancer's header and the client's first TLS bytes may come in one packet. */
static void proxy_header_may_stand_right_before_tls(void **state)
{
    static const char header[] = "PROXY TCP4 192.0.2.7 192.0.2.8 4000 993\r\n";
    struct net_range range;
    char text[NET_TEXT_MAX];

    (void)state;
    assert_int_equal(net_range_parse(&range, "unix", NULL), ERR_NONE);
    stage.front.proxies = &range;
    stage.front.proxy_count = 1;
    connect_to(&imap4_protocol, true);
    begin_tls(NULL);
    buf_append(&cipher_out, header, strlen(header));
    expect_tls("* OK [CAPABILITY ");
    assert_string_equal(net_text(&stage.home.clients->peer, text), "192.0.2.7:4000");
    assert_true(stage.home.clients->by_proxy);
    stage.front.proxy_count = 0;
}

static void missing_proxy_header_closes_the_connection(void **state)
{
    struct net_range range;

    (void)state;
    assert_int_equal(net_range_parse(&range, "unix", NULL), ERR_NONE);
    stage.front.proxies = &range;
    stage.front.proxy_count = 1;
    connect_to(&imap4_protocol, false);
    stage_say(&stage, "a LOGIN alice pw\r\n");
    stage_expect_close(&stage);
    stage.front.proxy_count = 0;
}

static void certificate_is_read_again_for_new_connections(void **state)
{
    struct tls_context *before, *after;
    struct err err;

    (void)state;
    before = certificates_get(stage.front.certificates, "imap4");
    assert_int_equal(certificates_reload(stage.front.certificates, &err), ERR_NONE);
    after = certificates_get(stage.front.certificates, "imap4");
    assert_ptr_not_equal(before, after);
    stage.settings.tls.key[strlen(stage.settings.tls.key) - 1] = 'x';
    assert_int_not_equal(certificates_reload(stage.front.certificates, &err), ERR_NONE);
    tls_context_unref(&before);
    before = certificates_get(stage.front.certificates, "imap4");
    assert_ptr_equal(before, after);
    tls_context_unref(&before);
    tls_context_unref(&after);
}

#define SECURED(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SECURED(starttls_secures_and_then_takes_credentials),
        SECURED(stls_secures_pop3),
        SECURED(clear_text_behind_starttls_closes_the_connection),
        SECURED(connection_that_begins_with_tls_is_greeted_under_it),
        SECURED(client_of_another_protocol_is_refused_by_alpn),
        SECURED(stop_during_the_handshake_just_closes),
        SECURED(proxy_header_may_stand_right_before_tls),
        SECURED(missing_proxy_header_closes_the_connection),
        SECURED(certificate_is_read_again_for_new_connections),
    };

    return cmocka_run_group_tests(tests, make_certificate, remove_certificate);
}
