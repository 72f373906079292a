#include "proto/oauth_message.h"
#include "tests/unit/proto/unit.h"

struct reading {
    bool good;
    char user[64], token[64];
};

static void keep(char to[64], struct str text)
{
    snprintf(to, 64, "%.*s", (int)text.length, text.data == NULL ? "" : text.data);
}

static struct reading read_by(bool (*reader)(struct str, struct buf *, struct str *),
                              struct str message)
{
    struct reading reading = {0};
    struct buf user = {0};
    struct str token = {NULL, 0};

    reading.good = reader(message, &user, &token);
    keep(reading.user, str_n(buf_bytes(&user), buf_length(&user)));
    keep(reading.token, token);
    buf_release(&user);
    return reading;
}

static void assert_read(struct reading reading, const char *user, const char *token)
{
    assert_true(reading.good);
    assert_string_equal(reading.user, user);
    assert_string_equal(reading.token, token);
}

static void the_example_of_rfc_7628_is_read(void **state)
{
    (void)state;
    assert_read(read_by(oauth_read_bearer,
                        STR("n,a=user@example.com,\001host=server.example.com\001port=143\001"
                            "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\001\001")),
                "user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
}

static void the_user_may_be_missing_and_the_rest_be_unknown(void **state)
{
    (void)state;
    assert_read(read_by(oauth_read_bearer, STR("y,,\001x=\001auth=bEaReR a.b-c_\001y=z\001\001")),
                "", "a.b-c_");
    assert_read(read_by(oauth_read_bearer, STR("n,a=a=2Cb=3Dc,\001auth=Bearer t\001\001")), "a,b=c",
                "t");
}

static void xoauth2_is_read(void **state)
{
    (void)state;
    assert_read(read_by(oauth_read_xoauth2, STR("user=a=2Cb@example.com\001auth=Bearer t\001\001")),
                "a=2Cb@example.com", "t");
}

static void malformed_messages_are_refused(void **state)
{
    static const struct str bad[] = {
        STR(""),
        STR("\001"),
        STR("n,,"),
        STR("n,,\001"),
        STR("n,,\001\001"),
        STR("n,,\001auth=Bearer t"),
        STR("n,,\001auth=Bearer t\001"),
        STR("n,,\001auth=Bearer t\001\001x"),
        STR("n,,\001auth=Bearer \001\001"),
        STR("n,,\001auth=Bearer a b\001\001"),
        STR("n,,\001auth=Bearer a\0b\001\001"),
        STR("n,,\001auth=Basic t\001\001"),
        STR("n,,\001auth=Bearer t\001auth=Bearer u\001\001"),
        STR("n,,\001=x\001auth=Bearer t\001\001"),
        STR("n,,\001x\001auth=Bearer t\001\001"),
        STR("n,,x\001auth=Bearer t\001\001"),
        STR("n,a=,\001auth=Bearer t\001\001"),
        STR("n,a=x=,\001auth=Bearer t\001\001"),
        STR("n,a=x=2c,\001auth=Bearer t\001\001"),
        STR("n,a=x\0y,\001auth=Bearer t\001\001"),
        STR("n,b=x,\001auth=Bearer t\001\001"),
        STR("p=tls-exporter,,\001auth=Bearer t\001\001"),
        STR("user=\001auth=Bearer t\001\001"),
        STR("user=a\0b\001auth=Bearer t\001\001"),
        STR("user=a\001auth=Bearer t\001"),
        STR("user=a\001\001"),
        STR("auth=Bearer t\001\001"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(read_by(oauth_read_bearer, bad[i]).good);
        assert_false(read_by(oauth_read_xoauth2, bad[i]).good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc_7628_is_read),
        cmocka_unit_test(the_user_may_be_missing_and_the_rest_be_unknown),
        cmocka_unit_test(xoauth2_is_read),
        cmocka_unit_test(malformed_messages_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
