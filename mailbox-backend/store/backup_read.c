/* A mailbox as a backup has it, behind the functions that read any other. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "mailbox-backend/store/backup_private.h"
#include "mailbox-backend/store/database.h"
#include "mailbox-backend/store/format.h"
#include "mailbox-backend/store/index_copy.h"
#include "mailbox-backend/store/uid_map.h"

struct backup_reader {
    struct store store; /* of the database: its codecs */
    struct database database;
    struct backup_manifest manifest;
    int use; /* backup_use() */
    struct store_mailbox *mailbox;
};

/* ---- the parts of a database ---- */

/* Nothing is mapped before its checksum was found right: damaged pages could end the process. */
static enum err_code open_index(struct backup_reader *reader, const char *folder, const char *name,
                                const struct backup_database *entry, struct err *err)
{
    char *path = backup_path("%s/%s/db%u.index", folder, name, entry->number);
    enum err_code code = backup_check_index(path, entry, err);

    if (code != ERR_NONE)
        err_prefix(err, "db%u: the index", entry->number);
    else
        code = index_open_copy(&reader->database.index, path, err);
    if (code == ERR_NONE)
        code = format_check_index(reader->database.index, err);
    free(path);
    return code;
}

/* The rows of the segments that the backup has. */
static enum err_code read_segments(const struct backup_reader *reader,
                                   const struct backup_database *entry, struct segment_record *rows,
                                   size_t *count, struct err *err)
{
    struct tx tx = {NULL, 0};
    struct bytes row;
    enum err_code code = index_read_begin(reader->database.index, &tx.txn, err);

    *count = 0;
    for (size_t i = 0; i < entry->count && code == ERR_NONE; i++) {
        struct key key = key_number(entry->segments[i].number);

        code = tx_get(&tx, TABLE_SEGMENT, &key, &row, err);
        if (code == ERR_NOT_FOUND ||
            (code == ERR_NONE && !segment_unpack(row, entry->segments[i].number, &rows[*count])))
            code = tx_bad_row(&tx, TABLE_SEGMENT, err);
        ++*count;
    }
    index_read_end(&tx.txn);
    return code;
}

static enum err_code open_segments(struct backup_reader *reader, const char *folder,
                                   const struct backup_database *entry, struct err *err)
{
    struct segment_record *rows = mem_array(entry->count + 1, sizeof(*rows));
    char *path = backup_segment_folder(folder, entry);
    size_t count;
    enum err_code code = read_segments(reader, entry, rows, &count, err);

    if (code == ERR_NONE)
        segments_open_copy(&reader->database.segments, path, rows, count);
    free(path);
    free(rows);
    return code;
}

static void close_database(struct backup_reader *reader)
{
    mailbox_close_copy(&reader->mailbox);
    segments_close(&reader->database.segments);
    index_close(&reader->database.index);
}

/* ERR_NOT_FOUND when the mailbox is not in this one. */
static enum err_code open_database(struct backup_reader *reader, const char *folder,
                                   const char *name, const struct backup_database *entry,
                                   const struct store_guid *guid, struct err *err)
{
    enum err_code code = open_index(reader, folder, name, entry, err);

    if (code == ERR_NONE)
        code = mailbox_open_copy(&reader->database, guid, &reader->mailbox, err);
    if (code == ERR_NONE)
        code = open_segments(reader, folder, entry, err);
    if (code != ERR_NONE)
        close_database(reader);
    return code;
}

/* ---- the whole ---- */

static enum err_code read_manifest(const char *folder, const char *name, int *use,
                                   struct backup_manifest *manifest, struct err *err)
{
    char *path = backup_path("%s/%s/manifest", folder, name);
    enum err_code code = backup_use(folder, name, use, err);

    if (code == ERR_NONE)
        code = manifest_read(manifest, path, err);
    if (code == ERR_NOT_FOUND)
        err_set(err, code, "there is no whole backup %s", name);
    free(path);
    return code;
}

