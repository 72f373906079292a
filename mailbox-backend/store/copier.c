#include "mailbox-backend/store/copier.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "common/mem.h"
#include "mailbox-backend/store/index_copy.h"

#define CHUNK (1u << 20)
#define RATE (128u << 20)        /* bytes a second: the disk is left to clients half of the time */
#define GROWTH_LEAST (64u << 20) /* that the index may grow meanwhile, or a tenth of it */
#define FIRST_SECONDS 5          /* after the start */
#define RETRY_SECONDS 60         /* after a failure, doubled with each */
#define LOOK_SECONDS 2
#define WAITING_LEAST (512u << 20) /* bytes of dead segments that may wait for a copy */

struct copier {
    struct database *database;
    uint64_t interval;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop; /* under the lock */

    /* the thread's own */
    time_t due;
    unsigned failures; /* since the last success */
    bool has_copied;
    uint64_t commits; /* of the database, when it was copied last */
};

/* A copy on its way from LMDB's thread to the file. */
struct stream {
    struct database *database;
    struct copier *copier; /* NULL: nobody stops it */
    int from, to;          /* the pipe's ends */
    int file;
    uint64_t bytes;
    uint64_t most; /* that the index may have meanwhile */
    struct timespec began;
    struct err copied; /* what LMDB's side came to */
};

static char *path_of(const struct database *database, const char *name)
{
    char *path;

    if (asprintf(&path, "%s/%s", database->folder, name) < 0)
        abort();
    return path;
}

void copier_status(const struct database *database, int64_t *made, uint64_t *bytes)
{
    char *path = path_of(database, "index.copy");
    struct stat facts;
    bool there = stat(path, &facts) == 0;

    *made = there ? facts.st_mtime : 0;
    *bytes = there ? (uint64_t)facts.st_size : 0;
    free(path);
}

/* ---- one copy ---- */

static bool must_stop(struct copier *copier)
{
    bool stop;

    if (copier == NULL)
        return false;
    pthread_mutex_lock(&copier->lock);
    stop = copier->stop;
    pthread_mutex_unlock(&copier->lock);
    return stop;
}

/* Who reads may close the pipe: that is an error of the copy, and no signal. */
static void *feed(void *argument)
{
    struct stream *stream = argument;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (index_copy(stream->database->index, stream->to, &stream->copied) == ERR_NONE)
        stream->copied.code = ERR_NONE;
    close(stream->to);
    return NULL;
}

static enum err_code check(struct stream *stream, struct err *err)
{
    struct index_size size;
    enum err_code code = index_measure(stream->database->index, &size, err);

    if (code == ERR_NONE && must_stop(stream->copier))
        code = err_set(err, ERR_UNAVAILABLE, "the database is being closed");
    if (code == ERR_NONE && size.bytes > stream->most)
        code = err_set(err, ERR_UNAVAILABLE,
                       "the index grew to %" PRIu64 " bytes while it was read", size.bytes);
    return code;
}

/* Waits until the bytes so far have taken as long as the rate asks for. */
static void pace(const struct stream *stream)
{
    uint64_t wanted = stream->bytes * 1000 / RATE, passed;
    struct timespec now, wait;

    clock_gettime(CLOCK_MONOTONIC, &now);
    passed = (uint64_t)(now.tv_sec - stream->began.tv_sec) * 1000 +
             (uint64_t)(now.tv_nsec / 1000000) - (uint64_t)(stream->began.tv_nsec / 1000000);
    if (passed >= wanted)
        return;
    wait.tv_sec = (time_t)((wanted - passed) / 1000);
    wait.tv_nsec = (long)((wanted - passed) % 1000) * 1000000;
    nanosleep(&wait, NULL);
}

