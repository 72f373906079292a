/* FETCH (RFC 3501 sections 6.4.5 and 7.4.2): what its files share. fetch_parse.c reads what is asked
   for, fetch_message.c gets of a message what the answer needs, fetch_tell.c writes the answer, fetch_section.c reads
   its sections, fetch_sieve.c filters and decodes them, fetch_preview.c makes its preview, cmd_fetch.c goes from message
   to message, fetch_tree.c remembers a large message's parts. CATENATE reads a section of a message the same way
   (append_url.c).

   Most answers come from the index alone and are written at once. A message whose content is
   needed stays open over as many steps as its answer takes: it is read in chunks, and what is held of
   it is one chunk and, for sections inside, its tree. */
#ifndef IMAP4_FETCH_H
#define IMAP4_FETCH_H

#include "mailbox-backend/imap4/imap4.h"
#include "mailbox-backend/imap4/partial.h"
#include "mailbox-backend/mime/header_filter.h"
#include "mailbox-backend/mime/parser.h"
#include "mailbox-backend/mime/preview.h"
#include "mailbox-backend/mime/section.h"
#include "mailbox-backend/mime/summary.h"
#include "mailbox-backend/mime/transfer.h"

/* ---- what is asked for ---- */

enum fetch_kind { /* bits */
                  FETCH_UID = 1,
                  FETCH_FLAGS = 2,
                  FETCH_INTERNALDATE = 4,
                  FETCH_SIZE = 8,
                  FETCH_ENVELOPE = 16,
                  FETCH_BODY = 32,
                  FETCH_BODYSTRUCTURE = 64,
                  FETCH_SECTION = 128, /* BODY[…], BINARY[…], BINARY.SIZE[…] and RFC822,
                                          RFC822.HEADER, RFC822.TEXT */
                  FETCH_MODSEQ = 256,
                  FETCH_EMAILID = 512,
                  FETCH_THREADID = 1024,
                  FETCH_SAVEDATE = 2048,
                  FETCH_PREVIEW = 4096,
};

enum fetch_form {
    FETCH_AS_IT_IS,
    FETCH_DECODED,      /* BINARY: without the part's transfer encoding (RFC 3516) */
    FETCH_DECODED_SIZE, /* BINARY.SIZE: how long that is */
};

/* One data item, in the order asked for. */
struct fetch_item {
    struct fetch_item *next;
    enum fetch_kind kind;
    struct str label; /* as the answer repeats it: "FLAGS", "BODY[1]<0>" */

    /* FETCH_SECTION only. */
    struct mime_section section;
    enum fetch_form form;
    bool partial;
    uint64_t origin, length; /* of a partial one: below 2^63 */

    /* The same, for the message being told. */
    bool exists;
    struct mime_range range;         /* in the content */
    enum transfer_encoding encoding; /* where it is to be decoded */
    uint64_t
        size; /* of the section: less than the range where fields are left out, or it is decoded */
    bool has_nul; /* decoded: in what of it is asked for */
};

struct fetch_request {
    struct fetch_item *items;
    unsigned kinds;     /* of all items: enum fetch_kind bits */
    bool sets_seen;     /* an item without PEEK is among them */
    bool needs_tree;    /* a section can be found in the parsed message only */
    bool lazy_preview;  /* NIL is enough where making one takes long */
    bool changed_since; /* only messages with a greater modseq: */
    uint64_t modseq;
    bool vanished; /* and what vanished since */
    bool partial;  /* of the messages named, this part only: */
    struct partial_range part;
};

/* Takes a macro, one item or a list of items, and the modifiers (RFC 7162 section 3.1.4.1). with_uid: the
   UID is told though it may not be asked for. */
bool fetch_parse(struct parse *parse, bool with_uid, struct fetch_request *request);

/* Takes "(" items ")" and nothing else, as NOTIFY has it; the UID is always told. */
bool fetch_parse_list(struct parse *parse, struct fetch_request *request);

/* ---- cmd_fetch.c ---- */

/* Tells command->uids, a part of the view, as request has it: the rest of a command that is not the client's. \Seen
   is not set. To be returned; command->run goes on. */
enum step fetch_unasked(struct command *command, const struct fetch_request *request);

/* ---- one message ---- */

#define FETCH_CHUNK 16384u

enum fetch_progress {
    FETCH_TOLD,    /* the answer is written whole */
    FETCH_FULL,    /* there is no room for more output */
    FETCH_SHARED,  /* the share is used up */
    FETCH_FAILED,  /* see err; message->begun tells whether the client has a part of the answer */
    FETCH_UNKNOWN, /* a part's transfer encoding cannot be decoded; nothing is written */
};

enum fetch_phase { FETCH_PARSE, FETCH_COUNT, FETCH_TELL };

/* How far a part of a large message was decoded, so that its next slice need not begin at its first byte. */
struct fetch_mark {
    bool begun;
    uint64_t section; /* its offset in the content */
    uint64_t offset;  /* in the content: of the next byte to decode … */
    uint64_t decoded; /* … which gives what follows so many bytes of the section */
    struct transfer_stream decoder;
    bool counted; /* the section was read to its end: */
    uint64_t size;
};

/* Embed it; {0} is none. */
struct fetch_message {
    struct store_item item;
    unsigned database; /* that its content is in */
    bool tell_flags;   /* though they may not be asked for: \Seen was set by this command */
    bool has_summary;
    uint8_t bytes[STORE_SUMMARY_MAX];
    struct mime_summary summary; /* in bytes */
    struct buf body;             /* BODY as made from it */

