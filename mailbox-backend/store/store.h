/* The store seam: mailboxes, folders, items, contents and changes. LMDB and segment files stay behind
   it (architecture.md, "The store seam"; docs/store.md for the bytes).

   Reading is synchronous, in a short snapshot: begin, copy out, end; never across a wait.
   Writing is by operations handed to the database's one writer, which answers after the commit is
   durable. Any thread may read and submit. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/str.h"
#include "mailbox-backend/store/uidset.h"

/* ---- the whole ---------------------------------------------------------------------------- */

struct store;
struct store_mailbox; /* an open mailbox: reference counted, one object per mailbox and process */

struct store_guid {
    uint8_t bytes[16];
};

#define STORE_DATABASES_MAX 256u

struct store_recovery {
    uint64_t seconds, quota; /* as recovery_seconds and recovery_quota */
};

struct store_settings {
    const char *folder; /* holds one folder per database: db1, db2 … */
    unsigned
        databases; /* at least so many, at most STORE_DATABASES_MAX: those that are not there are
                           made. All that are on the disk are opened; none is ever removed */
    uint64_t map_size; /* bytes of LMDB address space per database */
    unsigned max_readers;
    uint64_t message_size_limit;  /* bytes */
    uint64_t content_budget;      /* bytes of content in flight, process-wide */
    bool compress;                /* zstd -1 where it saves at least 10 % */
    uint64_t recovery_seconds;    /* how long expunged items stay recoverable */
    uint64_t recovery_quota;      /* bytes of them that a mailbox may have; 0: no limit */
    uint64_t index_copy_interval; /* seconds between copies of each index (index.copy); 0: none */
    uint64_t segment_size;        /* of the largest files, in steps of 1 MB; 0: 256 MB */
    uint64_t compact_rate; /* bytes a second that compaction moves, at most, while it keeps up; 0:
                              as fast as it can */
    uint32_t
        copy_at_once; /* items of a COPY or MOVE in one transaction: more go in slices; 0: 10,000 */
    bool
        check_pages; /* looks at all pages of each index before it is opened, not only at those that
                         every opening reads: damaged ones are ERR_CORRUPT */

    /* Changes *recovery, which is the two above, to what holds for one mailbox. Called by the writers:
       short, and never into the store. False when that is not to be known now: nothing is ended early
       then. NULL: the same holds for all. */
    bool (*recovery_of)(void *context, const struct store_guid *guid,
                        struct store_recovery *recovery);
    void *recovery_context;
};

/* Locks the folder (ERR_EXISTS names the pid that holds it), opens or makes the databases, starts
   their writers. After a kill -9 no repair is needed. A database that cannot be opened, or that
   crashed the process twice in a row (crash.h), is left unmounted, with a line in the log, while another can
   be opened: what may be in it is ERR_UNAVAILABLE. A database of a newer format is refused, and all of the store with
   it. */
enum err_code store_open(struct store **store, const struct store_settings *settings,
                         struct err *err);

/* Finishes the operations that were submitted, stops the writers, closes. All mailboxes, contents
   and drafts must have been released. */
void store_close(struct store **store);

struct store_status { /* for `status` */
    unsigned databases, mounted, unmounted;
    int64_t oldest_copy;                      /* of a mounted database's index; 0: one has none */
    uint32_t oldest_format;                   /* of a database */
    uint64_t mailboxes, items, content_bytes; /* live */
    uint64_t segment_bytes, index_bytes;      /* on disk */
    uint64_t segments;                        /* files */
    uint64_t compacted_bytes;                 /* moved by compaction since the start */
    bool compacting;                          /* now, in one database or more */
    uint64_t commits, operations;             /* since the start */
    uint64_t oldest_reader_ms;
};
void store_status(struct store *store, struct store_status *status);

/* ---- mailboxes ---------------------------------------------------------------------------- */

/* Opens an account's mailbox. With create, one that is not there yet is made (durably) in the database
   with the fewest mailboxes, with its root and INBOX; *created tells (may be NULL). ERR_UNAVAILABLE when
   it is in no mounted database, but might be in one that is not mounted: then none is made. This call may
   wait for a commit: not on a loop when create could be needed (ask with create = false first). */
