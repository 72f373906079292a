/* The rules of a mailbox that every protocol shares: opening an account's mailbox with its default
   folders, paths, names. */
#ifndef MAILBOX_MAILBOX_H
#define MAILBOX_MAILBOX_H

#include "common/arena.h"
#include "mailbox-backend/directory/directory.h"
#include "mailbox-backend/store/store.h"

/* Opens the account's mailbox; a new one gets INBOX, Drafts, Sent, Junk, Trash and Archive with
   their special uses, all subscribed. May wait for a commit: worker threads only. */
enum err_code mailbox_open(struct store *store, const struct account *account,
                           struct store_mailbox **mailbox, struct err *err);

/* True when the account's mailbox is there with its default folders, so that mailbox_open() waits for nothing. */
bool mailbox_is_made(struct store *store, const struct account *account);

/* ---- paths: levels joined by "/", UTF-8; "INBOX" in any case is the inbox ---- */

#define PATH_MAX_BYTES 1024

/* Checks and normalises a folder path given by a client: NFC, no empty level, no "." or "..", no
   control characters nor line or paragraph separators (RFC 6855 section 3), no level over STORE_NAME_MAX, depth and length in bounds; the first level
   INBOX in any case becomes "INBOX"; a trailing "/" is dropped (RFC 3501 section 6.3.3).
   ERR_INVALID says why. */
enum err_code path_normalise(struct arena *arena, struct str path, struct str *normal,
                             struct err *err);

/* Gives text, at most 4 times PATH_MAX_BYTES, in normal form C. ERR_INVALID when it is too long or no valid
   UTF-8. */
enum err_code path_nfc(struct arena *arena, struct str text, struct str *nfc, struct err *err);

/* Finds the folder of a normalised path. */
enum err_code path_find(struct store_read *read, struct str path, struct store_folder *folder,
                        struct err *err);

/* The deepest existing ancestor of a normalised path, and how many bytes of the path are beyond it
   (without the "/" between): what CREATE and RENAME need to make missing levels. */
enum err_code path_find_ancestor(struct store_read *read, struct str path,
                                 struct store_folder *folder, struct str *rest, struct err *err);

/* The path of a folder. */
enum err_code path_of(struct store_read *read, const struct store_folder *folder,
                      struct arena *arena, struct str *path, struct err *err);

/* Bytes that the longest path below a folder has behind the folder's own; 0: there is none. */
enum err_code path_length_below(struct store_read *read, uint32_t folder, size_t *length,
                                struct err *err);

/* ---- subscriptions: by path, whether the folder exists or not (RFC 3501 section 6.3.6) ---- */

/* The property that says that a path is subscribed: for an OP_PROPERTY_SET with folder 0 and
   item 0. Names and value come from arena. */
void subscription_property(struct arena *arena, struct str path, bool subscribed,
                           struct store_property *property);
/* Whether a property of the mailbox is such a one, by its name. */
bool subscription_is_property(const char *name);
bool subscription_has(struct store_read *read, struct str path);
/* Goes through the subscribed paths; *cursor "" at first. ERR_NOT_FOUND at the end. */
enum err_code subscription_next(struct store_read *read, char cursor[128], struct arena *arena,
                                struct str *path, struct err *err);

/* The same for those below a path only. */
enum err_code subscription_next_below(struct store_read *read, struct str above, char cursor[128],
                                      struct arena *arena, struct str *path, struct err *err);

/* ---- placeholders: a deleted folder that still has folders below it stays as a name without
   messages, IMAP's \Noselect (RFC 3501 section 6.3.4), until it is created again ---- */

/* The property (of the folder, item 0) that makes a folder a placeholder, or a true folder
   again. */
void placeholder_property(bool is_one, struct store_property *property);
bool placeholder_is_property(const char *name);
/* Nothing is put into a placeholder, and nobody selects it. */
bool placeholder_is(struct store_read *read, const struct store_folder *folder);

#endif
