/* What the readers of the formats use: a message is begun, fed, finished, and then taken or dropped. */
#ifndef BACKEND_IMPORT_PRIVATE_H
#define BACKEND_IMPORT_PRIVATE_H

#include <stdio.h>

#include "mailbox-backend/hash_set.h"
#include "mailbox-backend/import.h"
#include "mailbox-backend/mailbox/delivery.h"
#include "mailbox-backend/mailbox/uidl.h"

#define IMPORT_LOT 32              /* messages of one commit */
#define IMPORT_LOT_BYTES (4 << 20) /* or so many bytes of them */
#define IMPORT_KEYWORDS_MAX 26     /* of one message */
#define IMPORT_SOURCE_SIZE 300
#define IMPORT_UIDL_MAX 70 /* RFC 1939 section 7 */
#define IMPORT_SOURCE_PROPERTY "import/source"

/* What is known of a message besides its bytes. */
struct import_marks {
    uint32_t flags; /* enum store_flag bits */
    char keywords[IMPORT_KEYWORDS_MAX][STORE_KEYWORD_NAME_MAX + 1];
    unsigned keyword_count;
    int64_t date;                   /* 0: now */
    int16_t zone;                   /* minutes east of UTC, for showing the date */
    uint32_t uid;                   /* 0: any; kept when the folder keeps uids */
    char uidl[IMPORT_UIDL_MAX + 1]; /* POP3's id; "": none of its own */
    char name[IMPORT_SOURCE_SIZE];  /* of the source, by which another import knows it; "": none */
};

struct import_item {
    struct intake *intake;
    struct store_op op;
    struct import_marks marks;
    const char *keywords[IMPORT_KEYWORDS_MAX];
    struct store_property properties[2];
    char source[IMPORT_SOURCE_SIZE]; /* of the message, for the report */
};

struct import {
    const struct import_request *request;
    struct import_result *result;
    uint32_t folder; /* that messages go to now */
    struct import_item lot[IMPORT_LOT];
    size_t count; /* of the lot; the message being read is behind it */
    uint64_t lot_bytes;
    uint32_t uid_validity;    /* of the source's folder */
    bool knows_subscriptions; /* the source has said which there are */
    bool keeps_uids;          /* the folder took the source's UIDVALIDITY */
    struct hash_set sources; /* names that the folder has from earlier imports, and from this one */
    bool ends_in_cr;         /* the last byte fed was CR */
    struct err problem;      /* of the message being read */
    struct store_op *with_lot; /* goes along with the next lot, as its last operation; NULL: none */
};

/* Gives all of it back: a message that was begun, a lot that waits, names. */
void import_destroy(struct import **import);

/* Opens, or makes, the folder that following messages go to. */
enum err_code import_select(struct import *import, const char *path, struct err *err);

/* Begins a message. What is wrong with this message only (too long …) is noted and told by
   import_take(); such a message may be fed on. */
enum err_code import_begin(struct import *import, const char *source, struct err *err);
enum err_code import_feed(struct import *import, const void *bytes, size_t length, struct err *err);

/* The same for a source whose line ends are right: octet for octet. */
enum err_code import_feed_octets(struct import *import, const void *bytes, size_t length,
                                 struct err *err);

/* Another name for the report, where import_begin() could not know it yet. */
void import_label(struct import *import, const char *source);

/* All of the message was fed: its header can be asked now. */
enum err_code import_finish(struct import *import, struct err *err);

/* A field of the header: Status, X-Status, X-Keywords, X-IMAP, X-IMAPbase or Subject; "" for none. */
struct str import_header(struct import *import, const char *name);

/* Puts the finished message into the folder, or reports what was wrong with it. */
enum err_code import_take(struct import *import, const struct import_marks *marks, struct err *err);

/* Leaves the finished message out. */
void import_drop(struct import *import);

/* Reads which names the folder has. */
enum err_code import_load_sources(struct import *import, struct err *err);

/* Takes over the source's UIDVALIDITY, and UIDNEXT (1 at first), where the folder gave no uids of its
   own. */
enum err_code import_adopt(struct import *import, uint32_t uid_validity, uint32_t uid_next,
                           struct err *err);

/* A path that cannot be is passed over. */
enum err_code import_subscribe(struct import *import, const char *path, struct err *err);

/* Commits what waits. */
enum err_code import_flush(struct import *import, struct err *err);

/* ---- the formats; file is read from where it stands ---- */

enum err_code import_message(struct import *import, FILE *file, int64_t date, struct err *err);
enum err_code import_mbox(struct import *import, FILE *file, struct err *err);

/* The stream that maildir_feed() writes; its first line was read. */
enum err_code import_stream(struct import *import, FILE *file, struct err *err);

#endif
