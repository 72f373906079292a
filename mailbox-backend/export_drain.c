/* Reads the stream of an export and has files made of it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "mailbox-backend/export_private.h"
#include "mailbox-backend/maildir.h"

struct drain {
    FILE *from;
    const struct export_maker *maker;
    struct export_files files;
    char path[MAILDIR_LINE_SIZE]; /* of the folder that is about to begin */
    uint32_t uid_validity;
    FILE *subscriptions;
    bool in_message, has_begun, is_done;
};

static enum err_code broken(struct err *err)
{
    return err_set(err, ERR_INVALID, "the messages broke off: what is here is not all");
}

static enum err_code copy_data(struct drain *drain, uint64_t length, struct err *err)
{
    char bytes[16384];
    enum err_code code = ERR_NONE;

    if (!drain->has_begun) {
        drain->has_begun = true;
        code = drain->maker->begin(&drain->files, err);
    }
    while (length > 0 && code == ERR_NONE) {
        size_t wanted = length < sizeof(bytes) ? (size_t)length : sizeof(bytes);
        size_t got = fread(bytes, 1, wanted, drain->from);

        if (got == 0)
            return broken(err);
        length -= got;
        code = drain->maker->data(&drain->files, bytes, got, err);
    }
    return code;
}

static enum err_code end_message(struct drain *drain, bool drop, struct err *err)
{
    enum err_code code = copy_data(drain, 0, err); /* an empty one is begun only now */

    drain->in_message = false;
    return code == ERR_NONE ? drain->maker->end(&drain->files, drop, err) : code;
}

static enum err_code in_message(struct drain *drain, const char *word, const char *value,
                                struct err *err)
{
    struct export_marks *marks = &drain->files.marks;
    uint64_t number = 0;

    if (strcmp(word, "end") == 0 || strcmp(word, "drop") == 0)
        return end_message(drain, word[0] == 'd', err);
    if (strcmp(word, "keyword") == 0 && marks->keyword_count < STORE_KEYWORDS_MAX) {
        snprintf(marks->keywords[marks->keyword_count++], sizeof(marks->keywords[0]), "%s", value);
        return ERR_NONE;
    }
    if (strcmp(word, "uidl") == 0) {
        snprintf(marks->uidl, sizeof(marks->uidl), "%s", value);
        return ERR_NONE;
    }
    if (strcmp(word, "date") == 0) {
        marks->date = strtoll(value, NULL, 10); /* may be negative */
        return ERR_NONE;
    }
    if (!str_number(str_of(value), UINT32_MAX, &number))
        return broken(err);
    if (strcmp(word, "data") == 0)
        return copy_data(drain, number, err);
    if (strcmp(word, "flags") == 0)
        marks->flags = (uint32_t)number;
    else if (strcmp(word, "uid") == 0)
        marks->uid = (uint32_t)number;
    else
        return broken(err);
    return ERR_NONE;
}

static enum err_code begin_message(struct drain *drain, const char *name, struct err *err)
{
    struct export_marks *marks = &drain->files.marks;

    if (strchr(name, '/') != NULL || strlen(name) >= sizeof(marks->name))
        return broken(err);
    *marks = (struct export_marks){0};
    snprintf(marks->name, sizeof(marks->name), "%s", name);
    drain->in_message = true;
    drain->has_begun = false;
    return ERR_NONE;
}

static enum err_code subscribe(struct drain *drain, const char *path, struct err *err)
{
    char name[256];
    enum err_code code = ERR_NONE;

    if (drain->subscriptions == NULL)
        code = export_open(drain->files.root, "subscriptions", &drain->subscriptions, err);
    if (code == ERR_NONE && export_name(path, name, NULL) == ERR_NONE)
        fprintf(drain->subscriptions, "%s\n", name + 1);
    return code;
}

