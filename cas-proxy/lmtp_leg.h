/* One back end's part in a transaction: a session on its link that speaks LMTP (lmtpbe). It fails alone:
   its recipients get a temporary answer, the others notice nothing. */
#ifndef FRONT_LMTP_LEG_H
#define FRONT_LMTP_LEG_H

#include "cas-proxy/front.h"
#include "proto/link.h"

#define LMTP_UNAVAILABLE "451 4.3.0 mailbox is unavailable, try again later"

struct lmtp;
struct lmtp_recipient;

enum leg_stage {
    LEG_GREETING, /* each waits for a reply */
    LEG_LHLO,
    LEG_MAIL,
    LEG_RUNS,
    LEG_FAILED,
};

struct lmtp_leg {
    struct lmtp_leg *next;
    struct lmtp *lmtp;
    struct back *back;
    struct link_session *session; /* NULL: over */
    enum leg_stage stage;
    const char *refusal;            /* of MAIL: the answer to each of its recipients */
    struct lmtp_recipient *pending; /* RCPT that waits for an answer */
    unsigned accepted;              /* recipients */
    struct buf out;                 /* commands not sent yet */
    struct buf in;                  /* a reply that has not all come */
    size_t chunk_sent;              /* of the content's chunk */
    bool chunk_open;                /* there is one to be sent */
    unsigned chunks;                /* BDAT that wait for an answer, without the last */
    bool muted;                     /* it has refused the content: no more is sent */
    bool is_last;                   /* BDAT LAST was begun */
    struct lmtp_recipient *next_result;
    uint64_t deadline; /* by when it must have said or taken something */
};

/* Opens a session for the transaction of lmtp and says LHLO and MAIL. NULL when the back end cannot be
   reached or does not take mail. */
struct lmtp_leg *leg_open(struct lmtp *lmtp, struct back *back);
void leg_close(struct lmtp_leg **leg, Link__Close__Reason reason);

/* Asks for a recipient; recipient->answer and ->accepted follow. */
void leg_ask(struct lmtp_leg *leg, struct lmtp_recipient *recipient);

/* Begins to send the content's chunk. After the last one the results of the leg's recipients follow. */
void leg_begin_chunk(struct lmtp_leg *leg);

/* Sends what there is room for. True when the chunk is sent, or nobody will take it any more. */
bool leg_pump(struct lmtp_leg *leg);

bool leg_has_failed(const struct lmtp_leg *leg);

/* True when the leg owes an answer, or has yet to take bytes. */
bool leg_is_awaited(const struct lmtp_leg *leg);

/* Gives up on a back end: logged with why. */
void leg_fail(struct lmtp_leg *leg, const char *why);

#endif
