#include "tests/unit/common/certs.h"
#include "tests/unit/common/conns.h"

#include "common/tls_ticket.h"

static struct tls_context *client;
static struct tls_context *server;
static const struct tls_options named = {"mail.example", NULL};

/* a is the client, b the server. */
static void start_both(void)
{
    client = certs_context(TLS_CLIENT, NULL, "ca", TLS_PEER_REQUIRED);
    server = certs_context(TLS_SERVER, "server", NULL, TLS_PEER_NONE);
    open_both();
    conn_start_tls(a.conn, client, &named);
    conn_start_tls(b.conn, server, NULL);
}

static int tls_end(void **state)
{
    tls_context_unref(&client);
    tls_context_unref(&server);
    return conns_end(state);
}

static bool both_are_secured(void)
{
    return strchr(a.told, 'S') != NULL && strchr(b.told, 'S') != NULL;
}

static bool b_has_ten(void)
{
    return buf_length(&b.got) >= 10;
}

static bool b_is_gone(void)
{
    return strchr(b.told, 'G') != NULL;
}

static bool a_is_gone(void)
{
    return strchr(a.told, 'G') != NULL;
}

static void both_ends_are_secured_and_then_talk(void **state)
{
    (void)state;
    start_both();
    conn_write(a.conn, "0123456789", 10); /* waits for the handshake */
    assert_false(conn_is_secured(a.conn));
    assert_null(conn_tls(a.conn));
    run_until(both_are_secured);
    run_until(b_has_ten);
    assert_string_equal(a.told, "S");
    assert_string_equal(b.told, "SI");
    assert_memory_equal(buf_bytes(&b.got), "0123456789", 10);
    assert_true(conn_is_secured(b.conn));
    assert_string_equal(tls_session_server_name(conn_tls(b.conn)), "mail.example");
}

static void start_server(struct end *end, enum conn_event event)
{
    if (event == CONN_INPUT && !conn_is_secured(end->conn)) {
        conn_write(end->conn, "+OK begin\r\n", 11);
        conn_start_tls(end->conn, server, NULL);
    }
}

static void start_client(struct end *end, enum conn_event event)
{
    if (event == CONN_INPUT && !conn_is_secured(end->conn)) {
        assert_memory_equal(buf_bytes(&end->got), "+OK begin\r\n", 11);
        conn_start_tls(end->conn, client, &named);
    }
}

static void what_was_written_before_goes_out_in_clear(void **state)
{
    (void)state;
    client = certs_context(TLS_CLIENT, NULL, "ca", TLS_PEER_REQUIRED);
    server = certs_context(TLS_SERVER, "rsa", NULL, TLS_PEER_NONE);
    open_both();
    a.hook = start_client;
    b.hook = start_server;
    conn_write(a.conn, "STLS\r\n", 6);
    run_until(both_are_secured);
    assert_string_equal(a.told, "IS");
    assert_string_equal(b.told, "IS");
    conn_write(a.conn, "CAPA\r\n", 6);
    run_until(b_has_ten);
    assert_memory_equal(buf_bytes(&b.got), "STLS\r\nCAPA\r\n", 12);
}

#define LARGE ((size_t)4 << 20)

static size_t written;

