/* One MTA's connection: its state, and what the files of the LMTP service offer each other. */
#ifndef FRONT_LMTP_SESSION_H
#define FRONT_LMTP_SESSION_H

#include "cas-proxy/client.h"
#include "cas-proxy/lmtp_dot.h"
#include "cas-proxy/lmtp_leg.h"
#include "cas-proxy/route.h"
#include "common/arena.h"
#include "proto/lmtp_syntax.h"

#define LMTP_CHUNK_MAX 32768u /* of content on its way to the back ends */

enum lmtp_phase {
    LMTP_COMMAND, /* a command line comes next */
    LMTP_ROUTE,   /* RCPT: whose back end is it? */
    LMTP_ASK,     /* RCPT: what does the back end say? */
    LMTP_CONTENT, /* DATA or BDAT */
    LMTP_RESULTS, /* what do the back ends say of each recipient? */
};

struct lmtp_recipient {
    struct lmtp_recipient *next;
    struct lmtp_leg *leg;
    const char *address;
    const char *answer; /* to RCPT; NULL: none yet */
    bool accepted;
    bool asked_again;   /* after a back end had said that it is not the home */
    const char *result; /* after the content; NULL: none yet */
};

/* Content on its way: from DATA or from BDAT, chunk by chunk, to the legs. */
struct lmtp_content {
    bool begun; /* some of it has come: no RCPT any more */
    bool by_bdat;
    struct lmtp_dot dot;
    uint64_t announced;  /* BDAT: size of the client's chunk */
    uint64_t left;       /* BDAT: bytes of it still to come */
    bool last;           /* BDAT LAST */
    const char *refusal; /* BDAT: the bytes only pass by, then this is said; else NULL */
    struct buf chunk;    /* what the legs are sending */
    bool chunk_is_last;
    uint64_t size;
};

struct lmtp {
    struct client *client;
    enum lmtp_phase phase;
    bool running;                 /* lmtp_run() is at work */
    bool discarding;              /* the rest of a line that was too long */
    unsigned faults;              /* commands that made no sense */
    char name[LMTP_NAME_MAX + 1]; /* of LHLO; "" before */
    uint64_t deadline;            /* for the client's next bytes; loop_now() */

    /* The transaction. */
    bool has_mail;
    struct lmtp_mail mail;
    struct arena arena;
    struct lmtp_recipient *recipients;
    struct lmtp_recipient **recipient_end;
    struct lmtp_recipient *current; /* RCPT: being asked for; results: the next to be told */
    unsigned asked;                 /* RCPTs */
    unsigned recipient_count;       /* accepted ones */
    struct lmtp_leg *legs;
    struct lmtp_content content;

    struct route_query query;
};

/* Does whatever can be done now. The client, and lmtp with it, may be gone afterwards. */
void lmtp_run(struct lmtp *lmtp);

/* Ends the transaction and its legs, if there is one. */
void lmtp_reset(struct lmtp *lmtp, Link__Close__Reason reason);

/* Milliseconds that a back end may be silent. */
uint64_t lmtp_stall(const struct lmtp *lmtp);

/* One line with its end. */
void lmtp_say(struct lmtp *lmtp, const char *text);

/* A command that made no sense; after too many of them the connection ends. */
void lmtp_say_fault(struct lmtp *lmtp, const char *text);

/* Takes one command line, without its end (lmtp_command.c). */
void lmtp_dispatch(struct lmtp *lmtp, struct str line);

/* RCPT (lmtp_recipient.c): asks the routes; lmtp_recipient_step answers when the back end has. */
void lmtp_do_rcpt(struct lmtp *lmtp, struct str argument);
bool lmtp_recipient_step(struct lmtp *lmtp);

/* Content (lmtp_content.c). Steps are true when they did something and may do more. */
void lmtp_do_data(struct lmtp *lmtp, struct str argument);
void lmtp_do_bdat(struct lmtp *lmtp, struct str argument);
bool lmtp_content_step(struct lmtp *lmtp);
bool lmtp_results_step(struct lmtp *lmtp);

#endif
