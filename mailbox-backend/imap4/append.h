/* Messages that a client brings, for APPEND and REPLACE. They go into the store as they come; a client that waits
   for our "+" is refused before it sends anything, where that can be known. append_take.c reads what stands around
   their literals and takes these, append_room.c asks where they go and whether there is room, append_catenate.c and
   append_url.c make one of parts (RFC 4469), append_submit.c puts them into their folder. */
#ifndef IMAP4_APPEND_H
#define IMAP4_APPEND_H

#include "mailbox-backend/imap4/place.h"
#include "mailbox-backend/mailbox/delivery.h"

/* What is held of a message besides its content, which the store's budget bounds, is some 4 KB, and what
   stands before it. */
#define APPEND_MESSAGES_MAX 500u

struct append_message {
    bool literal8;  /* "~{123}": with NUL, if it wants (RFC 3516) */
    bool in_utf8;   /* "UTF8 (~{123}": a ")" follows its literal (RFC 6855 section 4) */
    bool catenated; /* "CATENATE (…": it comes in parts, */
    bool has_part;  /* and one has been begun */
    struct parsed_flags flags;
    struct mime_date date;
    struct intake *intake;
    uint64_t size; /* as far as it is known */
    struct store_op op;
};

/* command->data begins with this while messages are taken. */
struct append {
    struct place place;                         /* where they go; the caller's to fill in */
    enum step (*then)(struct command *command); /* goes on when all are here; the caller's */
    uint32_t replaced_folder, replaced_uid;     /* REPLACE: this item makes room … */
    uint64_t replaced_size; /* … and goes away with the append; uid 0: none does */
    bool is_across; /* what is replaced is in another mailbox: it goes when the append is done */

    uint32_t folder;        /* of the place */
    uint64_t bytes;         /* of all messages so far */
    size_t between;         /* bytes of what stood between them */
    uint64_t ascii;         /* bytes of the message that comes before the first 8-bit one */
    bool has_octet;         /* there is such a one */
    bool behind_literal;    /* a URL came as a literal: the rest of its line is yet to come */
    struct append_url *url; /* that is being copied, or was; or NULL */
    struct append_message *messages[APPEND_MESSAGES_MAX];
    unsigned count; /* the last one is that which comes */
};

/* A step: takes what stands behind the mailbox name, [flags SP] [date-time SP] and a literal or CATENATE (…), and more of
   them where nothing is replaced (RFC 3502). */
enum step append_take(struct command *command);

/* For command->cleanup. */
void append_cleanup(struct command *command);

/* Submits all of them at once. When they are done command->run is called. */
enum step append_submit(struct command *command);

/* True when all went well; else the answer has been given. */
bool append_succeeded(struct command *command);

/* "APPENDUID 12 3:5", the arena's. */
const char *append_uid_code(struct command *command);

/* ---- among its files ---- */

/* The message that comes. */
struct append_message *append_newest(const struct append *append);

/* From here on it is worked on by workers: it is parsed and compressed as it comes. */
bool append_is_long(const struct append *append);

/* Finds the folder and begins the newest message. size: bytes that come at once; 0: not known. When it returns false the
   answer has been given. */
bool append_open(struct command *command, uint64_t size);

/* Makes sure that there is room for so many more bytes of the message, and counts them. When it returns false the
   answer has been given. */
bool append_grow(struct command *command, uint64_t size);

/* The next bytes of the message. When it returns false the answer has been given. */
bool append_put(struct command *command, const void *bytes, size_t length);

/* Takes "{123}", "~{123}" or "UTF8 (~{123}", at the end of a line. */
bool append_parse_literal(struct command *command);

/* Steps: take the literal and what stands behind it; a line behind a literal that was taken; the end of a
   message, all of which has come. */
enum step append_take_literal(struct command *command);
enum step append_take_line(struct command *command);
enum step append_end_message(struct command *command);

/* A step: goes on with the parts of a message, behind the "(" or behind a part. */
enum step append_catenate(struct command *command);

/* A step: appends what a URL names. Goes on with append_catenate(). */
enum step append_url_take(struct command *command, struct str text);
void append_url_end(struct append_url *url); /* may be NULL */

#endif
