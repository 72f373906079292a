/* The manifest: lines of text, the last with the checksum of those before it.

   mailpair-backup 1
   taken UNIX-TIME messages N bytes N copied N
   room uids N modseqs N items N folders N
   directory SIZE CRC
   database N CREATED INDEX-SIZE INDEX-CRC
   segment NUMBER GENERATION USED SETTLED CRC
   end CRC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/crc32c.h"
#include "common/file.h"
#include "common/mem.h"
#include "mailbox-backend/store/backup_private.h"

#define MANIFEST_MOST (256u << 20)
#define MANIFEST_VERSION 1u

struct backup_database *manifest_add(struct backup_manifest *manifest)
{
    manifest->databases =
        mem_grow(manifest->databases, manifest->count + 1, sizeof(*manifest->databases));
    manifest->databases[manifest->count] = (struct backup_database){0};
    return &manifest->databases[manifest->count++];
}

struct backup_segment *manifest_add_segment(struct backup_database *database)
{
    database->segments =
        mem_grow(database->segments, database->count + 1, sizeof(*database->segments));
    database->segments[database->count] = (struct backup_segment){0};
    return &database->segments[database->count++];
}

const struct backup_segment *manifest_segment(const struct backup_database *database,
                                              uint32_t number)
{
    size_t low = 0, high = database->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (database->segments[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < database->count && database->segments[low].number == number
               ? &database->segments[low]
               : NULL;
}

void manifest_release(struct backup_manifest *manifest)
{
    for (size_t i = 0; i < manifest->count; i++)
        free(manifest->databases[i].segments);
    free(manifest->databases);
    *manifest = (struct backup_manifest){0};
}

static void print_database(struct buf *out, const struct backup_database *database)
{
    buf_printf(out, "database %u %" PRIu64 " %" PRIu64 " %08" PRIx32 "\n", database->number,
               database->created, database->index_size, database->index_crc);
    for (size_t i = 0; i < database->count; i++) {
        const struct backup_segment *segment = &database->segments[i];

        buf_printf(out, "segment %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64 " %08" PRIx32 "\n",
                   segment->number, segment->generation, segment->used, segment->settled,
                   segment->crc);
    }
}

enum err_code manifest_write(const struct backup_manifest *manifest, const char *path,
                             struct err *err)
{
    struct buf out = {0};
    enum err_code code;

    buf_printf(&out,
               "mailpair-backup %u\ntaken %" PRId64 " messages %" PRIu64 " bytes %" PRIu64
               " copied %" PRIu64 "\n",
               MANIFEST_VERSION, manifest->taken, manifest->messages, manifest->bytes,
               manifest->copied);
    buf_printf(
        &out, "room uids %" PRIu64 " modseqs %" PRIu64 " items %" PRIu64 " folders %" PRIu64 "\n",
        manifest->room.uids, manifest->room.modseqs, manifest->room.items, manifest->room.folders);
    if (manifest->has_directory)
        buf_printf(&out, "directory %" PRIu64 " %08" PRIx32 "\n", manifest->directory_size,
                   manifest->directory_crc);
    for (size_t i = 0; i < manifest->count; i++)
        print_database(&out, &manifest->databases[i]);
    buf_printf(&out, "end %08" PRIx32 "\n", crc32c(0, buf_bytes(&out), buf_length(&out)));
    code = file_write(path, buf_bytes(&out), buf_length(&out), 0600, err);
    buf_release(&out);
    return code;
}

/* A line behind the first. */
static bool take_line(struct backup_manifest *manifest, const char *line)
{
    struct backup_database database = {0};
    struct backup_segment segment = {0};

    if (sscanf(line, "segment %" SCNu32 " %" SCNu32 " %" SCNu64 " %" SCNu64 " %" SCNx32,
               &segment.number, &segment.generation, &segment.used, &segment.settled,
               &segment.crc) == 5) {
        if (manifest->count == 0)
            return false;
        *manifest_add_segment(&manifest->databases[manifest->count - 1]) = segment;
        return true;
    }
    if (sscanf(line, "database %u %" SCNu64 " %" SCNu64 " %" SCNx32, &database.number,
               &database.created, &database.index_size, &database.index_crc) == 4) {
        *manifest_add(manifest) = database;
        return true;
    }
    if (sscanf(line, "directory %" SCNu64 " %" SCNx32, &manifest->directory_size,
               &manifest->directory_crc) == 2)
        return manifest->has_directory = true;
    return sscanf(line, "taken %" SCNd64 " messages %" SCNu64 " bytes %" SCNu64 " copied %" SCNu64,
                  &manifest->taken, &manifest->messages, &manifest->bytes,
                  &manifest->copied) == 4 ||
           sscanf(line,
                  "room uids %" SCNu64 " modseqs %" SCNu64 " items %" SCNu64 " folders %" SCNu64,
                  &manifest->room.uids, &manifest->room.modseqs, &manifest->room.items,
                  &manifest->room.folders) == 4;
}

static enum err_code check_version(const char *line, const char *path, struct err *err)
{
    unsigned version;

    if (sscanf(line, "mailpair-backup %u", &version) != 1)
        return err_set(err, ERR_INVALID, "%s: not a backup of this program", path);
    if (version > MANIFEST_VERSION)
        return err_set(err, ERR_INVALID,
                       "%s: the backup has format %u, this program knows formats up to %u: run the "
                       "newer program that made it",
                       path, version, MANIFEST_VERSION);
    return ERR_NONE;
}

/* text ends with NUL, and is cut into lines. */
static enum err_code take_text(struct backup_manifest *manifest, char *text, const char *path,
                               struct err *err)
{
    uint32_t crc;
    bool first = true;

    for (char *line = text, *next; *line != '\0'; line = next) {
        char *stop = strchr(line, '\n');

        if (stop == NULL)
            break;
        next = stop + 1;
        if (sscanf(line, "end %" SCNx32, &crc) == 1)
            return ERR_NONE; /* checked before */
        *stop = '\0';
        if (first && check_version(line, path, err) != ERR_NONE)
            return err->code;
        if (!first && !take_line(manifest, line))
            break;
        first = false;
    }
    return err_set(err, ERR_CORRUPT, "%s: a line that makes no sense", path);
}

#define END_LINE 13 /* "end 12345678" and the line's end */

enum err_code manifest_read(struct backup_manifest *manifest, const char *path, struct err *err)
{
    struct buf text = {0};
    const char *end;
    uint32_t crc;
    enum err_code code = file_read(&text, path, MANIFEST_MOST, err);

    *manifest = (struct backup_manifest){0};
    if (code != ERR_NONE) {
        buf_release(&text);
        return code;
    }
    buf_byte(&text, '\0');
    end = (const char *)buf_bytes(&text) + buf_length(&text) - 1 - END_LINE;
    if (buf_length(&text) <= END_LINE || sscanf(end, "end %" SCNx32, &crc) != 1 ||
        crc != crc32c(0, buf_bytes(&text), buf_length(&text) - 1 - END_LINE))
        code = err_set(err, ERR_CORRUPT, "%s: the checksum is wrong", path);
    else
        code = take_text(manifest, (char *)(uintptr_t)buf_bytes(&text), path, err);
    buf_release(&text);
    return code;
}
