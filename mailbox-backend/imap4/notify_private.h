/* Inside NOTIFY: what its files share. notify_parse.c reads what is asked for, notify_match.c decides
   which of it holds for a folder, notify_feed.c gathers what the store's writer tells, notify_names.c and
   notify_subscriptions.c know what the client knows of names, notify_tell.c tells, cmd_notify.c is the command,
   notify.c what the engine sees of all this. */
#ifndef IMAP4_NOTIFY_PRIVATE_H
#define IMAP4_NOTIFY_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "mailbox-backend/imap4/notify.h"

enum notify_event { /* bits */
                    NOTIFY_NEW = 1,
                    NOTIFY_EXPUNGE = 2,
                    NOTIFY_FLAGS = 4,
                    NOTIFY_NAME = 8,
                    NOTIFY_SUBSCRIPTION = 16,
                    NOTIFY_METADATA = 32,        /* of a folder */
                    NOTIFY_SERVER_METADATA = 64, /* whatever the group is about */
};
#define NOTIFY_OF_MESSAGES ((unsigned)(NOTIFY_NEW | NOTIFY_EXPUNGE | NOTIFY_FLAGS))

/* ---- what is asked for ---- */

#define NOTIFY_NAMES_MAX 1000u          /* of SUBTREE and MAILBOXES together */
#define NOTIFY_FETCH_MAX ((size_t)4096) /* bytes of MessageNew's list */

enum notify_filter {
    NOTIFY_PERSONAL, /* and INBOXES: LMTP delivers to any folder that an address's detail names */
    NOTIFY_SUBSCRIBED,
    NOTIFY_SUBTREE,
    NOTIFY_MAILBOXES,
};

struct notify_group {
    struct notify_group *next;
    enum notify_filter filter;
    unsigned events;   /* enum notify_event bits; 0: NONE */
    struct str *names; /* SUBTREE, MAILBOXES: normalised paths */
    size_t count;
};

struct notify_spec {
    struct arena arena;
    bool status;                 /* STATUS of each folder is told at once */
    struct notify_group *groups; /* of folders that are not selected */
    bool has_selected;
    bool delayed;      /* SELECTED-DELAYED */
    unsigned selected; /* events */
    struct str fetch;  /* what to fetch of new messages, in parentheses; length 0: nothing */
    size_t names;
};

/* What became of the parsing. */
enum notify_parsed {
    NOTIFY_PARSED,
    NOTIFY_INVALID,   /* args.fault says why */
    NOTIFY_BAD_EVENT, /* an event that is not supported */
    NOTIFY_TOO_MUCH,
};

/* Takes all behind "SET ". */
enum notify_parsed notify_parse(struct command *command, struct notify_spec *spec);

/* "BADEVENT (MessageNew …)" */
extern const char notify_bad_event[];

/* Events of all groups together. */
unsigned notify_all_events(const struct notify_spec *spec);

/* Those that are asked for of a folder that is not selected, by its path. subscribed: it is, or was
   until now. */
unsigned notify_events_of(const struct notify_spec *spec, struct str path, bool subscribed);

/* Whether a group for it exists at all, with NONE as well. */
bool notify_is_named(const struct notify_spec *spec, struct str path, bool subscribed);

/* ---- what changed ---- */

#define NOTIFY_CHANGES_MAX ((size_t)4096) /* folders that wait to be told of */

struct notify_change {
    uint32_t folder;
    unsigned kinds; /* enum store_change_kind bits */
};

#define NOTIFY_ENTRIES_MAX 256u /* of METADATA that wait to be told of */

struct notify_entry {
    uint32_t folder; /* 0: the server's */
    char *name;      /* free it */
};

/* Filled on the writer's thread. */
struct notify_feed {
    struct session_watcher watcher;
    pthread_mutex_t lock; /* of what follows */
    unsigned kinds;       /* enum store_change_kind bits that are wanted of folders */
    bool wants_names, wants_subscriptions, wants_metadata, wants_server_metadata;
    struct notify_change *changes; /* in the order of their folders */
    atomic_size_t count;           /* may be read without the lock */
    size_t room;
    struct notify_entry *entries; /* NOTIFY_ENTRIES_MAX, or NULL */
    atomic_uint entry_count;
    bool names, subscriptions; /* some may have changed */
    bool overflow;
    atomic_bool any; /* a look is worth it */
};

