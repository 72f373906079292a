/* Reading a Maildir with its subfolders (Maildir++), in the process of the administrator's command: that
   process may read the files, while the daemon, under a user of its own, may not. What is read goes
   through a pipe, as a stream that import_run() understands:

       MAILDIR_STREAM
       folder PATH          (relative; empty: the Maildir itself; before its first message)
       uids UIDVALIDITY     (follows folder: those of the messages are to be kept)
       message NAME         (of the file: what tells it from the folder's others)
       flags NUMBER         (enum store_flag bits)
       date NUMBER          (Unix time)
       keyword NAME         (any number)
       uid NUMBER
       uidl TEXT            (the id that POP3 clients know)
       data LENGTH          (any number; LENGTH bytes follow the line's end)
       end
       next UIDNEXT         (ends a folder that had uids)
       subscribe PATH       (first of all; with any, folders that are made are not subscribed as such) */
#ifndef BACKEND_MAILDIR_H
#define BACKEND_MAILDIR_H

#include "common/err.h"
#include "common/str.h"

#define MAILDIR_STREAM "\001maildir 1\n"
#define MAILDIR_LINE_SIZE 4200 /* bytes of a line of the stream, with its end */
#define MAILDIR_DATA_MAX 65536 /* bytes of one data */

/* Writes the Maildir (an open folder) to the descriptor to. ERR_INVALID when it is none. */
enum err_code maildir_feed(int folder, int to, struct err *err);

/* ---- parts, for tests ---- */

/* The store's flag bits and the keyword letters (a to z, to letters[27]) of a file's name. */
uint32_t maildir_flags(const char *name, char letters[27]);

/* ".Lists.C" is the folder Lists/C; names are in modified UTF-7, or UTF-8. False when it cannot be. */
bool maildir_folder_path(const char *name, char *path, size_t room);

/* The next names of a folder, in bytewise order, that come behind after, at most room of them: however
   many files there are, the memory is bounded. Which: regular files, or folders that begin with ".".
   Returns how many; each is to be freed. */
enum maildir_which { MAILDIR_FILES, MAILDIR_FOLDERS };
size_t maildir_names(int folder, enum maildir_which which, const char *after, char **names,
                     size_t room);

#endif
