#include "mailbox-backend/search/gram_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/crc32c.h"
#include "common/file.h"
#include "common/mem.h"
#include "mailbox-backend/store/bytes.h"

#define HEAD 64u
#define VERSION_NOW 1u
#define FOLDER_MODE 0700
#define FILE_MODE 0600
#define ID_BYTES 6u
#define BITS_LEAST 8u

static uint64_t round_up(uint64_t bytes)
{
    return (bytes + HEAD - 1) / HEAD * HEAD;
}

static size_t row_bytes(uint32_t items)
{
    return (items + 7) / 8;
}

static uint64_t ids_bytes(uint32_t items)
{
    return round_up((uint64_t)items * ID_BYTES);
}

static uint64_t block_bytes(uint32_t items, uint32_t bits)
{
    return round_up(HEAD + ids_bytes(items) + ((uint64_t)1 << bits) * (row_bytes(items) + 4));
}

/* ---- bytes ---- */

static enum err_code read_at(const struct gram_file *file, uint64_t offset, void *bytes,
                             size_t length, struct err *err)
{
    ssize_t got = pread(file->fd, bytes, length, (off_t)offset);

    if (got < 0)
        return err_errno(err, errno, "%s", file->path);
    if ((size_t)got != length)
        return err_set(err, ERR_CORRUPT, "%s ends too early", file->path);
    return ERR_NONE;
}

static enum err_code write_at(const struct gram_file *file, uint64_t offset, const void *bytes,
                              size_t length, struct err *err)
{
    const uint8_t *from = bytes;

    while (length > 0) {
        ssize_t put = pwrite(file->fd, from, length, (off_t)offset);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return err_errno(err, put < 0 ? errno : ENOSPC, "%s", file->path);
        from += put;
        offset += (uint64_t)put;
        length -= (size_t)put;
    }
    return ERR_NONE;
}

static enum err_code sync_data(const struct gram_file *file, struct err *err)
{
    return fdatasync(file->fd) == 0 ? ERR_NONE : err_errno(err, errno, "%s", file->path);
}

static void seal_head(uint8_t head[HEAD])
{
    put_u32(&head[HEAD - 4], crc32c(0, head, HEAD - 4));
}

static bool head_is_whole(const uint8_t head[HEAD], const char *magic)
{
    return memcmp(head, magic, 4) == 0 && get_u32(head + HEAD - 4) == crc32c(0, head, HEAD - 4);
}

/* ---- the file ---- */

static char *path_of(const char *folder, const struct store_guid *guid)
{
    char name[2 * sizeof(guid->bytes) + 1];
    char *path;

    for (size_t i = 0; i < sizeof(guid->bytes); i++)
        snprintf(name + 2 * i, 3, "%02x", guid->bytes[i]);
    if (asprintf(&path, "%s/%.2s/%s", folder, name, name) < 0)
        abort();
    return path;
}

static void file_head(uint8_t head[HEAD], const struct store_guid *guid)
{
    memset(head, 0, HEAD);
    memcpy(head, "MGF1", 4);
    put_u32(head + 4, VERSION_NOW);
    memcpy(head + 8, guid->bytes, sizeof(guid->bytes));
    seal_head(head);
}

static void add_block(struct gram_file *file, const struct gram_block *block)
{
    file->blocks = mem_grow(file->blocks, file->count + 1, sizeof(*file->blocks));
    file->blocks[file->count++] = *block;
    file->items += block->items;
}

/* False where no further whole block is. */
static bool take_block(struct gram_file *file, uint64_t size)
{
    struct gram_block block = {.offset = file->end};
    uint8_t head[HEAD];
    uint64_t length;

    if (size - file->end < HEAD || read_at(file, file->end, head, HEAD, NULL) != ERR_NONE ||
        !head_is_whole(head, "MGB1"))
        return false;
    block.items = get_u32(head + 4);
    block.bits = get_u32(head + 8);
    length = get_u64(head + 32);
    if (block.items == 0 || block.items > GRAM_ITEMS_MOST || block.bits < BITS_LEAST ||
        block.bits > TEXT_GRAM_BITS || length != block_bytes(block.items, block.bits) ||
        length > size - file->end)
        return false;
    block.first = get_u64(head + 40);
    block.last = get_u64(head + 48);
    add_block(file, &block);
    file->upto = get_u64(head + 16);
    file->modseq = get_u64(head + 24);
    file->end += length;
    return true;
}

