/* Messages that a client brings, for APPEND and REPLACE. They go into the store as they come; a client that waits
   for our "+" is refused before it sends anything, where that can be known. */
#ifndef IMAP4_APPEND_H
#define IMAP4_APPEND_H

#include "mailbox-backend/imap4/place.h"
#include "mailbox-backend/mailbox/delivery.h"

/* What is held of a message besides its content, which the store's budget bounds, is some 4 KB, and what
   stands before it. */
#define APPEND_MESSAGES_MAX 500u

struct append_message {
    bool literal8; /* "~{123}": with NUL, if it wants (RFC 3516) */
    bool in_utf8;  /* "UTF8 (~{123}": a ")" follows its literal (RFC 6855 section 4) */
    struct parsed_flags flags;
    struct mime_date date;
    struct intake *intake;
    struct store_op op;
};

/* command->data begins with this while messages are taken. */
struct append {
    struct place place;                         /* where they go; the caller's to fill in */
    enum step (*then)(struct command *command); /* goes on when all are here; the caller's */
    uint32_t replaced_folder, replaced_uid;     /* REPLACE: this item makes room … */
    uint64_t replaced_size; /* … and goes away with the append; uid 0: none does */

    uint32_t folder; /* of the place */
    bool is_long;    /* the message that comes */
    uint64_t bytes;  /* of the messages before it */
    size_t between;  /* bytes of what stood between them */
    uint64_t ascii;  /* bytes of the message that comes before the first 8-bit one */
    bool has_octet;  /* there is such a one */
    struct append_message *messages[APPEND_MESSAGES_MAX];
    unsigned count; /* the last one is that which comes */
};

/* A step: takes what stands behind the mailbox name, [flags SP] [date-time SP] and a literal, and more of them where nothing
   is replaced (RFC 3502). */
enum step append_take(struct command *command);

/* For command->cleanup. */
void append_cleanup(struct command *command);

/* Submits all of them at once. When they are done command->run is called. */
enum step append_submit(struct command *command);

/* True when all went well; else the answer has been given. */
bool append_succeeded(struct command *command);

/* "APPENDUID 12 3:5", the arena's. */
const char *append_uid_code(struct command *command);

#endif
