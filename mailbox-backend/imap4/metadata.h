/* Annotations of folders and of the server (RFC 5464): entries with a name such as /private/comment and any
   octets as their value. They are properties of the folder, or of the user's mailbox for the server's:
   journaled, backed up, moved and removed with it. Names are kept in lower case. */
#ifndef IMAP4_METADATA_H
#define IMAP4_METADATA_H

#include "mailbox-backend/imap4/place.h"

#define METADATA_ENTRY_MAX 200u  /* bytes of a name */
#define METADATA_VALUE_MOST 8191 /* octets: what a property holds, less one */
#define METADATA_NAME_SIZE 256u  /* of a property, and its NUL */

/* Whose entries are meant, and of what. */
struct metadata_place {
    bool is_server; /* the mailbox name was "" */
    struct place place;
    char private_root[48]; /* what stands for /private in properties: another user's entries in the
                              owner's folder are apart from the owner's */
};

/* Takes a mailbox name or "". When it returns false the answer has been given. */
bool metadata_take_place(struct command *command, struct metadata_place *place);

/* Of a folder of the command's mailbox. */
void metadata_place_init(const struct command *command, bool is_foreign,
                         struct metadata_place *place);

/* Takes an entry's name: *shown as it was written, *entry in lower case; both the arena's. whole: it must be
   one that can have a value; else it may be what others stand below. */
bool metadata_take_entry(struct parse *parse, bool whole, const char **shown, const char **entry);

/* NIL ({NULL, 0}), a string or a literal8: any octets. */
bool metadata_take_value(struct parse *parse, struct str *value);

/* The name of the property that an entry is kept in. */
void metadata_property_name(const struct metadata_place *place, const char *entry,
                            char name[METADATA_NAME_SIZE]);

/* The property that gives an entry a value; {NULL, 0} removes it. All from arena. */
void metadata_property(struct arena *arena, const struct metadata_place *place, const char *entry,
                       struct str value, struct store_property *property);

/* An entry's value: {NULL, 0} where it has none. folder is NULL for the server's. bytes is where it may be put. */
enum err_code metadata_get(const struct command *command, const struct metadata_place *place,
                           struct store_read *read, const struct store_folder *folder,
                           const char *entry, uint8_t bytes[STORE_PROPERTY_MAX], struct str *value,
                           struct err *err);

/* Entries that are made from something else; they cannot be set as others are. NULL behind the last. */
const char *metadata_computed(bool is_server, size_t n);
bool metadata_is_computed(bool is_server, const char *entry);

/* Appends "/private/comment NIL", or with the value. */
void metadata_write(struct buf *out, const char *shown, struct str value);

/* ---- what is asked for: GETMETADATA, and LIST RETURN (METADATA …) of RFC 9590 ---- */

#define METADATA_ASKED_MAX 100u

enum metadata_depth { DEPTH_0, DEPTH_1, DEPTH_INFINITY };

struct metadata_request {
    uint32_t max_size; /* of values that are told; UINT32_MAX: all */
    enum metadata_depth depth;
    struct metadata_asked {
        const char *shown, *entry;
    } * asked; /* the arena's */
    unsigned count;
};

/* Takes options where there are any, with the space behind them: "(MAXSIZE 1024 DEPTH 1) ". */
bool metadata_take_options(struct parse *parse, struct metadata_request *request);

/* Takes an entry or "(" entries ")". */
bool metadata_take_entries(struct parse *parse, struct metadata_request *request);

/* Tells of each entry that is asked for, without what stands below: NIL where it has no value. */
enum err_code metadata_tell_folder(struct command *command, const struct metadata_request *request,
                                   struct store_read *read, const struct store_folder *folder,
                                   bool is_foreign, struct str name, struct err *err);

/* ---- all entries of a folder, of every user, some at a time ---- */

struct metadata_walk {  /* {0} at first */
    struct arena arena; /* of the entries that are being set */
    char after[METADATA_NAME_SIZE];
};

/* Submits an operation that gives the next entries of a folder to another, or removes them where that is the same one, once
   the one in command->op has ended well. True: *step is the command's. False: none are left. */
bool metadata_pass_on(struct command *command, struct metadata_walk *walk, uint32_t from,
                      uint32_t to, enum step *step);

void metadata_walk_release(struct metadata_walk *walk);

#endif
