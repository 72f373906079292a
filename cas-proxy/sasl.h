/* The SASL mechanisms that a front takes. PLAIN (RFC 4616) and LOGIN (never standardised, but what
   Outlook speaks), like the commands LOGIN and USER/PASS, go to the back end as one PLAIN message. Of
   SCRAM (RFC 5802, RFC 7677), EXTERNAL (RFC 4422), OAUTHBEARER (RFC 7628) and XOAUTH2 the front reads the first
   message, to find whose mailbox it is; the back end speaks from then on. Pure.

   Everything here may hold a password: sasl_reset() overwrites before it frees. */
#ifndef FRONT_SASL_H
#define FRONT_SASL_H

#include "common/buf.h"
#include "common/str.h"

enum sasl_mechanism {
    SASL_PLAIN,
    SASL_LOGIN,
    SASL_SCRAM_SHA_1,
    SASL_SCRAM_SHA_1_PLUS,
    SASL_SCRAM_SHA_256,
    SASL_SCRAM_SHA_256_PLUS,
    SASL_EXTERNAL,
    SASL_OAUTHBEARER,
    SASL_XOAUTH2,
};

struct sasl {
    enum sasl_mechanism mechanism;
    unsigned heard;     /* LOGIN: how many answers have come */
    struct buf name;    /* LOGIN: the first of them; else whose mailbox it is */
    struct buf message; /* for the back end, when done */
};

enum sasl_step {
    SASL_MORE, /* send sasl_challenge() and hand in the answer */
    SASL_DONE, /* message is whole: it opens a session, or answers the back end's challenge */
    SASL_BAD,  /* base64 or message malformed */
};

/* False for a mechanism that is not taken here. Case does not matter. */
bool sasl_find(struct str name, enum sasl_mechanism *mechanism);

/* The mechanism that the back end is asked for: "PLAIN" for LOGIN. */
const char *sasl_back_name(const struct sasl *sasl);

/* True when it binds to the client's TLS, which not every connection can. */
bool sasl_binds(enum sasl_mechanism mechanism);

/* True when its credential may only be sent under TLS, whatever the settings say (RFC 7628 section 3). */
bool sasl_needs_tls(enum sasl_mechanism mechanism);

/* True when it is the back end that does this mechanism, which not every back end can. */
bool sasl_is_of_back(enum sasl_mechanism mechanism);

/* Begins an exchange; what was in sasl is wiped. */
void sasl_begin(struct sasl *sasl, enum sasl_mechanism mechanism);

/* The challenge to send now, in base64: "" to begin with, but for LOGIN. A back end's own are not known
   here. */
const char *sasl_challenge(const struct sasl *sasl);

/* Takes the client's answer to the last challenge, in base64; "=" stands for an empty initial response
   (RFC 4954 section 4, RFC 4959 section 3). */
enum sasl_step sasl_answer(struct sasl *sasl, struct str text, bool initial);

/* Makes the message of a name and a password. False when one of them is empty or holds NUL. */
bool sasl_plain(struct sasl *sasl, struct str name, struct str password);

/* The name in the first message whose mailbox is opened: the authorization identity where one is given,
   else the authentication identity; it may be empty of the other mechanisms. Good until the next call. */
struct str sasl_name(const struct sasl *sasl);

void sasl_reset(struct sasl *sasl);

/* Overwrites all that is in buf and has been, as far as its memory goes, and releases it. */
void sasl_wipe(struct buf *buf);

#endif
