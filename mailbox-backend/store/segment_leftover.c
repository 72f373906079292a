/* Segment files that the index does not know: about to be removed when the process ended, or made, or filled
   since the last commit: what they hold nobody was promised. A file of which that is not certain stays, and where
   one file shows that the index is older than the segments, all stay: a file of pieces alone does not tell. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crc32c.h"
#include "common/log.h"
#include "common/mem.h"
#include "mailbox-backend/store/journal.pb-c.h"
#include "mailbox-backend/store/segment_internal.h"

#define WINDOW (1u << 20)

struct leftover {
    const struct segments_start *how;
    struct segment_record record; /* as the file's header has it */
    int fd;
    uint64_t size; /* of the file */
    bool holds;    /* a record */
    uint8_t *window;
    uint64_t window_at;
    size_t window_length;
};

/* So many bytes at an offset; NULL: the file ends, or cannot be read. */
static const uint8_t *look(struct leftover *file, uint64_t at, size_t length)
{
    ssize_t got;

    if (at < file->window_at || at + length > file->window_at + file->window_length) {
        got = pread(file->fd, file->window, WINDOW, (off_t)at);
        file->window_at = at;
        file->window_length = got > 0 ? (size_t)got : 0;
    }
    return length <= file->window_length ? file->window + (at - file->window_at) : NULL;
}

/* True when it tells of a commit that the index does not have: the index is older than the file; or when the disk
   does not say. One that fails its checksum was not finished. */
static bool names_a_later_batch(const struct leftover *file, uint64_t at,
                                const struct record_head *head)
{
    uint8_t *bytes = mem_grow(NULL, (size_t)head->stored + 1, 1);
    ssize_t got = pread(file->fd, bytes, head->stored, (off_t)(at + RECORD_HEADER));
    Journal__Batch *batch = NULL;
    bool later;

    if (got == (ssize_t)head->stored && crc32c(0, bytes, head->stored) == head->crc)
        batch = journal__batch__unpack(NULL, head->stored, bytes);
    later = got < 0 || (batch != NULL && batch->before > file->how->batch);
    if (batch != NULL)
        journal__batch__free_unpacked(batch, NULL);
    free(bytes);
    return later;
}

/* No record in it, from this offset on, is of a later time than the index. */
static bool is_told_by_the_index(struct leftover *file, uint64_t at)
{
    const uint8_t *bytes;

    while (at + RECORD_HEADER <= file->size) {
        struct record_head head;

        bytes = look(file, at, RECORD_HEADER);
        if (bytes == NULL)
            return false;
        if (!record_head_unpack(bytes, &head, file->record.number, (uint32_t)at) ||
            head.generation != file->record.generation || head.stored > file->size - at) {
            at += RECORD_ALIGN;
            continue;
        }
        file->holds = true;
        if (head.start >= file->how->start ||
            (head.type == RECORD_OPERATIONS && names_a_later_batch(file, at, &head)))
            return false;
        at += record_space(head.stored);
    }
    return true;
}

/* ---- what is to be done with them ---- */

enum verdict {
    GOES,
    STAYS,
    IS_LATER, /* than the index, or may be: nothing goes */
};

static enum verdict judge(struct leftover *file, uint32_t number)
{
    const struct segments_start *how = file->how;
    const uint8_t *header = look(file, 0, SEGMENT_HEADER_USED);

    if (header == NULL || !segment_header_unpack(header, &file->record) ||
        file->record.number != number)
        return STAYS;
    if (!is_told_by_the_index(file, SEGMENT_HEADER))
        return IS_LATER;
    return file->holds && how->is_named(how->context, number) ? STAYS : GOES;
}

static bool begin(struct leftover *file, const struct segments_start *how, int fd)
{
    struct stat facts;
    bool good = fstat(fd, &facts) == 0;

    *file = (struct leftover){.how = how, .fd = fd, .window = mem_alloc(WINDOW)};
    file->size = good ? (uint64_t)facts.st_size : 0;
    return good;
}

static enum verdict examine(const struct segments *set, const struct segments_start *how,
                            uint32_t number)
{
    const struct segment_record unknown = {.number = number, .state = SEGMENT_FREE};
    enum verdict verdict = STAYS;
    struct leftover file;
    int fd;

    if (segment_open_file(set->folder, &unknown, &fd, NULL) != ERR_NONE)
        return STAYS;
    if (begin(&file, how, fd))
        verdict = judge(&file, number);
    free(file.window);
    close(fd);
    return verdict;
}

/* Behind what the index knows of the active segment there may be what was never committed, and nothing else. */
static bool active_is_later(const struct segments *set, const struct segments_start *how)
{
    struct leftover file;
    bool later;

    if (set->active == NULL)
        return false;
    later = !begin(&file, how, set->active->fd);
    file.record = set->active->record;
    later = later || !is_told_by_the_index(&file, file.record.used);
    free(file.window);
    return later;
}

static void settle(const struct segments *set, uint32_t number, bool goes)
{
    char *path = segment_path(set->folder, number);

    if (!goes)
        log_warning(NULL,
                    "%s is not in the index, which may be older than it, or is damaged: it is left "
                    "as it is. If mail is missing, stop the back end and run database rebuild",
                    path);
    else if (unlink(path) != 0)
        log_warning(NULL, "%s: %s", path, strerror(errno));
    else
        log_notice(NULL, "%s was not in the index when the process ended, and is removed", path);
    free(path);
}

struct unknown {
    uint32_t number;
    enum verdict verdict;
};

/* The files that the index does not know, judged; to be freed. */
static struct unknown *list(struct segments *set, const struct segments_start *how, size_t *count)
{
    DIR *dir = opendir(set->folder);
    const struct dirent *entry;
    struct unknown *files = NULL;

    *count = 0;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        uint32_t number = segment_number_of(entry->d_name);

        if (number == 0 || segments_find(set, number) != NULL)
            continue;
        if (number >= set->next)
            set->next = number + 1;
        files = mem_grow(files, *count + 1, sizeof(*files));
        files[(*count)++] = (struct unknown){number, examine(set, how, number)};
    }
    if (dir != NULL)
        closedir(dir);
    return files;
}

void segments_settle(struct segments *set, const struct segments_start *how)
{
    size_t count;
    struct unknown *files = list(set, how, &count);
    bool later = count > 0 && active_is_later(set, how);

    for (size_t i = 0; i < count; i++)
        later = later || files[i].verdict == IS_LATER;
    for (size_t i = 0; i < count; i++)
        settle(set, files[i].number, files[i].verdict == GOES && !later);
    free(files);
}