void notify_feed_init(struct notify_feed *feed);
void notify_feed_release(struct notify_feed *feed);

/* Listens to a mailbox for what those events need; 0: to nothing more, and forgets what it has. What it has
   of before is kept. */
void notify_feed_listen(struct notify_feed *feed, struct session *session,
                        struct store_mailbox *mailbox, unsigned events, unsigned selected);

/* A change that nobody told: the folder was left before all of it was told. */
void notify_feed_add(struct notify_feed *feed, uint32_t folder);

/* Whether a folder or an entry waits there. */
bool notify_feed_has(const struct notify_feed *feed);

/* Takes up to room changes off. */
size_t notify_feed_take(struct notify_feed *feed, struct notify_change *changes, size_t room);

/* Takes an entry of METADATA off; false: there is none. */
bool notify_feed_take_entry(struct notify_feed *feed, struct notify_entry *entry);

/* ---- names that the client knows (MailboxName) ---- */

#define NOTIFY_FOLDERS_MAX ((size_t)10000)

struct notify_folder {
    uint32_t id, parent;
    bool is_placeholder;
    bool is_gone; /* told, but folders below it may yet need its name */
    char *name;
};

struct notify_names {
    struct notify_folder *folders; /* by id */
    size_t count, room;
    uint32_t at; /* the pass has come to here */
};

void notify_names_release(struct notify_names *names);

/* The next slice of a pass through all folders: what differs from what the client knows is told, where
   spec is not NULL, and known from then on. ERR_LIMIT: there are too many. *done: it was the last. */
enum err_code notify_names_pass(struct command *command, struct notify_names *names,
                                const struct notify_spec *spec, struct store_read *read, bool *done,
                                struct err *err);

/* What an operation of the session's own did to them. */
void notify_names_learn(struct notify_names *names, const struct store_op *op);

/* ---- subscriptions that the client knows (SubscriptionChange) ---- */

#define NOTIFY_SUBSCRIPTIONS_MAX ((size_t)10000)

struct notify_subscriptions {
    char **paths; /* sorted */
    size_t count, room;
};

void notify_subscriptions_release(struct notify_subscriptions *known);

/* As notify_names_pass(), while there is room for output. */
enum err_code notify_subscriptions_pass(struct command *command, struct notify_subscriptions *known,
                                        const struct notify_spec *spec, struct store_read *read,
                                        bool *done, struct err *err);

void notify_subscriptions_learn(struct notify_subscriptions *known, struct str path,
                                bool subscribed);

/* ---- the session's ---- */

/* Milliseconds after telling of other folders in which more changes are gathered. */
#define NOTIFY_PAUSE 500u

struct notify {
    struct notify_spec *spec;     /* NULL: NOTIFY NONE */
    struct notify_feed feed;      /* of the user's own mailbox */
    struct notify_feed elsewhere; /* of another's, while one of its folders is selected */
    struct notify_names names;
    struct notify_subscriptions subscriptions;

    bool selected; /* the selected folder changed */
    bool names_due, subscriptions_due;
    bool names_again; /* they changed in the middle of a pass, which may have passed over them */
    bool paused;
    bool failed;           /* changes were lost: NOTIFICATIONOVERFLOW */
    bool was_last;         /* told, and no command of the client's since */
    struct uidset arrived; /* to be fetched for the client */
    struct uidset own;     /* messages that it brought by itself */
};

struct notify *notify_create(void); /* NOTIFY NONE; notify_destroy() */
void notify_spec_destroy(struct notify_spec **spec);

/* A folder of the user's own that is selected. */
bool notify_is_selected(const struct imap *imap, uint32_t folder);

/* Takes what the feed has for the selected folder and of names. */
void notify_gather(struct imap *imap);

/* Something of other folders is to be told now. */
bool notify_has_more(const struct imap *imap);

/* NOTIFY NONE, or what behaves like it. */
void notify_stop(struct imap *imap);

/* Tells the status of a folder that is not selected, as far as its events ask for it; no news of a
   folder that is not there, or a placeholder. initial: for NOTIFY SET STATUS. */
enum err_code notify_tell_status(struct command *command, const struct notify_spec *spec,
                                 struct store_read *read, uint32_t folder, unsigned kinds,
                                 bool initial, struct err *err);

/* The run of the engine's own command. */
enum step notify_tell(struct command *command);

#endif
