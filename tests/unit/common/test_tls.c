/* TLS as bytes: two sessions and no socket. */
#include "tests/unit/common/certs.h"

#include <sys/stat.h>

#include "common/random.h"

struct side {
    struct tls_session *session;
    enum tls_state state;
    struct buf plain_in;
    struct buf plain_out;
    struct buf wire; /* what this side has sent and the other has not taken */
};

struct talk {
    struct tls_context *contexts[2];
    struct side client;
    struct side server;
};

static void begin(struct talk *talk, struct tls_context *client,
                  const struct tls_options *client_options, struct tls_context *server,
                  const struct tls_options *server_options)
{
    *talk = (struct talk){
        .contexts = {client, server}
    };
    talk->client.session = tls_session_create(client, client_options);
    talk->server.session = tls_session_create(server, server_options);
}

static void end_side(struct side *side)
{
    tls_session_destroy(&side->session);
    buf_release(&side->plain_in);
    buf_release(&side->plain_out);
    buf_release(&side->wire);
}

static void end(struct talk *talk)
{
    end_side(&talk->client);
    end_side(&talk->server);
    tls_context_unref(&talk->contexts[0]);
    tls_context_unref(&talk->contexts[1]);
}

#define LIMIT ((size_t)1 << 20)

/* Gives side at most piece bytes of the other's wire. True when something moved. */
static bool advance(struct side *side, struct side *other, size_t piece)
{
    size_t before = buf_length(&side->wire) + buf_length(&side->plain_in);
    size_t have = buf_length(&other->wire);
    struct buf part = {0};

    have = have < piece ? have : piece;
    buf_append(&part, buf_bytes(&other->wire), have);
    buf_consume(&other->wire, have);
    side->state = tls_session_advance(side->session, &part, &side->plain_in, LIMIT,
                                      &side->plain_out, LIMIT, &side->wire);
    if (side->state != TLS_FAILED)
        assert_int_equal(buf_length(&part), 0);
    buf_release(&part);
    return have > 0 || buf_length(&side->wire) + buf_length(&side->plain_in) != before;
}

static void run(struct talk *talk, size_t piece)
{
    bool moved = true;

    while (moved) {
        moved = advance(&talk->client, &talk->server, piece);
        moved = advance(&talk->server, &talk->client, piece) || moved;
    }
}

static void assert_plain(struct side *side, const char *text)
{
    assert_int_equal(buf_length(&side->plain_in), strlen(text));
    assert_memory_equal(buf_bytes(&side->plain_in), text, strlen(text));
    buf_consume(&side->plain_in, strlen(text));
}

static const char *const imap_only[] = {"imap", NULL};
static const char *const pop3_and_imap[] = {"pop3", "imap", NULL};
static const char *const pop3_only[] = {"pop3", NULL};

static struct tls_context *client_of_ca(void)
{
    return certs_context(TLS_CLIENT, NULL, "ca", TLS_PEER_REQUIRED);
}

static struct tls_context *server_named(const char *name)
{
    return certs_context(TLS_SERVER, name, NULL, TLS_PEER_NONE);
}

static void a_session_carries_text_and_tells_its_facts(void **state)
{
    struct tls_options options = {"imap.example", pop3_and_imap};
    struct tls_options offered = {NULL, imap_only};
    struct tls_peer_facts facts;
    struct talk talk;

    (void)state;
    begin(&talk, client_of_ca(), &options, server_named("server"), &offered);
    run(&talk, LIMIT);
    assert_int_equal(talk.client.state, TLS_OPEN);
    assert_int_equal(talk.server.state, TLS_OPEN);
    buf_text(&talk.client.plain_out, "a LOGIN");
    buf_text(&talk.server.plain_out, "* OK");
    run(&talk, LIMIT);
    assert_plain(&talk.server, "a LOGIN");
    assert_plain(&talk.client, "* OK");

    assert_string_equal(tls_session_server_name(talk.server.session), "imap.example");
    assert_string_equal(tls_session_alpn(talk.server.session), "imap");
    assert_string_equal(tls_session_alpn(talk.client.session), "imap");
    assert_string_equal(tls_session_version(talk.server.session),
                        knows_13() ? "TLSv1.3" : "TLSv1.2");
    assert_non_null(strstr(tls_session_cipher(talk.server.session),
                           is_openssl() ? "TLS_AES_128_GCM" : "CHACHA20-POLY1305"));
    assert_false(tls_session_peer(talk.server.session, &facts));
    assert_true(tls_session_peer(talk.client.session, &facts));
    assert_string_equal(facts.common_name, "mail.example");
    assert_non_null(strstr(tls_library(engine), is_openssl() ? "OpenSSL" : "bed TLS"));
    end(&talk);
}

