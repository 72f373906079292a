#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/mem.h"
#include "mailbox-backend/directory/internal.h"
#include "mailbox-backend/directory/scram.h"

static enum err_code take_lock(struct directory *directory, const char *folder, struct err *err)
{
    struct buf path = {0};
    enum err_code code;

    buf_printf(&path, "%s/lock", folder);
    buf_byte(&path, '\0');
    code = file_lock(&directory->lock, (const char *)buf_bytes(&path), err);
    buf_release(&path);
    return code;
}

static enum err_code open_all(struct directory *directory,
                              const struct directory_settings *settings, struct err *err)
{
    char domain[NAME_DOMAIN_MAX + 1];
    enum err_code code = ERR_NONE;

    if (settings->default_domain != NULL && settings->default_domain[0] != '\0' &&
        (code = name_domain(str_of(settings->default_domain), domain, err)) != ERR_NONE) {
        err_prefix(err, "default domain %s", settings->default_domain);
        return code;
    }
    if (directory->is_copy)
        return env_open(directory, err);
    if ((code = file_make_folders(settings->folder, 0700, err)) == ERR_NONE &&
        (code = take_lock(directory, settings->folder, err)) == ERR_NONE &&
        (code = env_open(directory, err)) == ERR_NONE &&
        (code = scram_secret_load(directory, err)) == ERR_NONE)
        code = password_decoy(directory->decoy, err);
    return code;
}

static enum err_code open_as(struct directory **out, const struct directory_settings *settings,
                             bool is_copy, struct err *err)
{
    struct directory *directory = mem_alloc(sizeof(*directory));
    struct err local;
    enum err_code code;

    directory->lock = -1;
    directory->is_copy = is_copy;
    directory->folder = mem_string(settings->folder);
    env_init(directory);
    directory->default_domain = mem_string(settings->default_domain);
    directory->delimiter = mem_string(settings->delimiter);
    directory->scram = settings->scram;
    directory->external = settings->external;
    directory->oauth = settings->oauth;
    if (settings->oauth != NULL && settings->oauth->rules.issuer != NULL &&
        settings->oauth->rules.issuer[0] != '\0')
        directory->jwt = jwt_create(&settings->oauth->rules);
    directory->default_quota_bytes = settings->default_quota_bytes;
    directory->default_quota_folders = settings->default_quota_folders;
    directory->cache = credential_cache_create(settings->cache_seconds);
    pthread_mutex_init(&directory->listener_mutex, NULL);
    code = open_all(directory, settings, err != NULL ? err : &local);
    if (code != ERR_NONE)
        directory_close(&directory);
    *out = directory;
    return code;
}

enum err_code directory_open(struct directory **directory,
                             const struct directory_settings *settings, struct err *err)
{
    return open_as(directory, settings, false, err);
}

enum err_code directory_open_copy(struct directory **directory, const char *path,
                                  const struct directory *like, struct err *err)
{
    const struct directory_settings settings = {
        .folder = path,
        .default_domain = like->default_domain,
        .delimiter = like->delimiter,
        .default_quota_bytes = like->default_quota_bytes,
        .default_quota_folders = like->default_quota_folders,
    };

    return open_as(directory, &settings, true, err);
}

void directory_read_keys(struct directory *directory)
{
    if (directory->jwt != NULL)
        jwt_read_keys(directory->jwt);
}

void directory_close(struct directory **out)
{
    struct directory *directory = *out;

    if (directory == NULL)
        return;
    env_close(directory);
    if (directory->lock >= 0)
        file_unlock(&directory->lock);
    jwt_destroy(&directory->jwt);
    credential_cache_destroy(&directory->cache);
    pthread_mutex_destroy(&directory->listener_mutex);
    mem_wipe(directory->salt_secret, sizeof(directory->salt_secret));
    free(directory->folder);
    free(directory->default_domain);
    free(directory->delimiter);
    free(directory);
    *out = NULL;
}
