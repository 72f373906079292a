/* The reserve: new content is refused while there is still room for deleting it. */
#include <errno.h>
#include <inttypes.h>
#include <sys/statvfs.h>

#include "mailbox-backend/store/database.h"

#define DISK_PARTS 32u /* the least number of segment files that a disk should hold */

uint64_t database_segment_size(const struct database *database)
{
    uint64_t most = database->store->settings.segment_size;
    struct statvfs disk;
    uint64_t part;

    if (most == 0)
        most = SEGMENT_MOST_SIZE;
    if (statvfs(database->folder, &disk) != 0)
        return most;
    part = (uint64_t)disk.f_blocks * disk.f_frsize / DISK_PARTS / SEGMENT_STEP * SEGMENT_STEP;
    if (part < SEGMENT_FIRST_SIZE)
        part = SEGMENT_FIRST_SIZE;
    return part < most ? part : most;
}

/* Bytes that can still be stored, and the reserve that must be left of them. */
static enum err_code measure(struct database *database, uint64_t *room, uint64_t *reserve,
                             struct err *err)
{
    struct statvfs disk;
    struct segments_size segments;
    struct index_size index;
    enum err_code code;

    if (statvfs(database->folder, &disk) != 0)
        return err_errno(err, errno, "%s", database->folder);
    code = index_measure(database->index, &index, err);
    if (code != ERR_NONE)
        return code;
    segments_measure(database->segments, &segments);
    *room = (uint64_t)disk.f_bavail * disk.f_frsize + segments.free;
    *reserve = 2 * segments.next_size + index.bytes / 10;
    if (index.bytes - index.free > index.map / 10 * 9)
        return err_set(err, ERR_UNAVAILABLE, "%s: the index has grown to its map_size",
                       database->name);
    return ERR_NONE;
}

enum err_code database_has_room(struct database *database, uint64_t want, struct err *err)
{
    uint64_t room = 0, reserve = 0;
    enum err_code code = measure(database, &room, &reserve, err);

    if (code != ERR_NONE || room < 2 * reserve + want)
        atomic_store(&database->short_of_room, true);
    if (code == ERR_NONE && room < reserve + want)
        code = err_set(err, ERR_UNAVAILABLE,
                       "%s: the disk is nearly full (%" PRIu64 " bytes are left)", database->name,
                       room);
    return code;
}

bool database_is_short(struct database *database)
{
    uint64_t room = 0, reserve = 0;

    return measure(database, &room, &reserve, NULL) != ERR_NONE || room < 2 * reserve;
}

bool database_can_compact(struct database *database)
{
    uint64_t room = 0, reserve = 0;
    struct segments_size segments;

    segments_measure(database->segments, &segments);
    return measure(database, &room, &reserve, NULL) == ERR_NONE && room >= segments.next_size;
}