static void records_may_come_byte_by_byte(void **state)
{
    struct tls_options options = {"mail.example", NULL};
    struct talk talk;

    (void)state;
    begin(&talk, client_of_ca(), &options, server_named("rsa"), NULL);
    run(&talk, 1);
    assert_int_equal(talk.server.state, TLS_OPEN);
    assert_null(tls_session_alpn(talk.server.session));
    buf_text(&talk.client.plain_out, "one byte at a time");
    run(&talk, 1);
    assert_plain(&talk.server, "one byte at a time");
    end(&talk);
}

static void share_and_limit_bound_what_is_moved(void **state)
{
    static char bytes[200000];
    struct buf *out;
    struct buf *in;
    struct talk talk;

    (void)state;
    random_bytes(bytes, sizeof(bytes));
    begin(&talk, certs_context(TLS_CLIENT, NULL, NULL, TLS_PEER_NONE), NULL, server_named("server"),
          NULL);
    run(&talk, LIMIT);
    out = &talk.server.plain_out;
    in = &talk.client.plain_in;
    buf_append(out, bytes, sizeof(bytes));
    tls_session_advance(talk.server.session, NULL, NULL, 0, out, 65536, &talk.server.wire);
    assert_int_equal(buf_length(out), sizeof(bytes) - 65536);
    assert_true(buf_length(&talk.server.wire) > 65536);

    tls_session_advance(talk.client.session, &talk.server.wire, in, 10000, NULL, 0, NULL);
    assert_int_equal(buf_length(in), 10000);
    tls_session_advance(talk.client.session, &talk.server.wire, in, 10000, NULL, 0, NULL);
    assert_int_equal(buf_length(in), 10000);
    tls_session_advance(talk.client.session, &talk.server.wire, in, LIMIT, NULL, 0, NULL);
    assert_int_equal(buf_length(in), 65536);
    assert_memory_equal(buf_bytes(in), bytes, 65536);
    end(&talk);
}

static void close_notify_is_told_after_the_last_byte(void **state)
{
    struct talk talk;

    (void)state;
    begin(&talk, certs_context(TLS_CLIENT, NULL, NULL, TLS_PEER_NONE), NULL, server_named("server"),
          NULL);
    run(&talk, LIMIT);
    buf_text(&talk.client.plain_out, "bye");
    tls_session_advance(talk.client.session, NULL, NULL, 0, &talk.client.plain_out, LIMIT,
                        &talk.client.wire);
    tls_session_finish(talk.client.session, &talk.client.wire);
    advance(&talk.server, &talk.client, LIMIT);
    assert_int_equal(talk.server.state, TLS_CLOSED);
    assert_plain(&talk.server, "bye");
    end(&talk);
}

static void assert_refused(struct talk *talk, struct side *by, enum err_code code, const char *why)
{
    run(talk, LIMIT);
    assert_int_equal(by->state, TLS_FAILED);
    assert_int_equal(tls_session_error(by->session)->code, code);
    if (strstr(tls_session_error(by->session)->text, why) == NULL)
        fail_msg("\"%s\" is not in: %s", why, tls_session_error(by->session)->text);
    assert_int_equal(talk->client.state, TLS_FAILED);
    assert_int_equal(talk->server.state, TLS_FAILED);
    end(talk);
}

static void alpn_without_a_match_is_refused(void **state)
{
    struct tls_options wanted = {"mail.example", pop3_only};
    struct tls_options offered = {NULL, imap_only};
    struct talk talk;

    (void)state;
    begin(&talk, client_of_ca(), &wanted, server_named("server"), &offered);
    advance(&talk.client, &talk.server, LIMIT);
    advance(&talk.server, &talk.client, LIMIT);
    assert_int_equal(talk.server.state, TLS_FAILED);
    assert_int_equal(buf_length(&talk.server.wire), 7);
    assert_int_equal(buf_bytes(&talk.server.wire)[6], 120); /* no_application_protocol, RFC 7301 */
    end(&talk);
}