static enum err_code set_number(struct drain *drain, const char *word, uint64_t number,
                                struct err *err)
{
    if (strcmp(word, "format") == 0)
        drain->maker = number == EXPORT_MBOX ? &export_mbox : &export_maildir;
    else if (strcmp(word, "uids") == 0)
        drain->uid_validity = (uint32_t)number;
    else if (strcmp(word, "next") == 0 && drain->maker != NULL)
        return drain->maker->folder(&drain->files, drain->path, drain->uid_validity,
                                    (uint32_t)number, err);
    else
        return broken(err);
    return ERR_NONE;
}

static enum err_code between_messages(struct drain *drain, const char *word, const char *value,
                                      struct err *err)
{
    uint64_t number;

    if (strcmp(word, "message") == 0)
        return begin_message(drain, value, err);
    if (strcmp(word, "subscribe") == 0)
        return subscribe(drain, value, err);
    if (strcmp(word, "done") == 0) {
        drain->is_done = true;
        return drain->maker == NULL ? broken(err) : drain->maker->close(&drain->files, err);
    }
    if (strcmp(word, "folder") == 0) {
        snprintf(drain->path, sizeof(drain->path), "%s", value);
        return ERR_NONE;
    }
    return str_number(str_of(value), UINT32_MAX, &number) ? set_number(drain, word, number, err)
                                                          : broken(err);
}

static enum err_code read_stream(struct drain *drain, struct err *err)
{
    char line[MAILDIR_LINE_SIZE];
    enum err_code code = ERR_NONE;

    if (fgets(line, sizeof(line), drain->from) == NULL)
        return ERR_NONE; /* the command failed before, and says why */
    if (strcmp(line, MAILDIR_STREAM) != 0)
        return broken(err);
    while (code == ERR_NONE && fgets(line, sizeof(line), drain->from) != NULL) {
        size_t length = strcspn(line, "\n"), word = strcspn(line, " \n");
        const char *value = line[word] == ' ' ? line + word + 1 : line + length;

        if (line[length] != '\n')
            return broken(err);
        line[length] = '\0';
        line[word] = '\0';
        code = drain->in_message ? in_message(drain, line, value, err)
                                 : between_messages(drain, line, value, err);
    }
    return code == ERR_NONE && !drain->is_done ? broken(err) : code;
}

/* Nothing of an older export, or of somebody else, is mixed with this one. */
static enum err_code check_empty(int folder, struct err *err)
{
    int own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = own < 0 ? NULL : fdopendir(own);
    struct dirent *entry;
    bool is_empty = true;

    if (stream == NULL) {
        if (own >= 0)
            close(own);
        return err_errno(err, errno, "the folder");
    }
    while ((entry = readdir(stream)) != NULL)
        is_empty =
            is_empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    closedir(stream);
    return is_empty ? ERR_NONE : err_set(err, ERR_EXISTS, "the folder is not empty");
}

static enum err_code finish(struct drain *drain, enum err_code code, struct err *err)
{
    enum err_code other = export_close(&drain->subscriptions, code == ERR_NONE ? err : NULL);

    export_close(&drain->files.message, NULL);
    export_close(&drain->files.list, NULL);
    if (drain->files.maildir >= 0)
        close(drain->files.maildir);
    if (drain->files.lost_keywords > 0)
        fprintf(stderr, "%s: %llu keywords were left out: a Maildir has letters for 26\n",
                program_invocation_short_name, (unsigned long long)drain->files.lost_keywords);
    return code == ERR_NONE ? other : code;
}

enum err_code export_drain(int folder, int from, struct err *err)
{
    struct drain *drain = mem_alloc(sizeof(*drain));
    enum err_code code = check_empty(folder, err);

    drain->files.root = folder;
    drain->files.maildir = -1;
    drain->from = code == ERR_NONE ? fdopen(from, "r") : NULL;
    if (code == ERR_NONE && drain->from == NULL)
        code = err_errno(err, errno, "the pipe");
    if (code == ERR_NONE)
        code = read_stream(drain, err);
    code = finish(drain, code, err);
    if (drain->from != NULL)
        fclose(drain->from);
    free(drain);
    return code;
}