static enum err_code write_all(int file, const char *bytes, size_t length, struct err *err)
{
    while (length > 0) {
        ssize_t written = write(file, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return err_errno(err, written < 0 ? errno : EIO, "copy of the index");
        bytes += written;
        length -= (size_t)written;
    }
    return ERR_NONE;
}

static enum err_code drain(struct stream *stream, struct err *err)
{
    char *chunk = mem_alloc(CHUNK);
    uint64_t checked = 0;
    ssize_t got = 1;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && (got = read(stream->from, chunk, CHUNK)) != 0) {
        if (got < 0 && errno != EINTR)
            code = err_errno(err, errno, "copy of the index");
        if (got < 0)
            continue;
        code = write_all(stream->file, chunk, (size_t)got, err);
        stream->bytes += (uint64_t)got;
        if (code == ERR_NONE && stream->bytes - checked >= CHUNK) {
            checked = stream->bytes;
            code = check(stream, err);
            pace(stream);
        }
    }
    free(chunk);
    return code;
}

static enum err_code run_stream(struct stream *stream, struct err *err)
{
    pthread_t thread;
    int ends[2];
    int rc;
    enum err_code code;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_errno(err, errno, "pipe");
    stream->from = ends[0];
    stream->to = ends[1];
    clock_gettime(CLOCK_MONOTONIC, &stream->began);
    rc = pthread_create(&thread, NULL, feed, stream);
    if (rc != 0) {
        close(ends[0]);
        close(ends[1]);
        return err_errno(err, rc, "copy of the index");
    }
    code = drain(stream, err);
    close(stream->from);
    pthread_join(thread, NULL);
    if (code == ERR_NONE && stream->copied.code != ERR_NONE) {
        *err = stream->copied;
        code = err->code;
    }
    return code;
}

static enum err_code fill_file(struct stream *stream, const char *path, struct err *err)
{
    enum err_code code;

    stream->file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (stream->file < 0)
        return err_errno(err, errno, "%s", path);
    code = run_stream(stream, err);
    if (code == ERR_NONE && fsync(stream->file) != 0)
        code = err_errno(err, errno, "%s", path);
    close(stream->file);
    if (code != ERR_NONE)
        unlink(path);
    return code;
}

/* The transaction that the copy has at least. */
static enum err_code begin(struct database *database, struct index_size *size, uint64_t *txn,
                           struct err *err)
{
    struct index_txn *read;
    enum err_code code = index_measure(database->index, size, err);

    if (code == ERR_NONE)
        code = database_has_room(database, size->bytes, err);
    if (code == ERR_NONE)
        code = index_read_begin(database->index, &read, err);
    if (code != ERR_NONE)
        return code;
    *txn = index_txn_id(read);
    index_read_end(&read);
    return ERR_NONE;
}

static enum err_code copy(struct database *database, struct copier *copier, struct err *err)
{
    char *path = path_of(database, "index.copy");
    char *draft = path_of(database, "index.copy.new");
    struct stream stream = {.database = database, .copier = copier};
    struct index_size size;
    uint64_t txn = 0;
    enum err_code code = begin(database, &size, &txn, err);

    stream.most =
        size.bytes + (size.bytes / 10 > GROWTH_LEAST ? size.bytes / 10 : (uint64_t)GROWTH_LEAST);
    if (code == ERR_NONE)
        code = fill_file(&stream, draft, err);
    if (code == ERR_NONE && rename(draft, path) != 0)
        code = err_errno(err, errno, "%s", path);
    if (code == ERR_NONE)
        code = file_sync_folder(database->folder, err);
    if (code == ERR_NONE)
        database_index_copied_up_to(database, txn);
    free(path);
    free(draft);
    return code;
}

enum err_code copier_copy(struct database *database, struct err *err)
{
    return copy(database, NULL, err);
}

/* ---- the thread ---- */

/* Deleted mail must not fill the disk because of a copy, and a copy without the records after it is
   of little use: new mail comes first. */