static void a_client_refuses_an_unknown_authority(void **state)
{
    struct tls_options options = {"mail.example", NULL};
    struct talk talk;

    (void)state;
    begin(&talk, certs_context(TLS_CLIENT, NULL, "other-ca", TLS_PEER_REQUIRED), &options,
          server_named("server"), NULL);
    assert_refused(&talk, &talk.client, ERR_DENIED, is_openssl() ? "local issuer" : "trusted CA");
}

static void a_client_refuses_another_name(void **state)
{
    struct tls_options options = {"other.example", NULL};
    struct talk talk;

    (void)state;
    begin(&talk, client_of_ca(), &options, server_named("server"), NULL);
    assert_refused(&talk, &talk.client, ERR_DENIED,
                   is_openssl() ? "hostname mismatch" : "Common Name");
}

static struct tls_context *asking_server(enum tls_peer peer)
{
    return certs_context(TLS_SERVER, "server", "ca", peer);
}

static void a_required_client_certificate_gives_facts(void **state)
{
    struct tls_options options = {"mail.example", NULL};
    struct tls_peer_facts facts;
    struct talk talk;

    (void)state;
    begin(&talk, certs_context(TLS_CLIENT, "client", "ca", TLS_PEER_REQUIRED), &options,
          asking_server(TLS_PEER_REQUIRED), NULL);
    run(&talk, LIMIT);
    assert_int_equal(talk.server.state, TLS_OPEN);
    assert_true(tls_session_peer(talk.server.session, &facts));
    assert_string_equal(facts.common_name, "back1");
    assert_string_equal(facts.unit, "back");
    assert_string_equal(facts.subject, "O=Example, OU=back, CN=back1");
    assert_true(tls_session_peer_has_name(talk.server.session, "back1"));
    assert_true(tls_session_peer_has_name(talk.server.session, "BACK1.example"));
    assert_false(tls_session_peer_has_name(talk.server.session, "back"));
    assert_false(tls_session_peer_has_name(talk.server.session, "back10"));
    end(&talk);
}

static void a_missing_client_certificate_is_refused_where_it_is_required(void **state)
{
    struct talk talk;

    (void)state;
    begin(&talk, certs_context(TLS_CLIENT, NULL, NULL, TLS_PEER_NONE), NULL,
          asking_server(TLS_PEER_REQUIRED), NULL);
    assert_refused(&talk, &talk.server, ERR_DENIED,
                   is_openssl() ? "did not return a certificate" : "No client certif");
}

static void an_optional_client_certificate_counts_only_when_it_is_good(void **state)
{
    struct tls_peer_facts facts;
    struct talk talk;

    (void)state;
    begin(&talk, certs_context(TLS_CLIENT, NULL, NULL, TLS_PEER_NONE), NULL,
          asking_server(TLS_PEER_OPTIONAL), NULL);
    run(&talk, LIMIT);
    assert_int_equal(talk.server.state, TLS_OPEN);
    assert_false(tls_session_peer(talk.server.session, &facts));
    end(&talk);

    begin(&talk, certs_context(TLS_CLIENT, "other-ca", NULL, TLS_PEER_NONE), NULL,
          asking_server(TLS_PEER_OPTIONAL), NULL);
    run(&talk, LIMIT);
    assert_int_equal(talk.server.state, TLS_OPEN);
    assert_false(tls_session_peer(talk.server.session, &facts));
    assert_false(tls_session_peer_has_name(talk.server.session, "other-ca"));
    end(&talk);
}

static void bytes_that_are_no_tls_are_refused(void **state)
{
    struct talk talk;

    (void)state;
    begin(&talk, certs_context(TLS_CLIENT, NULL, NULL, TLS_PEER_NONE), NULL, server_named("server"),
          NULL);
    buf_text(&talk.client.wire, "a CAPABILITY\r\n");
    advance(&talk.server, &talk.client, LIMIT);
    assert_int_equal(talk.server.state, TLS_FAILED);
    assert_true(strlen(tls_session_error(talk.server.session)->text) > 10);
    end(&talk);
}

