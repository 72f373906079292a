/* The POP3 engine's own: one session's state, and what its files offer each other. */
#ifndef POP3_POP3_H
#define POP3_POP3_H

#include "mailbox-backend/pop3/dot.h"
#include "mailbox-backend/pop3/lock.h"
#include "mailbox-backend/pop3/maildrop.h"
#include "mailbox-backend/pop3/surrogate.h"
#include "mailbox-backend/session.h"

struct pop3;

/* A command that needs several steps: called until it returns STEP_IDLE, which means that it is done. */
typedef enum step pop3_step(struct session *session, struct pop3 *pop3, unsigned why);

/* LIST or UIDL of the whole maildrop on its way. */
struct pop3_listing {
    bool ids; /* UIDL */
    bool begun;
    uint32_t next; /* message number to go on with */
};

/* RETR or TOP on its way. */
struct pop3_retrieval {
    struct store_content *content;
    bool begun;
    uint64_t offset;
    uint64_t octets; /* for the status line */
    bool top;
    uint64_t header_size;
    bool looked;                 /* whether it needs UTF8 */
    struct surrogate *surrogate; /* NULL: it goes as it is */
    uint64_t header_left;        /* TOP: bytes of the header still to come */
    uint64_t lines_left;         /* TOP: lines of the body still to come */
    struct dot dot;
};

struct pop3 {
    struct store_mailbox *mailbox;
    struct maildrop_lock lock;
    struct maildrop maildrop;
    uint32_t folder; /* that it is of */
    bool utf8;       /* the client has said UTF8 (RFC 6856) */
    bool discarding; /* the rest of a line that was too long */
    pop3_step *running;
    char command[48]; /* the one that runs, for the log */
    struct pop3_listing listing;
    struct pop3_retrieval retrieval;
    struct store_op expunge;
};

struct pop3_args {
    struct str words[2];
    unsigned count;
};

typedef void pop3_handler(struct session *session, struct pop3 *pop3, const struct pop3_args *args);

/* ---- commands: they answer, or set pop3->running ---- */

pop3_handler pop3_list, pop3_uidl; /* listing.c */
pop3_handler pop3_retr, pop3_top;  /* retrieve.c */
pop3_handler pop3_quit;            /* quit.c */

/* Closes what a RETR or TOP has open. */
void pop3_retrieval_end(struct pop3 *pop3);

/* ---- helpers ---- */

/* "+OK text" / "-ERR text" with the line end. */
void pop3_ok(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void pop3_err(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "-ERR" for a failure of the store, with the response code of RFC 3206. */
void pop3_reply(struct session *session, const struct err *err);

/* The item of a message number that a client gave, in a snapshot that the caller ends. False when
   there is none, after having answered so; *read is NULL then. */
bool pop3_item(struct session *session, struct pop3 *pop3, struct str number,
               struct store_read **read, struct store_item *item);

#endif
