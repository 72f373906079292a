/* The thread that prepares the next segment file before the active one is full: zeros are written
   ahead, so that a sync of content has no new blocks to record; and files found at the start that
   the index does not know. */
#include "mailbox-backend/store/segment_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

static void make_one(struct segments *set)
{
    struct segment_record record = {
        .number = set->next++,
        .generation = 1,
        .state = SEGMENT_FREE,
        .size = segments_next_size(set),
        .used = SEGMENT_HEADER,
    };
    struct err err;
    enum err_code code;

    pthread_mutex_unlock(&set->lock);
    code = segment_make(set->folder, &record, &err);
    if (code != ERR_NONE)
        log_warning(NULL, "%s: no new segment: %s", set->folder, err.text);
    pthread_mutex_lock(&set->lock);
    if (code == ERR_NONE) {
        segments_insert(set, &record, true);
    } else {
        set->failures++;
        set->why = err;
    }
}

static void *maker(void *argument)
{
    struct segments *set = argument;

    pthread_mutex_lock(&set->lock);
    while (!set->stop) {
        if (set->wanted) {
            make_one(set);
            set->wanted = false;
            pthread_cond_broadcast(&set->changed);
        } else {
            pthread_cond_wait(&set->changed, &set->lock);
        }
    }
    pthread_mutex_unlock(&set->lock);
    return NULL;
}

void segments_maker_start(struct segments *set)
{
    if (pthread_create(&set->maker, NULL, maker, set) != 0)
        abort();
    pthread_setname_np(set->maker, "segment-maker");
}

void segments_maker_stop(struct segments *set)
{
    pthread_mutex_lock(&set->lock);
    set->stop = true;
    pthread_cond_broadcast(&set->changed);
    pthread_mutex_unlock(&set->lock);
    pthread_join(set->maker, NULL);
}

uint32_t segment_number_of(const char *name)
{
    unsigned number;
    char end;

    return sscanf(name, "segment-%8u%c", &number, &end) == 1 ? number : 0;
}

bool segments_any(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    bool any = false;

    if (dir == NULL)
        return false;
    while (!any && (entry = readdir(dir)) != NULL)
        any = segment_number_of(entry->d_name) != 0;
    closedir(dir);
    return any;
}

/* A file whose first record was never written holds nothing. */
static bool is_unused(const struct segments *set, struct segment_record *record)
{
    static const uint8_t zeros[RECORD_HEADER];
    uint8_t first[RECORD_HEADER];
    struct stat stat;
    bool unused;
    int fd;

    if (segment_open_file(set->folder, record, &fd, NULL) != ERR_NONE)
        return false;
    unused = fstat(fd, &stat) == 0 &&
             pread(fd, first, sizeof(first), SEGMENT_HEADER) == (ssize_t)sizeof(first) &&
             memcmp(first, zeros, sizeof(first)) == 0;
    record->size = unused ? (uint64_t)stat.st_size : 0;
    close(fd);
    return unused && record->size >= SEGMENT_STEP && record->size <= SEGMENT_MOST_SIZE;
}

static void adopt(struct segments *set, uint32_t number)
{
    struct segment_record record = {
        .number = number,
        .generation = 1,
        .state = SEGMENT_FREE,
        .used = SEGMENT_HEADER,
        .died = time(NULL), /* it may hold the rest of what was deleted */
    };

    if (number >= set->next)
        set->next = number + 1;
    if (is_unused(set, &record))
        segments_insert(set, &record, true);
    else
        log_warning(NULL, "%s: segment %" PRIu32 " is not in the index; it is left as it is",
                    set->folder, number);
}

void segments_adopt(struct segments *set)
{
    DIR *dir = opendir(set->folder);
    const struct dirent *entry;

    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL) {
        uint32_t number = segment_number_of(entry->d_name);

        if (number != 0 && segments_find(set, number) == NULL)
            adopt(set, number);
    }
    closedir(dir);
}
