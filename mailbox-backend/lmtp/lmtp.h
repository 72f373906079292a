/* The LMTP engine's own: one session's state, and what its files offer each other. */
#ifndef LMTP_LMTP_H
#define LMTP_LMTP_H

#include "common/arena.h"
#include "mailbox-backend/mailbox/delivery.h"
#include "mailbox-backend/session.h"
#include "proto/lmtp_syntax.h"

/* The message on its way into one database: stored once for all its recipients there. */
struct target {
    struct target *next;
    unsigned database;
    struct intake *intake;
    struct err err; /* the first failure: what comes later is not taken any more */
};

struct recipient {
    struct recipient *next;
    const char *address; /* as RCPT gave it */
    const char *user;    /* whose mailbox it is, for the log */
    const char *detail;  /* "" without, or where the user does not allow it */
    uint64_t quota_bytes, quota_messages;
    struct store_mailbox *mailbox;
    struct target *target;
    struct store_property property;
    struct store_op op;
    const struct recipient *same; /* an earlier one whose item serves this address too, or NULL */
};

/* From MAIL to the last answer. {0} is none. */
struct transaction {
    struct arena arena;
    bool begun;
    bool has_content; /* the first BDAT has come */
    struct lmtp_mail mail;
    char id[17];   /* in Received and in the log */
    uint64_t size; /* of the content so far, trace fields included */
    struct recipient *recipients;
    struct recipient **recipient_end;
    unsigned recipient_count;
    struct target *targets;
};

struct lmtp;

/* A command that needs several steps: called until it has set lmtp->running to NULL (lmtp_done).
   STEP_IDLE before that means that it waits for input. */
typedef enum step lmtp_step(struct session *session, struct lmtp *lmtp, unsigned why);

struct lmtp {
    char client_name[LMTP_NAME_MAX + 1]; /* of LHLO; "" before */
    bool discarding;                     /* the rest of a line that was too long */
    struct transaction transaction;
    bool ending;   /* no command is taken any more */
    bool stopping; /* WHY_STOP was heard */
    lmtp_step *running;
    char pending[LMTP_ADDRESS_MAX + 1]; /* RCPT: being looked up */
    uint64_t chunk;                     /* BDAT: its size */
    uint64_t chunk_left;
    bool chunk_last;
    const char *chunk_refusal;  /* the answer when its bytes only pass by; else NULL */
    struct recipient *answered; /* the next one to be answered */
};

typedef void lmtp_handler(struct session *session, struct lmtp *lmtp, struct str argument);

enum step lmtp_done(struct lmtp *lmtp);

/* ---- commands: they answer, or set lmtp->running ---- */

lmtp_handler lmtp_do_lhlo, lmtp_do_mail, lmtp_do_rcpt; /* envelope.c */
lmtp_handler lmtp_do_bdat;                             /* content.c */

/* After the last chunk: hands the message to the store and answers for each recipient (deliver.c). */
lmtp_step lmtp_deliver_step;

/* ---- the transaction (transaction.c) ---- */

void transaction_begin(struct transaction *transaction, const struct lmtp_mail *mail);
void transaction_reset(struct transaction *transaction);

/* Takes over the mailbox's reference; the texts are copied. detail is for accounts that allow it. */
void transaction_add(struct transaction *transaction, const char *address,
                     const struct account *account, const char *detail,
                     struct store_mailbox *mailbox);

/* One intake for each database concerned. A failure is told by the targets. */
void transaction_open_content(struct transaction *transaction, const struct backend *backend,
                              uint64_t expected);

/* Feeds all targets that have not failed. */
void transaction_append(struct transaction *transaction, const void *bytes, size_t length);

/* True when no target takes anything any more. */
bool transaction_has_failed(const struct transaction *transaction);

/* ---- answers (reply.c) ---- */

/* One line with its end. */
void lmtp_reply(struct session *session, const char *text);

/* The answer for content that a target did not take. size: of the message so far, limit: the most. */
const char *lmtp_content_reply(const struct err *err, uint64_t size, uint64_t limit);

/* The answer for a recipient after the commit. */
const char *lmtp_store_reply(const struct err *err);

/* The answer for a recipient whose mailbox could not be opened or found. */
const char *lmtp_recipient_reply(const struct err *err);

#endif
