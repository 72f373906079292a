#include "mailbox-backend/store/segment_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crc32c.h"
#include "common/file.h"
#include "common/log.h"
#include "common/mem.h"

#define RECORD_MAGIC 0x4D535231u  /* MSR1 */
#define SEGMENT_MAGIC 0x4D534731u /* MSG1 */
#define FORMAT_VERSION 1
#define FLAG_ZSTD 1
#define ZEROS (1u << 20)

uint32_t record_space(uint32_t stored)
{
    return (RECORD_HEADER + stored + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

static uint32_t head_crc(const uint8_t *head, uint32_t segment, uint32_t offset)
{
    uint8_t place[8];

    put_u32(place, segment);
    put_u32(place + 4, offset);
    return crc32c(crc32c(0, place, sizeof(place)), head, RECORD_HEADER - 4);
}

void record_head_pack(uint8_t out[RECORD_HEADER], const struct record_head *head, uint32_t segment,
                      uint32_t offset)
{
    put_u32(out, RECORD_MAGIC);
    out[4] = FORMAT_VERSION;
    out[5] = (uint8_t)head->type;
    put_u16(out + 6, head->compressed ? FLAG_ZSTD : 0);
    put_u32(out + 8, head->generation);
    put_u32(out + 12, head->start);
    put_u32(out + 16, head->stored);
    put_u32(out + 20, head->real);
    put_u32(out + 24, head->crc);
    put_u32(out + 28, head_crc(out, segment, offset));
}

bool record_head_unpack(const uint8_t in[RECORD_HEADER], struct record_head *head, uint32_t segment,
                        uint32_t offset)
{
    if (get_u32(in) != RECORD_MAGIC || in[4] != FORMAT_VERSION ||
        get_u32(in + 28) != head_crc(in, segment, offset))
        return false;
    head->type = (enum record_type)in[5];
    head->compressed = (get_u16(in + 6) & FLAG_ZSTD) != 0;
    head->generation = get_u32(in + 8);
    head->start = get_u32(in + 12);
    head->stored = get_u32(in + 16);
    head->real = get_u32(in + 20);
    head->crc = get_u32(in + 24);
    return true;
}

char *segment_path(const char *folder, uint32_t number)
{
    char *path;

    if (asprintf(&path, "%s/segment-%08" PRIu32, folder, number) < 0)
        abort();
    return path;
}

char *segment_copy_path(const char *folder, uint32_t number, uint32_t generation)
{
    char *path;

    if (asprintf(&path, "%s/segment-%08" PRIu32 "-%" PRIu32, folder, number, generation) < 0)
        abort();
    return path;
}

/* magic u32, version u32, number u32, generation u32, size u64, checksum u32; the rest is zero */
static void pack_header(uint8_t header[28], const struct segment_record *record)
{
    put_u32(header, SEGMENT_MAGIC);
    put_u32(header + 4, FORMAT_VERSION);
    put_u32(header + 8, record->number);
    put_u32(header + 12, record->generation);
    put_u64(header + 16, record->size);
    put_u32(header + 24, crc32c(0, header, 24));
}

bool segment_header_unpack(const uint8_t header[SEGMENT_HEADER_USED], struct segment_record *record)
{
    if (get_u32(header) != SEGMENT_MAGIC || get_u32(header + 4) != FORMAT_VERSION ||
        get_u32(header + 24) != crc32c(0, header, 24))
        return false;
    *record = (struct segment_record){
        .number = get_u32(header + 8),
        .generation = get_u32(header + 12),
        .size = get_u64(header + 16),
    };
    return true;
}

enum err_code segment_write_header(int fd, const struct segment_record *record, struct err *err)
{
    uint8_t header[28];

    pack_header(header, record);
    if (pwrite(fd, header, sizeof(header), 0) != (ssize_t)sizeof(header))
        return err_errno(err, errno, "header of segment %" PRIu32, record->number);
    return ERR_NONE;
}

/* Says what is wrong with a header that is not as it should be. */
static enum err_code bad_header(const uint8_t header[28], uint32_t number, struct err *err)
{
    if (get_u32(header) == SEGMENT_MAGIC && get_u32(header + 4) > FORMAT_VERSION &&
        get_u32(header + 24) == crc32c(0, header, 24))
        return err_set(err, ERR_UNAVAILABLE,
                       "segment %" PRIu32 " has format %" PRIu32
                       ", this program knows %d: run the newer "
                       "program that wrote it",
                       number, get_u32(header + 4), FORMAT_VERSION);
    return err_set(err, ERR_CORRUPT, "segment %" PRIu32 ": damaged header", number);
}

/* path is freed. */
static enum err_code open_checked(char *path, int flags, const struct segment_record *record,
                                  int *fd, struct err *err)
{
    uint8_t want[28];
    uint8_t header[28] = {0};
    enum err_code code = ERR_NONE;

    *fd = open(path, flags | O_CLOEXEC);
    if (*fd < 0)
        code = err_errno(err, errno, "%s", path);
    free(path);
    if (code != ERR_NONE)
        return code == ERR_NOT_FOUND ? ERR_CORRUPT : code;
    pack_header(want, record);
    if (record->state == SEGMENT_FREE ||
        (pread(*fd, header, sizeof(header), 0) == (ssize_t)sizeof(header) &&
         memcmp(header, want, sizeof(header)) == 0))
        return ERR_NONE;
    close(*fd);
    *fd = -1;
    return bad_header(header, record->number, err);
}

enum err_code segment_open_file(const char *folder, const struct segment_record *record, int *fd,
                                struct err *err)
{
    return open_checked(segment_path(folder, record->number), O_RDWR, record, fd, err);
}

enum err_code segment_open_copy(const char *folder, const struct segment_record *record, int *fd,
                                struct err *err)
{
    return open_checked(segment_copy_path(folder, record->number, record->generation), O_RDONLY,
                        record, fd, err);
}

static enum err_code fill(int fd, uint64_t size, struct err *err)
{
    void *zeros = mem_alloc(ZEROS);
    enum err_code code = ERR_NONE;
    int rc = posix_fallocate(fd, 0, (off_t)size);

    if (rc != 0)
        code = err_errno(err, rc, "new segment");
    for (uint64_t at = 0; code == ERR_NONE && at < size; at += ZEROS)
        if (pwrite(fd, zeros, ZEROS, (off_t)at) != (ssize_t)ZEROS)
            code = err_errno(err, errno, "new segment");
    free(zeros);
    return code;
}

static enum err_code make_at(const char *path, const struct segment_record *record, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum err_code code;

    if (fd < 0)
        return err_errno(err, errno, "%s", path);
    code = fill(fd, record->size, err);
    if (code == ERR_NONE)
        code = segment_write_header(fd, record, err);
    if (code == ERR_NONE && fsync(fd) != 0)
        code = err_errno(err, errno, "%s", path);
    close(fd);
    return code;
}

enum err_code segment_make(const char *folder, const struct segment_record *record, struct err *err)
{
    char *path = segment_path(folder, record->number);
    char *draft;
    enum err_code code;

    if (asprintf(&draft, "%s/new-segment", folder) < 0)
        abort();
    code = make_at(draft, record, err);
    if (code == ERR_NONE && rename(draft, path) != 0)
        code = err_errno(err, errno, "%s", path);
    if (code == ERR_NONE)
        code = file_sync_folder(folder, err);
    if (code != ERR_NONE)
        unlink(draft);
    free(draft);
    free(path);
    return code;
}
