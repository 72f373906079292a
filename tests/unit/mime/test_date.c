#include "mailbox-backend/mime/date.h"
#include "tests/unit/mime/mime_test.h"

static void assert_date(const char *text, int64_t utc, int zone, int32_t day)
{
    struct mime_date date;

    assert_true(mime_date_parse(str_of(text), &date));
    assert_int_equal(date.utc, utc);
    assert_int_equal(date.zone_minutes, zone);
    assert_int_equal(date.day, day);
}

static void rfc_5322_dates_are_read(void **state)
{
    (void)state;
    assert_date("Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360, 10186);
    assert_date("1 Jan 1970 00:00:00 +0000", 0, 0, 0);
    assert_date("Thu, 1 Jan 1970 00:30 +0100", -1800, 60, 0);
    assert_date("29 Feb 2000 23:59:60 +0000", 951868800, 0, 11016);
    assert_date("Thu,\n 13 (comment) Feb 1969 23:32:54 -0330 (Newfoundland Time)", -27723426, -210,
                -322);
}

static void date_is_the_one_written_not_that_in_utc(void **state)
{
    (void)state;
    assert_date("1 Jan 2020 00:10:00 +0900", 1577805000, 540, 18262);
    assert_date("31 Dec 2019 23:50:00 -0900", 1577868600, -540, 18261);
}

static void obsolete_dates_are_read(void **state)
{
    (void)state;
    assert_date("21 Nov 97 09:55:06 GMT", 880106106, 0, 10186);
    assert_date("Fri, 21 Nov 97 09(comment):   55  :  06 -0600", 880127706, -360, 10186);
    assert_date("1 Jan 100 0:00:00 EST", 946702800, -300, 10957);
    assert_date("1 Jan 49 00:00:00 Z", 2493072000, 0, 28855);
    assert_date("1 Jan 50 00:00:00 A", -631152000, 0, -7305);
    assert_date("1 jan 2000 00:00:00 pdt", 946710000, -420, 10957);
    assert_date("1 Jan 2000 00:00:00 CEST", 946684800, 0, 10957);
    assert_date("1 Jan 2000 00:00:00", 946684800, 0, 10957);
}

static void what_is_no_date_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "Mon",
                                      "0 Jan 2000 00:00:00 +0000",
                                      "32 Jan 2000 00:00:00 +0000",
                                      "29 Feb 2001 00:00:00 +0000",
                                      "29 Feb 1900 00:00:00 +0000",
                                      "1 Foo 2000 00:00:00 +0000",
                                      "1 Jan 2000 24:00:00 +0000",
                                      "1 Jan 2000 00:60:00 +0000",
                                      "1 Jan 2000 00:00:61 +0000",
                                      "1 Jan 2000 00:00:00 +0060",
                                      "1 Jan 2000 00:00:00 +100",
                                      "1 Jan 20000 00:00:00 +0000",
                                      "1 Jan 2 00:00:00 +0000",
                                      "1 Jan 2000",
                                      "1 Jan 2000 00:0",
                                      "001 Jan 2000 00:00:00 +0000"};
    struct mime_date date;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(mime_date_parse(str_of(bad[i]), &date));
}

static void imap_date_times_are_read_to_the_letter(void **state)
{
    static const char *const bad[] = {"",
                                      "17-Jul-1996 02:44:25",
                                      "17-Jul-1996 02:44:25 -0700 ",
                                      "-Jul-1996 02:44:25 -0700",
                                      " -Jul-1996 02:44:25 -0700",
                                      "007-Jul-1996 02:44:25 -0700",
                                      " 17-Jul-1996 02:44:25 -0700",
                                      "17-Jul-96 02:44:25 -0700",
                                      "17-Jul-1996 2:44:25 -0700",
                                      "17-Jul-1996 02:44:25 GMT",
                                      "17 Jul 1996 02:44:25 -0700",
                                      "31-Jun-1996 02:44:25 -0700",
                                      "17-July-1996 02:44:25 -0700",
                                      "17-Jul-1996 02:44:25 -0760",
                                      "17-Jul-1996 25:44:25 -0700"};
    struct mime_date date;

    (void)state;
    assert_true(imap_date_time_parse(STR("17-Jul-1996 02:44:25 -0700"), &date));
    assert_int_equal(date.utc, 837596665);
    assert_int_equal(date.zone_minutes, -420);
    assert_int_equal(date.day, 9694);
    assert_true(imap_date_time_parse(STR(" 7-jul-1996 02:44:25 +0000"), &date));
    assert_int_equal(date.day, 9684);
    assert_true(imap_date_time_parse(STR("7-Jul-1996 02:44:25 +0000"), &date));
    assert_int_equal(date.day, 9684);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(imap_date_time_parse(str_of(bad[i]), &date));
}

