/* LIST and its extensions: what its files share. list_parse.c reads what is asked for, list_tell.c decides
   and tells of one name, cmd_list.c goes from name to name. */
#ifndef IMAP4_LIST_H
#define IMAP4_LIST_H

#include "mailbox-backend/imap4/pattern.h"
#include "mailbox-backend/imap4/place.h"

#define LIST_PATTERNS_MAX 32u

/* Bytes of patterns with which a name costs as much again as without any: it is matched in the product of
   both lengths, and so fewer are looked at in one slice. */
#define LIST_PATTERN_SHARE ((size_t)32)

enum list_option { /* bits */
                   LIST_SUBSCRIBED = 1,
                   LIST_SPECIAL_USE = 2,
                   LIST_RECURSIVE = 4,
};

struct list_request {
    unsigned select;                   /* enum list_option bits */
    bool tells_subscribed;             /* RETURN (SUBSCRIBED), or asked for by selection */
    unsigned status;                   /* RETURN (STATUS …): status_take_items() */
    bool tells_rights;                 /* RETURN (MYRIGHTS), RFC 8440 */
    struct metadata_request *metadata; /* RETURN (METADATA …), RFC 9590; or NULL */
    bool extended;                     /* RFC 5258: options or a list of patterns were given */
    struct str *patterns;              /* UTF-8; the arena's */
    unsigned pattern_count;            /* without the empty ones */
    size_t pattern_bytes;              /* of them together */
};

/* What the names that are told are read from. */
struct list_source {
    struct store_read *own;  /* the user's mailbox: subscriptions */
    struct store_read *read; /* the mailbox whose folders are told; own, or another's: */
    bool is_foreign;
    unsigned rights; /* enum right bits: to the folder that is told */
};

/* Takes all of LIST's arguments. When it returns false the answer has been given. */
bool list_take(struct command *command, struct list_request *request);

/* Takes a pattern behind its reference: both joined and decoded to UTF-8. When it returns false the answer
   has been given. */
bool list_take_pattern(struct command *command, struct str *pattern);

/* Whether a whole path matches one of the patterns; INBOX in any case. */
bool list_matches(const struct list_request *request, struct str path);

/* Tells of a folder whose path matches, if it is selected or, with RECURSIVEMATCH, something below it
   is that matches no pattern. */
enum err_code list_tell_folder(struct command *command, const struct list_request *request,
                               const struct list_source *source, const struct store_folder *folder,
                               struct str path, struct err *err);

/* Tells of a name above others' folders, which is no folder itself. */
void list_tell_level(struct command *command, const struct list_request *request, struct str path);

/* The same for a subscribed path without a folder and, with RECURSIVEMATCH, for those above it that
   have none either; each is told once, whatever is subscribed. */
enum err_code list_tell_missing(struct command *command, const struct list_request *request,
                                struct store_read *read, struct str path, struct err *err);

/* Tells of a place that was not asked for by LIST, whether there is such a folder or not, in a snapshot of its mailbox; old_name, if its data is
   not NULL, as its OLDNAME (RFC 9051 section 6.3.9.7). */
enum err_code list_tell_one(struct command *command, struct store_read *read,
                            const struct place *place, struct str old_name, struct err *err);

/* Tells of a normalised name, of others' folders as well, with \Subscribed where it is subscribed, for NOTIFY
   (RFC 5465 sections 5.4 and 5.5). own: a snapshot of the user's own mailbox. */
enum err_code list_tell_changed(struct command *command, struct store_read *own, struct str path,
                                struct str old_name, struct err *err);

/* "\Sent", or NULL. */
const char *list_use_name(enum store_special_use use);
/* USE_NONE: no folder can have such a use. */
enum store_special_use list_use_of(struct str name);

#endif
