#include "mailbox-backend/store/piece.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/uio.h>
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

bool piece_read_warm(const struct segment *segment, const struct piece *place, uint8_t *record)
{
    struct iovec io = {record, RECORD_HEADER + (size_t)place->stored};
    ssize_t got = preadv2(segment->fd, &io, 1, (off_t)place->offset, RWF_NOWAIT);

    if (got < 0 && errno == EOPNOTSUPP) /* a file system in memory, perhaps */
        return read_record(segment, place, record, NULL) == ERR_NONE;
    return got == (ssize_t)io.iov_len;
}

enum err_code piece_check(const struct segment *segment, const struct piece *place,
                          const uint8_t *record, struct record_head *head, struct err *err)
{
    if (is_intact(segment, place, record, head))
        return ERR_NONE;
    return err_set(err, ERR_CORRUPT, "segment %" PRIu32 ": damaged record at %" PRIu32,
                   place->segment, place->offset);
}

enum err_code piece_read(const struct segment *segment, const struct piece *place, uint8_t *record,
                         struct record_head *head, struct err *err)
{
    enum err_code code = read_record(segment, place, record, err);

    return code == ERR_NONE ? piece_check(segment, place, record, head, err) : code;
}
