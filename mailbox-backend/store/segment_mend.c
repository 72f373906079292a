/* What a repair sets right in the rows of segments. The writer's thread only. */
#include "mailbox-backend/store/segment_internal.h"

bool segments_rewrite_row(struct segments *set, uint32_t number)
{
    struct segment *segment;

    pthread_mutex_lock(&set->lock);
    segment = segments_find(set, number);
    if (segment != NULL)
        segment->row_dirty = true;
    pthread_mutex_unlock(&set->lock);
    return segment != NULL;
}

bool segments_adjust_live(struct segments *set, uint32_t number, int64_t difference)
{
    struct segment *segment;
    bool adjusted;

    pthread_mutex_lock(&set->lock);
    segment = segments_find(set, number);
    adjusted = segment != NULL && (int64_t)segment->record.live + segment->delta + difference >= 0;
    if (adjusted)
        segment->delta += difference;
    pthread_mutex_unlock(&set->lock);
    return adjusted;
}
