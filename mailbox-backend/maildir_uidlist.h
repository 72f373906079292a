/* Dovecot's dovecot-uidlist, of version 1 or 3: which uid, and which POP3 id, a Maildir's files have. */
#ifndef BACKEND_MAILDIR_UIDLIST_H
#define BACKEND_MAILDIR_UIDLIST_H

#include <stdio.h>

#include "common/err.h"
#include "common/str.h"

#define UIDLIST_UIDL_MAX 70 /* RFC 1939 section 7 */

struct uidlist {
    FILE *file; /* NULL: there is none */
    unsigned version;
    uint32_t uid_validity, uid_next;
};

struct uidlist_entry {
    uint32_t uid;
    char uidl[UIDLIST_UIDL_MAX + 1]; /* "": none of its own */
    char name[256];                  /* of the file, up to its ":" */
    char *path;                      /* as found: "cur/NAME:2,S"; NULL: not there. To be freed */
};

/* Opens the list of a folder; file is NULL when there is none, or none that is understood. */
void uidlist_open(struct uidlist *list, int maildir);
void uidlist_close(struct uidlist *list);

/* The next entries in the order of their uids, at most room of them, with the paths of their files. */
size_t uidlist_next(struct uidlist *list, int maildir, struct uidlist_entry *entries, size_t room);

/* ---- parts, for tests ---- */

bool uidlist_read_header(struct str line, struct uidlist *list);
bool uidlist_read_entry(struct str line, unsigned version, struct uidlist_entry *entry);

/* A file's name without its flags. */
struct str uidlist_base(const char *name);

#endif
