/* Inside the IMAP4 engine: the session, the running command, and what handlers share. One family of
   commands, one cmd_*.c; commands.c has the table.

   A command runs in steps. Its handler (run) parses the arguments, does what can be done now and
   returns; it may set command->run to another function where the next step goes on. What it returns:
     STEP_MORE   command_has_room() was false
     STEP_WAIT   from command_submit()
     STEP_WORK   the next step is long, and why lacks WHY_WORKER
     STEP_NEXT   a fair share was done; or the command ended, see below
     STEP_IDLE   it wants input or a wake (IDLE, APPEND and REPLACE only)
   A command ends by `return command_ok(…)`, command_no(), command_bad() or command_fail(): these
   keep the answer. The engine then tells the client what changed in the selected folder, writes the
   tagged line and logs it. A snapshot (store_read) never outlives a step. */
#ifndef IMAP4_IMAP4_H
#define IMAP4_IMAP4_H

#include "common/arena.h"
#include "common/buf.h"
#include "mailbox-backend/imap4/compress.h"
#include "mailbox-backend/imap4/input.h"
#include "mailbox-backend/imap4/parse.h"
#include "mailbox-backend/mailbox/view.h"
#include "mailbox-backend/session.h"

enum imap_state { /* bits, for the command table */
                  STATE_AUTH = 1,
                  STATE_SELECTED = 2,
                  STATE_ANY = STATE_AUTH | STATE_SELECTED,
};

enum command_flags {
    CMD_UID = 1,        /* message numbers are uids, FETCH responses carry the UID */
    CMD_NO_EXPUNGE = 2, /* no EXPUNGE may be told before its tagged line (RFC 3501 section 7.4.1) */
    CMD_WRITES = 4,     /* refused where the folder is selected read-only */
    CMD_STREAM = 8,     /* takes its last literal from the input by itself */
    CMD_NO_ARGS = 16,   /* takes no arguments: checked by the dispatcher */
    CMD_MAY_ARGS = 64,  /* takes arguments, the space before them included, or none */
    CMD_NUMBERS = 32,   /* speaks of message numbers: not once UIDONLY is enabled (RFC 9586) */
};

struct command;
struct notify;

/* A mailbox that a command holds a reference to until it ends. */
struct borrowed {
    struct store_mailbox *mailbox;
    struct borrowed *next;
};

struct imap_command {
    const char *name; /* "FETCH", "UID FETCH" */
    unsigned states;  /* enum imap_state bits; 0: never valid after login */
    unsigned flags;   /* enum command_flags bits */
    enum step (*run)(struct command *command);
};

enum command_result { RESULT_NONE, RESULT_OK, RESULT_NO, RESULT_BAD };

/* The one command of a session that runs. */
struct command {
    struct imap *imap;
    struct arena arena; /* ends with the command */
    const struct imap_command *entry;
    struct str tag;
    struct parse args; /* behind the command's name and the space there */
    struct str given;  /* the newest mailbox name, in UTF-8, as it was before it was normalised */
    struct store_mailbox
        *mailbox; /* of command_read() and command_submit(): at first that of the selected folder
                                      for commands that want one, else the user's own */
    struct borrowed *borrowed;
    unsigned why; /* of this call of advance(): enum session_why bits */
    enum step (*run)(struct command *command);

    void *data;                               /* the handler's own, in the arena */
    void (*cleanup)(struct command *command); /* frees what the arena does not; or NULL */
    struct uidset uids; /* the messages it is about: command_take_uids(); freed by the engine */
    uint32_t uid;       /* of them, the next to be worked on: free for the handler */
    struct store_op op; /* for command_submit(); what is in .out is freed by the engine */
    bool in_answer; /* an untagged answer is begun: nothing else may be said until it is whole */
    bool some_gone; /* a message asked for by number has gone: OK becomes NO [EXPUNGEISSUED] */
    bool by_number; /* a command by uid speaks of sequence numbers as well: no EXPUNGE then */
    bool tells_all; /* its end tells all changes, whatever NOTIFY has the client wait for */
    bool expunged;  /* its OK tells HIGHESTMODSEQ to who wants it */
    uint32_t
        lowest_done; /* messages of lower uids were left out: message_limit_cut(); 0: none were */
    struct literal literal; /* CMD_STREAM: what the text ends with; size: what is left of it */
    bool has_literal;
    bool literal_comes; /* the client sends it: what the command leaves, the engine drops */

