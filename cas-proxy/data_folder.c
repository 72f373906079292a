#include "cas-proxy/data_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "cas-proxy/listeners.h"
#include "common/file.h"

#define FOLDER_MODE 0750

static enum err_code take_lock(struct data_folder *folder, const struct front_settings *settings,
                               struct err *err)
{
    char *path = front_settings_path(settings, "lock");
    enum err_code code = file_lock(&folder->lock, path, err);

    free(path);
    return code;
}

static enum err_code read_services(struct data_folder *folder,
                                   const struct front_settings *settings, struct err *err)
{
    char *file = front_settings_path(settings, "services");
    struct services_settings names = {.file = file,
                                      .names = listeners_names,
                                      .count = listeners_name_count,
                                      .other_side = "back end"};
    enum err_code code = services_open(&folder->services, &names, err);

    free(file);
    return code;
}

enum err_code data_folder_open(struct data_folder *folder, const struct front_settings *settings,
                               struct err *err)
{
    *folder = (struct data_folder){.lock = -1};
    if (file_make_folders(settings->front.data, FOLDER_MODE, err) != ERR_NONE ||
        take_lock(folder, settings, err) != ERR_NONE)
        return err->code;
    if (read_services(folder, settings, err) != ERR_NONE) {
        file_unlock(&folder->lock);
        return err->code;
    }
    return ERR_NONE;
}

void data_folder_close(struct data_folder *folder)
{
    services_close(&folder->services);
    file_unlock(&folder->lock);
}

/* False for a user or group that is not known: becoming them is going to fail, with words. */
static bool find(const struct front_settings *settings, uid_t *uid, gid_t *gid)
{
    const struct passwd *user = getpwnam(settings->front.user);
    const char *name = settings->front.group;
    const struct group *group;

    if (user == NULL)
        return false;
    *uid = user->pw_uid;
    *gid = user->pw_gid;
    if (name == NULL || *name == '\0')
        return true;
    group = getgrnam(name);
    if (group != NULL)
        *gid = group->gr_gid;
    return group != NULL;
}

enum err_code data_folder_give(const struct front_settings *settings, struct err *err)
{
    const char *user = settings->front.user;
    const struct dirent *entry;
    DIR *folder;
    uid_t uid;
    gid_t gid;
    int status = 0;

    if (user == NULL || *user == '\0' || geteuid() != 0 || !find(settings, &uid, &gid))
        return ERR_NONE;
    folder = opendir(settings->front.data);
    if (folder == NULL)
        return err_errno(err, errno, "%s", settings->front.data);
    while (status == 0 && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.')
            status = fchownat(dirfd(folder), entry->d_name, uid, gid, AT_SYMLINK_NOFOLLOW);
    }
    if (status != 0 || fchown(dirfd(folder), uid, gid) != 0)
        err_errno(err, errno, "cannot give %s to %s", settings->front.data, user);
    else
        err->code = ERR_NONE;
    closedir(folder);
    return err->code;
}