static enum err_code read_file(struct gram_file *file, const struct store_guid *guid,
                               struct err *err)
{
    off_t size = lseek(file->fd, 0, SEEK_END);
    uint8_t wanted[HEAD];
    uint8_t head[HEAD];

    if (size < 0)
        return err_errno(err, errno, "%s", file->path);
    file_head(wanted, guid);
    if (read_at(file, 0, head, HEAD, NULL) != ERR_NONE || memcmp(head, wanted, HEAD) != 0)
        return err_set(err, ERR_NOT_FOUND, "%s is no file of this program's", file->path);
    file->end = HEAD;
    while (take_block(file, (uint64_t)size))
        ;
    return ERR_NONE;
}

static enum err_code make_file(struct gram_file *file, const struct store_guid *guid,
                               struct err *err)
{
    char *folder = mem_string(file->path);
    uint8_t head[HEAD];
    enum err_code code;

    *strrchr(folder, '/') = '\0';
    code = file_make_folders(folder, FOLDER_MODE, err);
    free(folder);
    if (code != ERR_NONE)
        return code;
    file->fd = open(file->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (file->fd < 0)
        return err_errno(err, errno, "%s", file->path);
    file_head(head, guid);
    file->end = HEAD;
    return write_at(file, 0, head, HEAD, err);
}

enum err_code gram_file_open(struct gram_file *file, const char *folder,
                             const struct store_guid *guid, bool make, struct err *err)
{
    enum err_code code;

    *file = (struct gram_file){.path = path_of(folder, guid), .upto = 1};
    file->fd = open(file->path, O_RDWR | O_CLOEXEC);
    if (file->fd >= 0)
        code = read_file(file, guid, err);
    else if (errno == ENOENT)
        code = err_set(err, ERR_NOT_FOUND, "there is no %s", file->path);
    else
        code = err_errno(err, errno, "%s", file->path);
    if (code == ERR_NOT_FOUND && make) {
        gram_file_close(file);
        file->path = path_of(folder, guid);
        file->upto = 1;
        code = make_file(file, guid, err);
    }
    if (code != ERR_NONE)
        gram_file_close(file);
    return code;
}

void gram_file_close(struct gram_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    free(file->path);
    free(file->blocks);
    memset(file, 0, sizeof(*file));
    file->fd = -1;
}

void gram_file_remove(const char *folder, const struct store_guid *guid)
{
    char *path = path_of(folder, guid);

    unlink(path);
    free(path);
}

/* ---- blocks ---- */

static enum err_code write_ids(const struct gram_file *file, const struct gram_matrix *matrix,
                               uint32_t *crc, struct err *err)
{
    size_t length = (size_t)ids_bytes(matrix->items);
    uint8_t *bytes = mem_alloc(length);
    enum err_code code;

    for (uint32_t i = 0; i < matrix->items; i++)
        put_u48(bytes + (size_t)i * ID_BYTES, matrix->ids[i]);
    *crc = crc32c(0, bytes, (size_t)matrix->items * ID_BYTES);
    code = write_at(file, file->end + HEAD, bytes, length, err);
    free(bytes);
    return code;
}

static uint32_t row_crc(uint64_t offset, uint32_t place, const uint8_t *row, size_t length)
{
    uint8_t where[12];

    put_u64(where, offset);
    put_u32(where + 8, place);
    return crc32c(crc32c(0, where, sizeof(where)), row, length);
}

#define ROWS_AT_ONCE 1024u

static enum err_code write_rows(const struct gram_file *file, const struct gram_matrix *matrix,
                                struct err *err)
{
    size_t length = row_bytes(matrix->items);
    uint64_t at = file->end + HEAD + ids_bytes(matrix->items);
    uint32_t places = (uint32_t)1 << matrix->bits;
    uint8_t *bytes = mem_array(ROWS_AT_ONCE, length + 4);
    enum err_code code = ERR_NONE;
    size_t used = 0;

