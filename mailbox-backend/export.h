/* A mailbox's messages as a stream, which export_drain() makes files of in the process of the
   administrator's command: that process may write there, the daemon may not. The stream is that of
   maildir.h with

       format NUMBER        (enum export_format, first of all)
       uids, next           (both between folder and its first message)

   Neither a message nor a folder is ever in memory as a whole. */
#ifndef BACKEND_EXPORT_H
#define BACKEND_EXPORT_H

#include "mailbox-backend/store/store.h"

enum export_format { EXPORT_MAILDIR, EXPORT_MBOX };

struct export_request {
    struct store_mailbox *mailbox;
    int to; /* a pipe; stays the caller's */
    enum export_format format;
    const char *folder; /* path: this folder and those below; NULL: all */
};

struct export_result {
    uint64_t messages, folders;
    uint64_t damaged; /* messages that could not be read, and are missing */
};

/* Writes the stream. Worker threads only. ERR_NOT_FOUND when there is no such folder; ERR_UNAVAILABLE when
   nobody reads any more. */
enum err_code export_run(const struct export_request *request, struct export_result *result,
                         struct err *err);

/* Reads the stream and makes a Maildir, or mbox files, in an empty folder: what struct admin_command
   calls drain. */
enum err_code export_drain(int folder, int from, struct err *err);

#endif
