#include "mailbox-backend/store/piece.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "common/crc32c.h"

static enum err_code read_record(const struct segment *segment, const struct piece *place,
                                 uint8_t *bytes, struct err *err)
{
    size_t length = RECORD_HEADER + (size_t)place->stored;
    size_t done = 0;

    while (done < length) {
        ssize_t got =
            pread(segment->fd, bytes + done, length - done, (off_t)(place->offset + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(err, errno, "segment %" PRIu32, place->segment);
        if (got == 0)
            return err_set(err, ERR_CORRUPT, "segment %" PRIu32 " is cut", place->segment);
        done += (size_t)got;
    }
    return ERR_NONE;
}

static bool is_intact(const struct segment *segment, const struct piece *place,
                      const uint8_t *bytes, struct record_head *head)
{
    return record_head_unpack(bytes, head, place->segment, place->offset) &&
           head->type == RECORD_PIECE && head->stored == place->stored &&
           head->real == place->real && head->compressed == (head->stored != head->real) &&
           head->generation == segment->record.generation &&
           head->crc == crc32c(0, bytes + RECORD_HEADER, head->stored);
}

enum err_code piece_read(const struct segment *segment, const struct piece *place, uint8_t *record,
                         struct record_head *head, struct err *err)
{
    enum err_code code = read_record(segment, place, record, err);

    if (code == ERR_NONE && !is_intact(segment, place, record, head))
        code = err_set(err, ERR_CORRUPT, "segment %" PRIu32 ": damaged record at %" PRIu32,
                       place->segment, place->offset);
    return code;
}