    struct store_content *content; /* NULL: the index has all that is asked for */
    enum fetch_phase phase;
    struct fetch_item *at; /* FETCH_COUNT and FETCH_TELL: the item being worked on */
    uint64_t offset;       /* in the content: of the next byte to read */

    bool no_preview;                      /* making one would take long, and need not be */
    const struct mime_part *preview_part; /* being read for it, or NULL */
    struct mime_preview preview;

    uint64_t parse_end; /* bytes that the parser needs */
    struct arena arena; /* the parser's and the tree's */
    struct mime_parser parser;
    const struct mime_part *root;

    bool begun;      /* the answer is */
    bool in_section; /* and so is the literal of the item at */
    uint64_t skip;   /* bytes of a sieved section before the partial one */
    uint64_t left;   /* of the literal */
    struct mime_header_filter filter;
    struct transfer_stream decoder;
    uint64_t passed;         /* bytes of the sieved section so far */
    struct fetch_mark *mark; /* kept with the message's tree, or NULL */
};

/* Gets of a message of command->mailbox what the index has and opens its content where that is not enough. On success
   fetch_message_end() must follow. */
enum err_code fetch_message_begin(struct command *command, struct fetch_message *message,
                                  const struct fetch_request *request, struct store_read *read,
                                  const struct store_item *item, struct err *err);

/* Goes on up to where the answer can begin: its sections are found (item->exists) and measured, its preview is made.
   share: as below. A message with content only. */
enum fetch_progress fetch_message_prepare(struct imap *imap, struct fetch_message *message,
                                          const struct fetch_request *request, size_t *share,
                                          struct err *err);

/* Goes on with the answer. share: bytes that may be read; what was read is taken off. A message without
   content is told at once. */
enum fetch_progress fetch_message_run(struct command *command, struct fetch_message *message,
                                      const struct fetch_request *request, size_t *share,
                                      struct err *err);

/* Whether to go on would hold up a loop: the message is large, or the disk has to be asked. */
bool fetch_message_is_long(struct fetch_message *message);

void fetch_message_end(struct fetch_message *message);

/* ---- fetch_tree.c ---- */

/* The tree of the message's content if it was the last to be kept, else NULL. */
const struct mime_part *fetch_tree_find(const struct imap *imap,
                                        const struct fetch_message *message);

/* Keeps the message's tree, where it is worth it, in place of the one before. The message's arena is then empty, and the
   tree stays good until the next one is kept or the folder is left. */
void fetch_tree_keep(struct imap *imap, struct fetch_message *message);

/* The mark that is kept with that tree; NULL when there is none. Good as long as the tree. */
struct fetch_mark *fetch_tree_mark(struct imap *imap, const struct fetch_message *message);

/* ---- between fetch_message.c and fetch_tell.c ---- */

/* Reads into bytes from message->offset on, at most up to end; FETCH_TOLD means that it did. */
enum fetch_progress fetch_message_read(struct fetch_message *message, uint64_t end, void *bytes,
                                       size_t room, size_t *got, size_t *share, struct err *err);

/* ---- fetch_section.c ---- */

/* Begins a section of a message that is prepared: message->left says how many bytes it will have; of one that does
   not exist, none. */
void fetch_section_begin(struct fetch_message *message, const struct fetch_item *item);

/* Appends some of its next bytes to out, at most room, while message->left is not 0. FETCH_TOLD: that went well, though
   it may have been none. */
enum fetch_progress fetch_section_read(struct fetch_message *message, const struct fetch_item *item,
                                       struct buf *out, size_t room, size_t *share,
                                       struct err *err);

/* ---- fetch_preview.c ---- */

/* Bytes of the message's body that a preview is looked for in. */
#define FETCH_PREVIEW_BYTES ((uint64_t)256 << 10)

/* Makes message->preview of the tree, which knows at least so much of the message. */
enum fetch_progress fetch_preview_make(struct fetch_message *message, size_t *share,
                                       struct err *err);

/* ---- fetch_sieve.c ---- */

/* Whether the section's bytes are not simply those of the content: HEADER.FIELDS, HEADER.FIELDS.NOT, and
   what is to be decoded. */
bool fetch_is_sieved(const struct fetch_item *item);

/* Whether the size of the section's answer, or its form, are known only when it was read once. */
bool fetch_needs_count(const struct fetch_item *item);

/* Begins a section: sets message->offset and message->passed to where reading has to begin for its bytes from
   origin on, at its beginning or at the mark. Then the bytes of its range from there on are to be fed. */
void fetch_sieve_begin(struct fetch_message *message, const struct fetch_item *item,
                       uint64_t origin);

/* The next bytes of the range; last: no more follow. Appends what the section has of them to passed, at most
   length + 1100 bytes. */
void fetch_sieve_feed(struct fetch_message *message, const struct fetch_item *item,
                      const void *bytes, size_t length, bool last, struct buf *passed);

/* Sets the mark to here, where that is no further than limit. */
void fetch_sieve_mark(struct fetch_message *message, const struct fetch_item *item, uint64_t limit);

/* Whether nothing more need be read to know the size and the form of the answer. */
bool fetch_sieve_is_counted(const struct fetch_message *message, const struct fetch_item *item);

/* The count has come to its end: takes the size from the mark, or gives it to it. */
void fetch_sieve_end_count(struct fetch_message *message, struct fetch_item *item);

/* The last phase: every section was found and measured. */
enum fetch_progress fetch_message_tell(struct command *command, struct fetch_message *message,
                                       const struct fetch_request *request, size_t *share,
                                       struct err *err);

#endif
