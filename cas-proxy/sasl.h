/* The two SASL mechanisms that a front takes: PLAIN (RFC 4616) and LOGIN (never standardised, but what
   Outlook speaks). Both, like LOGIN and USER/PASS, go to the back end as one PLAIN message. Pure.

   Everything here may hold a password: sasl_reset() overwrites before it frees. */
#ifndef FRONT_SASL_H
#define FRONT_SASL_H

#include "common/buf.h"
#include "common/str.h"

enum sasl_mechanism { SASL_PLAIN, SASL_LOGIN };

struct sasl {
    enum sasl_mechanism mechanism;
    unsigned heard;     /* LOGIN: how many answers have come */
    struct buf name;    /* LOGIN: the first of them */
    struct buf message; /* the PLAIN message, when done */
};

enum sasl_step {
    SASL_MORE, /* send sasl_challenge() and hand in the answer */
    SASL_DONE, /* message is whole */
    SASL_BAD,  /* base64 or message malformed */
};

/* False for a mechanism that is not taken here. Case does not matter. */
bool sasl_find(struct str name, enum sasl_mechanism *mechanism);

/* Begins an exchange; what was in sasl is wiped. */
void sasl_begin(struct sasl *sasl, enum sasl_mechanism mechanism);

/* The challenge to send now, in base64: "" for PLAIN. */
const char *sasl_challenge(const struct sasl *sasl);

/* Takes the client's answer to the last challenge, in base64; "=" stands for an empty initial response
   (RFC 4954 section 4, RFC 4959 section 3). */
enum sasl_step sasl_answer(struct sasl *sasl, struct str text, bool initial);

/* Makes the message of a name and a password. False when one of them is empty or holds NUL. */
bool sasl_plain(struct sasl *sasl, struct str name, struct str password);

/* The name in a PLAIN message whose mail box is opened: the authorization identity where one is given,
   else the authentication identity. Good while message is. */
struct str sasl_name(const struct sasl *sasl);

void sasl_reset(struct sasl *sasl);

/* Overwrites all that is in buf and has been, as far as its memory goes, and releases it. */
void sasl_wipe(struct buf *buf);

#endif
