/* Texts that nothing uses any more and whose owner nobody knows: files of their own. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/mem.h"
#include "mailbox-backend/store/repair.h"

#define FOLDER FOUND_FOLDER
#define READ_BYTES (256u << 10)

static enum err_code write_all(int fd, const uint8_t *bytes, size_t length, struct err *err)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return err_errno(err, written < 0 ? errno : EIO, FOLDER);
        bytes += written;
        length -= (size_t)written;
    }
    return ERR_NONE;
}

static enum err_code copy(struct store_content *content, int fd, struct err *err)
{
    uint8_t *bytes = mem_grow(NULL, READ_BYTES, 1);
    uint64_t offset = 0;
    size_t got = 1;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && got > 0) {
        code = store_content_read(content, offset, bytes, READ_BYTES, &got, err);
        if (code == ERR_NONE)
            code = write_all(fd, bytes, got, err);
        offset += got;
    }
    free(bytes);
    if (code == ERR_NONE && fsync(fd) != 0)
        code = err_errno(err, errno, FOLDER);
    return code;
}

static enum err_code save(struct check *check, uint64_t id, struct store_content *content,
                          struct err *err)
{
    char *folder, *path;
    int fd;
    enum err_code code;

    if (asprintf(&folder, "%s/" FOLDER, check->database->folder) < 0 ||
        asprintf(&path, "%s/content-%" PRIu64, folder, id) < 0)
        abort();
    code = file_make_folders(folder, 0700, err);
    if (code == ERR_NONE) {
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        code = fd < 0 ? err_errno(err, errno, "%s", path) : copy(content, fd, err);
        if (fd >= 0)
            close(fd);
        if (code != ERR_NONE && fd >= 0)
            unlink(path);
    }
    if (code == ERR_NONE)
        code = file_sync_folder(folder, err);
    if (code == ERR_NONE)
        code = file_sync_folder(check->database->folder, err);
    free(path);
    free(folder);
    return code;
}

/* A text that cannot be read, or for which the disk has no room, stays where it is. */
enum err_code repair_save_orphan(struct check *check, struct mend_task *task, struct err *err)
{
    struct store_content *content = NULL;
    struct err why;
    enum err_code code = check_slice_begin(check, err);
    struct tx tx;

    if (code != ERR_NONE)
        return code;
    tx = check_tx(check, 0);
    code = content_open(check->database, &tx, task->mend.number, &content, &why);
    index_read_end(&check->txn);
    if (code == ERR_NONE)
        code = save(check, task->mend.number, content, &why);
    if (content != NULL)
        store_content_close(&content);
    task->saved = code == ERR_NONE;
    return ERR_NONE;
}
