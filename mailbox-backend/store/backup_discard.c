/* Removing backups, whole or broken off: one is either there, or gone. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "mailbox-backend/store/backup_private.h"

#define GOING ".going" /* behind the name of one that is being removed */

/* The files of one backup, then its folder. */
static enum err_code remove_files(const char *folder, struct err *err)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    enum err_code code = ERR_NONE;

    if (dir == NULL)
        return err_errno(err, errno, "%s", folder);
    while (code == ERR_NONE && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlinkat(dirfd(dir), entry->d_name, 0) != 0)
            code = err_errno(err, errno, "%s/%s", folder, entry->d_name);
    }
    closedir(dir);
    if (code == ERR_NONE && rmdir(folder) != 0)
        code = err_errno(err, errno, "%s", folder);
    return code;
}

enum err_code backup_discard(const char *folder, const char *name, struct err *err)
{
    char *from = backup_path("%s/%s", folder, name);
    char *to = backup_path("%s/%s" GOING, folder, name);
    enum err_code code = ERR_NONE;

    if (rename(from, to) != 0)
        code = err_errno(err, errno, "%s", name);
    if (code == ERR_NONE)
        code = file_sync_folder(folder, err);
    if (code == ERR_NONE)
        code = remove_files(to, err);
    free(from);
    free(to);
    return code;
}

enum err_code backup_finish_discards(const char *folder, struct err *err)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    enum err_code code = ERR_NONE;

    if (dir == NULL)
        return err_errno(err, errno, "the folder of the backups");
    while (code == ERR_NONE && (entry = readdir(dir)) != NULL) {
        size_t length = strlen(entry->d_name);
        char *path;

        if (length <= strlen(GOING) || strcmp(entry->d_name + length - strlen(GOING), GOING) != 0)
            continue;
        path = backup_path("%s/%s", folder, entry->d_name);
        code = remove_files(path, err);
        free(path);
    }
    closedir(dir);
    return code;
}

bool backup_is_broken_off(const char *folder, const char *name)
{
    char *path = backup_path("%s/%s/manifest", folder, name);
    bool is_gone = access(path, F_OK) != 0 && errno == ENOENT;

    free(path);
    return is_gone;
}
