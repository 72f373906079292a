/* A backup held against its own checksums: file by file, then row by row and piece by piece. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mailbox-backend/store/backup_private.h"
#include "mailbox-backend/store/index_copy.h"
#include "mailbox-backend/store/segment.h"

struct verify {
    const char *folder, *name;
    struct backup_check *check;
    struct backup_manifest manifest;
    const struct backup_database *database; /* that is being looked at */
    struct tx tx;
    int file; /* the segment that was read last; -1 */
    const struct backup_segment *opened;
};

static enum err_code found(struct verify *verify, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum err_code found(struct verify *verify, struct err *err, const char *format, ...)
{
    char text[240];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    verify->check->findings++;
    return verify->check->found(verify->check->context, text, err);
}

static enum err_code go_on(const struct verify *verify, struct err *err)
{
    const struct backup_check *check = verify->check;

    if (check->wanted != NULL && !check->wanted(check->context))
        return err_set(err, ERR_UNAVAILABLE, "broken off");
    return ERR_NONE;
}

/* ---- pieces ---- */

static bool open_segment(struct verify *verify, uint32_t number)
{
    const struct backup_segment *segment = manifest_segment(verify->database, number);
    char *path;

    if (segment == NULL)
        return false;
    if (segment == verify->opened)
        return verify->file >= 0;
    if (verify->file >= 0)
        close(verify->file);
    path = backup_segment_path(verify->folder, verify->database, segment);
    verify->file = open(path, O_RDONLY | O_CLOEXEC);
    verify->opened = segment;
    free(path);
    return verify->file >= 0;
}

static bool is_intact(struct verify *verify, const struct piece *piece)
{
    uint8_t bytes[RECORD_HEADER];
    struct record_head head;
    uint32_t crc = 0;

    return open_segment(verify, piece->segment) &&
           pread(verify->file, bytes, sizeof(bytes), piece->offset) == (ssize_t)sizeof(bytes) &&
           record_head_unpack(bytes, &head, piece->segment, piece->offset) &&
           head.type == RECORD_PIECE && head.generation == verify->opened->generation &&
           head.stored == piece->stored && head.real == piece->real &&
           backup_crc(verify->file, piece->offset + RECORD_HEADER, head.stored, &crc, NULL) ==
               ERR_NONE &&
           crc == head.crc;
}

/* ---- rows ---- */

static enum err_code look_at_content(struct verify *verify, const struct tx_scan *scan,
                                     struct err *err)
{
    struct content_head head;
    struct piece piece;

    if (scan->key.length != 8 || !content_head_unpack(scan->value, &head))
        return found(verify, err, "db%u: a damaged row of contents", verify->database->number);
    for (uint32_t i = 0; i < head.pieces; i++) {
        piece_unpack(scan->value, i, &piece);
        if (!is_intact(verify, &piece))
            return found(verify, err,
                         "db%u: message content %" PRIu64 " is damaged (segment %" PRIu32
                         ", offset %" PRIu32 ")",
                         verify->database->number, get_u64(scan->key.data), piece.segment,
                         piece.offset);
    }
    return go_on(verify, err);
}

static enum err_code look_at_item(struct verify *verify, const struct tx_scan *scan,
                                  struct err *err)
{
    struct store_item item;
    struct bytes row;
    struct key key;
    uint32_t uid;

    if (scan->key.length != 12)
        return ERR_NONE;
    uid = get_u32(scan->key.data + 8);
    if (uid == KEY_STATE)
        return ERR_NONE;
    verify->check->messages++;
    if (!item_unpack(scan->value, uid, &item))
        return found(verify, err, "db%u: a damaged item row", verify->database->number);
    key = key_content(item.content_id);
    if (tx_get(&verify->tx, TABLE_CONTENT, &key, &row, NULL) == ERR_NOT_FOUND)
        return found(verify, err, "db%u: the content of uid %" PRIu32 " is missing",
                     verify->database->number, uid);
    return ERR_NONE;
}

static enum err_code look_at_row(struct verify *verify, enum table table,
                                 const struct tx_scan *scan, struct err *err)
{
    if (table == TABLE_CONTENT)
        return look_at_content(verify, scan, err);
    return table == TABLE_ITEM ? look_at_item(verify, scan, err) : ERR_NONE;
}

static enum err_code look_at_table(struct verify *verify, enum table table, struct err *err)
{
    struct key key = table_of_mailbox(table) ? key_first() : key_number(0);
    struct tx_scan scan;
    enum err_code done, code = scan_begin(&scan, &verify->tx, table, PREFIX_NONE, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    while (code == ERR_NONE || code == ERR_CORRUPT) {
        done = code == ERR_CORRUPT ? found(verify, err, "db%u: a damaged row of table %s",
                                           verify->database->number, table_name(table))
                                   : look_at_row(verify, table, &scan, err);
        code = done == ERR_NONE ? scan_next(&scan, err) : done;
        if (done != ERR_NONE)
            break;
    }
    scan_end(&scan);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code look_at_index(struct verify *verify, const char *path, struct err *err)
{
    struct index *index = NULL;
    enum err_code code = index_open_copy(&index, path, err);

    if (code == ERR_NONE)
        code = index_read_begin(index, &verify->tx.txn, err);
    for (enum table table = 0; table < TABLE_COUNT && code == ERR_NONE; table++)
        code = look_at_table(verify, table, err);
    index_read_end(&verify->tx.txn);
    index_close(&index);
    return code;
}

/* ---- files ---- */

static enum err_code look_at_segments(struct verify *verify, struct err *err)
{
    enum err_code code = ERR_NONE;
    struct err problem;

    for (size_t i = 0; i < verify->database->count && code == ERR_NONE; i++) {
        const struct backup_segment *segment = &verify->database->segments[i];
        char *path = backup_segment_path(verify->folder, verify->database, segment);

        if (backup_check_file(path, segment->settled, true, segment->crc, &problem) != ERR_NONE)
            code = found(verify, err, "db%u: segment %" PRIu32 ": %s", verify->database->number,
                         segment->number, problem.text);
        if (code == ERR_NONE)
            code = go_on(verify, err);
        free(path);
    }
    return code;
}

static enum err_code look_at_database(struct verify *verify, struct err *err)
{
    const struct backup_database *database = verify->database;
    char *path = backup_path("%s/%s/db%u.index", verify->folder, verify->name, database->number);
    struct err problem;
    enum err_code code = look_at_segments(verify, err);

    if (code == ERR_NONE && backup_check_index(path, database, &problem) != ERR_NONE)
        code = found(verify, err, "db%u: the index: %s", database->number, problem.text);
    else if (code == ERR_NONE)
        code = look_at_index(verify, path, err);
    free(path);
    if (verify->file >= 0)
        close(verify->file);
    verify->file = -1;
    verify->opened = NULL;
    return code;
}

static enum err_code look_at_directory(struct verify *verify, struct err *err)
{
    const struct backup_manifest *manifest = &verify->manifest;
    char *path = backup_path("%s/%s/directory.mdb", verify->folder, verify->name);
    struct err problem;
    enum err_code code = ERR_NONE;

    if (manifest->has_directory && backup_check_file(path, manifest->directory_size, false,
                                                     manifest->directory_crc, &problem) != ERR_NONE)
        code = found(verify, err, "the directory: %s", problem.text);
    free(path);
    return code;
}

enum err_code backup_verify(const char *folder, const char *name, struct backup_check *check,
                            struct err *err)
{
    struct verify verify = {.folder = folder, .name = name, .check = check, .file = -1};
    char *path = backup_path("%s/%s/manifest", folder, name);
    struct err problem;
    int use;
    enum err_code code = backup_use(folder, name, &use, &problem);

    if (code == ERR_NONE)
        code = manifest_read(&verify.manifest, path, &problem);
    check->messages = check->findings = 0;
    free(path);
    if (code == ERR_CORRUPT)
        code = found(&verify, err, "the manifest is damaged");
    else if (code != ERR_NONE)
        code = err_set(err, code, "no whole backup %s", name);
    else
        code = look_at_directory(&verify, err);
    for (size_t i = 0; i < verify.manifest.count && code == ERR_NONE; i++) {
        verify.database = &verify.manifest.databases[i];
        code = look_at_database(&verify, err);
    }
    manifest_release(&verify.manifest);
    if (use >= 0)
        close(use);
    return code;
}
