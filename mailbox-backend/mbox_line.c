#include "mailbox-backend/mbox_line.h"

#include <string.h>
#include <time.h>

#define WORDS_MAX 16

bool mbox_line_is_quoted(struct str line)
{
    size_t marks = 0;

    while (marks < line.length && line.data[marks] == '>')
        marks++;
    return marks > 0 && line.length - marks >= 5 && memcmp(line.data + marks, "From ", 5) == 0;
}

static size_t split(struct str line, struct str words[WORDS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < line.length && count < WORDS_MAX; i++) {
        size_t start = i;

        while (i < line.length && line.data[i] != ' ')
            i++;
        if (i > start)
            words[count++] = str_n(line.data + start, i - start);
    }
    return count;
}

/* The place of a word's first three letters in a list of such; -1. */
static int find_name(struct str word, const char *names)
{
    if (word.length != 3)
        return -1;
    for (int i = 0; names[3 * i] != '\0'; i++) {
        if (str_equal_nocase(word, str_n(names + 3 * i, 3)))
            return i;
    }
    return -1;
}

/* Digits of at most most; *end is where they stop. */
static bool read_part(struct str *rest, int most, int *value)
{
    size_t digits = 0;
    uint64_t number;

    while (digits < rest->length && rest->data[digits] >= '0' && rest->data[digits] <= '9')
        digits++;
    if (!str_number(str_n(rest->data, digits), (uint64_t)most, &number))
        return false;
    *value = (int)number;
    *rest = str_n(rest->data + digits, rest->length - digits);
    return true;
}

static bool read_colon(struct str *rest)
{
    if (rest->length == 0 || rest->data[0] != ':')
        return false;
    *rest = str_n(rest->data + 1, rest->length - 1);
    return true;
}

/* hh:mm[:ss] */
static bool read_clock(struct str word, struct tm *time)
{
    if (!read_part(&word, 23, &time->tm_hour) || !read_colon(&word) ||
        !read_part(&word, 59, &time->tm_min))
        return false;
    return word.length == 0 ||
           (read_colon(&word) && read_part(&word, 60, &time->tm_sec) && word.length == 0);
}

/* +hhmm */
static bool read_zone(struct str word, int64_t *seconds)
{
    uint64_t number;

    if (word.length != 5 || (word.data[0] != '+' && word.data[0] != '-') ||
        !str_number(str_n(word.data + 1, 4), 2359, &number))
        return false;
    *seconds = (int64_t)(number / 100 * 3600 + number % 100 * 60);
    if (word.data[0] == '-')
        *seconds = -*seconds;
    return true;
}

/* The year, with a zone before or behind it. */
static bool read_end(const struct str *words, size_t count, struct tm *time, int64_t *offset)
{
    bool has_year = false;

    *offset = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t year;

        if (!has_year && words[i].length == 4 && str_number(words[i], 9999, &year)) {
            time->tm_year = (int)year - 1900;
            has_year = true;
        } else if (!read_zone(words[i], offset) && (words[i].length > 5 || has_year)) {
            return false;
        }
    }
    return has_year;
}

/* From the weekday on. */
static bool read_date(const struct str *words, size_t count, int64_t *date)
{
    struct tm time = {0};
    struct str day;
    int64_t offset;

    if (count < 5 || count > 7 || find_name(words[0], "SunMonTueWedThuFriSat") < 0)
        return false;
    time.tm_mon = find_name(words[1], "JanFebMarAprMayJunJulAugSepOctNovDec");
    day = words[2];
    if (time.tm_mon < 0 || !read_part(&day, 31, &time.tm_mday) || day.length > 0 ||
        !read_clock(words[3], &time) || !read_end(words + 4, count - 4, &time, &offset))
        return false;
    *date = timegm(&time) - offset;
    return true;
}

bool mbox_line_is_from(struct str line, int64_t *date)
{
    struct str words[WORDS_MAX];
    size_t count;

    line = str_trim(line);
    if (line.length < 5 || memcmp(line.data, "From ", 5) != 0)
        return false;
    count = split(line, words);
    for (size_t i = 1; i < count; i++) { /* a sender may hold blanks, or be missing */
        if (read_date(words + i, count - i, date))
            return true;
    }
    return false;
}
