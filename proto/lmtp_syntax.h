/* LMTP commands (RFC 2033 over RFC 5321 section 4.1, RFC 1870, 3030, 6152, 6531), as both the front and
   the back end read them. Pure: a line in, facts or a fault out. */
#ifndef PROTO_LMTP_SYNTAX_H
#define PROTO_LMTP_SYNTAX_H

#include "common/str.h"

#define LMTP_LINE_MAX                                                                              \
    2048 /* bytes of a command line with its end; RFC 5321 asks for 512 and more */
#define LMTP_ADDRESS_MAX                                                                           \
    500                   /* bytes of an address; VERP and SRS go beyond the 64 of a local part */
#define LMTP_NAME_MAX 255 /* of a host's name */

enum lmtp_fault {
    LMTP_FINE,
    LMTP_BAD_SYNTAX, /* the command's shape */
    LMTP_BAD_NAME,   /* LHLO: neither a domain nor an address literal */
    LMTP_BAD_SENDER,
    LMTP_BAD_RECIPIENT,
    LMTP_BAD_VALUE,     /* of a known parameter, or a parameter given twice */
    LMTP_BAD_PARAMETER, /* one that we do not know */
    LMTP_NEEDS_UTF8,    /* an address that is not ASCII, without SMTPUTF8 */
};

/* The answer to a fault, without line end: "501 5.1.7 …". Not for LMTP_FINE. */
const char *lmtp_fault_reply(enum lmtp_fault fault);

struct lmtp_command {
    struct str verb;
    struct str argument; /* without blanks at both ends */
};

/* Cuts a line (without its end) at the first space. */
void lmtp_split(struct str line, struct lmtp_command *command);

/* The argument of LHLO; name is a part of it. */
enum lmtp_fault lmtp_lhlo(struct str argument, struct str *name);

struct lmtp_mail {
    char sender[LMTP_ADDRESS_MAX + 1]; /* "" for the null reverse-path */
    uint64_t size;                     /* as declared; 0: not told */
    bool eight_bit;                    /* BODY=8BITMIME */
    bool utf8;                         /* SMTPUTF8 */
};

/* The argument of MAIL: "FROM:<…> [parameters]". A source route is dropped; a local part is without
   quotes where it needs none. */
enum lmtp_fault lmtp_mail(struct str argument, struct lmtp_mail *mail);

/* The argument of RCPT: "TO:<…>". utf8: MAIL had SMTPUTF8. The domain may be missing: the directory has
   a default. */
enum lmtp_fault lmtp_rcpt(struct str argument, bool utf8, char recipient[LMTP_ADDRESS_MAX + 1]);

/* The argument of BDAT (RFC 3030 section 2): "size [LAST]". */
enum lmtp_fault lmtp_bdat(struct str argument, uint64_t *size, bool *last);

#endif
