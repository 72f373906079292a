#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailbox-backend/store/backup_private.h"

static bool is_name(const char *name)
{
    static const char form[] = "00000000T000000.000Z";

    if (strlen(name) != sizeof(form) - 1)
        return false;
    for (size_t i = 0; form[i] != '\0'; i++) {
        bool digit = name[i] >= '0' && name[i] <= '9';

        if (form[i] == '0' ? !digit : name[i] != form[i])
            return false;
    }
    return true;
}

/* The first name behind; empty when there is none. */
static enum err_code find_next(const char *folder, const char *after, char name[BACKUP_NAME_SIZE],
                               struct err *err)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    name[0] = '\0';
    if (dir == NULL)
        return err_errno(err, errno, "the folder of the backups");
    while ((entry = readdir(dir)) != NULL) {
        if (is_name(entry->d_name) && strcmp(entry->d_name, after) > 0 &&
            (name[0] == '\0' || strcmp(entry->d_name, name) < 0))
            snprintf(name, BACKUP_NAME_SIZE, "%.*s", BACKUP_NAME_SIZE - 1, entry->d_name);
    }
    closedir(dir);
    return name[0] == '\0' ? err_set(err, ERR_NOT_FOUND, "no more backups") : ERR_NONE;
}

enum err_code backup_next(const char *folder, const char *after, struct backup_facts *facts,
                          struct err *err)
{
    char name[BACKUP_NAME_SIZE];
    struct backup_manifest manifest;
    enum err_code code = find_next(folder, after, name, err);
    char *path;

    *facts = (struct backup_facts){0};
    if (code != ERR_NONE)
        return code;
    path = backup_path("%s/%s/manifest", folder, name);
    memcpy(facts->name, name, sizeof(name));
    facts->whole = manifest_read(&manifest, path, NULL) == ERR_NONE;
    if (facts->whole) {
        facts->taken = manifest.taken;
        facts->databases = (unsigned)manifest.count;
        facts->messages = manifest.messages;
        facts->bytes = manifest.bytes;
        facts->copied = manifest.copied;
    }
    manifest_release(&manifest);
    free(path);
    return ERR_NONE;
}