static void a_changed_record_is_refused(void **state)
{
    struct talk talk;
    struct buf *wire = &talk.client.wire;

    (void)state;
    begin(&talk, certs_context(TLS_CLIENT, NULL, NULL, TLS_PEER_NONE), NULL, server_named("server"),
          NULL);
    run(&talk, LIMIT);
    buf_text(&talk.client.plain_out, "a LOGIN");
    tls_session_advance(talk.client.session, NULL, NULL, 0, &talk.client.plain_out, LIMIT, wire);
    wire->memory[wire->end - 1] ^= 1;
    advance(&talk.server, &talk.client, LIMIT);
    assert_int_equal(talk.server.state, TLS_FAILED);
    assert_int_equal(buf_length(&talk.server.plain_in), 0);
    end(&talk);
}

/* The other engine's context, where there is another. */
static struct tls_context *of_other_engine(enum tls_role role, const char *name, const char *ca,
                                           enum tls_peer peer)
{
    enum tls_engine own = engine;
    enum tls_engine other = is_openssl() ? TLS_ENGINE_MBEDTLS : TLS_ENGINE_OPENSSL;
    struct tls_context *context;

    engine = tls_engine_check(other, NULL) == ERR_NONE ? other : own;
    context = certs_context(role, name, ca, peer);
    engine = own;
    return context;
}

static void the_engines_understand_each_other(void **state)
{
    struct tls_options options = {"mail.example", pop3_and_imap}, offered = {NULL, imap_only};
    struct tls_peer_facts facts;
    struct talk talk;

    (void)state;
    begin(&talk, of_other_engine(TLS_CLIENT, "client", "ca", TLS_PEER_REQUIRED), &options,
          asking_server(TLS_PEER_REQUIRED), &offered);
    run(&talk, LIMIT);
    assert_int_equal(talk.client.state, TLS_OPEN);
    assert_true(tls_session_peer(talk.server.session, &facts));
    assert_string_equal(facts.subject, "O=Example, OU=back, CN=back1");
    buf_text(&talk.client.plain_out, "a LOGIN");
    buf_text(&talk.server.plain_out, "* OK");
    run(&talk, LIMIT);
    assert_plain(&talk.server, "a LOGIN");
    assert_plain(&talk.client, "* OK");
    end(&talk);
}

/* Both ends have the same value, or none. Returns its length. */
static size_t same_binding(const struct talk *talk, enum tls_channel_binding kind,
                           uint8_t value[TLS_CHANNEL_BINDING_MAX])
{
    uint8_t other[TLS_CHANNEL_BINDING_MAX];
    size_t length = tls_session_channel_binding(talk->server.session, kind, value);

    assert_int_equal(tls_session_channel_binding(talk->client.session, kind, other), length);
    assert_memory_equal(value, other, length);
    return length;
}

static void both_ends_know_what_binds_to_their_session(void **state)
{
    struct tls_options options = {"mail.example", NULL};
    uint8_t values[2][TLS_CHANNEL_BINDINGS][TLS_CHANNEL_BINDING_MAX];
    struct talk talk;

    (void)state;
    for (int i = 0; i < 2; i++) {
        begin(&talk, client_of_ca(), &options, server_named("server"), NULL);
        assert_int_equal(
            tls_session_channel_binding(talk.server.session, TLS_SERVER_END_POINT, values[i][0]),
            0);
        run(&talk, LIMIT);
        assert_int_equal(same_binding(&talk, TLS_EXPORTER, values[i][TLS_EXPORTER]),
                         is_openssl() ? 32 : 0);
        assert_int_equal(same_binding(&talk, TLS_UNIQUE, values[i][TLS_UNIQUE]), 0);
        assert_int_equal(same_binding(&talk, TLS_SERVER_END_POINT, values[i][TLS_SERVER_END_POINT]),
                         32);
        end(&talk);
    }
    assert_memory_equal(values[0][TLS_SERVER_END_POINT], values[1][TLS_SERVER_END_POINT], 32);
    if (is_openssl())
        assert_memory_not_equal(values[0][TLS_EXPORTER], values[1][TLS_EXPORTER], 32);
}

static void each_half_ends_by_itself(void **state)
{
    struct talk talk;

    (void)state;
    begin(&talk, certs_context(TLS_CLIENT, NULL, NULL, TLS_PEER_NONE), NULL, server_named("server"),
          NULL);
    run(&talk, LIMIT);
    tls_session_finish(talk.client.session, &talk.client.wire);
    advance(&talk.server, &talk.client, LIMIT);
    assert_int_equal(talk.server.state, TLS_CLOSED);
    buf_text(&talk.server.plain_out, "the rest of the answer");
    advance(&talk.server, &talk.client, LIMIT);
    tls_session_finish(talk.server.session, &talk.server.wire);
    advance(&talk.client, &talk.server, LIMIT);
    assert_plain(&talk.client, "the rest of the answer");
    assert_int_equal(talk.client.state, TLS_CLOSED);
    end(&talk);
}