static enum err_code find_mailbox(struct backup_reader *reader, const char *folder,
                                  const char *name, const struct store_guid *guid, struct err *err)
{
    struct err why, first = {0};

    for (size_t i = 0; i < reader->manifest.count; i++) {
        enum err_code code =
            open_database(reader, folder, name, &reader->manifest.databases[i], guid, &why);

        if (code == ERR_NONE)
            return ERR_NONE;
        if (code != ERR_NOT_FOUND && first.code == ERR_NONE)
            first = why; /* the mailbox may be in another one */
    }
    if (first.code != ERR_NONE)
        return err_set(err, first.code, "%s", first.text);
    return err_set(err, ERR_NOT_FOUND, "the backup has no such mailbox");
}

enum err_code backup_reader_open(struct backup_reader **out, const char *folder, const char *name,
                                 const struct store_guid *guid, struct err *err)
{
    struct backup_reader *reader = mem_alloc(sizeof(*reader));
    enum err_code code;

    codecs_init(&reader->store.codecs);
    reader->store.uid_maps = uid_maps_create(0);
    reader->database.store = &reader->store;
    code = read_manifest(folder, name, &reader->use, &reader->manifest, err);
    if (code == ERR_NONE)
        code = find_mailbox(reader, folder, name, guid, err);
    *out = reader;
    if (code != ERR_NONE)
        backup_reader_close(out);
    return code;
}

struct store_mailbox *backup_reader_mailbox(const struct backup_reader *reader)
{
    return reader->mailbox;
}

void backup_reader_close(struct backup_reader **out)
{
    struct backup_reader *reader = *out;

    *out = NULL;
    if (reader == NULL)
        return;
    close_database(reader);
    codecs_release(&reader->store.codecs);
    uid_maps_destroy(&reader->store.uid_maps);
    manifest_release(&reader->manifest);
    if (reader->use >= 0)
        close(reader->use);
    free(reader);
}

enum err_code backup_directory(const char *folder, const char *name, char **path, struct err *err)
{
    struct backup_manifest manifest = {0};
    int use;
    enum err_code code = read_manifest(folder, name, &use, &manifest, err);

    *path = NULL;
    if (code == ERR_NONE && !manifest.has_directory)
        code = err_set(err, ERR_NOT_FOUND, "the backup has no directory");
    if (code == ERR_NONE) {
        *path = backup_path("%s/%s/directory.mdb", folder, name);
        code =
            backup_check_file(*path, manifest.directory_size, false, manifest.directory_crc, err);
        if (code != ERR_NONE)
            err_prefix(err, "the directory in the backup");
    }
    if (code != ERR_NONE) {
        free(*path);
        *path = NULL;
    }
    manifest_release(&manifest);
    if (use >= 0)
        close(use);
    return code;
}

/* ---- in use ---- */

static enum err_code lock_manifest(const char *folder, const char *name, int flags, short type,
                                   int *use, struct err *err)
{
    char *path = backup_path("%s/%s/manifest", folder, name);
    struct flock whole = {.l_type = type, .l_whence = SEEK_SET};
    enum err_code code = ERR_NONE;

    *use = open(path, flags | O_CLOEXEC);
    if (*use < 0)
        code = err_errno(err, errno, "%s", path);
    else if (fcntl(*use, F_OFD_SETLK, &whole) != 0)
        code = err_set(err, ERR_EXISTS, "backup %s is in use", name);
    if (code != ERR_NONE && *use >= 0) {
        close(*use);
        *use = -1;
    }
    free(path);
    return code;
}

enum err_code backup_use(const char *folder, const char *name, int *use, struct err *err)
{
    return lock_manifest(folder, name, O_RDONLY, F_RDLCK, use, err);
}

enum err_code backup_claim(const char *folder, const char *name, int *use, struct err *err)
{
    return lock_manifest(folder, name, O_RDWR, F_WRLCK, use, err);
}
