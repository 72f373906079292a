/* Dates of mail and of IMAP. */
#ifndef MAILBOX_BACKEND_MIME_DATE_H
#define MAILBOX_BACKEND_MIME_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/str.h"

struct mime_date {
    int64_t utc;      /* seconds since 1970-01-01 00:00:00 UTC */
    int zone_minutes; /* east of UTC, -5999 to 5999 */
    int32_t day;      /* the calendar date as written, in days since 1970-01-01, zone disregarded */
};

/* The Date field of RFC 5322 section 3.3 with the obsolete forms of 4.3 (two- and three-digit
   years, zone names; unknown zones count as -0000), comments, and a missing zone or missing
   seconds. What follows the zone is not looked at. Every number is checked against its range and the calendar. False when it is no date. */
bool mime_date_parse(struct str text, struct mime_date *date);

/* IMAP's date-time without the quotes (RFC 3501: "17-Jul-1996 02:44:25 -0700", the first digit may
   be a space), to the letter, but for days of one digit without the space, as node-imap writes them. False when it is
   none. */
bool imap_date_time_parse(struct str text, struct mime_date *date);

/* "17-Jul-1996 02:44:25 -0700" */
#define IMAP_DATE_TIME_SIZE 27

/* Writes utc as IMAP's date-time in the given zone, NUL-terminated. Times outside the years 0 to
   9999 are written as the nearest one inside; a zone that is not below 100 hours counts as 0. */
void imap_date_time_print(char text[IMAP_DATE_TIME_SIZE], int64_t utc, int zone_minutes);

/* IMAP's date ("1-Feb-1994", day of one or two digits) in days since 1970-01-01. */
bool imap_date_parse(struct str text, int32_t *day);

/* Days since 1970-01-01 of a time in a zone: the date SENTBEFORE or BEFORE compares with. */
int32_t mime_day_of(int64_t utc, int zone_minutes);

#endif
