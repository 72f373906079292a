/* Segment files that the index does not know: about to be removed when the process ended, or made, or filled
   since the last commit: what they hold nobody was promised. A file of which that is not certain stays. */
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

/* True when it tells of a commit that the index does not have: the index is older than the file. One that
   cannot be read was not finished. */
static bool names_a_later_batch(const struct leftover *file, uint64_t at,
                                const struct record_head *head)
{
    uint8_t *bytes = mem_grow(NULL, (size_t)head->stored + 1, 1);
    Journal__Batch *batch = NULL;
    bool later;

    if (pread(file->fd, bytes, head->stored, (off_t)(at + RECORD_HEADER)) ==
            (ssize_t)head->stored &&
        crc32c(0, bytes, head->stored) == head->crc)
        batch = journal__batch__unpack(NULL, head->stored, bytes);
    later = batch != NULL && batch->before > file->how->batch;
    if (batch != NULL)
        journal__batch__free_unpacked(batch, NULL);
    free(bytes);
    return later;
}

/* No record in it is of a later time than the index. */
static bool is_told_by_the_index(struct leftover *file)
{
    uint64_t at = SEGMENT_HEADER;
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
        if (head.start >= file->how->start ||
            (head.type == RECORD_OPERATIONS && names_a_later_batch(file, at, &head)))
            return false;
        at += record_space(head.stored);
    }
    return true;
}

/* A number that the index had not given when it was committed last is in none of its rows. */
static bool is_named(const struct leftover *file)
{
    const struct segments_start *how = file->how;

    return file->record.number < how->next && how->is_named(how->context, file->record.number);
}

static bool can_go(struct leftover *file, uint32_t number)
{
    const uint8_t *header = look(file, 0, SEGMENT_HEADER_USED);

    return header != NULL && segment_header_unpack(header, &file->record) &&
           file->record.number == number && !is_named(file) && is_told_by_the_index(file);
}

static bool examine(const struct segments *set, const struct segments_start *how, uint32_t number)
{
    const struct segment_record unknown = {.number = number, .state = SEGMENT_FREE};
    struct leftover file = {.how = how};
    struct stat facts;
    bool good;

    if (segment_open_file(set->folder, &unknown, &file.fd, NULL) != ERR_NONE)
        return false;
    file.window = mem_alloc(WINDOW);
    good = fstat(file.fd, &facts) == 0;
    file.size = good ? (uint64_t)facts.st_size : 0;
    good = good && can_go(&file, number);
    free(file.window);
    close(file.fd);
    return good;
}

static void settle(struct segments *set, const struct segments_start *how, uint32_t number)
{
    char *path = segment_path(set->folder, number);

    if (number >= set->next)
        set->next = number + 1;
    if (!examine(set, how, number))
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

void segments_settle(struct segments *set, const struct segments_start *how)
{
    DIR *dir = opendir(set->folder);
    const struct dirent *entry;

    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL) {
        uint32_t number = segment_number_of(entry->d_name);

        if (number != 0 && segments_find(set, number) == NULL)
            settle(set, how, number);
    }
    closedir(dir);
}