static void printed_date_times_read_back(void **state)
{
    static const int64_t times[] = {0,           -1,           837596665,    951825600, 4102444800,
                                    -2208988800, 253402300799, -62167219200, 1582934400};
    static const int zones[] = {0, 1, -1, 330, -210, 840, 5999, -5999};
    struct mime_date date;
    char text[IMAP_DATE_TIME_SIZE];

    (void)state;
    imap_date_time_print(text, 837596665, -420);
    assert_string_equal(text, "17-Jul-1996 02:44:25 -0700");
    imap_date_time_print(text, 0, 0);
    assert_string_equal(text, "01-Jan-1970 00:00:00 +0000");
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        for (size_t j = 0; j < sizeof(zones) / sizeof(zones[0]); j++) {
            imap_date_time_print(text, times[i], zones[j]);
            assert_true(imap_date_time_parse(str_of(text), &date));
            assert_int_equal(date.zone_minutes, zones[j]);
            if (times[i] > -62160000000 && times[i] < 253400000000)
                assert_int_equal(date.utc, times[i]);
        }
    }
}

static void times_out_of_range_are_printed_as_the_nearest(void **state)
{
    char text[IMAP_DATE_TIME_SIZE];

    (void)state;
    imap_date_time_print(text, INT64_MAX, 5999);
    assert_string_equal(text, "31-Dec-9999 23:59:59 +9959");
    imap_date_time_print(text, INT64_MIN, -5999);
    assert_string_equal(text, "01-Jan-0000 00:00:00 -9959");
    imap_date_time_print(text, 0, 6000);
    assert_string_equal(text, "01-Jan-1970 00:00:00 +0000");
}

static void imap_dates_are_days(void **state)
{
    int32_t day;

    (void)state;
    assert_true(imap_date_parse(STR("1-Feb-1994"), &day));
    assert_int_equal(day, 8797);
    assert_true(imap_date_parse(STR("01-FEB-1994"), &day));
    assert_int_equal(day, 8797);
    assert_false(imap_date_parse(STR("30-Feb-1994"), &day));
    assert_false(imap_date_parse(STR("1-Feb-1994 "), &day));
    assert_false(imap_date_parse(STR("1-Feb-94"), &day));
    assert_int_equal(mime_day_of(0, -1), -1);
    assert_int_equal(mime_day_of(86399, 1), 1);
    assert_int_equal(mime_day_of(-1, 0), -1);
}

static void every_day_of_many_years_counts_one(void **state)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int32_t expected = -25567; /* 1900-01-01 */

    (void)state;
    for (int year = 1900; year <= 2200; year++) {
        for (int month = 0; month < 12; month++) {
            for (int number = 1; number <= 31; number++) {
                char text[40];
                int32_t day;

                snprintf(text, sizeof(text), "%d-%s-%04d", number, months[month], year);
                if (!imap_date_parse(str_of(text), &day))
                    continue;
                assert_int_equal(day, expected);
                expected++;
            }
        }
    }
    assert_int_equal(expected, 84371); /* 2201-01-01 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_5322_dates_are_read),
        cmocka_unit_test(date_is_the_one_written_not_that_in_utc),
        cmocka_unit_test(obsolete_dates_are_read),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(imap_date_times_are_read_to_the_letter),
        cmocka_unit_test(printed_date_times_read_back),
        cmocka_unit_test(times_out_of_range_are_printed_as_the_nearest),
        cmocka_unit_test(imap_dates_are_days),
        cmocka_unit_test(every_day_of_many_years_counts_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
