#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/tls_pki.h"
#include "tests/unit/common/engines.h"

struct fixture {
    char folder[64];
};

static const char *path_of(struct fixture *fixture, const char *file)
{
    static char path[4][128];
    static unsigned turn;
    char *to = path[turn++ % 4];

    snprintf(to, sizeof(path[0]), "%s/%s", fixture->folder, file);
    return to;
}

static int create(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct err err;

    strcpy(fixture->folder, "/tmp/pki-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    assert_int_equal(pki_init(engine, fixture->folder, "test-ca", 100, &err), ERR_NONE);
    *state = fixture;
    return 0;
}

static int destroy(void **state)
{
    static const char *const files[] = {"ca.crt",     "ca.key",    "front1.crt",
                                        "front1.key", "other.crt", "other.key"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        unlink(path_of(fixture, files[i]));
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

static struct pki_request request_of(enum pki_role role, const char *name)
{
    return (struct pki_request){.role = role, .name = name, .file = name, .days = 10};
}

static void a_certificate_says_who_it_is_for(void **state)
{
    struct fixture *fixture = *state;
    struct pki_request request = request_of(PKI_FRONT, "front1");
    struct pki_facts facts;
    struct stat stat_of;

    request.hosts[0] = "mail.example.org";
    request.host_count = 1;
    request.addresses[0] = "127.0.0.1";
    request.addresses[1] = "::1";
    request.address_count = 2;
    assert_int_equal(pki_issue(engine, fixture->folder, &request, NULL), ERR_NONE);
    assert_int_equal(pki_read(engine, path_of(fixture, "front1.crt"), &facts, NULL), ERR_NONE);
    assert_string_equal(facts.common_name, "front1");
    assert_string_equal(facts.unit, "front");
    assert_string_equal(facts.issuer, "test-ca");
    assert_string_equal(facts.names, "front1, mail.example.org, 127.0.0.1, ::1");
    assert_true(facts.not_before <= time(NULL));
    assert_int_equal((facts.not_after - facts.not_before) / 86400, 10);
    assert_int_equal(strlen(facts.serial), 32);
    assert_int_equal(stat(path_of(fixture, "front1.key"), &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 0777, 0600);
}

/* The other engine, where there is another. */
static enum tls_engine other_engine(void)
{
    enum tls_engine other = is_openssl() ? TLS_ENGINE_MBEDTLS : TLS_ENGINE_OPENSSL;

    return tls_engine_check(other, NULL) == ERR_NONE ? other : engine;
}

static void what_one_engine_has_made_the_other_goes_on_with(void **state)
{
    struct fixture *fixture = *state;
    struct pki_request request = request_of(PKI_FRONT, "front1");
    struct pki_facts facts;

    request.addresses[0] = "192.0.2.1";
    request.address_count = 1;
    assert_int_equal(pki_issue(other_engine(), fixture->folder, &request, NULL), ERR_NONE);
    assert_int_equal(pki_read(engine, path_of(fixture, "front1.crt"), &facts, NULL), ERR_NONE);
    assert_string_equal(facts.common_name, "front1");
    assert_string_equal(facts.issuer, "test-ca");
    assert_string_equal(facts.names, "front1, 192.0.2.1");
    assert_int_equal(strlen(facts.serial), 32);
    assert_int_equal((facts.not_after - facts.not_before) / 86400, 10);
}

static void what_is_there_is_not_replaced_unasked(void **state)
{
    struct fixture *fixture = *state;
    struct pki_request request = request_of(PKI_BACK, "front1");
    struct pki_facts first, second;

    assert_int_equal(pki_init(engine, fixture->folder, "other-ca", 10, NULL), ERR_EXISTS);
    assert_int_equal(pki_issue(engine, fixture->folder, &request, NULL), ERR_NONE);
    pki_read(engine, path_of(fixture, "front1.crt"), &first, NULL);
    assert_int_equal(pki_issue(engine, fixture->folder, &request, NULL), ERR_EXISTS);
    request.replace = true;
    assert_int_equal(pki_issue(engine, fixture->folder, &request, NULL), ERR_NONE);
    pki_read(engine, path_of(fixture, "front1.crt"), &second, NULL);
    assert_string_not_equal(first.serial, second.serial);
}

static void names_that_would_change_the_subject_or_the_path_are_refused(void **state)
{
    static const char *const bad[] = {"", "a,OU=back", "../x", "a b", ".x", "a\nb"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct pki_request request = request_of(PKI_BACK, bad[i]);

        assert_int_equal(pki_issue(engine, fixture->folder, &request, NULL), ERR_INVALID);
        request.name = "front1";
        assert_int_equal(pki_issue(engine, fixture->folder, &request, NULL), ERR_INVALID);
    }
    struct pki_request request = request_of(PKI_BACK, "other");
    request.addresses[request.address_count++] = "1.2.3";
    assert_int_equal(pki_issue(engine, fixture->folder, &request, NULL), ERR_INVALID);
    request = request_of(PKI_BACK, "ca");
    assert_int_equal(pki_issue(engine, fixture->folder, &request, NULL), ERR_INVALID);
}

/* Lets two sessions shake hands in memory. */
static enum tls_state shake_hands(struct tls_context *client, struct tls_context *server,
                                  const char *name)
{
    struct tls_options options = {.server_name = name}, none = {0};
    struct tls_session *c = tls_session_create(client, &options);
    struct tls_session *s = tls_session_create(server, &none);
    struct buf to_server = {0}, to_client = {0}, plain = {0}, nothing = {0};
    enum tls_state at_client = TLS_HANDSHAKE, at_server = TLS_HANDSHAKE;

    for (unsigned i = 0; i < 20 && at_client < TLS_FAILED && at_server < TLS_FAILED; i++) {
        at_client = tls_session_advance(c, &to_client, &plain, 65536, &nothing, 65536, &to_server);
        at_server = tls_session_advance(s, &to_server, &plain, 65536, &nothing, 65536, &to_client);
    }
    tls_session_destroy(&c);
    tls_session_destroy(&s);
    buf_release(&to_server);
    buf_release(&to_client);
    buf_release(&plain);
    return at_server == TLS_FAILED ? at_server : at_client;
}

static struct tls_context *context_of(struct fixture *fixture, enum tls_role role,
                                      const char *certificate, const char *key)
{
    struct tls_context *context;
    struct tls_settings settings = {
        .engine = engine,
        .role = role,
        .certificate_file = certificate,
        .key_file = key,
        .ca_file = path_of(fixture, "ca.crt"),
        .peer = TLS_PEER_REQUIRED,
    };
    struct err err = {0};

    if (tls_context_create(&context, &settings, &err) != ERR_NONE)
        fail_msg("%s", err.text);
    return context;
}

static void a_front_and_a_back_with_such_certificates_trust_each_other(void **state)
{
    struct fixture *fixture = *state;
    struct pki_request front = request_of(PKI_FRONT, "front1");
    struct pki_request back = request_of(PKI_BACK, "other");
    struct tls_context *client, *server;

    assert_int_equal(pki_issue(engine, fixture->folder, &front, NULL), ERR_NONE);
    assert_int_equal(pki_issue(engine, fixture->folder, &back, NULL), ERR_NONE);
    client = context_of(fixture, TLS_CLIENT, path_of(fixture, "front1.crt"),
                        path_of(fixture, "front1.key"));
    server = context_of(fixture, TLS_SERVER, path_of(fixture, "other.crt"),
                        path_of(fixture, "other.key"));
    assert_int_equal(shake_hands(client, server, "other"), TLS_OPEN);
    assert_int_equal(shake_hands(client, server, "front1"), TLS_FAILED);
    tls_context_unref(&client);
    tls_context_unref(&server);
}

static void a_client_certificate_does_not_serve(void **state)
{
    struct fixture *fixture = *state;
    struct pki_request front = request_of(PKI_FRONT, "front1");
    struct tls_context *client, *server;

    assert_int_equal(pki_issue(engine, fixture->folder, &front, NULL), ERR_NONE);
    client = context_of(fixture, TLS_CLIENT, path_of(fixture, "front1.crt"),
                        path_of(fixture, "front1.key"));
    server = context_of(fixture, TLS_SERVER, path_of(fixture, "front1.crt"),
                        path_of(fixture, "front1.key"));
    assert_int_equal(shake_hands(client, server, "front1"), TLS_FAILED);
    tls_context_unref(&client);
    tls_context_unref(&server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_certificate_says_who_it_is_for),
        TEST(what_one_engine_has_made_the_other_goes_on_with),
        TEST(what_is_there_is_not_replaced_unasked),
        TEST(names_that_would_change_the_subject_or_the_path_are_refused),
        TEST(a_front_and_a_back_with_such_certificates_trust_each_other),
        TEST(a_client_certificate_does_not_serve),
    };

    RUN_WITH_EACH_ENGINE(tests, NULL, NULL);
}
