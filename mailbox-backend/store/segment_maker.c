/* The thread that prepares the next segment file before the active one is full: zeros are written
   ahead, so that a sync of content has no new blocks to record. */
#include "mailbox-backend/store/segment_internal.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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
