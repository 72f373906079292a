/* Reading what an IMAP server says, token by token, from a function that gives bytes: no socket is in
   sight, a test feeds it from memory. Memory is the scanner's own buffer, whatever the server sends.
   What is no IMAP is ERR_UNAVAILABLE, as a connection that breaks: the client connects anew. */
#ifndef REMOTE_IMAP_SCAN_H
#define REMOTE_IMAP_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct imap_scan {
    /* At least one byte, or an error. */
    enum err_code (*read)(void *context, void *bytes, size_t room, size_t *got, struct err *err);
    void *context;
    uint64_t octets; /* that have come so far */
    char bytes[16384];
    size_t at, end; /* of bytes: what was not yet taken */
};

/* Takes bytes of a string as they come. */
typedef enum err_code imap_sink(void *context, const char *bytes, size_t length, struct err *err);

/* The next byte without taking it. */
enum err_code imap_scan_peek(struct imap_scan *scan, char *byte, struct err *err);

/* Takes the byte, which must be this one. */
enum err_code imap_scan_expect(struct imap_scan *scan, char byte, struct err *err);

/* Takes the byte where it is this one; *was tells. */
enum err_code imap_scan_try(struct imap_scan *scan, char byte, bool *was, struct err *err);

/* A word up to (not with) a space, parenthesis, line's end or one of stops; a backslash before it
   belongs to it. What does not fit into room is dropped, and *whole (may be NULL) says false. */
enum err_code imap_scan_word(struct imap_scan *scan, const char *stops, char *word, size_t room,
                             bool *whole, struct err *err);

/* Decimal digits, at least one; above UINT64_MAX is an error. */
enum err_code imap_scan_number(struct imap_scan *scan, uint64_t *number, struct err *err);

/* A string in any form, or NIL (*is_nil): quoted, literal, literal8 (RFC 3516), or a bare word. Its bytes
   go to sink in pieces. */
enum err_code imap_scan_string(struct imap_scan *scan, imap_sink *sink, void *context, bool *is_nil,
                               struct err *err);

/* The same into text, NUL-terminated; more than fits is dropped, and *whole says false. */
enum err_code imap_scan_text(struct imap_scan *scan, char *text, size_t room, size_t *length,
                             bool *whole, struct err *err);

/* One value of any kind: a word, a string, a list of values in parentheses. */
enum err_code imap_scan_skip(struct imap_scan *scan, struct err *err);

/* The rest of the line with its end; text (may be NULL, room 0) gets its beginning, in printable ASCII.
   Literals are passed over with literals true (text of people may look like one). */
enum err_code imap_scan_line(struct imap_scan *scan, bool literals, char *text, size_t room,
                             struct err *err);

#endif
