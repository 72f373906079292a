/* The pure ones: crc32c, random, base64. */
#include "tests/unit/common/unit.h"

#include "common/base64.h"
#include "common/crc32c.h"
#include "common/keyed_hash.h"
#include "common/random.h"

static void crc32c_gives_the_check_values(void **state)
{
    uint8_t bytes[32];

    (void)state;
    assert_int_equal(crc32c(0, "123456789", 9), 0xE3069283);
    memset(bytes, 0, sizeof(bytes)); /* RFC 3720 B.4 */
    assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x8A9136AA);
    memset(bytes, 0xFF, sizeof(bytes));
    assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x62A8AB43);
    assert_int_equal(crc32c(0, NULL, 0), 0);
}

static void crc32c_goes_on_from_a_seed(void **state)
{
    uint32_t seed = crc32c(0, "1234", 4);

    (void)state;
    assert_int_equal(crc32c(seed, "56789", 5), 0xE3069283);
}

static void crc32c_is_the_same_with_and_without_the_instruction(void **state)
{
    uint8_t bytes[300];

    (void)state;
    random_bytes(bytes, sizeof(bytes));
    for (size_t start = 0; start < 9; start++) {
        for (size_t length = 0; length < 280; length++)
            assert_int_equal(crc32c(5, bytes + start, length),
                             crc32c_portable(5, bytes + start, length));
    }
}

static void text_hash_gives_the_check_values(void **state)
{
    (void)state;
    assert_true(str_hash(STR("")) == 0xcbf29ce484222325u);
    assert_true(str_hash(STR("a")) == 0xaf63dc4c8601ec8cu);
    assert_true(str_hash(STR("foobar")) == 0x85944171f73967e8u);
}

static void random_bytes_differ_and_stay_within_bounds(void **state)
{
    uint8_t a[66] = {0};
    uint8_t b[66] = {0};

    (void)state;
    random_bytes(a + 1, 64);
    random_bytes(b + 1, 64);
    assert_memory_not_equal(a + 1, b + 1, 64);
    assert_int_equal(a[0] | a[65] | b[0] | b[65], 0);
}

static const struct {
    const char *plain;
    const char *text;
} pairs[] = {
    {"",       ""        }, /* RFC 4648 section 10 */
    {"f",      "Zg=="    },
    {"fo",     "Zm8="    },
    {"foo",    "Zm9v"    },
    {"foob",   "Zm9vYg=="},
    {"fooba",  "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

static void base64_encodes_the_examples_of_the_standard(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct buf out = {0};

        base64_encode(&out, pairs[i].plain, strlen(pairs[i].plain));
        buf_byte(&out, 0);
        assert_string_equal((const char *)buf_bytes(&out), pairs[i].text);
        buf_release(&out);
    }
}

static void base64_decodes_the_examples_of_the_standard(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct buf out = {0};

        assert_true(base64_decode(&out, str_of(pairs[i].text)));
        buf_byte(&out, 0);
        assert_string_equal((const char *)buf_bytes(&out), pairs[i].plain);
        buf_release(&out);
    }
}

static void base64_of_every_byte_comes_back(void **state)
{
    uint8_t bytes[256];
    struct buf text = {0};
    struct buf plain = {0};

    (void)state;
    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    base64_encode(&text, bytes, sizeof(bytes));
    assert_true(base64_decode(&plain, str_n(buf_bytes(&text), buf_length(&text))));
    assert_int_equal(buf_length(&plain), sizeof(bytes));
    assert_memory_equal(buf_bytes(&plain), bytes, sizeof(bytes));
    buf_release(&text);
    buf_release(&plain);
}

static void base64_that_is_not_strict_is_refused_and_leaves_nothing(void **state)
{
    static const char *const bad[] = {
        "Z",    "Zg",   "Zg=",   "Zg===", "====", "Z===",     "=Zg=",    "Zm9v\n",  " Zm9v",
        "Zh==", "Zm9=", "Zm 9v", "Zm-v",  "Zm_v", "Zg==Zg==", "Zm9vZg=", "Zm9\x80", "Zm9v====",
    };
    struct buf out = {0};

    (void)state;
    buf_text(&out, "kept");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(base64_decode(&out, str_of(bad[i])));
        assert_int_equal(buf_length(&out), 4);
    }
    buf_release(&out);
}

/* The test vectors of the paper that defines SipHash (Aumasson, Bernstein 2012, appendix A). */
static void keyed_hash_is_siphash(void **state)
{
    uint8_t key[16], data[15];

    (void)state;
    for (uint8_t i = 0; i < 16; i++)
        key[i] = i;
    for (uint8_t i = 0; i < 15; i++)
        data[i] = i;
    assert_true(keyed_hash_with(key, data, 15) == 0xa129ca6149be45e5);
}

/* As openssl mac -macopt size:16 SIPHASH prints them. */
static void keyed_hash_of_128_bits_is_siphash(void **state)
{
    uint8_t key[16], data[20];
    uint64_t hash[2];

    (void)state;
    for (uint8_t i = 0; i < 16; i++)
        key[i] = i;
    for (uint8_t i = 0; i < 20; i++)
        data[i] = i;
    keyed_hash_128_with(key, data, 0, hash);
    assert_true(hash[0] == 0xe6a825ba047f81a3 && hash[1] == 0x930255c71472f66d);
    keyed_hash_128_with(key, data, 20, hash);
    assert_true(hash[0] == 0x7390223f83fc259e && hash[1] == 0xeb3938e8a544933e);
}

static void keyed_hash_of_a_process_stays(void **state)
{
    (void)state;
    assert_true(keyed_hash("alice", 5) == keyed_hash("alice", 5));
    assert_true(keyed_hash("alice", 5) != keyed_hash("alicf", 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_gives_the_check_values),
        cmocka_unit_test(crc32c_goes_on_from_a_seed),
        cmocka_unit_test(crc32c_is_the_same_with_and_without_the_instruction),
        cmocka_unit_test(text_hash_gives_the_check_values),
        cmocka_unit_test(keyed_hash_is_siphash),
        cmocka_unit_test(keyed_hash_of_128_bits_is_siphash),
        cmocka_unit_test(keyed_hash_of_a_process_stays),
        cmocka_unit_test(random_bytes_differ_and_stay_within_bounds),
        cmocka_unit_test(base64_encodes_the_examples_of_the_standard),
        cmocka_unit_test(base64_decodes_the_examples_of_the_standard),
        cmocka_unit_test(base64_of_every_byte_comes_back),
        cmocka_unit_test(base64_that_is_not_strict_is_refused_and_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
