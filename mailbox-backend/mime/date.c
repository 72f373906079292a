#include "mailbox-backend/mime/date.h"

#include <string.h>

#include "mailbox-backend/mime/scan.h"

#define DAY_SECONDS 86400

static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* A calendar date and a time of day, as written. */
struct fields {
    int year;
    int month; /* 1 to 12 */
    int day;
    int hour;
    int minute;
    int second;
    int zone_minutes;
};

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_length(int year, int month)
{
    static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : lengths[month - 1];
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. Years are counted from March, so that
   the leap day is the last one of its year. */
static int32_t days_of(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int year_of_era = y - era * 400;
    int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static void date_of(int32_t days, struct fields *fields)
{
    int z = days + 719468;
    int era = (z >= 0 ? z : z - 146096) / 146097;
    int day_of_era = z - era * 146097;
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month = (5 * day_of_year + 2) / 153; /* from March */

    fields->day = day_of_year - (153 * month + 2) / 5 + 1;
    fields->month = month < 10 ? month + 3 : month - 9;
    fields->year = year_of_era + era * 400 + (fields->month <= 2 ? 1 : 0);
}

static bool finish(const struct fields *fields, struct mime_date *date)
{
    int64_t seconds;

    if (fields->day < 1 || fields->day > month_length(fields->year, fields->month))
        return false;
    if (fields->hour > 23 || fields->minute > 59 || fields->second > 60)
        return false;
    date->day = days_of(fields->year, fields->month, fields->day);
    seconds = (int64_t)date->day * DAY_SECONDS + fields->hour * 3600 + fields->minute * 60 +
              fields->second;
    date->utc = seconds - (int64_t)fields->zone_minutes * 60;
    date->zone_minutes = fields->zone_minutes;
    return true;
}

static bool month_of(struct str name, int *month)
{
    for (int i = 0; i < 12; i++) {
        if (str_is_nocase(name, month_names[i])) {
            *month = i + 1;
            return true;
        }
    }
    return false;
}

/* Between min and max digits; *count tells how many. */
static bool take_digits(struct str *text, size_t min, size_t max, int *value, size_t *count)
{
    uint64_t number;
    size_t n = 0;

    while (n < text->length && text->data[n] >= '0' && text->data[n] <= '9')
        n++;
    if (n < min || n > max || !str_number(str_n(text->data, n), 99999, &number))
        return false;
    *value = (int)number;
    *count = n;
    text->data += n;
    text->length -= n;
    return true;
}

static bool take_letters(struct str *text, struct str *word)
{
    size_t n = 0;

    while (n < text->length) {
        char c = str_lower(text->data[n]);

        if (c < 'a' || c > 'z')
            break;
        n++;
    }
    *word = str_n(text->data, n);
    text->data += n;
    text->length -= n;
    return n > 0;
}

/* "Wed, " is no information: it follows from the date. */
static void skip_day_name(struct str *text)
{
    struct str name;

    scan_cfws(text, NULL);
    if (take_letters(text, &name)) {
        scan_cfws(text, NULL);
        scan_byte(text, ',');
    }
    scan_cfws(text, NULL);
}

static bool take_date(struct str *text, struct fields *fields)
{
    struct str name;
    size_t digits;

    if (!take_digits(text, 1, 2, &fields->day, &digits))
        return false;
    scan_cfws(text, NULL);
    if (!take_letters(text, &name) || !month_of(name, &fields->month))
        return false;
    scan_cfws(text, NULL);
    if (!take_digits(text, 2, 4, &fields->year, &digits))
        return false;
    if (digits == 3 || (digits == 2 && fields->year >= 50))
        fields->year += 1900; /* RFC 5322 section 4.3 */
    else if (digits == 2)
        fields->year += 2000;
    scan_cfws(text, NULL);
    return true;
}

static bool take_time(struct str *text, struct fields *fields)
{
    size_t digits;

    if (!take_digits(text, 1, 2, &fields->hour, &digits))
        return false;
    scan_cfws(text, NULL);
    if (!scan_byte(text, ':'))
        return false;
    scan_cfws(text, NULL);
    if (!take_digits(text, 2, 2, &fields->minute, &digits))
        return false;
    scan_cfws(text, NULL);
    if (scan_byte(text, ':')) {
        scan_cfws(text, NULL);
        if (!take_digits(text, 2, 2, &fields->second, &digits))
            return false;
        scan_cfws(text, NULL);
    }
    return true;
}

/* "+hhmm" */
static bool take_numeric_zone(struct str *text, int *minutes)
{
    bool west = text->length > 0 && text->data[0] == '-';
    size_t digits;
    int value;

    if (!scan_byte(text, '+') && !scan_byte(text, '-'))
        return false;
    if (!take_digits(text, 4, 4, &value, &digits) || value % 100 > 59)
        return false;
    *minutes = value / 100 * 60 + value % 100;
    if (west)
        *minutes = -*minutes;
    return true;
}

static int named_zone(struct str name)
{
    static const struct {
        const char *name;
        int hours;
    } zones[] = {
        {"EST", -5},
        {"EDT", -4},
        {"CST", -6},
        {"CDT", -5},
        {"MST", -7},
        {"MDT", -6},
        {"PST", -8},
        {"PDT", -7},
    };

    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        if (str_is_nocase(name, zones[i].name))
            return zones[i].hours * 60;
    }
    return 0; /* UT, GMT, Z; the military ones were defined wrongly; all others are unknown */
}

bool mime_date_parse(struct str text, struct mime_date *date)
{
    struct fields fields = {0};
    struct str name;

    skip_day_name(&text);
    if (!take_date(&text, &fields) || !take_time(&text, &fields))
        return false;
    if (text.length > 0 && (text.data[0] == '+' || text.data[0] == '-')) {
        if (!take_numeric_zone(&text, &fields.zone_minutes))
            return false;
    } else if (take_letters(&text, &name)) {
        fields.zone_minutes = named_zone(name);
    }
    return finish(&fields, date);
}

/* "-Jul-1996" */
static bool take_imap_month_and_year(struct str *text, struct fields *fields)
{
    struct str name;
    size_t digits;

    return scan_byte(text, '-') && take_letters(text, &name) && month_of(name, &fields->month) &&
           scan_byte(text, '-') && take_digits(text, 4, 4, &fields->year, &digits);
}

static bool take_two_digits(struct str *text, int *value)
{
    size_t digits;

    return take_digits(text, 2, 2, value, &digits);
}

bool imap_date_time_parse(struct str text, struct mime_date *date)
{
    struct fields fields = {0};
    size_t most = scan_byte(&text, ' ') ? 1 : 2;
    size_t digits;

    if (!take_digits(&text, 1, most, &fields.day, &digits) ||
        !take_imap_month_and_year(&text, &fields) || !scan_byte(&text, ' ') ||
        !take_two_digits(&text, &fields.hour) || !scan_byte(&text, ':') ||
        !take_two_digits(&text, &fields.minute) || !scan_byte(&text, ':') ||
        !take_two_digits(&text, &fields.second) || !scan_byte(&text, ' ') ||
        !take_numeric_zone(&text, &fields.zone_minutes) || text.length > 0)
        return false;
    return finish(&fields, date);
}

bool imap_date_parse(struct str text, int32_t *day)
{
    struct fields fields = {0};
    struct mime_date date;
    size_t digits;

    if (!take_digits(&text, 1, 2, &fields.day, &digits) ||
        !take_imap_month_and_year(&text, &fields) || text.length > 0 || !finish(&fields, &date))
        return false;
    *day = date.day;
    return true;
}

static int64_t floor_days(int64_t seconds)
{
    return (seconds - (seconds % DAY_SECONDS + DAY_SECONDS) % DAY_SECONDS) / DAY_SECONDS;
}

/* Local seconds that IMAP's four digits of a year can show. */
static int64_t local_seconds(int64_t utc, int zone_minutes)
{
    int64_t first = (int64_t)days_of(0, 1, 1) * DAY_SECONDS;
    int64_t last = (int64_t)days_of(10000, 1, 1) * DAY_SECONDS - 1;
    int64_t local;

    if (__builtin_add_overflow(utc, (int64_t)zone_minutes * 60, &local))
        return utc > 0 ? last : first;
    if (local < first)
        return first;
    return local > last ? last : local;
}

static bool is_zone(int zone_minutes)
{
    return zone_minutes > -6000 && zone_minutes < 6000;
}

/* Exactly so many digits of a number; gives where the text goes on. */
static char *put_digits(char *to, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        to[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return to + digits;
}

static char *put_byte(char *to, char byte)
{
    *to = byte;
    return to + 1;
}

static char *put_date(char *to, const struct fields *fields)
{
    to = put_byte(put_digits(to, fields->day, 2), '-');
    memcpy(to, month_names[fields->month - 1], 3);
    return put_digits(put_byte(to + 3, '-'), fields->year, 4);
}

void imap_date_time_print(char text[IMAP_DATE_TIME_SIZE], int64_t utc, int zone_minutes)
{
    int zone = is_zone(zone_minutes) ? zone_minutes : 0;
    int distance = zone < 0 ? -zone : zone;
    int64_t local = local_seconds(utc, zone);
    int64_t days = floor_days(local);
    int second = (int)(local - days * DAY_SECONDS);
    struct fields fields;
    char *to = text;

    date_of((int32_t)days, &fields);
    to = put_byte(put_date(to, &fields), ' ');
    to = put_byte(put_digits(to, second / 3600, 2), ':');
    to = put_byte(put_digits(to, second / 60 % 60, 2), ':');
    to = put_byte(put_digits(to, second % 60, 2), ' ');
    to = put_byte(to, zone < 0 ? '-' : '+');
    to = put_digits(to, distance / 60, 2);
    *put_digits(to, distance % 60, 2) = '\0';
}

int32_t mime_day_of(int64_t utc, int zone_minutes)
{
    return (int32_t)floor_days(local_seconds(utc, is_zone(zone_minutes) ? zone_minutes : 0));
}