enum err_code store_mailbox_open(struct store *store, const struct store_guid *guid, bool create,
                                 struct store_mailbox **mailbox, bool *created, struct err *err);
struct store_mailbox *store_mailbox_ref(struct store_mailbox *mailbox);
void store_mailbox_unref(struct store_mailbox **mailbox);
const struct store_guid *store_mailbox_guid(const struct store_mailbox *mailbox);

/* The database that a mailbox is in: drafts are made for one. */
unsigned store_mailbox_database(const struct store_mailbox *mailbox);

struct store_usage {
    uint64_t bytes;    /* sum of item sizes */
    uint64_t messages; /* items */
    uint64_t folders;  /* without the root; 0 where it is of recoverable items */
};

/* ---- folders and items -------------------------------------------------------------------- */

#define STORE_NAME_MAX 255      /* bytes of one folder name level, NFC UTF-8 */
#define STORE_DEPTH_MAX 32      /* levels of folders */
#define STORE_FOLDERS_MAX 9999u /* a mailbox, without the root */
#define STORE_KEYWORDS_MAX 128  /* a folder */
#define STORE_KEYWORD_NAME_MAX 64
#define STORE_ROOT_FOLDER 1u /* id of the folder that holds the top level; holds no items */
#define STORE_INBOX_FOLDER 2u

enum store_special_use { /* RFC 6154 */
                         USE_NONE,
                         USE_INBOX,
                         USE_DRAFTS,
                         USE_SENT,
                         USE_JUNK,
                         USE_TRASH,
                         USE_ARCHIVE,
};

enum store_class { CLASS_MAIL = 1 }; /* later: calendar, contacts, tasks, notes */

struct store_folder {
    uint32_t id; /* never used again in this mailbox */
    uint32_t parent;
    char name[STORE_NAME_MAX + 1];
    enum store_special_use use;
    enum store_class class;
    uint32_t uid_validity;
    uint32_t uid_next;
    uint64_t highest_modseq;
    uint32_t messages;
    uint32_t unseen;  /* without \Seen */
    uint32_t deleted; /* with \Deleted */
    uint64_t bytes;
    uint64_t vanished_floor; /* below it every absent uid counts as vanished */
    bool has_children;
};

enum store_flag { /* bits; \Recent is no property of an item: see store_recent_claim() */
                  FLAG_SEEN = 1,
                  FLAG_ANSWERED = 2,
                  FLAG_FLAGGED = 4,
                  FLAG_DELETED = 8,
                  FLAG_DRAFT = 16,
};
#define FLAG_ALL 31u

struct store_flags {
    uint32_t system;      /* enum store_flag bits */
    uint64_t keywords[2]; /* bit n: the folder's keyword n (store_keyword_list) */
};

enum store_kind { KIND_MAIL = 1 };

struct store_item {
    uint32_t uid;
    enum store_kind kind;
    struct store_flags flags;
    uint64_t modseq;
    uint64_t size;         /* bytes of the content, RFC822.SIZE */
    uint32_t header_size;  /* bytes up to and with the empty line that ends the header */
    bool no_final_newline; /* the content is not empty and does not end with CRLF: POP3 adds one and
                              must count it without reading the content */
    int64_t internal_date; /* seconds since 1970, UTC */
    int16_t zone;          /* minutes east of UTC for showing the internal date */
    int64_t save_date;     /* when it came into this folder */
    uint64_t item_id;      /* 48 bits; stays with MOVE, new with COPY */
    uint64_t email_id;     /* stays with COPY and MOVE */
    uint64_t thread_id;
    uint64_t content_id; /* opaque */
};

/* ---- reading ------------------------------------------------------------------------------ */

struct store_read; /* a snapshot of one mailbox */

/* ERR_UNAVAILABLE while the database is down, ERR_NOT_FOUND when the mailbox was removed. */
enum err_code store_read_begin(struct store_mailbox *mailbox, struct store_read **read,
                               struct err *err);
void store_read_end(struct store_read **read);

uint64_t store_read_modseq(struct store_read *read);    /* newest of the mailbox */
uint64_t store_read_next_item(struct store_read *read); /* item ids of the mailbox are below it */
enum err_code store_usage(struct store_read *read, struct store_usage *usage, struct err *err);

enum err_code store_folder_get(struct store_read *read, uint32_t id, struct store_folder *folder,
                               struct err *err);