    /* The answer. */
    enum command_result result;
    bool is_inner;    /* the engine's own: it has no tag, and is neither answered nor logged */
    bool answered;    /* the tagged line is written: command_written() */
    const char *code; /* response code without brackets, or NULL; the arena's */
    const char *text;
    const char *detail; /* for the log only, or NULL */
};

/* How far the telling of changes is (update.c). */
enum update_phase { UPDATE_LOOK, UPDATE_EXPUNGE, UPDATE_EXISTS, UPDATE_FLAGS, UPDATE_DONE };

struct update {
    enum update_phase phase;
    struct view_news news;
    uint32_t last_known; /* uids above are news */
    uint32_t next_uid;   /* UPDATE_FLAGS: go on here */
    size_t ranges_left;  /* UPDATE_EXPUNGE: ranges of view->gone to be told … */
    uint32_t uids_left;  /* … and uids of the last of them */
};

enum imap_enabled { /* bits: for the whole session */
                    ENABLED_CONDSTORE = 1,
                    ENABLED_QRESYNC = 2,
                    ENABLED_UTF8 = 4, /* names and quoted strings are UTF-8, in both directions */
                    ENABLED_UTF8_ACCEPT = 8, /* and the other rules of RFC 6855 hold */
                    ENABLED_REV2 = 16, /* answers of IMAP4rev2 (RFC 9051) in place of IMAP4rev1's */
                    ENABLED_UIDONLY = 32, /* no message numbers in either direction (RFC 9586) */
};

/* Whose folder is selected. */
struct selected {
    struct store_mailbox *mailbox; /* the view's */
    bool is_foreign;               /* not in the user's own mailbox */
    unsigned rights; /* enum right bits: all in one's own, else as of the command that began last */
};

/* One IMAP4 session. */
struct imap {
    struct session *session;
    struct store_mailbox *mailbox; /* the user's own */
    struct view *view;             /* of the selected folder; NULL when none is */
    struct selected selected;
    bool read_only;      /* EXAMINE, or no right to change anything */
    bool ended;          /* LOGOUT, or BYE was said */
    unsigned enabled;    /* enum imap_enabled bits */
    struct uidset saved; /* "$": uids that a search has saved; of the selected folder */
    struct input input;
    struct compress *compress;      /* NULL: bytes go as they are */
    struct compress *compress_next; /* begins behind the tagged line */
    struct command *command;        /* NULL between commands */
    struct command *interrupted;    /* goes on behind the engine's own; or NULL */
    struct notify *notify;          /* NULL: NOTIFY was never given */
    bool told_last;                 /* the last command was the engine's own */
    struct update update;
    struct fetch_tree *fetched; /* of the large message that FETCH parsed last, or NULL */
};

/* ---- bytes, inflated or to be deflated where COMPRESS is active ---- */

struct buf *imap_input(struct imap *imap);
struct buf *imap_output(struct imap *imap);
size_t imap_room(const struct imap *imap); /* as session_room() */

/* ---- output ---- */

struct buf *command_output(struct command *command);
bool command_has_room(const struct command *command);

