#include "mailbox-backend/store/known.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "mailbox-backend/store/segment_internal.h"

#define FILE_MOST 65536

static char *path_in(const char *folder, const char *name)
{
    char *path;

    if (asprintf(&path, "%s/%s", folder, name) < 0)
        abort();
    return path;
}

static void take(struct known_databases *known, unsigned number)
{
    known->all[number] = true;
    if (known->end <= number)
        known->end = number + 1;
}

/* A line is dbN. */
static void take_line(struct known_databases *known, const char *path, const char *line)
{
    char *end;
    unsigned long number;

    if (strncmp(line, "db", 2) == 0 && line[2] >= '1' && line[2] <= '9') {
        number = strtoul(line + 2, &end, 10);
        if (*end == '\0' && number <= STORE_DATABASES_MAX) {
            take(known, (unsigned)number - 1);
            return;
        }
    }
    log_warning(NULL, "%s: a line that names no database is passed over", path);
}

enum err_code known_read(struct known_databases *known, const char *folder, struct err *err)
{
    char *path = path_in(folder, "databases");
    struct buf text = {0};
    char *at = NULL;
    enum err_code code = file_read(&text, path, FILE_MOST, err);

    *known = (struct known_databases){0};
    buf_append(&text, "", 1);
    if (code == ERR_NONE)
        for (char *line = strtok_r((char *)buf_bytes(&text), "\n", &at); line != NULL;
             line = strtok_r(NULL, "\n", &at))
            take_line(known, path, line);
    buf_release(&text);
    free(path);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code known_add(struct known_databases *known, const char *folder, unsigned number,
                        struct err *err)
{
    char *path;
    struct buf text = {0};
    enum err_code code;

    if (known->all[number])
        return ERR_NONE;
    take(known, number);
    for (unsigned i = 0; i < known->end; i++)
        if (known->all[i])
            buf_printf(&text, "db%u\n", i + 1);
    path = path_in(folder, "databases");
    code = file_write(path, buf_bytes(&text), buf_length(&text), 0600, err);
    known->all[number] = code == ERR_NONE;
    buf_release(&text);
    free(path);
    return code;
}

static bool is_of_a_database(const char *name)
{
    return segment_number_of(name) != 0 || strcmp(name, "index.mdb") == 0 ||
           strcmp(name, "index.copy") == 0;
}

enum err_code known_look(const char *folder, bool *holds, struct err *err)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    int error = errno;

    *holds = false;
    if (dir == NULL && error == ENOENT)
        return ERR_NONE;
    if (dir == NULL)
        return err_errno(err, error, "%s", folder);
    for (errno = 0; !*holds && (entry = readdir(dir)) != NULL; errno = 0)
        *holds = is_of_a_database(entry->d_name);
    error = errno;
    closedir(dir);
    return *holds || error == 0 ? ERR_NONE : err_errno(err, error, "%s", folder);
}