/* By exact bytes of the name below parent. */
enum err_code store_folder_find(struct store_read *read, uint32_t parent, struct str name,
                                struct store_folder *folder, struct err *err);
enum err_code store_folder_by_use(struct store_read *read, enum store_special_use use,
                                  struct store_folder *folder, struct err *err);
/* The next folder of the mailbox by id, behind after (0 for the first): ERR_NOT_FOUND at the end. */
enum err_code store_folder_after(struct store_read *read, uint32_t after,
                                 struct store_folder *folder, struct err *err);
/* The next child of parent whose name sorts (bytewise) behind after ("" for the first):
   ERR_NOT_FOUND at the end. */
enum err_code store_folder_next(struct store_read *read, uint32_t parent, const char *after,
                                struct store_folder *folder, struct err *err);

/* names[n] is keyword n's name; *count how many there are. */
enum err_code store_keyword_list(struct store_read *read, uint32_t folder,
                                 char names[STORE_KEYWORDS_MAX][STORE_KEYWORD_NAME_MAX + 1],
                                 unsigned *count, struct err *err);

/* ERR_NOT_FOUND when there is no such uid. */
enum err_code store_item_get(struct store_read *read, uint32_t folder, uint32_t uid,
                             struct store_item *item, struct err *err);

/* Copies items with uid >= first and <= last in order, at most room; *count says how many. With
   changed_since above 0 only items whose modseq is greater (old blocks of uids are skipped). Go on
   with first = the last one's uid + 1; fewer than room means the end. */
enum err_code store_item_scan(struct store_read *read, uint32_t folder, uint32_t first,
                              uint32_t last, uint64_t changed_since, struct store_item *items,
                              size_t room, size_t *count, struct err *err);

/* The uids of a folder from first on, added to set. From 1 on they come from a map that is kept in memory and
   brought up to date, so that only the first call for a large folder goes through its items. */
enum err_code store_uids(struct store_read *read, uint32_t folder, uint32_t first,
                         struct uidset *set, struct err *err);

/* The uids without \Seen, added to set; and the first of them (0: there is none). From the same map. */
enum err_code store_unseen(struct store_read *read, uint32_t folder, struct uidset *set,
                           struct err *err);
enum err_code store_first_unseen(struct store_read *read, uint32_t folder, uint32_t *uid,
                                 struct err *err);

/* True when these three need not go through the folder's items: it is small, or there is a map (a hint). */
bool store_uids_are_kept(struct store_read *read, uint32_t folder);

/* Uids that went away (expunge, move) after modseq, appended to set; *complete is false when modseq is
   below the folder's floor, then whatever is absent may have vanished. */
enum err_code store_vanished(struct store_read *read, uint32_t folder, uint64_t modseq,
                             struct uidset *set, bool *complete, struct err *err);

/* The summary made at delivery (mime/summary.h), copied to bytes; ERR_NOT_FOUND when there is none. */
#define STORE_SUMMARY_MAX 1900
enum err_code store_summary_get(struct store_read *read, uint32_t folder, uint32_t uid,
                                uint8_t bytes[STORE_SUMMARY_MAX], size_t *length, struct err *err);

/* What an item says of its content beside the size, as mailbox/content_facts.h makes it. */
struct content_facts {
    uint32_t header_size;
    bool no_final_newline;
    bool has_thread; /* a message id tells the thread; else it is the message's own email_id */
    uint64_t thread_id;
    size_t summary_length; /* 0: it would be too long */
    uint8_t summary[STORE_SUMMARY_MAX];
};
static inline uint64_t content_facts_thread(const struct content_facts *facts, uint64_t email_id)
{
    return facts->has_thread ? facts->thread_id : email_id;
}

/* Properties: small values by name, for a mailbox (folder 0, item 0), a folder (item 0) or an item.
   Value at most STORE_PROPERTY_MAX bytes. */
#define STORE_PROPERTY_MAX 8192
enum err_code store_property_get(struct store_read *read, uint32_t folder, uint64_t item_id,
                                 const char *name, uint8_t *value, size_t room, size_t *length,
                                 struct err *err);
