#include "common/base64.h"
#include "mailbox-backend/directory/internal.h"
#include "mailbox-backend/directory/scram.h"
#include "proto/scram_message.h"
#include "tests/unit/directory/fixture.h"

/* A client in the middle of its exchange, and the server's proof. */
struct exchange {
    struct fixture *fixture;
    enum hash_kind kind;
    struct proof *proof;
    struct account account;
    struct buf challenge; /* the server's last */
    char header[64], bare[128];
    char salt[64]; /* base64, as the server named it */
    uint8_t salted[HASH_SIZE_MAX];
    struct buf auth;
    const char *data; /* what c= has behind the header */
};

static struct str bytes_of(const struct buf *buf)
{
    return str_n(buf_bytes(buf), buf_length(buf));
}

static void begin(struct exchange *exchange, struct fixture *fixture, enum hash_kind kind)
{
    *exchange = (struct exchange){.fixture = fixture, .kind = kind};
    exchange->proof =
        proof_create(fixture->directory, kind == HASH_SHA1 ? "SCRAM-SHA-1" : "SCRAM-SHA-256",
                     SERVICE_IMAP4, &fixture_client);
}

static void finish(struct exchange *exchange)
{
    proof_destroy(&exchange->proof);
    buf_release(&exchange->challenge);
    buf_release(&exchange->auth);
}

static enum proof_result say(struct exchange *exchange, struct str message)
{
    enum proof_result result;

    buf_release(&exchange->challenge);
    assert_true(proof_step_at_once(exchange->proof, &message, &exchange->challenge,
                                   &exchange->fixture->arena, &exchange->account,
                                   &result)); /* never a password hash */
    return result;
}

static enum proof_result say_first(struct exchange *exchange, const char *header, const char *user)
{
    char message[256];

    snprintf(exchange->header, sizeof(exchange->header), "%s", header);
    snprintf(exchange->bare, sizeof(exchange->bare), "n=%s,r=clientnonce", user);
    snprintf(message, sizeof(message), "%s%s", header, exchange->bare);
    return say(exchange, str_of(message));
}

/* Reads r=,s=,i= and makes what the client derives from the password. */
static void derive(struct exchange *exchange, const char *password, char *nonce)
{
    char text[512];
    struct buf salt = {0};
    unsigned iterations;

    snprintf(text, sizeof(text), "%.*s", (int)buf_length(&exchange->challenge),
             (const char *)buf_bytes(&exchange->challenge));
    assert_int_equal(sscanf(text, "r=%127[^,],s=%63[^,],i=%u", nonce, exchange->salt, &iterations),
                     3);
    assert_int_equal(iterations, SCRAM_ITERATIONS);
    assert_int_equal(strncmp(nonce, "clientnonce", 11), 0);
    assert_true(strlen(nonce) >= 11 + 24);
    assert_true(base64_decode(&salt, str_of(exchange->salt)));
    assert_int_equal(buf_length(&salt), SCRAM_SALT_SIZE);
    hash_password(exchange->kind, str_of(password), bytes_of(&salt), iterations, exchange->salted);
    buf_release(&salt);
    buf_printf(&exchange->auth, "%s,%s,", exchange->bare, text);
}

static void xor_signature(struct exchange *exchange, uint8_t key[HASH_SIZE_MAX])
{
    size_t size = hash_size(exchange->kind);
    uint8_t stored[HASH_SIZE_MAX], signature[HASH_SIZE_MAX];

    hash_mac(exchange->kind, str_n(exchange->salted, size), STR("Client Key"), key);
    hash_digest(exchange->kind, str_n(key, size), stored);
    hash_mac(exchange->kind, str_n(stored, size), bytes_of(&exchange->auth), signature);
    for (size_t i = 0; i < size; i++)
        key[i] ^= signature[i];
}

