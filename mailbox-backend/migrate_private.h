/* What the parts of migrate.h share. */
#ifndef BACKEND_MIGRATE_PRIVATE_H
#define BACKEND_MIGRATE_PRIVATE_H

#include <time.h>

#include "mailbox-backend/import_private.h"
#include "mailbox-backend/mailbox/mailbox.h"
#include "mailbox-backend/migrate.h"

#define MIGRATE_FOLDERS_MAX 10000
#define MIGRATE_PREFIXES_MAX 4
#define MIGRATE_MESSAGES_MAX 4000000u /* of one folder */

/* ---- what is remembered between runs (migrate_state.c) ---- */

/* Of a folder of the source, kept as a property of the mailbox. */
struct migrate_state {
    uint32_t folder;       /* here; 0: nothing is remembered */
    uint32_t uid_validity; /* the source's; these as of the end of the last whole run, or 0 */
    uint32_t uid_next;
    uint32_t messages;
    uint64_t modseq;
    uint32_t taken;        /* uids up to this one were dealt with */
    struct uidset refused; /* of them: could not be taken, so are tried again */
};

#define MIGRATE_STATE_NAME_SIZE 32
#define MIGRATE_STATE_SIZE STORE_PROPERTY_MAX

/* key: of the folder at the source. */
void migrate_state_name(uint64_t key, char name[MIGRATE_STATE_NAME_SIZE]);

/* As text, NUL-terminated. Where the refused uids do not fit, the last range has those between them as
   well: they are tried again like the others, which what is here already is exempt from. */
size_t migrate_state_print(const struct migrate_state *state, char text[MIGRATE_STATE_SIZE]);
bool migrate_state_parse(struct migrate_state *state, const char *text);

/* Of a message: which it is at the source, and the mark of its flags as they were last brought. Kept in
   the property IMPORT_SOURCE_PROPERTY of the item. */
struct migrate_origin {
    uint64_t key; /* of the folder */
    uint32_t uid;
    uint64_t mark;
};
void migrate_origin_print(const struct migrate_origin *origin, char *text, size_t room);
bool migrate_origin_parse(struct migrate_origin *origin, const char *text);

/* One number for flags and keywords, in whatever order they come: they are compared by it. */
uint64_t migrate_mark(uint32_t system);
uint64_t migrate_mark_keyword(uint64_t mark, const char *keyword);

/* ---- names (migrate_names.c) ---- */

/* The path here of a folder's name on the wire: without prefix, modified UTF-7 undone, "/" between the
   levels. False when it cannot be one. */
bool migrate_path(const char *name, char delimiter, const char *prefix, char *path, size_t room);

/* Whether path is base or below it. */
bool migrate_is_below(const char *path, const char *base);

/* ---- one run ---- */

struct migrate_folder {
    char *name; /* on the wire */
    char *path; /* here; "": it cannot be */
    uint64_t key;
    enum store_special_use use;
    bool selectable, subscribed, is_left_out;
    bool is_unchanged;
};

/* Of a message that is here: source and here are uids, mark is that of the last flags brought. */
struct migrate_known {
    uint32_t source, here;
    uint64_t mark;
};

struct migrate {
    const struct migrate_request *request;
    struct migrate_result *result;
    struct imap_client *client;
    unsigned failures;    /* of the connection, without a message or a folder brought between */
    bool is_own_fault;    /* what failed is here, not at the source */
    uint64_t past_octets; /* of connections that ended */
    struct timespec start;
    char prefixes[MIGRATE_PREFIXES_MAX][IMAP_NAME_MAX + 1]; /* of the user's own folders */
    size_t prefix_count;
    struct migrate_folder *folders;
    size_t count, room;
    bool has_subscriptions; /* the source knows any */
    uint64_t all, done;     /* messages */

    /* of the folder being brought */
    struct migrate_folder *folder;
    struct migrate_folder *selected; /* at the source, on this connection */
    uint32_t exists, uid_validity, uid_next;
    uint64_t modseq;       /* 0: the source has none */
    struct uidset present; /* uids at the source */
    struct uidset large;   /* those that it says are too large for here */
    struct migrate_state state;
    struct migrate_known *known; /* by uid at the source */
    size_t known_count, known_room;
    struct migrate_row row;
    struct import *import;
    struct import_request import_request;
    struct import_result import_result;
};

/* ---- the source (migrate_source.c) ---- */

void migrate_disconnect(struct migrate *migrate);

/* Connects anew after a failure, with growing pauses. ERR_UNAVAILABLE with the text of *err when that
   has not helped, or nobody wants it any more: then there is no connection. */
enum err_code migrate_reconnect(struct migrate *migrate, struct err *err);

/* Runs step, and again on a new connection where the old one has broken. A step may be run twice. */
enum err_code migrate_try(struct migrate *migrate,
                          enum err_code (*step)(struct migrate *migrate, struct err *err),
                          struct err *err);

/* Selects migrate->folder, read-only, unless it is; exists to modseq are filled then. */
enum err_code migrate_select(struct migrate *migrate, struct err *err);

/* Asks how much of migrate->folder is to be brought: adds to all, fills is_unchanged. A step. */
enum err_code migrate_survey(struct migrate *migrate, struct err *err);

/* Asks which uids migrate->folder has at the source: fills present. A step for migrate_try(). ERR_DENIED:
   more than MIGRATE_MESSAGES_MAX. */
enum err_code migrate_search(struct migrate *migrate, struct err *err);

/* Of todo, the messages that the source says are larger than a message may be here: refuses them and takes
   them out, so that they are not fetched in vain. */
enum err_code migrate_refuse_large(struct migrate *migrate, struct uidset *todo, struct err *err);

/* ---- reports (migrate.c) ---- */

/* Reports something wrong: with the folder (uid 0), or with a message of it. */
enum err_code migrate_report(struct migrate *migrate, uint32_t uid, const char *problem,
                             struct err *err);

/* The same for a message that could not be taken, which the next run tries again. */
enum err_code migrate_refuse(struct migrate *migrate, uint32_t uid, const char *problem,
                             struct err *err);

/* Tells how far it has got. */
void migrate_show(struct migrate *migrate);

/* ---- the parts ---- */

/* Lists the source's folders (migrate_list.c). */
enum err_code migrate_list(struct migrate *migrate, struct err *err);

/* Brings one folder (migrate_folder.c). */
enum err_code migrate_folder_run(struct migrate *migrate, struct migrate_folder *folder,
                                 struct err *err);

/* What the store remembers of a folder (migrate_store.c). state is to be released. */
enum err_code migrate_load_state(struct migrate *migrate, uint64_t key, struct migrate_state *state,
                                 struct err *err);
enum err_code migrate_save_state(struct migrate *migrate, struct err *err);
enum err_code migrate_load_known(struct migrate *migrate, struct err *err);
const struct migrate_known *migrate_find_known(const struct migrate *migrate, uint32_t source);

/* Brings the messages of todo, which becomes empty (migrate_fetch.c). */
enum err_code migrate_fetch(struct migrate *migrate, struct uidset *todo, struct err *err);
void migrate_fill_flags(const struct imap_fetch *fetch, struct import_marks *marks);
uint64_t migrate_fetch_mark(const struct imap_fetch *fetch);

/* Brings flags that have changed, removes what was expunged (migrate_delta.c). */
enum err_code migrate_flags(struct migrate *migrate, struct err *err);
enum err_code migrate_expunge(struct migrate *migrate, struct err *err);

/* Takes over the POP3 ids of the inbox, which has been brought (migrate_uidl.c). */
enum err_code migrate_uidls(struct migrate *migrate, struct err *err);

#endif
