#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cas-proxy/proxy_protocol.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static void assert_address(const struct net_address *address, const char *expected)
{
    char text[NET_TEXT_MAX];

    assert_string_equal(net_text(address, text), expected);
}

static void version_1_gives_addresses(void **unused)
{
    struct str line = STR("PROXY TCP4 192.0.2.1 192.0.2.2 50000 143\r\na NOOP");
    struct proxy_header header;

    (void)unused;
    assert_int_equal(proxy_read(line, &header), PROXY_WHOLE);
    assert_int_equal(header.length, line.length - 6);
    assert_true(header.has_address);
    assert_address(&header.source, "192.0.2.1:50000");
    assert_address(&header.destination, "192.0.2.2:143");
}

static void version_1_knows_ipv6_and_unknown(void **unused)
{
    struct proxy_header header;

    (void)unused;
    assert_int_equal(proxy_read(STR("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"), &header), PROXY_WHOLE);
    assert_address(&header.source, "[2001:db8::1]:1");
    assert_int_equal(proxy_read(STR("PROXY UNKNOWN\r\n"), &header), PROXY_WHOLE);
    assert_false(header.has_address);
    assert_int_equal(proxy_read(STR("PROXY UNKNOWN whatever\r\n"), &header), PROXY_WHOLE);
}

static void malformed_version_1_is_refused(void **unused)
{
    static const char *const bad[] = {
        "PROXY\r\n",
        "PROXY TCP4\r\n",
        "PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 70000\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
        "PROXY TCP4 ::1 ::2 1 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
        "EHLO x\r\n",
    };
    struct proxy_header header;

    (void)unused;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(proxy_read(str_of(bad[i]), &header), PROXY_BAD);
}

/* What follows a header may be the first byte of TLS: no byte of it may be read. */
static void every_part_of_a_header_asks_for_no_more_than_is_its_own(void **unused)
{
    static const char v1[] = "PROXY TCP4 192.0.2.1 192.0.2.2 50000 143\r\n";
    static const char v2[] = SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x13\x88\0\x8f";
    static const struct str headers[] = {
        {v1, sizeof(v1) - 1},
        {v2, sizeof(v2) - 1}
    };
    struct proxy_header header;

    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        for (size_t length = 0; length < headers[i].length; length++) {
            assert_int_equal(proxy_read(str_n(headers[i].data, length), &header), PROXY_MORE);
            assert_true(header.length > length);
            assert_true(header.length <= headers[i].length);
        }
        assert_int_equal(proxy_read(headers[i], &header), PROXY_WHOLE);
        assert_int_equal(header.length, headers[i].length);
        assert_address(&header.source, i == 0 ? "192.0.2.1:50000" : "192.0.2.1:5000");
        assert_address(&header.destination, "192.0.2.2:143");
    }
}

static void version_2_knows_ipv6_extensions_and_local(void **unused)
{
    static const char in6[] = SIGNATURE "\x21\x21\0\x28"
                                        "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
                                        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
                                        "\0\1\0\2"
                                        "\4\0\1x";
    struct proxy_header header;

    (void)unused;
    assert_int_equal(proxy_read(str_n(in6, sizeof(in6) - 1), &header), PROXY_WHOLE);
    assert_address(&header.source, "[2001:db8::1]:1");
    assert_address(&header.destination, "[::1]:2");
    assert_int_equal(proxy_read(STR(SIGNATURE "\x20\0\0\0"), &header), PROXY_WHOLE);
    assert_false(header.has_address);
}

static void malformed_version_2_is_refused(void **unused)
{
    struct proxy_header header;

    (void)unused;
    assert_int_equal(proxy_read(STR(SIGNATURE "\x11\x11\0\0"), &header), PROXY_BAD);
    assert_int_equal(proxy_read(STR(SIGNATURE "\x22\x11\0\0"), &header), PROXY_BAD);
    assert_int_equal(proxy_read(STR(SIGNATURE "\x21\x11\xff\xff"), &header), PROXY_BAD);
    assert_int_equal(proxy_read(STR(SIGNATURE "\x21\x11\0\4abcd"), &header), PROXY_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_1_gives_addresses),
        cmocka_unit_test(version_1_knows_ipv6_and_unknown),
        cmocka_unit_test(malformed_version_1_is_refused),
        cmocka_unit_test(every_part_of_a_header_asks_for_no_more_than_is_its_own),
        cmocka_unit_test(version_2_knows_ipv6_extensions_and_local),
        cmocka_unit_test(malformed_version_2_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