/* header: what c= claims that the first message began with. */
static enum proof_result say_final(struct exchange *exchange, const char *header,
                                   const char *password, const char *more_nonce)
{
    struct buf message = {0}, bound = {0};
    uint8_t proof[HASH_SIZE_MAX];
    char nonce[128];
    enum proof_result result;

    derive(exchange, password, nonce);
    buf_text(&message, "c=");
    buf_text(&bound, header);
    buf_text(&bound, exchange->data == NULL ? "" : exchange->data);
    base64_encode(&message, buf_bytes(&bound), buf_length(&bound));
    buf_release(&bound);
    buf_printf(&message, ",r=%s%s", nonce, more_nonce);
    buf_append(&exchange->auth, buf_bytes(&message), buf_length(&message));
    xor_signature(exchange, proof);
    buf_text(&message, ",p=");
    base64_encode(&message, proof, hash_size(exchange->kind));
    result = say(exchange, bytes_of(&message));
    buf_release(&message);
    return result;
}

static void assert_server_signature(const struct exchange *exchange)
{
    size_t size = hash_size(exchange->kind);
    uint8_t key[HASH_SIZE_MAX], signature[HASH_SIZE_MAX];
    struct buf expected = {0};

    hash_mac(exchange->kind, str_n(exchange->salted, size), STR("Server Key"), key);
    hash_mac(exchange->kind, str_n(key, size), bytes_of(&exchange->auth), signature);
    buf_text(&expected, "v=");
    base64_encode(&expected, signature, size);
    assert_true(str_equal(bytes_of(&expected), bytes_of(&exchange->challenge)));
    buf_release(&expected);
}

/* A whole try, up to the server's verdict. */
static enum proof_result try_as(struct fixture *fixture, const char *header, const char *user,
                                const char *password, char salt[64])
{
    struct exchange exchange;
    enum proof_result result;

    begin(&exchange, fixture, HASH_SHA256);
    result = say_first(&exchange, header, user);
    if (result == PROOF_CHALLENGE)
        result = say_final(&exchange, header, password, "");
    if (result == PROOF_CHALLENGE) {
        assert_server_signature(&exchange);
        result = say(&exchange, STR(""));
    }
    if (salt != NULL)
        strcpy(salt, exchange.salt);
    finish(&exchange);
    return result;
}

static enum proof_result try(struct fixture *fixture, const char *user, const char *password)
{
    return try_as(fixture, "n,,", user, password, NULL);
}

/* ---- the RFCs' own examples ---- */

struct example {
    enum hash_kind kind;
    const char *salt, *auth, *proof, *signature;
};

static const struct example examples[] = {
    {HASH_SHA1,   "QSXCR+Q6sek8bf92",
     "n=user,r=fyko+d2lbbFgONRv9qkxdawL,"
     "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096,"
     "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",         "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",                 "rmF9pqV8S7suAoZWja4dJRkFsKQ="},
    {HASH_SHA256, "W22ZaJ0SNY7soEsUEjb6gQ==",
     "n=user,r=rOprNGfwEbeRWgbNEkqO,"
     "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
     "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
     "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
     "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="                                                                                               },
};

static void the_examples_of_rfc_5802_and_rfc_7677_are_verified(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 2; i++) {
        const struct example *example = &examples[i];
        size_t size = hash_size(example->kind);
        struct buf salt = {0}, proof = {0}, text = {0};
        uint8_t signature[HASH_SIZE_MAX];
        Directory__ScramKey *key;

        assert_true(base64_decode(&salt, str_of(example->salt)));
        assert_true(base64_decode(&proof, str_of(example->proof)));
        key = scram_key_of(example->kind, "pencil", bytes_of(&salt), 4096, &fixture->arena);
        assert_true(scram_is_right(example->kind, key->stored_key.data, str_of(example->auth),
                                   bytes_of(&proof)));
        assert_false(
            scram_is_right(example->kind, key->stored_key.data, STR("n=user"), bytes_of(&proof)));
        hash_mac(example->kind, str_n(key->server_key.data, size), str_of(example->auth),
                 signature);
        base64_encode(&text, signature, size);
        assert_true(str_is(bytes_of(&text), example->signature));
        buf_release(&salt);
        buf_release(&proof);
        buf_release(&text);
    }
}

/* ---- the mechanism ---- */