    for (uint32_t place = 0; place < places && code == ERR_NONE; place++) {
        memcpy(bytes + used, matrix->rows[place], length);
        put_u32(bytes + used + length, row_crc(file->end, place, matrix->rows[place], length));
        used += length + 4;
        if ((place + 1) % ROWS_AT_ONCE == 0 || place + 1 == places) {
            code = write_at(file, at, bytes, used, err);
            at += used;
            used = 0;
        }
    }
    free(bytes);
    return code;
}

enum err_code gram_file_add(struct gram_file *file, const struct gram_matrix *matrix, uint64_t upto,
                            uint64_t modseq, struct err *err)
{
    struct gram_block block = {file->end, matrix->ids[0], matrix->ids[matrix->items - 1],
                               matrix->items, matrix->bits};
    uint64_t length = block_bytes(matrix->items, matrix->bits);
    uint8_t head[HEAD] = "MGB1";
    uint32_t crc = 0;
    enum err_code code = write_ids(file, matrix, &crc, err);

    if (code == ERR_NONE)
        code = write_rows(file, matrix, err);
    /* so that the file is as long as the block says */
    if (code == ERR_NONE && ftruncate(file->fd, (off_t)(file->end + length)) != 0)
        code = err_errno(err, errno, "%s", file->path);
    if (code == ERR_NONE)
        code = sync_data(file, err);
    put_u32(head + 4, matrix->items);
    put_u32(head + 8, matrix->bits);
    put_u32(head + 12, crc);
    put_u64(head + 16, upto);
    put_u64(head + 24, modseq);
    put_u64(head + 32, length);
    put_u64(head + 40, block.first);
    put_u64(head + 48, block.last);
    seal_head(head);
    if (code == ERR_NONE)
        code = write_at(file, file->end, head, HEAD, err);
    if (code != ERR_NONE)
        return code;
    add_block(file, &block);
    file->end += length;
    file->upto = upto;
    file->modseq = modseq;
    return ERR_NONE;
}

static enum err_code corrupt(const struct gram_file *file, const struct gram_block *block,
                             struct err *err)
{
    return err_set(err, ERR_CORRUPT, "%s: the block at %" PRIu64 " is damaged", file->path,
                   block->offset);
}

enum err_code gram_block_ids(const struct gram_file *file, const struct gram_block *block,
                             uint64_t ids[GRAM_ITEMS_MOST], struct err *err)
{
    uint8_t bytes[GRAM_ITEMS_MOST * ID_BYTES];
    size_t length = (size_t)block->items * ID_BYTES;
    uint8_t head[HEAD];
    enum err_code code = read_at(file, block->offset, head, HEAD, err);

    if (code == ERR_NONE)
        code = read_at(file, block->offset + HEAD, bytes, length, err);
    if (code != ERR_NONE)
        return code;
    if (get_u32(head + 12) != crc32c(0, bytes, length))
        return corrupt(file, block, err);
    for (uint32_t i = 0; i < block->items; i++)
        ids[i] = get_u48(bytes + (size_t)i * ID_BYTES);
    return ERR_NONE;
}

enum err_code gram_block_row(const struct gram_file *file, const struct gram_block *block,
                             uint16_t place, uint8_t row[GRAM_ROW_MOST], struct err *err)
{
    uint32_t own = (uint32_t)place >> (TEXT_GRAM_BITS - block->bits);
    size_t length = row_bytes(block->items);
    uint64_t at = block->offset + HEAD + ids_bytes(block->items) + (uint64_t)own * (length + 4);
    uint8_t bytes[GRAM_ROW_MOST + 4];
    enum err_code code = read_at(file, at, bytes, length + 4, err);

    if (code != ERR_NONE)
        return code;
    if (get_u32(bytes + length) != row_crc(block->offset, own, bytes, length))
        return corrupt(file, block, err);
    memset(row, 0, GRAM_ROW_MOST);
    memcpy(row, bytes, length);
    return ERR_NONE;
}