/* Appends "* ", the text and CRLF. */
void untagged(struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* IMAP4rev2 was enabled. */
bool imap_is_rev2(const struct imap *imap);

/* UIDONLY was enabled: nothing may ask the view for a message number. */
bool imap_is_uid_only(const struct imap *imap);

/* Appends "* 3 EXISTS" and, in IMAP4rev1, "* 1 RECENT". */
void size_tell(struct command *command);

/* Appends "(\Seen $Forwarded)": flags of an item of the selected folder, in IMAP4rev1 \Recent included. Call
   flags_learn() first, so that every keyword has a name that the client knows. */
void flags_write(struct buf *out, const struct imap *imap, const struct store_item *item);

/* Appends "* 1 FETCH (", or "* 7 UIDFETCH (" once UIDONLY is enabled. */
void fetch_begin(struct command *command, uint32_t uid);

/* Appends "* 1 FETCH (FLAGS (\Seen))", after the same preparation; with the UID where the command is by
   uid or IMAP4rev2 is enabled, with UID and MODSEQ once CONDSTORE is enabled. A UIDFETCH needs no UID. */
void flags_tell_item(struct command *command, const struct store_item *item);

/* Reads the folder's keywords anew where an item has one without a name, and then tells the
   client by FLAGS and PERMANENTFLAGS. Before a run of FETCH responses. */
enum err_code flags_learn(struct command *command, struct store_read *read,
                          const struct store_item *items, size_t count, struct err *err);
/* The same, whether an item needs it or not. */
enum err_code flags_refresh(struct command *command, struct store_read *read, struct err *err);
void flags_tell(struct command *command); /* FLAGS and PERMANENTFLAGS */

/* Appends a folder's path as a mailbox name, an astring: UTF-8 where the client has enabled that, else
   modified UTF-7. */
void mailbox_name_write(struct command *command, struct str path);

/* Appends "1:3,5". */
void uid_ranges_write(struct buf *out, const struct uid_range *ranges, size_t count);

/* ---- condstore.c: mod-sequences (RFC 7162) ---- */

/* A CONDSTORE enabling command was given: the first one is answered with HIGHESTMODSEQ where a folder
   is selected. */
void condstore_enable(struct command *command);
bool condstore_is_enabled(const struct imap *imap);

/* Appends "UID 7 MODSEQ (12)", without the UID in a UIDFETCH. */
void condstore_write(struct command *command, const struct store_item *item);

/* Appends "* 1 FETCH (UID 7 MODSEQ (12))". */
void condstore_tell_item(struct command *command, const struct store_item *item);

/* Before the tagged line: a client that was told mod-sequences while EXPUNGE waits must not
   believe that it knows all up to them (RFC 7162 section 3.2). */
void condstore_tell_delay(struct command *command);

/* Appends "* VANISHED 1:3,5" of at most VANISHED_RANGES ranges, from set->ranges[*at] on. */
#define VANISHED_RANGES ((size_t)512)
void vanished_tell(struct command *command, const struct uidset *set, size_t *at, bool earlier);

/* Of wanted, what vanished after modseq and is not in the view, appended to set. */
enum err_code vanished_since(const struct view *view, struct store_read *read,
                             const struct uidset *wanted, uint64_t modseq, struct uidset *set,
                             struct err *err);

/* ---- arguments ---- */

/* Decodes a mailbox name, or a pattern of names, to UTF-8 in normal form. Where UTF-8 is not enabled it is
   modified UTF-7; one with 8-bit bytes, which that never has, is UTF-8 even so (RFC 6855 section 3).
   ERR_INVALID says what is wrong with it. command->given is what it is in UTF-8 as it came. */
enum err_code command_decode_name(struct command *command, struct str name, struct str *text,
                                  struct err *err);

/* Takes the name of a folder of the user's own: decoded, normalised (path_normalise). Others' folders are refused
   here: place.h has them. When it returns false the answer has been given: end with `return command_ended(command)`. */
bool command_take_path(struct command *command, struct str *path);

/* A name that was parsed before, whoever's it is, decoded and normalised. When it returns false the answer has
   been given. */
bool command_normal_name(struct command *command, struct str name, struct str *path);

/* The same for one that is to be taken. */
bool command_take_name(struct command *command, struct str *path);

/* Takes a sequence set and makes it command->uids: uids of the view, whether the command counts
   by uid or by sequence number. When it returns false the answer has been given (BAD for a
   number that does not exist). */
bool command_take_uids(struct command *command);

/* A parsed set as numbers, "*" being the greatest in use; of uids also those that are not in the
   view. */
void command_numbers_of(const struct command *command, const struct sequence_set *set, bool by_uid,
                        struct uidset *numbers);

/* The same for a set that was parsed before: SEARCH keys. by_uid: the set holds uids. */
bool command_uids_of(struct command *command, const struct sequence_set *set, bool by_uid,
                     struct uidset *uids);

/* ---- the store ---- */

/* Begins a snapshot of command->mailbox. When it returns false the answer has been given. */
bool command_read(struct command *command, struct store_read **read);

/* Submits command->op (mailbox is filled in) and returns STEP_WAIT; command->run is called when
   it is done. */
enum step command_submit(struct command *command);

/* For command->run: the end of a command whose operation was the last thing to do. */
enum step command_op_done(struct command *command);

/* Frees what is in op->out and makes op {0}, ready for the next operation. */
void command_op_release(struct store_op *op);

/* ---- the end of a command: all return STEP_NEXT ---- */

enum step command_ok(struct command *command, const char *text);
enum step command_ok_code(struct command *command, const char *code, const char *text);
enum step command_no(struct command *command, const char *code, const char *text);
enum step command_bad(struct command *command, const char *text);
enum step command_bad_syntax(struct command *command); /* with args.fault */
enum step
command_bad_number(struct command *command); /* a message number once UIDONLY is enabled */
/* Turns an error into NO with its RFC 5530 code. The text of errors that are ours goes to the log,
   not to the client. */
enum step command_fail(struct command *command, const struct err *err);
enum step command_ended(const struct command *command); /* the answer has been given */
/* The command told the changes and wrote its tagged line by itself, as when it is long. */
enum step command_written(struct command *command, enum command_result result);

/* Begins a command of the engine's own; the one that runs, if one does, is called again behind it. entry is
   kept. */
void command_begin_inner(struct imap *imap, const struct imap_command *entry);

/* ---- update.c: telling the client what changed ---- */

/* Tells, while there is room, what changed in the selected folder since it was last told, as far as NOTIFY
   (notify.h) has it: EXPUNGE (where with_expunge), EXISTS, RECENT, FETCH (FLAGS). True when all was told, so that
   the next call looks anew; else `return update_step(command)` and call again. Once it was begun
   it must be brought to its end before anything else uses sequence numbers. */
bool update_run(struct command *command, bool with_expunge);
enum step update_step(const struct command *command);
void update_release(struct update *update);

/* ---- selection (cmd_select.c) ---- */

void imap_unselect(struct imap *imap);

/* ---- capabilities.c ---- */

const char *const *imap_capabilities_before_login(const struct backend *backend,
                                                  struct arena *arena); /* as struct engine's */
void imap_capabilities_write(const struct imap *imap,
                             struct buf *out); /* after login: "IMAP4rev1 IDLE …" */

/* ---- commands.c and the families ---- */

/* Takes a command's name off its text, "UID" and the name behind it included. NULL when there is
   no such command, with *name what was found. */
const struct imap_command *imap_command_take(struct parse *parse, struct str *name);

/* cmd_append.c: whether the literal that text ends with is a message of APPEND or REPLACE. */
bool append_streams(struct str text);

/* fetch_tree.c: frees imap->fetched. */
void fetch_tree_forget(struct imap *imap);

enum step cmd_capability(struct command *command);
enum step cmd_noop(struct command *command);
enum step cmd_logout(struct command *command);
enum step cmd_id(struct command *command);
enum step cmd_enable(struct command *command);
enum step cmd_compress(struct command *command);
enum step cmd_namespace(struct command *command);
enum step cmd_language(struct command *command);
enum step cmd_getacl(struct command *command);
enum step cmd_setacl(struct command *command);
enum step cmd_deleteacl(struct command *command);
enum step cmd_listrights(struct command *command);
enum step cmd_myrights(struct command *command);
enum step cmd_select(struct command *command);
enum step cmd_examine(struct command *command);
enum step cmd_close(struct command *command);
enum step cmd_unselect(struct command *command);
enum step cmd_create(struct command *command);
enum step cmd_delete(struct command *command);
enum step cmd_rename(struct command *command);
enum step cmd_subscribe(struct command *command);
enum step cmd_unsubscribe(struct command *command);
enum step cmd_list(struct command *command);
enum step cmd_lsub(struct command *command);
enum step cmd_status(struct command *command);
enum step cmd_append(struct command *command);
enum step cmd_replace(struct command *command);
enum step cmd_expunge(struct command *command);
enum step cmd_search(struct command *command);
enum step cmd_sort(struct command *command);
enum step cmd_thread(struct command *command);
enum step cmd_uidbatches(struct command *command);
enum step cmd_fetch(struct command *command);
enum step cmd_store(struct command *command);
enum step cmd_copy(struct command *command);
enum step cmd_move(struct command *command);
enum step cmd_idle(struct command *command);
enum step cmd_quota(struct command *command);
enum step cmd_quota_root(struct command *command);
enum step cmd_get_entries(struct command *command);
enum step cmd_set_entries(struct command *command);
enum step cmd_set_quota(struct command *command);
enum step cmd_notify(struct command *command);

#endif
