/* What a backup still has to copy is not used again meanwhile. */
#include "mailbox-backend/store/segment_internal.h"

void segments_hold(struct segments *set)
{
    pthread_mutex_lock(&set->lock);
    set->held++;
    pthread_mutex_unlock(&set->lock);
}

void segments_let_go(struct segments *set)
{
    pthread_mutex_lock(&set->lock);
    set->held--;
    pthread_mutex_unlock(&set->lock);
}

bool segments_keep(struct segments *set, uint32_t number, uint32_t generation, uint64_t *settled)
{
    struct segment *segment;
    bool found;

    pthread_mutex_lock(&set->lock);
    segment = segments_find(set, number);
    found = segment != NULL && segment->record.generation == generation && !segment->going;
    if (found) {
        segment->kept++;
        /* Unpinned: no draft has room in it that it has not written yet. */
        *settled = segment->record.state == SEGMENT_SEALED && segment->pins == 0 ? UINT64_MAX
                                                                                 : segment->opened;
    }
    pthread_mutex_unlock(&set->lock);
    return found;
}

void segments_unkeep(struct segments *set, uint32_t number)
{
    struct segment *segment;

    pthread_mutex_lock(&set->lock);
    segment = segments_find(set, number);
    if (segment != NULL)
        segment->kept--;
    pthread_mutex_unlock(&set->lock);
}
