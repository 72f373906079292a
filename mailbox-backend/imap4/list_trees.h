/* From mailbox to mailbox for LIST: the user's own first, then those of others in which something may be seen. Also, how
   the patterns of LIST go along a path. */
#ifndef IMAP4_LIST_TREES_H
#define IMAP4_LIST_TREES_H

#include "mailbox-backend/imap4/list.h"

/* ---- the places of all patterns of a request behind some path ---- */

void list_places_begin(const struct list_request *request, struct pattern_places *places);
void list_places_feed(const struct list_request *request, struct pattern_places *places,
                      struct str text, bool nocase);
bool list_places_match(const struct list_request *request, const struct pattern_places *places);
bool list_places_are_dead(const struct list_request *request, const struct pattern_places *places);

/* ---- mailboxes ---- */

struct list_trees {
    struct store_mailbox *mailbox; /* of the tree: the user's own at first */
    struct store_mailbox *foreign; /* that, of another, referenced; or NULL */
    enum place_kind kind;
    bool is_told;            /* the namespace's name was looked at */
    struct store_guid owner; /* of the tree */
};

#define LIST_ABOVE_MAX 1024 /* bytes of a namespace's name and a log-in name */
struct list_tree {
    char *path;         /* its beginning is filled in, "Other Users/bob@example.com/" … */
    size_t path_length; /* … with this length */
    struct pattern_places *places; /* behind that */
};

/* list_trees_next() may be called on a loop, as nobody has given the user anything: what there is of others is looked
   through folder by folder. */
bool list_trees_are_quick(const struct command *command);

/* The next tree whose folders may match; tells of the names above it that do. ERR_NOT_FOUND at the end. */
enum err_code list_trees_next(struct command *command, struct list_trees *trees,
                              const struct list_request *request, struct list_tree *tree,
                              struct err *err);

/* Lets go of the tree. */
void list_trees_release(struct list_trees *trees);

#endif