/* The next property name behind after ("" for the first) that begins with prefix. */
enum err_code store_property_next(struct store_read *read, uint32_t folder, uint64_t item_id,
                                  const char *prefix, const char *after, char *name, size_t room,
                                  struct err *err);

/* A folder, of any mailbox, that has a property of some name. */
struct store_holder {
    uint32_t mailbox; /* the store's own number; 0 at first */
    uint32_t folder;
    struct store_guid guid; /* the mailbox's */
};

/* The next folder behind *at, {0} at first, of a database (from 0) that has the property: its value is copied to
   value. *length 0: none yet, or its value is longer than room; call again. ERR_NOT_FOUND at the end of the
   database, or when there is no such one; ERR_UNAVAILABLE when it is not mounted. Takes some seeks for each
   mailbox, and none for its items. */
enum err_code store_holder_next(struct store *store, unsigned database, const char *name,
                                struct store_holder *at, uint8_t *value, size_t room,
                                size_t *length, struct err *err);

/* Expunged items that can still be brought back, in the order in which they will go for good. */
struct store_recoverable_id {
    uint64_t expiry; /* Unix time */
    uint64_t item_id;
};
struct store_recoverable {
    struct store_recoverable_id id;
    int64_t removed;               /* Unix time */
    uint32_t folder;               /* where it was */
    char name[STORE_NAME_MAX + 1]; /* of that folder, then */
    struct store_item item;        /* as it was; its content can be opened */
};

/* The one behind *entry, which is zeroed for the first. Damaged rows are passed over, with a line in the
   log. ERR_NOT_FOUND at the end. */
enum err_code store_recoverable_next(struct store_read *read, struct store_recoverable *entry,
                                     struct err *err);

/* What can be brought back, in sum. In a database from before format 2 this reads all of it. */
enum err_code store_recoverable_usage(struct store_read *read, struct store_usage *usage,
                                      struct err *err);

/* What settings.recovery_of says of some mailbox has changed: what has been kept longer than its mailbox's
   time goes, in the background. Any thread. */
void store_recovery_changed(struct store *store);

/* \Recent: uids from the returned one up are recent for this caller, and for nobody after it: a
   watermark in memory for each folder, set to uid_next by a claim. peek does not move it. */
uint32_t store_recent_claim(struct store_mailbox *mailbox, uint32_t folder, uint32_t uid_next);
uint32_t store_recent_peek(struct store_mailbox *mailbox, uint32_t folder);

/* ---- content ------------------------------------------------------------------------------ */

/* An item's bytes, readable after the snapshot has ended and even after the item is expunged: as long
   as it is open its segments are not recycled. */
struct store_content;

enum err_code store_content_open(struct store_read *read, const struct store_item *item,
                                 struct store_content **content, struct err *err);
void store_content_close(struct store_content **content);
uint64_t store_content_size(const struct store_content *content);

/* Up to length bytes from offset; *got is 0 only at the end. Holds at most one piece (256 KB) in
   memory between calls. Disk access: see store_content_warm. ERR_CORRUPT when a checksum fails. */
enum err_code store_content_read(struct store_content *content, uint64_t offset, void *bytes,
                                 size_t length, size_t *got, struct err *err);

/* Reads the piece that holds offset if that needs no waiting for the disk: true when it is in memory now. Where it
   is false, leave the reading to a worker. */
bool store_content_warm(struct store_content *content, uint64_t offset);

/* A message on its way in: bytes as they come, compressed and, when long, already written to segments
   by the caller's thread. Bound to one database; reference counted. */
struct store_draft;

/* ERR_LIMIT (content budget, message size) and ERR_UNAVAILABLE (disk full) refuse. expected: bytes
   to come, 0 when unknown. */
enum err_code store_draft_create(struct store *store, unsigned database, uint64_t expected,
                                 struct store_draft **draft, struct err *err);
enum err_code store_draft_append(struct store_draft *draft, const void *bytes, size_t length,
                                 struct err *err);
enum err_code store_draft_finish(struct store_draft *draft, struct err *err);
uint64_t store_draft_size(const struct store_draft *draft);
struct store_draft *store_draft_ref(struct store_draft *draft);
void store_draft_unref(struct store_draft **draft); /* a draft that no item took leaves no trace */

/* ---- writing ------------------------------------------------------------------------------ */