static void the_right_password_opens_the_account_by_either_hash(void **state)
{
    struct fixture *fixture = *state;
    const enum hash_kind kinds[] = {HASH_SHA1, HASH_SHA256};

    fixture_add(fixture, "alice", "correct horse");
    for (size_t i = 0; i < 2; i++) {
        struct exchange exchange;

        begin(&exchange, fixture, kinds[i]);
        assert_int_equal(say_first(&exchange, "n,,", "ALICE"), PROOF_CHALLENGE);
        assert_int_equal(say_final(&exchange, "n,,", "correct horse", ""), PROOF_CHALLENGE);
        assert_server_signature(&exchange);
        assert_int_equal(say(&exchange, STR("")), PROOF_OK);
        assert_string_equal(exchange.account.name, "alice@example.org");
        finish(&exchange);
    }
}

static void a_wrong_password_and_an_unknown_user_look_alike(void **state)
{
    struct fixture *fixture = *state;

    fixture_add(fixture, "alice", "correct horse");
    fixture_add(fixture, "keyless", NULL);
    assert_int_equal(try(fixture, "alice", "wrong"), PROOF_WRONG);
    assert_int_equal(try(fixture, "bob", "wrong"), PROOF_WRONG);
    assert_int_equal(try(fixture, "keyless", ""), PROOF_WRONG);
    assert_int_equal(try(fixture, "not a name", "x"), PROOF_WRONG);
    assert_int_equal(try(fixture, "\xff\xff", "x"), PROOF_WRONG);
}

static void the_salt_of_an_unknown_user_stays_the_same_as_a_users_does(void **state)
{
    static const char *const spellings[] = {"bob", "BOB", "bob@example.org", "EXAMPLE\\Bob"};
    struct fixture *fixture = *state;
    char salts[2][64], again[64];
    const char *const users[] = {"bob", "alice"};

    fixture_add(fixture, "alice", "correct horse");
    for (size_t i = 0; i < 2; i++)
        try_as(fixture, "n,,", users[i], "x", salts[i]);
    assert_string_not_equal(salts[0], salts[1]);
    directory_close(&fixture->directory);
    fixture_open(fixture);
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        try_as(fixture, "n,,", spellings[i], "x", again);
        assert_string_equal(again, salts[0]);
    }
    try_as(fixture, "n,,", "alice", "x", again);
    assert_string_equal(again, salts[1]);
    try_as(fixture, "n,,", "carol", "x", again);
    assert_string_not_equal(again, salts[0]);
}

static void another_identity_is_denied_unless_allowed(void **state)
{
    struct fixture *fixture = *state;
    bool yes = true;
    struct account_change change = {.may_impersonate = &yes};

    fixture_add(fixture, "alice", "secret");
    fixture_add(fixture, "bob", "other");
    assert_int_equal(try_as(fixture, "n,a=alice,", "alice", "secret", NULL), PROOF_OK);
    assert_int_equal(try_as(fixture, "n,a=bob,", "alice", "secret", NULL), PROOF_DENIED);
    account_set(fixture->directory, STR("alice"), &change, false, NULL);
    assert_int_equal(try_as(fixture, "n,a=bob,", "alice", "secret", NULL), PROOF_OK);
    assert_int_equal(try_as(fixture, "n,a=bob,", "alice", "wrong", NULL), PROOF_WRONG);
}

static void a_disabled_account_is_told_only_to_who_proves_it(void **state)
{
    struct fixture *fixture = *state;
    bool no = false;
    struct account_change off = {.enabled = &no};

    fixture_add(fixture, "alice", "secret");
    account_set(fixture->directory, STR("alice"), &off, false, NULL);
    assert_int_equal(try(fixture, "alice", "secret"), PROOF_DISABLED);
    assert_int_equal(try(fixture, "alice", "wrong"), PROOF_WRONG);
}

