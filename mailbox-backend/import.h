/* Messages from files into a mailbox: one message (RFC 5322), an mbox (RFC 4155), or a Maildir with
   its subfolders (Maildir++). Line ends become CRLF. Messages are taken in small lots, one commit
   each; neither a message nor a folder is ever in memory as a whole. Worker threads only. */
#ifndef BACKEND_IMPORT_H
#define BACKEND_IMPORT_H

#include "mailbox-backend/store/store.h"

struct import_request {
    struct store *store;
    struct store_mailbox *mailbox;
    int file;           /* open for reading: a file, or a Maildir's folder; stays the caller's */
    const char *folder; /* path of the folder to fill; NULL: INBOX. Subfolders go below it */
    /* Told of each message that could not be taken (too long …): which, and why. What it returns other
       than ERR_NONE ends the import. */
    enum err_code (*failed)(void *context, const char *source, const char *problem,
                            struct err *err);
    void *context;
};

struct import_result {
    uint64_t messages, failed, folders;
    uint64_t skipped;    /* that an earlier import brought */
    uint64_t renumbered; /* folders whose uids could not be kept: they had given others */
};

/* *result is filled on failure, too: what was imported stays. */
enum err_code import_run(const struct import_request *request, struct import_result *result,
                         struct err *err);

#endif
