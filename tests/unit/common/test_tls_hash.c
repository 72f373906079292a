#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/tls_engine.h"
#include "tests/unit/common/engines.h"

static void is(const uint8_t *bytes, size_t length, const char *hexadecimal)
{
    char text[2 * HASH_SIZE_MAX + 1];

    for (size_t i = 0; i < length; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    assert_string_equal(text, hexadecimal);
}

static void digests_are_those_of_rfc_6234(void **state)
{
    const struct tls_engine_ops *ops = tls_engine_ops(engine);
    uint8_t out[HASH_SIZE_MAX];

    (void)state;
    ops->hash_digest(HASH_SHA1, STR("abc"), out);
    is(out, hash_size(HASH_SHA1), "a9993e364706816aba3e25717850c26c9cd0d89d");
    ops->hash_digest(HASH_SHA256, STR("abc"), out);
    is(out, hash_size(HASH_SHA256),
       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void keyed_hashes_are_those_of_rfc_4231_and_2202(void **state)
{
    const struct tls_engine_ops *ops = tls_engine_ops(engine);
    uint8_t out[HASH_SIZE_MAX];

    (void)state;
    ops->hash_mac(HASH_SHA256, STR("Jefe"), STR("what do ya want for nothing?"), out);
    is(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    ops->hash_mac(HASH_SHA1, STR("Jefe"), STR("what do ya want for nothing?"), out);
    is(out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

static void passwords_are_hashed_as_in_rfc_6070(void **state)
{
    const struct tls_engine_ops *ops = tls_engine_ops(engine);
    uint8_t out[HASH_SIZE_MAX];

    (void)state;
    ops->hash_password(HASH_SHA1, STR("password"), STR("salt"), 1, out);
    is(out, 20, "0c60c80f961f0e71f3a9b524af6012062fe037a6");
    ops->hash_password(HASH_SHA1, STR("password"), STR("salt"), 4096, out);
    is(out, 20, "4b007901b765489abead49d926f721d065a429c1");
}

static void what_the_house_calls_is_one_of_these(void **state)
{
    uint8_t out[HASH_SIZE_MAX];

    (void)state;
    hash_digest(HASH_SHA1, STR("abc"), out);
    is(out, hash_size(HASH_SHA1), "a9993e364706816aba3e25717850c26c9cd0d89d");
    hash_mac(HASH_SHA256, STR(""), STR(""), out);
    is(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    hash_password(HASH_SHA1, STR("password"), STR("salt"), 1, out);
    is(out, 20, "0c60c80f961f0e71f3a9b524af6012062fe037a6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_rfc_6234),
        cmocka_unit_test(keyed_hashes_are_those_of_rfc_4231_and_2202),
        cmocka_unit_test(what_the_house_calls_is_one_of_these),
        cmocka_unit_test(passwords_are_hashed_as_in_rfc_6070),
    };

    RUN_WITH_EACH_ENGINE(tests, NULL, NULL);
}
