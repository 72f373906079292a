#include "mailbox-backend/backend.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/file.h"
#include "common/privilege.h"
#include "mailbox-backend/engines.h"
#include "mailbox-backend/mailbox/grants.h"

#define FOLDER_MODE 0700

/* The user may not be known: becoming them is going to fail, with words. */
static enum err_code give_folder(const struct backend_settings *settings, struct err *err)
{
    const struct passwd *user;
    const struct group *group;
    gid_t gid;

    if (settings->backend.user == NULL || settings->backend.user[0] == '\0' || geteuid() != 0)
        return ERR_NONE;
    user = getpwnam(settings->backend.user);
    if (user == NULL)
        return ERR_NONE;
    group = settings->backend.group == NULL ? NULL : getgrnam(settings->backend.group);
    gid = group != NULL ? group->gr_gid : user->pw_gid;
    if (chown(settings->backend.data, user->pw_uid, gid) != 0)
        return err_errno(err, errno, "cannot give %s to %s", settings->backend.data, user->pw_name);
    return ERR_NONE;
}

static enum err_code take_folder(struct backend *backend, struct err *err)
{
    const struct backend_settings *settings = backend->settings;
    char *path = backend_path(settings, "lock");
    enum err_code code = file_make_folders(settings->backend.data, FOLDER_MODE, err);

    if (code == ERR_NONE)
        code = give_folder(settings, err);
    if (code == ERR_NONE)
        code = privilege_drop(settings->backend.user, settings->backend.group, err);
    if (code == ERR_NONE)
        code = file_lock(&backend->lock, path, err);
    free(path);
    return code;
}

static enum err_code open_directory(struct backend *backend, struct err *err)
{
    const struct backend_settings *settings = backend->settings;
    char *folder = backend_path(settings, "directory");
    const struct directory_settings how = {
        .folder = folder,
        .default_domain = settings->directory.default_domain,
        .delimiter = settings->directory.recipient_delimiter,
        .cache_seconds = settings->directory.credential_cache_time,
        .default_quota_bytes = settings->directory.quota_bytes,
        .default_quota_folders = settings->directory.quota_folders,
        .scram = settings->directory.scram,
        .external = (enum external)settings->directory.external,
        .oauth = &backend->oauth,
    };
    enum err_code code;

    backend_settings_oauth(settings, &backend->oauth);
    code = directory_open(&backend->directory, &how, err);
    free(folder);
    return code;
}

/* An account that there is not (any more) has the site's. */
static bool recovery_of_account(void *context, const struct store_guid *guid,
                                struct store_recovery *recovery)
{
    const struct backend *backend = context;
    struct err err;
    enum err_code code;

    if (backend->directory == NULL)
        return false;
    code = directory_recovery(backend->directory, guid, recovery, &err);
    return code == ERR_NONE || code == ERR_NOT_FOUND;
}

static enum err_code open_store(struct backend *backend, bool check_pages, struct err *err)
{
    const struct backend_settings *settings = backend->settings;
    char *folder = backend_path(settings, "store");
    const struct store_settings how = {
        .folder = folder,
        .databases = (unsigned)settings->store.databases,
        .map_size = settings->store.map_size,
        .max_readers = (unsigned)settings->store.max_readers,
        .message_size_limit = settings->store.message_size_limit,
        .content_budget = settings->store.content_budget,
        .compress = settings->store.compress,
        .recovery_seconds = settings->store.recovery_time,
        .recovery_quota = settings->store.recovery_quota,
        .recovery_of = recovery_of_account,
        .recovery_context = backend,
        .compact_rate = settings->store.compact_rate,
        .index_copy_interval = settings->store.index_copy_interval,
        .check_pages = check_pages,
    };
    enum err_code code = store_open(&backend->store, &how, err);

    free(folder);
    return code;
}

static enum err_code open_parts(struct backend *backend, unsigned parts, struct err *err)
{
    enum err_code code = ERR_NONE;

    if ((parts & BACKEND_SERVICES) != 0)
        code = backend_services_open(&backend->services, backend->settings, err);
    if (code == ERR_NONE && (parts & BACKEND_DIRECTORY) != 0)
        code = open_directory(backend, err);
    if (code == ERR_NONE && (parts & BACKEND_STORE) != 0)
        code = open_store(backend, (parts & BACKEND_PAGES) != 0, err);
    if (backend->store != NULL)
        backend->grants = grants_create(backend->store);
    return code;
}

enum err_code backend_open(struct backend *backend, const struct backend_settings *settings,
                           unsigned parts, struct err *err)
{
    *backend = (struct backend){.settings = settings, .lock = -1};
    if (take_folder(backend, err) != ERR_NONE || open_parts(backend, parts, err) != ERR_NONE) {
        backend_close(backend);
        return err->code;
    }
    return ERR_NONE;
}

void backend_close(struct backend *backend)
{
    grants_destroy(&backend->grants);
    if (backend->store != NULL)
        store_close(&backend->store);
    if (backend->directory != NULL)
        directory_close(&backend->directory);
    if (backend->services != NULL)
        services_close(&backend->services);
    if (backend->lock >= 0)
        file_unlock(&backend->lock);
}
