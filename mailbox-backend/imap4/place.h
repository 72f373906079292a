/* Where a mailbox name leads: into the user's own mailbox or, below one of the two namespaces of others
   (RFC 2342), into another mailbox of this back end, in which the user has what its ACLs give (RFC
   4314). Every command goes from a name to a folder through here. */
#ifndef IMAP4_PLACE_H
#define IMAP4_PLACE_H

#include "mailbox-backend/imap4/imap4.h"
#include "mailbox-backend/mailbox/acl.h"

enum place_kind { PLACE_OWN, PLACE_OTHER_USER, PLACE_SHARED };

/* The first level of the names of others' folders; NULL for PLACE_OWN. */
const char *place_namespace(enum place_kind kind);

/* A folder of the user's own that was there under that name before hides the namespace: it stays what it was. */
enum err_code place_is_hidden(const struct imap *imap, enum place_kind kind, bool *hidden,
                              struct err *err);

/* The next owner, behind *guid ({0} at first), that may have given the user something and is of this kind. The account
   is in arena. Not on a loop unless grants_are_few(). ERR_NOT_FOUND at the end. */
enum err_code place_next_owner(const struct imap *imap, enum place_kind kind,
                               struct store_guid *guid, struct arena *arena, struct account *owner,
                               struct err *err);

struct place {
    enum place_kind kind;
    struct str name; /* the whole, normalised, as the client is told it; the arena's, as path is */
    struct str path; /* within the mailbox, as path_find() takes it; "" for the top */
    struct store_mailbox
        *mailbox;    /* good until the command ends; NULL: no such user, or nothing yet */
    unsigned rights; /* enum right bits that the user has; of others' folders once they are found */
};

/* The place of a normalised name. Nothing of others' mailboxes is told by whether this fails. */
enum err_code place_of(struct command *command, struct str name, struct place *place,
                       struct err *err);

/* The same for names that a command meets by the thousand: what it takes is arena's, and lasts until place_leave(). */
enum err_code place_look(const struct imap *imap, struct str name, struct arena *arena,
                         struct place *place, struct err *err);
void place_leave(struct place *place);

/* Takes a mailbox name, as command_take_path() does, but of others too. When it returns false the answer has
   been given. */
bool command_take_place(struct command *command, struct place *place);

/* The same for a name that was parsed before. */
bool command_place(struct command *command, struct str name, struct place *place);

/* Begins a snapshot of the place's mailbox, which is the one of command_read() and command_submit() from now
   on. When it returns false the answer has been given; so it has where there is no such mailbox. */
bool place_read(struct command *command, const struct place *place, struct store_read **read);

/* What a right is needed on, for commands that name folders. */
enum rights_on {
    ON_NAMED,    /* the folder that the command names first */
    ON_PARENT,   /* the nearest existing one above a name that is to be made */
    ON_TARGET,   /* the folder that messages go to */
    ON_URL,      /* a folder that a URL names */
    ON_SELECTED, /* the selected folder */
};

/* Finds the place's folder in a snapshot of its mailbox, and fills in place->rights. ERR_NOT_FOUND when it is not there
   or may not be seen; ERR_DENIED when the user lacks a right that the running command needs on it. */
enum err_code place_find(const struct command *command, struct place *place, enum rights_on on,
                         struct store_read *read, struct store_folder *folder, struct err *err);

/* What the user may do to a folder of a mailbox that is not theirs: enum right bits. */
enum err_code place_rights(const struct command *command, struct store_read *read, uint32_t folder,
                           unsigned *rights, struct err *err);

/* Whether any folder of another's mailbox below this one may be seen; below STORE_ROOT_FOLDER: any at all. */
enum err_code place_has_visible(const struct command *command, struct store_read *read,
                                uint32_t folder, bool *has, struct err *err);

/* ---- rights.c: RFC 4314 section 4 as one table ---- */

/* What is missing of the rights that a command needs on one of its folders, enum right bits; 0 when it may go
   on. A command that the table does not have is for one's own folders only: RIGHT_OF_NOBODY. */
#define RIGHT_OF_NOBODY (1u << 31)
unsigned rights_lacking(const struct imap_command *entry, enum rights_on on, unsigned rights);

/* The system flags that may be set and cleared with these rights: \Deleted wants t, \Seen s, the others w,
   as keywords do. */
uint32_t rights_flags(unsigned rights);

/* cmd_acl.c: "* MYRIGHTS INBOX lrs". */
void my_rights_tell(struct command *command, struct str name, unsigned rights);

/* ---- selected.c: what may be done to another's folder that is selected ---- */

/* Reads it anew, for the running command; tells PERMANENTFLAGS where it has changed. Does nothing where one's own
   folder is selected, or none, or one that is no more. When it fails there are no rights until it is read again. */
enum err_code selected_refresh(struct command *command, struct err *err);

/* The same, and false when the running command may not do its work there: the answer has been given. */
bool selected_check(struct command *command);

#endif
