/* The two kinds of files that an exported stream becomes. */
#ifndef BACKEND_EXPORT_PRIVATE_H
#define BACKEND_EXPORT_PRIVATE_H

#include <stdio.h>

#include "mailbox-backend/export.h"
#include "mailbox-backend/maildir_uidlist.h"

/* What the stream says of a message before its bytes. */
struct export_marks {
    char name[256];
    uint32_t flags, uid;
    int64_t date;
    char uidl[UIDLIST_UIDL_MAX + 1];
    char keywords[STORE_KEYWORDS_MAX][STORE_KEYWORD_NAME_MAX + 1];
    unsigned keyword_count;
};

struct export_files {
    int root;    /* the administrator's folder */
    int maildir; /* the folder being filled; -1: none */
    FILE *message;
    FILE *list;                                    /* dovecot-uidlist, or the mbox */
    char keywords[26][STORE_KEYWORD_NAME_MAX + 1]; /* Maildir: what a to z mean */
    unsigned keyword_count;
    uint64_t lost_keywords; /* that no letter was left for */
    struct export_marks marks;
    bool is_line_start;   /* mbox: the next byte begins a line, or follows ">" that do */
    unsigned matched;     /* mbox: bytes of "From " that wait */
    bool ends_in_cr;      /* mbox: a CR waits */
    bool ends_in_newline; /* mbox: the last byte was a line's end */
    long start;           /* mbox: where the message begins in the file */
};

struct export_maker {
    /* path: of the folder, "/" between levels. Ends the folder before. */
    enum err_code (*folder)(struct export_files *files, const char *path, uint32_t uid_validity,
                            uint32_t uid_next, struct err *err);
    enum err_code (*begin)(struct export_files *files, struct err *err); /* files->marks is known */
    enum err_code (*data)(struct export_files *files, const char *bytes, size_t length,
                          struct err *err);
    /* drop: the message cannot be read to its end; leave it out. */
    enum err_code (*end)(struct export_files *files, bool drop, struct err *err);
    enum err_code (*close)(struct export_files *files, struct err *err); /* the last folder */
};

extern const struct export_maker export_maildir, export_mbox;

/* The name of a folder's files: "Lists/C" becomes ".Lists.C", in modified UTF-7; "." within a name becomes
   "\2e" and "\" becomes "\5c". ERR_LIMIT when it is longer than a file's name can be. */
enum err_code export_name(const char *path, char name[256], struct err *err);

/* Makes a file, which must not be there. */
enum err_code export_open(int folder, const char *name, FILE **file, struct err *err);

/* Closes it; ERR_UNAVAILABLE when something could not be written. */
enum err_code export_close(FILE **file, struct err *err);

#endif