static void a_changed_header_or_nonce_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    struct exchange exchange;

    fixture_add(fixture, "alice", "secret");
    begin(&exchange, fixture, HASH_SHA256);
    assert_int_equal(say_first(&exchange, "n,,", "alice"), PROOF_CHALLENGE);
    assert_int_equal(say_final(&exchange, "y,,", "secret", ""), PROOF_UNBOUND);
    finish(&exchange);
    begin(&exchange, fixture, HASH_SHA256);
    assert_int_equal(say_first(&exchange, "n,,", "alice"), PROOF_CHALLENGE);
    assert_int_equal(say_final(&exchange, "n,,", "secret", "x"), PROOF_WRONG);
    finish(&exchange);
    assert_int_equal(try_as(fixture, "y,,", "alice", "secret", NULL), PROOF_OK);
    assert_int_equal(try_as(fixture, "p=tls-unique,,", "alice", "secret", NULL), PROOF_INVALID);
}

/* A client whose front has offered -PLUS, with two values to bind to. */
static Link__Client *bound_client(void)
{
    static Link__Binding one =
                             {
                                 .base = PROTOBUF_C_MESSAGE_INIT(&link__binding__descriptor),
                                 .name = (char *)(uintptr_t) "tls-exporter",
                                 .data = {5, (uint8_t *)(uintptr_t) "value"}
    },
                         other = {.base = PROTOBUF_C_MESSAGE_INIT(&link__binding__descriptor),
                                  .name = (char *)(uintptr_t) "tls-server-end-point",
                                  .data = {4, (uint8_t *)(uintptr_t) "hash"}};
    static Link__Binding *list[] = {&one, &other};
    static Link__Client client;

    client = fixture_client;
    client.bindings = list;
    client.n_bindings = 2;
    return &client;
}

/* Up to the server's verdict on the final message: PROOF_CHALLENGE when it is right. */
static enum proof_result bind(struct fixture *fixture, const char *mechanism, const char *header,
                              const char *data)
{
    struct exchange exchange = {.fixture = fixture, .kind = HASH_SHA256, .data = data};
    enum proof_result result;

    exchange.proof = proof_create(fixture->directory, mechanism, SERVICE_IMAP4, bound_client());
    result = say_first(&exchange, header, "alice");
    if (result == PROOF_CHALLENGE)
        result = say_final(&exchange, header, "secret", "");
    finish(&exchange);
    return result;
}

static void a_binding_must_be_that_of_the_connection(void **state)
{
    struct fixture *fixture = *state;
    const char *plus = "SCRAM-SHA-256-PLUS";

    fixture_add(fixture, "alice", "secret");
    assert_int_equal(bind(fixture, plus, "p=tls-exporter,,", "value"), PROOF_CHALLENGE);
    assert_int_equal(bind(fixture, plus, "p=tls-server-end-point,,", "hash"), PROOF_CHALLENGE);
    assert_int_equal(bind(fixture, plus, "p=tls-exporter,,", "Value"), PROOF_UNBOUND);
    assert_int_equal(bind(fixture, plus, "p=tls-exporter,,", "hash"), PROOF_UNBOUND);
    assert_int_equal(bind(fixture, plus, "p=tls-exporter,,", ""), PROOF_UNBOUND);
    assert_int_equal(bind(fixture, plus, "p=tls-exporter,,", "value "), PROOF_UNBOUND);
    assert_int_equal(bind(fixture, plus, "p=tls-unique,,", "value"), PROOF_UNBOUND);
    assert_int_equal(bind(fixture, plus, "p=TLS-exporter,,", "value"), PROOF_UNBOUND);
}

static void the_flag_must_fit_the_mechanism_and_what_was_offered(void **state)
{
    struct fixture *fixture = *state;

    fixture_add(fixture, "alice", "secret");
    assert_int_equal(bind(fixture, "SCRAM-SHA-256-PLUS", "n,,", NULL), PROOF_INVALID);
    assert_int_equal(bind(fixture, "SCRAM-SHA-256-PLUS", "y,,", NULL), PROOF_INVALID);
    assert_int_equal(bind(fixture, "SCRAM-SHA-256", "p=tls-exporter,,", "value"), PROOF_INVALID);
    assert_int_equal(bind(fixture, "SCRAM-SHA-256", "y,,", NULL), PROOF_UNBOUND); /* a downgrade */
    assert_int_equal(bind(fixture, "SCRAM-SHA-256", "n,,", NULL), PROOF_CHALLENGE);
}