enum store_op_kind {
    OP_APPEND,  /* a finished draft becomes an item */
    OP_FLAGS,   /* change flags of uids */
    OP_EXPUNGE, /* remove uids */
    OP_COPY,    /* copy uids to another folder of the mailbox */
    OP_MOVE,
    OP_FOLDER_CREATE,
    OP_FOLDER_RENAME,  /* name and/or parent */
    OP_FOLDER_DELETE,  /* with its items; ERR_EXISTS while it has children */
    OP_PROPERTY_SET,   /* value of length 0 removes */
    OP_PROPERTIES_SET, /* several of a folder, or of the mailbox, together: all or none */
    OP_MAILBOX_REMOVE, /* all of it */
    OP_MAILBOX_CREATE, /* the store's own: store_mailbox_open() */
    OP_RECOVER,        /* bring expunged items back into a folder */
    OP_PURGE,          /* end expunged items before their time */
    OP_FOLDER_ADOPT,   /* another server's UIDVALIDITY: ERR_EXISTS once a uid was given under one's
                          own. UIDNEXT is raised to at least uid_next */
    OP_REPAIR,         /* the store's own: store_repair(). It has no mailbox */
};

#define STORE_RECOVER_MOST 256u /* items of one operation */

enum store_flags_mode { FLAGS_ADD, FLAGS_REMOVE, FLAGS_REPLACE };

struct store_property {
    const char *name;
    const void *value;
    size_t length;
};

/* Keywords by name, as operations give them; the writer maps them to the folder's bits and makes those
   that are missing (ERR_LIMIT when the folder has 128). */
struct store_keyword_names {
    const char *const *names;
    unsigned count;
};

struct store_op {
    enum store_op_kind kind;
    struct store_mailbox *mailbox; /* the caller keeps its reference until done */

    /* Called once on the writer's thread when the operation is durable or has failed, after the watches:
       hand over to your own thread (loop_post) and return. */
    void (*done)(struct store_op *op);
    void *context; /* the caller's; watches are told it, to be compared (struct store_change) */

    /* Arguments. All pointers stay the caller's and must live until done. */
    uint32_t folder; /* APPEND, FLAGS, EXPUNGE, COPY/MOVE (source), FOLDER_*, PROPERTY, RECOVER
                        (where they go) */
    const struct uidset *uids; /* FLAGS, EXPUNGE, COPY, MOVE; uids that are gone are passed over */
    union {
        struct {
            struct store_draft *draft;
            struct store_flags flags; /* only .system is used */
            struct store_keyword_names keywords;
            int64_t internal_date;
            int16_t zone;
            uint32_t header_size;
            bool no_final_newline; /* recorded in the item: see struct store_item */
            uint32_t
                least_uid;     /* the item's uid is this where it is free, else the next; 0: next */
            uint64_t email_id; /* random, the same for all recipients of a delivery */
            uint64_t thread_id;
            const void *summary; /* or NULL */
            size_t summary_length;
            const struct store_property *properties; /* of the item */
            unsigned property_count;
            uint64_t quota_bytes; /* ERR_LIMIT when the mailbox would hold more; 0: no limit */
            uint64_t quota_messages;
            uint32_t replaced_folder, replaced_uid; /* this item is expunged together with the
                                append, which fails when it is no more; 0: none. Its room is counted as free */
        } append;
        struct {
            enum store_flags_mode mode;
            uint32_t system;
            struct store_keyword_names keywords;
            uint32_t kept_system; /* these are left alone, whatever the mode */
            bool keeps_keywords;  /* and so are all keywords */
            uint64_t
                unchanged_since; /* items with a greater modseq are left alone; UINT64_MAX: all */
        } flags;
        struct {
            bool only_deleted; /* only those that have \Deleted at that moment */
        } expunge;
        struct {
            uint32_t target;                      /* folder */
            uint64_t quota_bytes, quota_messages; /* COPY only */
        } copy;
        struct { /* RECOVER, PURGE; what is not there any more is passed over */
            const struct store_recoverable_id *ids;
            size_t count; /* at most STORE_RECOVER_MOST */
            bool erase;   /* PURGE: contents that nothing else has leave the disk soon */
        } recover;
        struct {
            uint32_t parent;
            const char *name; /* one level */
            enum store_special_use use;
            enum store_class class;
            uint64_t quota_folders; /* ERR_LIMIT when the mailbox would have more; 0: no limit */
        } create;
        struct {
            uint32_t parent;
            const char *name;
        } rename;
        struct {
            uint32_t uid_validity, uid_next;
        } adopt;
        struct {
            struct mend_task *task;
        } repair;
        struct {
            uint64_t item_id; /* 0: the folder's (or with folder 0 the mailbox's) */
            struct store_property property;
        } property;
        struct {
            const struct store_property *list; /* no name twice; length 0 removes */
            unsigned count;
            const char *const
                *counted; /* NULL-terminated: of each of these beginnings of names there
                                           may be so many properties as most; NULL: no limit */
            unsigned
                most; /* ERR_LIMIT, with over_quota, when there would be more than that, and more
                              than before */
        } properties;
    } in;