static void drop(struct copier *copier)
{
    struct database *database = copier->database;
    char *path = path_of(database, "index.copy");

    database_index_copied_up_to(database, UINT64_MAX);
    if (unlink(path) == 0)
        log_warning(database->name,
                    "the disk is nearly full: the copy of the index is removed, with the operation "
                    "records that were kept for it; the next is made when there is room");
    free(path);
}

static void copy_now(struct copier *copier)
{
    struct database *database = copier->database;
    uint64_t commits = atomic_load(&database->commits);
    struct err err;

    if (copy(database, copier, &err) == ERR_NONE) {
        copier->has_copied = true;
        copier->commits = commits;
        copier->failures = 0;
        copier->due = time(NULL) + (time_t)copier->interval;
        return;
    }
    if (must_stop(copier))
        return;
    log_warning(database->name, "no copy of the index was made: %s", err.text);
    copier->due = time(NULL) + (RETRY_SECONDS << (copier->failures < 6 ? copier->failures : 6));
    copier->failures++;
    if (database_is_short(database))
        drop(copier);
}

/* Segments that only wait for a copy take too much, or an administrator wants them off the disk. */
static bool is_wanted(struct copier *copier)
{
    bool erasing;
    uint64_t most, waiting = segments_waiting(copier->database->segments, &erasing);
    struct segments_size size;

    segments_measure(copier->database->segments, &size);
    most = size.live / 8 > WAITING_LEAST ? size.live / 8 : (uint64_t)WAITING_LEAST;
    return copier->failures == 0 &&
           (erasing || waiting > most || (waiting > 0 && database_is_short(copier->database)));
}

static void look(struct copier *copier)
{
    time_t now = time(NULL);

    if (now < copier->due && !atomic_load(&copier->database->copy_wanted) && !is_wanted(copier))
        return;
    atomic_store(&copier->database->copy_wanted, false);
    if (copier->has_copied && copier->commits == atomic_load(&copier->database->commits))
        copier->due = now + (time_t)copier->interval; /* nothing has changed */
    else
        copy_now(copier);
}

static void *run(void *argument)
{
    struct copier *copier = argument;
    struct timespec until;

    pthread_mutex_lock(&copier->lock);
    while (!copier->stop) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += LOOK_SECONDS;
        pthread_cond_timedwait(&copier->changed, &copier->lock, &until);
        if (copier->stop)
            break;
        pthread_mutex_unlock(&copier->lock);
        look(copier);
        pthread_mutex_lock(&copier->lock);
    }
    pthread_mutex_unlock(&copier->lock);
    return NULL;
}

enum err_code copier_start(struct copier **out, struct database *database, uint64_t seconds,
                           struct err *err)
{
    struct copier *copier;
    int64_t made;
    uint64_t bytes;
    int rc;

    *out = NULL;
    if (seconds == 0)
        return ERR_NONE;
    copier = mem_alloc(sizeof(*copier));
    copier->database = database;
    copier->interval = seconds;
    copier->due = time(NULL) + FIRST_SECONDS;
    pthread_mutex_init(&copier->lock, NULL);
    pthread_cond_init(&copier->changed, NULL);
    copier_status(database, &made, &bytes);
    if (made != 0) /* which transactions it has is not known: all records are kept until the next */
        database_index_copied_up_to(database, 0);
    rc = pthread_create(&copier->thread, NULL, run, copier);
    if (rc != 0) {
        free(copier);
        return err_errno(err, rc, "copier thread");
    }
    pthread_setname_np(copier->thread, "index-copier");
    *out = copier;
    return ERR_NONE;
}

void copier_stop(struct copier **out)
{
    struct copier *copier = *out;

    *out = NULL;
    if (copier == NULL)
        return;
    pthread_mutex_lock(&copier->lock);
    copier->stop = true;
    pthread_cond_signal(&copier->changed);
    pthread_mutex_unlock(&copier->lock);
    pthread_join(copier->thread, NULL);
    pthread_mutex_destroy(&copier->lock);
    pthread_cond_destroy(&copier->changed);
    free(copier);
}