static void write_until_full(struct end *end, enum conn_event event)
{
    if (event != CONN_DRAINED)
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

static void back_pressure_bounds_both_ends_under_tls(void **state)
{
    (void)state;
    start_both();
    run_until(both_are_secured);
    written = 0;
    a.hook = write_until_full;
    b.keep_input = true;
    conn_set_input_limit(b.conn, 20000);
    write_until_full(&a, CONN_DRAINED);
    run_turns(200);
    assert_true(written < LARGE / 2);
    assert_true(conn_is_full(a.conn));
    assert_true(conn_pending(a.conn) < 512 * 1024);
    assert_int_equal(buf_length(conn_input(b.conn)), 20001);

    b.keep_input = false;
    take_all(&b);
    run_until(b_has_all);
    assert_pattern(&b.got, LARGE);
}

static void input_that_waits_in_the_session_is_told_after_a_pause(void **state)
{
    (void)state;
    start_both();
    run_until(both_are_secured);
    conn_set_input_limit(b.conn, 3);
    b.keep_input = true;
    conn_write(a.conn, "0123456789", 10); /* one record: the session holds what is over the limit */
    run_turns(20);
    assert_int_equal(buf_length(conn_input(b.conn)), 4);
    b.keep_input = false;
    conn_pause(b.conn, true);
    take_all(&b);
    run_turns(20);
    assert_int_equal(buf_length(&b.got), 4);
    conn_pause(b.conn, false);
    run_until(b_has_ten);
    assert_memory_equal(buf_bytes(&b.got), "0123456789", 10);
}

static bool all_were_secured(void)
{
    return strcmp(a.told, "S") == 0 && strcmp(b.told, "S") == 0;
}

static void finish_says_so_to_the_peer(void **state)
{
    (void)state;
    start_both();
    run_until(all_were_secured);
    conn_write(a.conn, "last words", 10);
    conn_finish(a.conn);
    a.conn = NULL;
    run_until(b_is_gone);
    assert_string_equal(b.told, "SIG");
    assert_int_equal(conn_error(b.conn)->code, ERR_NONE);
    assert_memory_equal(buf_bytes(&b.got), "last words", 10);
}

static void a_handler_may_close_when_secured(void **state)
{
    (void)state;
    start_both();
    b.close_at = CONN_SECURED;
    conn_write(a.conn, "0123456789", 10);
    run_until(a_is_gone);
    assert_string_equal(b.told, "S");
}

static void a_handler_may_finish_at_input(void **state)
{
    (void)state;
    start_both();
    b.finish_when_gone = true;
    a.finish_when_gone = true;
    a.answer = "bye";
    conn_write(b.conn, "0123456789", 10);
    run_until(both_are_secured);
    conn_finish(b.conn);
    b.conn = NULL;
    run_until(a_is_gone);
    assert_null(a.conn);
}

static void bytes_that_are_no_tls_end_the_conn_with_an_alert(void **state)
{
    struct buf got = {0};
    int bare;

    (void)state;
    server = certs_context(TLS_SERVER, "server", NULL, TLS_PEER_NONE);
    bare = open_one();
    conn_start_tls(a.conn, server, NULL);
    assert_int_equal(write(bare, "a1 CAPABILITY\r\n", 15), 15);
    run_until(a_is_gone);
    assert_string_equal(a.told, "G");
    assert_int_equal(conn_error(a.conn)->code, ERR_UNAVAILABLE);
    drain_fd(bare, &got);
    buf_release(&got);
    close(bare);
}

static void a_certificate_of_another_authority_is_told_as_denied(void **state)
{
    (void)state;
    client = certs_context(TLS_CLIENT, NULL, "other-ca", TLS_PEER_REQUIRED);
    server = certs_context(TLS_SERVER, "server", NULL, TLS_PEER_NONE);
    open_both();
    conn_start_tls(a.conn, client, &named);
    conn_start_tls(b.conn, server, NULL);
    run_until(a_is_gone);
    run_until(b_is_gone);
    assert_int_equal(conn_error(a.conn)->code, ERR_DENIED);
    assert_non_null(strstr(conn_error(b.conn)->text, "alert"));
}

#define CROWD 24

static struct end crowd[CROWD][2];

static bool crowd_is_secured(void)
{
    int secured = 0;

    for (int i = 0; i < CROWD; i++)
        secured += strchr(crowd[i][0].told, 'S') != NULL && strchr(crowd[i][1].told, 'S') != NULL;
    return secured == CROWD;
}

static void many_handshakes_at_once_all_end_well(void **state)
{
    (void)state;
    client = certs_context(TLS_CLIENT, NULL, "ca", TLS_PEER_REQUIRED);
    server = certs_context(TLS_SERVER, "server", NULL, TLS_PEER_NONE);
    for (int i = 0; i < CROWD; i++) {
        a = (struct end){.close_at = -1};
        b = (struct end){.close_at = -1};
        open_both();
        crowd[i][0] = a;
        crowd[i][1] = b;
        conn_set_handler(a.conn, on_event, &crowd[i][0]);
        conn_set_handler(b.conn, on_event, &crowd[i][1]);
        conn_start_tls(a.conn, client, &named);
        conn_start_tls(b.conn, server, NULL);
    }
    a.conn = b.conn = NULL;
    run_until(crowd_is_secured);
    for (int i = 0; i < CROWD; i++) {
        end_end(&crowd[i][0]);
        end_end(&crowd[i][1]);
    }
}

static FILE *tool;
static enum err_code conn_error_code; /* of the conn to it, which is closed */

static bool tool_has_left(void)
{
    return a_is_gone();
}

/* The tool between a shell's hands: say() types a line, hear() reads until a text comes. */
static const char tool_script[] =
    "exec bash -c 'coproc T { exec openssl s_client -connect %s %s 2>&1; }; exec 2>/dev/null\n"
    "say() { echo $1 >&${T[1]}; }\n"
    "hear() { while read -r line <&${T[0]}; do [[ $line == *$1* ]] && return; done; exit; }\n"
    "%s; eval \"exec ${T[1]}>&-\"; cat <&${T[0]} >/dev/null'";

/* Connects openssl(1) to a, with options that a good client would not use, and words of the script. */
static void run_openssl(const char *options, const char *words)
{
    struct net_address address;
    char text[NET_TEXT_MAX];
    char command[1024];
    int listening;
    int fd;

    assert_int_equal(net_parse(&address, "127.0.0.1:0", NULL), ERR_NONE);
    assert_int_equal(net_listen(&listening, &address, false, 0, NULL), ERR_NONE);
    net_local_of(listening, &address);
    snprintf(command, sizeof(command), tool_script, net_text(&address, text), options, words);
    tool = popen(command, "r");
    while ((fd = accept(listening, NULL, NULL)) < 0)
        usleep(1000);
    set_non_blocking(fd);
    close(listening);
    a.conn = conn_open(loop, fd, on_event, &a);
    conn_start_tls(a.conn, server, NULL);
    run_until(tool_has_left);
    conn_error_code = conn_error(a.conn)->code;
    conn_close(a.conn);
    a.conn = NULL;
    pclose(tool);
}

static void old_versions_and_weak_ciphers_are_refused(void **state)
{
    static const char *const bad[] = {
        "-tls1_1 -cipher ALL:@SECLEVEL=0",           "-tls1 -cipher ALL:@SECLEVEL=0",
        "-tls1_2 -cipher ECDHE-RSA-AES256-SHA384",   "-tls1_2 -cipher AES256-GCM-SHA384",
        "-tls1_2 -cipher DHE-RSA-AES256-GCM-SHA384",
    };
    static const char *const good[] = {
        "-tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384",
        "-tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305",
    };

    (void)state;
    server = certs_context(TLS_SERVER, "rsa", NULL, TLS_PEER_NONE);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memset(a.told, 0, sizeof(a.told));
        run_openssl(bad[i], "true");
        assert_string_equal(a.told, "G");
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        memset(a.told, 0, sizeof(a.told));
        run_openssl(good[i], "true");
        assert_string_equal(a.told, "SG");
    }
}

