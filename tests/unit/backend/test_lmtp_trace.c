#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mailbox-backend/lmtp/trace.h"

static void expect(const struct trace *trace, const char *text)
{
    struct buf out = {0};

    trace_write(trace, &out);
    buf_byte(&out, '\0');
    assert_string_equal((const char *)buf_bytes(&out), text);
    buf_release(&out);
}

static void the_fields_say_from_where_by_whom_and_when(void **state)
{
    const struct trace trace = {
        .sender = "a@b.example",
        .client_name = "mta.example",
        .client_address = "192.0.2.1",
        .host = "back1.example",
        .id = "0123456789abcdef",
        .time = 1764000000,
        .zone = 330,
    };

    (void)state;
    expect(&trace, "Return-Path: <a@b.example>\r\n"
                   "Received: from mta.example ([192.0.2.1])\r\n"
                   "\tby back1.example with LMTP id 0123456789abcdef;\r\n"
                   "\tMon, 24 Nov 2025 21:30:00 +0530\r\n");
}

static void a_bounce_over_tls_by_ipv6_is_told_as_such(void **state)
{
    const struct trace trace = {
        .sender = "",
        .client_name = "mta.example",
        .client_address = "2001:db8::1",
        .host = "back1",
        .secured = true,
        .utf8 = true,
        .id = "1",
        .time = 0,
        .zone = -150,
    };

    (void)state;
    expect(&trace, "Return-Path: <>\r\n"
                   "Received: from mta.example ([IPv6:2001:db8::1])\r\n"
                   "\tby back1 with UTF8LMTPS id 1;\r\n"
                   "\tWed, 31 Dec 1969 21:30:00 -0230\r\n");
}

static void a_unix_socket_has_no_address(void **state)
{
    const struct trace trace = {
        .sender = "",
        .client_name = "localhost",
        .client_address = "unix",
        .host = "back1",
        .id = "1",
    };

    (void)state;
    expect(&trace, "Return-Path: <>\r\nReceived: from localhost\r\n\tby back1 with LMTP id 1;\r\n"
                   "\tThu, 01 Jan 1970 00:00:00 +0000\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fields_say_from_where_by_whom_and_when),
        cmocka_unit_test(a_bounce_over_tls_by_ipv6_is_told_as_such),
        cmocka_unit_test(a_unix_socket_has_no_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
