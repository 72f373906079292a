#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mailbox-backend/mbox_line.h"

static void separates(const char *line, int64_t expected)
{
    int64_t date = -1;

    if (!mbox_line_is_from(str_of(line), &date))
        fail_msg("%s is no separator", line);
    assert_int_equal(date, expected);
}

static void is_text(const char *line)
{
    int64_t date;

    if (mbox_line_is_from(str_of(line), &date))
        fail_msg("%s is a separator", line);
}

static void lines_of_every_mail_program_separate(void **state)
{
    (void)state;
    separates("From x@y Tue Nov 24 10:00:00 2026\n", 1795514400);
    separates("From x@y Tue Nov 24 10:00:00 2026\r\n", 1795514400);
    separates("From x@y Tue Nov  4 10:00 2026", 1793786400);
    separates("From MAILER-DAEMON Tue Nov 24 10:00:00 CET 2026", 1795514400);
    separates("From x@y Tue Nov 24 10:00:00 2026 +0100", 1795510800);
    separates("From x@y Tue Nov 24 10:00:00 -0130 2026", 1795519800);
    separates("From a b c Tue Nov 24 10:00:00 2026", 1795514400);
    separates("From Tue Nov 24 10:00:00 2026", 1795514400);
}

static void sentences_do_not(void **state)
{
    (void)state;
    is_text("From me to you\n");
    is_text("From: x@y\n");
    is_text("From x@y Tue Nov 24 25:00:00 2026");
    is_text("From x@y Tue Nov 24 10:00:00");
    is_text("From x@y Tue Nov 2026 10:00:00 2026");
    is_text("From Monday to Friday in Nov we work 10:00 or so in 2026 as always");
    is_text("from x@y Tue Nov 24 10:00:00 2026");
    is_text(">From x@y Tue Nov 24 10:00:00 2026");
    is_text("From ");
    is_text("");
}

static void only_quoted_from_lines_are_unquoted(void **state)
{
    (void)state;
    assert_true(mbox_line_is_quoted(STR(">From here")));
    assert_true(mbox_line_is_quoted(STR(">>From here")));
    assert_false(mbox_line_is_quoted(STR("From here")));
    assert_false(mbox_line_is_quoted(STR("> From here")));
    assert_false(mbox_line_is_quoted(STR(">Fro")));
    assert_false(mbox_line_is_quoted(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_every_mail_program_separate),
        cmocka_unit_test(sentences_do_not),
        cmocka_unit_test(only_quoted_from_lines_are_unquoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
