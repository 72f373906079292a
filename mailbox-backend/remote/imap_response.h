/* One response of an IMAP server (RFC 3501 section 7, with RFC 2342, 4731, 5162, 5465, 6154, 7162), read and told as
   events. Tolerant of what real servers do: data in any order, unasked-for data, unknown data. */
#ifndef REMOTE_IMAP_RESPONSE_H
#define REMOTE_IMAP_RESPONSE_H

#include "mailbox-backend/remote/imap_scan.h"

#define IMAP_NAME_MAX 1500 /* bytes of a folder's name on the wire */
#define IMAP_KEYWORDS_MAX 26
#define IMAP_KEYWORD_SIZE 65

enum imap_event_kind {
    IMAP_CAPABILITY,    /* text: one of them */
    IMAP_NAMESPACE,     /* name, delimiter: a prefix of the personal namespace; one event each */
    IMAP_LIST,          /* name, delimiter, attributes */
    IMAP_LSUB,          /* likewise */
    IMAP_EXISTS,        /* number; from EXISTS, or MESSAGES of STATUS */
    IMAP_UIDVALIDITY,   /* number; these three as a response code or in STATUS */
    IMAP_UIDNEXT,       /* number */
    IMAP_HIGHESTMODSEQ, /* number; 0: the folder has none */
    IMAP_FOUND,         /* number to last: uids that a search found */
    IMAP_BODY,          /* text of length: the next bytes of a BODY[]; its IMAP_FETCH follows */
    IMAP_FETCH,         /* fetch */
};

enum imap_attribute {                    /* bits */
                      IMAP_NOSELECT = 1, /* or \NonExistent */
                      IMAP_USE_DRAFTS = 2,
                      IMAP_USE_SENT = 4,
                      IMAP_USE_JUNK = 8,
                      IMAP_USE_TRASH = 16,
                      IMAP_USE_ARCHIVE = 32,
};

enum imap_flag { /* bits */
                 IMAP_SEEN = 1,
                 IMAP_ANSWERED = 2,
                 IMAP_FLAGGED = 4,
                 IMAP_DELETED = 8,
                 IMAP_DRAFT = 16,
};

/* What one FETCH said of a message. */
struct imap_fetch {
    uint32_t uid; /* 0: it did not say */
    bool has_flags, has_body;
    bool has_empty_body; /* BODY[] NIL: the server cannot read the message */
    unsigned flags;      /* enum imap_flag bits; \Recent is left out */
    unsigned keyword_count;
    char keywords[IMAP_KEYWORDS_MAX][IMAP_KEYWORD_SIZE]; /* longer and further ones are left out */
    int64_t date;                                        /* Unix time; 0: none that can be read */
    int zone;                                            /* minutes east of UTC */
    uint64_t size; /* RFC822.SIZE as the server has it; 0: it did not say */
};

struct imap_event {
    enum imap_event_kind kind;
    uint64_t number, last;
    unsigned attributes;
    char delimiter; /* 0: the folders have no levels */
    const char *text;
    size_t length;
    const char *name; /* as on the wire, NUL-terminated; longer than IMAP_NAME_MAX: "" */
    const struct imap_fetch *fetch;
};

/* Takes an event; an error ends the reading in the middle of the response. */
struct imap_listener {
    enum err_code (*event)(void *context, const struct imap_event *event, struct err *err);
    void *context;
};

enum imap_status { IMAP_DATA, IMAP_CONTINUE, IMAP_OK, IMAP_NO, IMAP_BAD, IMAP_BYE, IMAP_PREAUTH };

struct imap_response {
    enum imap_status status; /* IMAP_DATA: an untagged response other than OK, NO … */
    char tag[16];            /* "" for untagged ones */
    char code[32];           /* the response code's word in upper case, "" for none */
    char text[160];          /* for people, printable ASCII */
};

/* Reads one response. listener may be NULL. */
enum err_code imap_response_read(struct imap_scan *scan, const struct imap_listener *listener,
                                 struct imap_response *response, struct err *err);

#endif