static void a_session_keeps_its_context_after_a_reload(void **state)
{
    struct tls_context *server = server_named("server");
    struct talk talk;

    (void)state;
    begin(&talk, certs_context(TLS_CLIENT, NULL, NULL, TLS_PEER_NONE), NULL, server, NULL);
    tls_context_unref(&talk.contexts[1]); /* as a reload does */
    run(&talk, LIMIT);
    assert_int_equal(talk.server.state, TLS_OPEN);
    end(&talk);
}

static void change_mode(const char *file, mode_t mode)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", certs_folder, file);
    assert_int_equal(chmod(path, mode), 0);
}

static void a_key_that_others_can_read_is_refused(void **state)
{
    struct tls_context *context;
    struct err err = {0};

    (void)state;
    change_mode("server.key", 0644);
    assert_int_equal(certs_try(&context, TLS_SERVER, "server", NULL, TLS_PEER_NONE, &err),
                     ERR_DENIED);
    assert_null(context);
    assert_non_null(strstr(err.text, "0644"));
    change_mode("server.key", 0660);
    assert_int_equal(certs_try(&context, TLS_SERVER, "server", NULL, TLS_PEER_NONE, &err),
                     ERR_DENIED);
    change_mode("server.key", 0640);
    assert_int_equal(certs_try(&context, TLS_SERVER, "server", NULL, TLS_PEER_NONE, &err),
                     getuid() == 0 ? ERR_NONE : ERR_DENIED);
    tls_context_unref(&context);
    change_mode("server.key", 0600);
}

static void a_key_must_fit_its_certificate(void **state)
{
    struct tls_context *context;
    struct err err = {0};
    char certificate[128];
    char key[128];
    struct tls_settings settings = {.engine = engine, .role = TLS_SERVER};

    (void)state;
    snprintf(certificate, sizeof(certificate), "%s/server.pem", certs_folder);
    snprintf(key, sizeof(key), "%s/client.key", certs_folder);
    settings.certificate_file = certificate;
    settings.key_file = key;
    assert_int_equal(tls_context_create(&context, &settings, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "does not fit"));
}

static void missing_files_and_rules_without_files_are_refused(void **state)
{
    struct tls_context *context;
    struct err err = {0};

    (void)state;
    assert_int_equal(certs_try(&context, TLS_SERVER, "absent", NULL, TLS_PEER_NONE, &err),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "absent.pem"));
    assert_int_equal(certs_try(&context, TLS_SERVER, NULL, NULL, TLS_PEER_NONE, &err), ERR_INVALID);
    assert_int_equal(certs_try(&context, TLS_CLIENT, NULL, NULL, TLS_PEER_REQUIRED, &err),
                     ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_carries_text_and_tells_its_facts),
        cmocka_unit_test(records_may_come_byte_by_byte),
        cmocka_unit_test(share_and_limit_bound_what_is_moved),
        cmocka_unit_test(close_notify_is_told_after_the_last_byte),
        cmocka_unit_test(alpn_without_a_match_is_refused),
        cmocka_unit_test(a_client_refuses_an_unknown_authority),
        cmocka_unit_test(a_client_refuses_another_name),
        cmocka_unit_test(a_required_client_certificate_gives_facts),
        cmocka_unit_test(a_missing_client_certificate_is_refused_where_it_is_required),
        cmocka_unit_test(an_optional_client_certificate_counts_only_when_it_is_good),
        cmocka_unit_test(bytes_that_are_no_tls_are_refused),
        cmocka_unit_test(a_changed_record_is_refused),
        cmocka_unit_test(the_engines_understand_each_other),
        cmocka_unit_test(both_ends_know_what_binds_to_their_session),
        cmocka_unit_test(each_half_ends_by_itself),
        cmocka_unit_test(a_session_keeps_its_context_after_a_reload),
        cmocka_unit_test(a_key_that_others_can_read_is_refused),
        cmocka_unit_test(a_key_must_fit_its_certificate),
        cmocka_unit_test(missing_files_and_rules_without_files_are_refused),
    };

    RUN_WITH_EACH_ENGINE(tests, certs_begin, certs_end);
}
