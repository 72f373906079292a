/* Access control lists (RFC 4314): who else may do what to a folder. They are a property of the folder, so
   that they are journaled, backed up and removed with it; users are kept by GUID, so that a name that is
   given to somebody else gives nothing. The owner of a mailbox has every right, and is in no list. */
#ifndef MAILBOX_ACL_H
#define MAILBOX_ACL_H

#include "common/arena.h"
#include "common/buf.h"
#include "mailbox-backend/store/store.h"

enum right {                      /* bits; RFC 4314 section 2.1 */
             RIGHT_LOOKUP = 1,    /* l: the folder is seen */
             RIGHT_READ = 2,      /* r */
             RIGHT_SEEN = 4,      /* s: \Seen */
             RIGHT_WRITE = 8,     /* w: other flags than \Seen and \Deleted */
             RIGHT_INSERT = 16,   /* i: APPEND, COPY into it */
             RIGHT_POST = 32,     /* p: kept, but nothing here asks for it */
             RIGHT_CREATE = 64,   /* k: folders below it */
             RIGHT_DELETE = 128,  /* x: the folder itself */
             RIGHT_MARK = 256,    /* t: \Deleted */
             RIGHT_EXPUNGE = 512, /* e */
             RIGHT_ADMIN = 1024,  /* a: the list itself */
};
#define RIGHTS_ALL 2047u

#define ACL_PROPERTY "acl"
#define ACL_ENTRIES_MAX 64u
#define ACL_VALUE_MAX (1 + ACL_ENTRIES_MAX * 19) /* bytes of the property */
#define ACL_ANYONE "anyone"

struct acl_entry {
    bool is_anyone;         /* every user of this back end */
    bool is_negative;       /* takes the rights away, whatever others give */
    struct store_guid guid; /* of the user, unless is_anyone */
    unsigned rights;        /* enum right bits, one at least */
};

struct acl {
    unsigned count;
    struct acl_entry entries[ACL_ENTRIES_MAX];
};

/* The rights of letters, the old "c" being kx and "d" te (section 2.1.1). False for a letter that is none. */
bool acl_rights_parse(struct str letters, unsigned *rights);

/* Appends letters, "c" and "d" where they are due. */
void acl_rights_write(struct buf *out, unsigned rights);

/* What the list gives a user: what entries for them and for anyone give together, without what negative ones
   take away. */
unsigned acl_rights(const struct acl *acl, const struct store_guid *user);

/* Reads a property's value. ERR_CORRUPT, too, for one of a newer version. */
enum err_code acl_unpack(const uint8_t *value, size_t length, struct acl *acl, struct err *err);

/* The list of a folder, empty where it has none. */
enum err_code acl_read(struct store_read *read, uint32_t folder, struct acl *acl, struct err *err);

/* Changes what an entry has: one that is left without rights goes, one that is new is appended. what says whose
   entry it is. ERR_LIMIT when the list is full. */
enum acl_change { ACL_SET, ACL_ADD, ACL_REMOVE };
enum err_code acl_change(struct acl *acl, const struct acl_entry *what, enum acl_change change,
                         struct err *err);

/* The property that makes acl a folder's list; its value comes from arena. */
void acl_property(struct arena *arena, const struct acl *acl, struct store_property *property);

#endif