    /* Results, valid in and after done. */
    struct err err;  /* code ERR_NONE: durable */
    bool over_quota; /* the limit that ERR_LIMIT speaks of is the quota, or in.properties.most */
    bool item_gone;  /* ERR_NOT_FOUND speaks of the item to be replaced, not of a folder */
    uint64_t modseq; /* that the operation was given; 0 when it changed nothing */
    union {
        struct {
            uint32_t uid, uid_validity;
            uint64_t item_id;
        } append;
        struct {
            struct uidset changed; /* flags: whose flags did change; release it */
            struct uidset refused; /* because of unchanged_since; release it */
        } flags;
        struct {
            struct uidset removed; /* release it */
        } expunge;
        struct {
            uint32_t uid_validity; /* of the target */
            struct uidset source;  /* what was copied or moved, in uid order; release it */
            uint32_t first;        /* uids in the target: first … first + size - 1; 0 for none */
        } copy;
        struct {
            size_t count; /* recovered or purged */
        } recover;
        struct {
            uint32_t folder, uid_validity;
        } create;
    } out;

    struct store_op *next; /* the store's own; see store_submit_all */
};

/* Hands an operation over; done follows, never from within this call. */
void store_submit(struct store_op *op);

/* Hands over several operations on mailboxes of one database that are applied in one transaction
   (recipients of one message; a MULTIAPPEND). all_or_none, for OP_APPEND only: one that fails makes
   the others fail too with its error. done is called for each. */
void store_submit_all(struct store_op **ops, size_t count, bool all_or_none);

/* Submits and waits for done (which must be unset): for tools, start-up and worker threads only,
   never a loop. Returns op->err.code. */
enum err_code store_run(struct store_op *op);

/* The same for several together, as store_submit_all() without all_or_none. */
void store_run_all(struct store_op **ops, size_t count);

/* ---- the change feed ---------------------------------------------------------------------- */

enum store_change_kind {
    CHANGE_NEW = 1, /* items came */
    CHANGE_FLAGS = 2,
    CHANGE_GONE = 4,    /* items went */
    CHANGE_FOLDERS = 8, /* created, renamed, deleted, or given another UIDVALIDITY */
    CHANGE_PROPERTY =
        16, /* a property of the folder, or of the mailbox (folder 0), has another value, or
                             came or went; told for each by itself. Those of items are not told */
};

/* What one batch changed in a folder, all kinds but CHANGE_PROPERTY together. */
struct store_change {
    uint32_t folder;
    uint64_t modseq;
    unsigned kinds;       /* enum store_change_kind bits */
    const char *property; /* CHANGE_PROPERTY: its name; good during the call. Else NULL */
    const void *by; /* context of the operations that made it; NULL: they had several, or it was
                             housekeeping. It is there to be compared, and may point nowhere by now */
};

/* Embed it. changed is called on the writer's thread after a commit: hand over and return. */
struct store_watch {
    void (*changed)(struct store_watch *watch, const struct store_change *change);
    struct store_mailbox *mailbox; /* the store's own */
    struct store_watch *next, *previous;
    uint32_t folder;
};

/* folder 0 watches all of the mailbox. After store_watch_remove has returned, changed is neither
   running nor called again. Not to be called from within changed. */
void store_watch_add(struct store_mailbox *mailbox, uint32_t folder, struct store_watch *watch);
void store_watch_remove(struct store_watch *watch);

#endif
