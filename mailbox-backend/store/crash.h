/* Which database ended the process. LMDB trusts its pages: a damaged one can make it read where nothing
   is, or fail an assertion. Each database has a file `crashes`, open beforehand; a thread says in which
   database it works, and the handler of the signal that ends the process marks that one. A kill, a power cut or
   a lack of memory marks none. */
#ifndef STORE_CRASH_H
#define STORE_CRASH_H

#include <stdbool.h>
#include <time.h>

#include "common/err.h"

#define CRASHES_MOST 2u    /* in a row: then the database is left alone */
#define CRASHES_APART 3600 /* seconds; what lies further apart is not in a row */

struct crash_marks {
    int fd;         /* of the file: a byte for each crash in a row */
    unsigned count; /* of them */
    time_t last;    /* when the last one came */
};

/* Opens or makes the folder's file; a single crash of long ago is forgotten. */
enum err_code crash_marks_open(struct crash_marks *marks, const char *folder, struct err *err);
void crash_marks_close(struct crash_marks *marks);

/* The administrator has had the database opened again: one more crash soon, and it is left alone. */
void crash_marks_forgive(struct crash_marks *marks);

/* No crash counts any more, for a folder in which nobody has the file open. */
void crash_marks_remove(const char *folder);

/* From now on SIGSEGV, SIGBUS, SIGABRT, SIGFPE and SIGILL that the process itself raises mark the database that the
   thread works in, then do what they did before. Once, in main(). */
void crash_watch(void);

/* The database that this thread works in; NULL: none. Set around what reads or writes the index. */
extern _Thread_local struct crash_marks *crash_suspect;

static inline struct crash_marks *crash_enter(struct crash_marks *marks)
{
    struct crash_marks *before = crash_suspect;

    crash_suspect = marks;
    return before;
}

static inline void crash_leave(struct crash_marks *before)
{
    crash_suspect = before;
}

#endif