static void tls_1_3_is_there_with_the_engine_that_knows_it(void **state)
{
    (void)state;
    server = certs_context(TLS_SERVER, "server", NULL, TLS_PEER_NONE);
    run_openssl("-tls1_3", "true");
    assert_string_equal(a.told, knows_13() ? "SG" : "G");
}

/* s_client takes a line that begins with R or K for a command: to renegotiate, to change keys. What it types
   before the handshake is done is text, so it waits for our greeting. */
static void greet(struct end *end, enum conn_event event)
{
    if (event == CONN_SECURED)
        conn_write(end->conn, "ready\n", 6);
}

static void keys_are_changed_when_the_peer_wants_to(void **state)
{
    (void)state;
    if (!knows_13())
        skip();
    server = certs_context(TLS_SERVER, "server", NULL, TLS_PEER_NONE);
    a.hook = greet;
    a.answer = "* answer\n";
    run_openssl("-tls1_3", "hear ready; say K; hear KEYUPDATE; say one; hear answer; say K;"
                           " hear KEYUPDATE; say two; hear answer");
    assert_string_equal(a.told, "SIG");
    assert_int_equal(conn_error_code, ERR_NONE);
    assert_int_equal(buf_length(&a.got), strlen("one\ntwo\n"));
    assert_memory_equal(buf_bytes(&a.got), "one\ntwo\n", 8);
}

static void renegotiating_is_refused(void **state)
{
    (void)state;
    server = certs_context(TLS_SERVER, "server", NULL, TLS_PEER_NONE);
    a.hook = greet;
    run_openssl("-tls1_2", "hear ready; say R; hear nothing");
    assert_string_equal(a.told, "SG");
    assert_int_equal(conn_error_code, ERR_UNAVAILABLE);
}

/* ---- session tickets ---- */

