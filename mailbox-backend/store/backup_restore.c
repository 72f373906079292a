#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "mailbox-backend/store/backup_private.h"
#include "mailbox-backend/store/segment_internal.h"

struct restore {
    const char *folder, *name;
    const struct backup_target *target;
    char *store, *directory; /* where they are made, before they get their names */
    struct backup_manifest manifest;
    uint64_t damaged; /* rows of indexes that were left as they are */
};

/* Copies a file into a new one, which gets room for size bytes. */
static enum err_code copy_file(const char *from, const char *to, uint64_t length, uint64_t size,
                               struct err *err)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum err_code code = ERR_NONE;

    if (in < 0 || out < 0)
        code = err_errno(err, errno, "%s", in < 0 ? from : to);
    if (code == ERR_NONE)
        code = backup_copy(in, out, 0, length, NULL, err);
    if (code == ERR_NONE && size > length) {
        int error = posix_fallocate(out, 0, (off_t)size);

        if (error != 0)
            code = err_errno(err, error, "%s", to);
    }
    if (code == ERR_NONE && fsync(out) != 0)
        code = err_errno(err, errno, "%s", to);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return code;
}

/* The size that the segment's header gives. */
static enum err_code segment_size(const char *path, uint64_t *size, struct err *err)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t header[28];
    bool good = file >= 0 && pread(file, header, sizeof(header), 0) == (ssize_t)sizeof(header);

    if (file >= 0)
        close(file);
    if (!good)
        return err_set(err, ERR_CORRUPT, "%s cannot be read", path);
    *size = get_u64(header + 16);
    return *size <= SEGMENT_MOST_SIZE ? ERR_NONE
                                      : err_set(err, ERR_CORRUPT, "%s has a damaged header", path);
}

static enum err_code restore_segment(struct restore *restore,
                                     const struct backup_database *database,
                                     const struct backup_segment *segment, const char *folder,
                                     struct err *err)
{
    char *from = backup_segment_path(restore->folder, database, segment);
    char *to = segment_path(folder, segment->number);
    uint64_t size = 0;
    enum err_code code = backup_check_file(from, segment->settled, true, segment->crc, err);

    if (code != ERR_NONE)
        err_prefix(err, "%s", from);
    else
        code = segment_size(from, &size, err);
    if (code == ERR_NONE)
        code = copy_file(from, to, segment->used, size, err);
    free(from);
    free(to);
    return code;
}

static enum err_code restore_index(struct restore *restore, const struct backup_database *database,
                                   const char *folder, struct err *err)
{
    char *from = backup_path("%s/%s/db%u.index", restore->folder, restore->name, database->number);
    char *to = backup_path("%s/index.mdb", folder);
    struct index *index = NULL;
    uint64_t damaged = 0;
    enum err_code code = backup_check_index(from, database, err);

    if (code != ERR_NONE)
        err_prefix(err, "%s", from);
    else
        code = copy_file(from, to, database->index_size, 0, err);
    if (code == ERR_NONE)
        code = index_open(&index, folder, restore->target->map_size, 4, NULL, err);
    if (code == ERR_NONE)
        code = backup_leap(index, database, &restore->manifest.room,
                           restore->target->new_uid_validity, &damaged, err);
    restore->damaged += damaged;
    index_close(&index);
    free(from);
    free(to);
    return code;
}

static enum err_code restore_database(struct restore *restore,
                                      const struct backup_database *database, struct err *err)
{
    char *folder = backup_path("%s/db%u", restore->store, database->number);
    enum err_code code = file_make_folders(folder, 0700, err);

    if (code == ERR_NONE) /* first: it may have a format that this program does not know */
        code = restore_index(restore, database, folder, err);
    for (size_t i = 0; i < database->count && code == ERR_NONE; i++)
        code = restore_segment(restore, database, &database->segments[i], folder, err);
    if (code == ERR_NONE)
        code = file_sync_folder(folder, err);
    free(folder);
    return code;
}

static enum err_code restore_directory(struct restore *restore, struct err *err)
{
    const struct backup_manifest *manifest = &restore->manifest;
    char *from = backup_path("%s/%s/directory.mdb", restore->folder, restore->name);
    char *to = backup_path("%s/data.mdb", restore->directory);
    enum err_code code = file_make_folders(restore->directory, 0700, err);

    if (code == ERR_NONE) {
        code =
            backup_check_file(from, manifest->directory_size, false, manifest->directory_crc, err);
        if (code != ERR_NONE)
            err_prefix(err, "%s", from);
    }
    if (code == ERR_NONE)
        code = copy_file(from, to, manifest->directory_size, 0, err);
    if (code == ERR_NONE)
        code = file_sync_folder(restore->directory, err);
    free(from);
    free(to);
    return code;
}

static enum err_code give_name(const char *made, const char *name, struct err *err)
{
    if (rename(made, name) != 0)
        return err_errno(err, errno, "%s", name);
    return ERR_NONE;
}

static enum err_code restore_parts(struct restore *restore, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < restore->manifest.count && code == ERR_NONE; i++)
        code = restore_database(restore, &restore->manifest.databases[i], err);
    if (code == ERR_NONE && restore->manifest.has_directory)
        code = restore_directory(restore, err);
    if (code == ERR_NONE && restore->manifest.has_directory)
        code = give_name(restore->directory, restore->target->directory, err);
    if (code == ERR_NONE)
        code = give_name(restore->store, restore->target->store, err);
    return code;
}

/* None of them may be there: neither what a restore would replace, nor what a broken one left. */
static enum err_code check_target(const struct restore *restore, struct err *err)
{
    const char *const paths[] = {restore->target->store, restore->target->directory, restore->store,
                                 restore->directory};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (access(paths[i], F_OK) == 0)
            return err_set(err, ERR_EXISTS, "%s is there: move it away first", paths[i]);
    }
    return ERR_NONE;
}

static void tell(const struct restore *restore, struct backup_facts *facts)
{
    snprintf(facts->name, sizeof(facts->name), "%s", restore->name);
    facts->whole = true;
    facts->taken = restore->manifest.taken;
    facts->databases = (unsigned)restore->manifest.count;
    facts->messages = restore->manifest.messages;
    facts->bytes = restore->manifest.bytes;
    facts->damaged = restore->damaged;
}

enum err_code backup_restore(const char *folder, const char *name,
                             const struct backup_target *target, struct backup_facts *facts,
                             struct err *err)
{
    struct restore restore = {
        .folder = folder,
        .name = name,
        .target = target,
        .store = backup_path("%s.restoring", target->store),
        .directory = backup_path("%s.restoring", target->directory),
    };
    char *path = backup_path("%s/%s/manifest", folder, name);
    int use;
    enum err_code code = backup_use(folder, name, &use, err);

    *facts = (struct backup_facts){0};
    if (code == ERR_NONE)
        code = manifest_read(&restore.manifest, path, err);
    if (code == ERR_NONE)
        code = check_target(&restore, err);
    if (code == ERR_NONE)
        code = restore_parts(&restore, err);
    if (code == ERR_NONE)
        tell(&restore, facts);
    manifest_release(&restore.manifest);
    if (use >= 0)
        close(use);
    free(restore.store);
    free(restore.directory);
    free(path);
    return code;
}
