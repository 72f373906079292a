/* Copying and checking the files of backups. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crc32c.h"
#include "mailbox-backend/store/backup_private.h"
#include "mailbox-backend/store/pages.h"
#include "mailbox-backend/store/segment.h"

#define STEP 65536u
#define NAP_MS 100u

char *backup_path(const char *format, ...)
{
    va_list args;
    char *path;

    va_start(args, format);
    if (vasprintf(&path, format, args) < 0)
        abort();
    va_end(args);
    return path;
}

char *backup_segment_folder(const char *folder, const struct backup_database *database)
{
    return backup_path("%s/db%u-%" PRIx64, folder, database->number, database->created);
}

char *backup_segment_path(const char *folder, const struct backup_database *database,
                          const struct backup_segment *segment)
{
    char *own = backup_segment_folder(folder, database);
    char *path = segment_copy_path(own, segment->number, segment->generation);

    free(own);
    return path;
}

static uint64_t milliseconds_since(const struct timespec *began)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)((now.tv_sec - began->tv_sec) * 1000 +
                      (now.tv_nsec - began->tv_nsec) / 1000000);
}

/* Waits until so much may have been copied. */
static enum err_code keep_pace(struct backup_pace *pace, size_t bytes, struct err *err)
{
    const struct backup_options *options = pace->options;
    static const struct timespec nap = {.tv_nsec = NAP_MS * 1000000L};

    pace->bytes += bytes;
    for (;;) {
        if (options->wanted != NULL && !options->wanted(options->context))
            return err_set(err, ERR_UNAVAILABLE, "broken off");
        if (options->rate == 0 || (double)milliseconds_since(&pace->began) / 1000.0 >=
                                      (double)pace->bytes / (double)options->rate)
            return ERR_NONE;
        nanosleep(&nap, NULL);
    }
}

/* Reads all of length. */
static enum err_code read_at(int file, uint64_t at, void *bytes, size_t length, struct err *err)
{
    size_t done = 0;

    while (done < length) {
        ssize_t got = pread(file, (char *)bytes + done, length - done, (off_t)(at + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(err, errno, "reading");
        if (got == 0)
            return err_set(err, ERR_CORRUPT, "the file is too short");
        done += (size_t)got;
    }
    return ERR_NONE;
}

static enum err_code write_at(int file, uint64_t at, const void *bytes, size_t length,
                              struct err *err)
{
    size_t done = 0;

    while (done < length) {
        ssize_t put = pwrite(file, (const char *)bytes + done, length - done, (off_t)(at + done));

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return err_errno(err, put < 0 ? errno : EIO, "writing");
        done += (size_t)put;
    }
    return ERR_NONE;
}

enum err_code backup_copy(int from, int to, uint64_t at, uint64_t end, struct backup_pace *pace,
                          struct err *err)
{
    uint8_t bytes[STEP];
    enum err_code code = ERR_NONE;

    while (at < end && code == ERR_NONE) {
        size_t length = end - at < STEP ? (size_t)(end - at) : STEP;

        code = read_at(from, at, bytes, length, err);
        if (code == ERR_NONE)
            code = write_at(to, at, bytes, length, err);
        if (code == ERR_NONE && pace != NULL)
            code = keep_pace(pace, length, err);
        at += length;
    }
    return code;
}

enum err_code backup_crc(int file, uint64_t at, uint64_t length, uint32_t *crc, struct err *err)
{
    uint8_t bytes[STEP];

    while (length > 0) {
        size_t part = length < STEP ? (size_t)length : STEP;
        enum err_code code = read_at(file, at, bytes, part, err);

        if (code != ERR_NONE)
            return code;
        *crc = crc32c(*crc, bytes, part);
        at += part;
        length -= part;
    }
    return ERR_NONE;
}

enum err_code backup_check_file(const char *path, uint64_t size, bool more, uint32_t crc,
                                struct err *err)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    uint32_t found = 0;
    enum err_code code;

    if (file < 0 || fstat(file, &facts) != 0) {
        code = err_errno(err, errno, "it cannot be opened");
    } else if ((uint64_t)facts.st_size < size || (!more && (uint64_t)facts.st_size != size)) {
        code = err_set(err, ERR_CORRUPT, "its length is wrong");
    } else {
        code = backup_crc(file, 0, size, &found, err);
        if (code == ERR_NONE && found != crc)
            code = err_set(err, ERR_CORRUPT, "its checksum is wrong");
    }
    if (file >= 0)
        close(file);
    return code == ERR_NOT_FOUND ? ERR_CORRUPT : code;
}

enum err_code backup_check_index(const char *path, const struct backup_database *database,
                                 struct err *err)
{
    enum err_code code =
        backup_check_file(path, database->index_size, false, database->index_crc, err);

    return code == ERR_NONE ? pages_look(path, NULL, err) : code;
}