/* A server as a front has one: with the keys of a file, or with its own. */
static void serve_with_tickets(const char *file, uint64_t lifetime, const char *service)
{
    char certificate[128], key[128];
    struct tls_settings settings = {.engine = engine,
                                    .role = TLS_SERVER,
                                    .certificate_file = certificate,
                                    .key_file = key,
                                    .service = service};
    struct err err = {0};

    snprintf(certificate, sizeof(certificate), "%s/server.pem", certs_folder);
    snprintf(key, sizeof(key), "%s/server.key", certs_folder);
    tls_context_unref(&server);
    if (tls_ticket_keys_create(&settings.tickets, file, lifetime, &err) != ERR_NONE ||
        tls_context_create(&server, &settings, &err) != ERR_NONE)
        fail_msg("%s", err.text);
    tls_ticket_keys_unref(&settings.tickets);
}

/* Connects with the session that is kept, if any, and keeps the new one. True when it was resumed: the
   tool says "New" or "Reused". */
static bool resumes(const char *version, bool with_session)
{
    char options[256];

    snprintf(options, sizeof(options), "%s -sess_out %s/session %s%s%s", version, certs_folder,
             with_session ? "-sess_in " : "", with_session ? certs_folder : "",
             with_session ? "/session" : "");
    memset(a.told, 0, sizeof(a.told));
    buf_release(&a.got);
    a.hook = greet;
    a.answer = "* answer\n";
    run_openssl(options, "hear Cipher; say =${line%%,*}; hear ready; hear answer");
    if (buf_length(&a.got) == 0)
        fail_msg("nothing was said: %s", a.told);
    return buf_bytes(&a.got)[1] == 'R';
}

static const char *ticket_file(void)
{
    static char path[128];
    size_t count;

    snprintf(path, sizeof(path), "%s/tickets", certs_folder);
    assert_int_equal(tls_ticket_file_add(path, 86400, &count, NULL), ERR_NONE);
    return path;
}

static void check_tickets(const char *version)
{
    const char *file = ticket_file();

    serve_with_tickets(file, 86400, "imap4");
    assert_false(resumes(version, false));
    serve_with_tickets(file, 86400, "imap4"); /* another front */
    assert_true(resumes(version, true));
    ticket_file(); /* a new key seals, the old one opens */
    serve_with_tickets(file, 86400, "imap4");
    assert_true(resumes(version, true));
    serve_with_tickets(file, 86400, "imap4");
    assert_true(resumes(version, true));
    serve_with_tickets(file, 86400, "pop3"); /* sealed for another service */
    assert_false(resumes(version, true));
    serve_with_tickets(NULL, 86400, "pop3"); /* keys of its own */
    assert_false(resumes(version, true));
    assert_true(resumes(version, true));
    unlink(file);
}

static void sessions_resume_where_the_key_is_known(void **state)
{
    (void)state;
    check_tickets("-tls1_2");
    if (knows_13())
        check_tickets("-tls1_3");
}

static void old_tickets_are_not_taken(void **state)
{
    (void)state;
    serve_with_tickets(NULL, 1, "imap4");
    assert_false(resumes("-tls1_2", false));
    sleep(3); /* longer is as good */
    assert_false(resumes("-tls1_2", true));
}

int main(void)
{
#define ON_LOOP(test) cmocka_unit_test_setup_teardown(test, conns_begin, tls_end)
    const struct CMUnitTest tests[] = {
        ON_LOOP(both_ends_are_secured_and_then_talk),
        ON_LOOP(what_was_written_before_goes_out_in_clear),
        ON_LOOP(back_pressure_bounds_both_ends_under_tls),
        ON_LOOP(input_that_waits_in_the_session_is_told_after_a_pause),
        ON_LOOP(finish_says_so_to_the_peer),
        ON_LOOP(a_handler_may_close_when_secured),
        ON_LOOP(a_handler_may_finish_at_input),
        ON_LOOP(bytes_that_are_no_tls_end_the_conn_with_an_alert),
        ON_LOOP(a_certificate_of_another_authority_is_told_as_denied),
        ON_LOOP(many_handshakes_at_once_all_end_well),
        ON_LOOP(tls_1_3_is_there_with_the_engine_that_knows_it),
        ON_LOOP(keys_are_changed_when_the_peer_wants_to),
        ON_LOOP(renegotiating_is_refused),
        ON_LOOP(sessions_resume_where_the_key_is_known),
        ON_LOOP(old_tickets_are_not_taken),
        ON_LOOP(old_versions_and_weak_ciphers_are_refused),
    };

    RUN_WITH_EACH_ENGINE(tests, certs_begin, certs_end);
}
