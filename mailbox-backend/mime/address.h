/* Address lists (RFC 5322 section 3.4 with the obsolete forms of 4.4) as IMAP's address structures.
   Broken lists give what can be made out; nothing is refused. */
#ifndef MAILBOX_BACKEND_MIME_ADDRESS_H
#define MAILBOX_BACKEND_MIME_ADDRESS_H

#include "common/arena.h"
#include "common/str.h"

/* data NULL means NIL. The begin of a group has its name in mailbox and a NULL host, its end has
   all four NULL (RFC 3501 section 7.4.2). An address without a domain has an empty host, one
   without a local part an empty mailbox. */
struct mime_address {
    struct str
        name; /* display name, or an old-style comment behind the address; not RFC 2047 decoded */
    struct str route;
    struct str mailbox;
    struct str host;
};

struct mime_address_reader {
    struct str rest;
    bool in_group;
    struct str phrase_end; /* where a look ahead for "<" has ended */
    char *scratch;         /* holds the texts of the newest address */
    size_t used;
    size_t size;
};

/* Begins a list. Takes about value.length bytes from the arena. value must outlive the reader. */
void mime_address_init(struct mime_address_reader *reader, struct arena *arena, struct str value);

/* The next address, or the begin or end of a group; false at the end of the list. Its texts are good
   until the next call. */
bool mime_address_next(struct mime_address_reader *reader, struct mime_address *address);

#endif