static void a_password_changed_in_the_middle_is_wrong(void **state)
{
    struct fixture *fixture = *state;
    struct exchange exchange;

    fixture_add(fixture, "alice", "secret");
    begin(&exchange, fixture, HASH_SHA256);
    assert_int_equal(say_first(&exchange, "n,,", "alice"), PROOF_CHALLENGE);
    assert_int_equal(say_final(&exchange, "n,,", "secret", ""), PROOF_CHALLENGE);
    account_set_password(fixture->directory, STR("alice"), STR("new"), false, NULL);
    assert_int_equal(say(&exchange, STR("")), PROOF_WRONG);
    finish(&exchange);
    assert_int_equal(try(fixture, "alice", "new"), PROOF_OK);
}

static void malformed_messages_and_a_longer_end_are_invalid(void **state)
{
    struct fixture *fixture = *state;
    struct exchange exchange;

    fixture_add(fixture, "alice", "secret");
    begin(&exchange, fixture, HASH_SHA256);
    assert_int_equal(say(&exchange, STR("n,,n=alice")), PROOF_INVALID);
    finish(&exchange);
    begin(&exchange, fixture, HASH_SHA256);
    assert_int_equal(say_first(&exchange, "n,,", "alice"), PROOF_CHALLENGE);
    assert_int_equal(say(&exchange, STR("c=biws,r=clientnonce")), PROOF_INVALID);
    finish(&exchange);
    begin(&exchange, fixture, HASH_SHA256);
    assert_int_equal(say_first(&exchange, "n,,", "alice"), PROOF_CHALLENGE);
    assert_int_equal(say_final(&exchange, "n,,", "secret", ""), PROOF_CHALLENGE);
    assert_int_equal(say(&exchange, STR("x")), PROOF_INVALID);
    finish(&exchange);
}

static void a_directory_that_does_not_offer_it_does_not_take_it(void **state)
{
    struct fixture *fixture = *state;

    const char *names[DIRECTORY_MECHANISMS_MOST];

    fixture_add(fixture, "alice", "secret");
    assert_int_equal(directory_mechanisms(fixture->directory, names), 4);
    assert_string_equal(names[0], "SCRAM-SHA-256-PLUS");
    fixture->directory->scram = false;
    assert_int_equal(directory_mechanisms(fixture->directory, names), 0);
    {
        struct proof *proof =
            proof_create(fixture->directory, "SCRAM-SHA-256", SERVICE_IMAP4, &fixture_client);
        struct str message = STR("n,,n=alice,r=x");
        struct buf challenge = {0};
        struct account account;

        assert_int_equal(proof_step(proof, &message, &challenge, &fixture->arena, &account),
                         PROOF_UNSUPPORTED);
        proof_destroy(&proof);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(the_examples_of_rfc_5802_and_rfc_7677_are_verified),
        FIXTURE_TEST(the_right_password_opens_the_account_by_either_hash),
        FIXTURE_TEST(a_wrong_password_and_an_unknown_user_look_alike),
        FIXTURE_TEST(the_salt_of_an_unknown_user_stays_the_same_as_a_users_does),
        FIXTURE_TEST(another_identity_is_denied_unless_allowed),
        FIXTURE_TEST(a_disabled_account_is_told_only_to_who_proves_it),
        FIXTURE_TEST(a_changed_header_or_nonce_is_noticed),
        FIXTURE_TEST(a_binding_must_be_that_of_the_connection),
        FIXTURE_TEST(the_flag_must_fit_the_mechanism_and_what_was_offered),
        FIXTURE_TEST(a_password_changed_in_the_middle_is_wrong),
        FIXTURE_TEST(malformed_messages_and_a_longer_end_are_invalid),
        FIXTURE_TEST(a_directory_that_does_not_offer_it_does_not_take_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
