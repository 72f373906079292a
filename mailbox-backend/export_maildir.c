/* Maildir++ with what Dovecot, and mailbox import, know of uids, POP3 ids and keywords. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailbox-backend/export_private.h"

static enum err_code make_folder(int parent, const char *name, int *folder, struct err *err)
{
    if ((mkdirat(parent, name, 0700) != 0 && errno != EEXIST) ||
        (*folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return err_errno(err, errno, "%s", name);
    return ERR_NONE;
}

static enum err_code write_keywords(struct export_files *files, struct err *err)
{
    FILE *file;
    enum err_code code;

    if (files->keyword_count == 0)
        return ERR_NONE;
    code = export_open(files->maildir, "dovecot-keywords", &file, err);
    if (code != ERR_NONE)
        return code;
    for (unsigned i = 0; i < files->keyword_count; i++)
        fprintf(file, "%u %s\n", i, files->keywords[i]);
    files->keyword_count = 0;
    return export_close(&file, err);
}

static enum err_code close_folder(struct export_files *files, struct err *err)
{
    enum err_code code = ERR_NONE;

    if (files->maildir < 0)
        return code;
    code = write_keywords(files, err);
    if (code == ERR_NONE)
        code = export_close(&files->list, err);
    close(files->maildir);
    files->maildir = -1;
    return code;
}

static enum err_code open_folder(struct export_files *files, const char *path,
                                 uint32_t uid_validity, uint32_t uid_next, struct err *err)
{
    static const char *const parts[] = {"cur", "new", "tmp"};
    char name[256] = ".";
    enum err_code code = close_folder(files, err);

    if (code == ERR_NONE && strcmp(path, "INBOX") != 0)
        code = export_name(path, name, err);
    if (code == ERR_NONE)
        code = make_folder(files->root, name, &files->maildir, err);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && code == ERR_NONE; i++) {
        if (mkdirat(files->maildir, parts[i], 0700) != 0)
            code = err_errno(err, errno, "%s/%s", name, parts[i]);
    }
    if (code == ERR_NONE)
        code = export_open(files->maildir, "dovecot-uidlist", &files->list, err);
    if (code == ERR_NONE)
        fprintf(files->list, "3 V%u N%u\n", (unsigned)uid_validity, (unsigned)uid_next);
    return code;
}

static enum err_code begin(struct export_files *files, struct err *err)
{
    char path[300];

    snprintf(path, sizeof(path), "tmp/%s", files->marks.name);
    return export_open(files->maildir, path, &files->message, err);
}

static enum err_code write_data(struct export_files *files, const char *bytes, size_t length,
                                struct err *err)
{
    if (fwrite(bytes, 1, length, files->message) != length)
        return err_errno(err, errno, "writing a message");
    return ERR_NONE;
}

/* The letter of a keyword; '\0' when all 26 mean others. */
static char letter_of(struct export_files *files, const char *keyword)
{
    unsigned i = 0;

    while (i < files->keyword_count && strcmp(files->keywords[i], keyword) != 0)
        i++;
    if (i == sizeof(files->keywords) / sizeof(files->keywords[0])) {
        files->lost_keywords++;
        return '\0';
    }
    if (i == files->keyword_count)
        strcpy(files->keywords[files->keyword_count++], keyword);
    return (char)('a' + i);
}

/* Letters stand in the order of their bytes. */
static void write_letters(struct export_files *files, char letters[32])
{
    static const struct {
        char letter;
        uint32_t flag;
    } flags[] = {
        {'D', FLAG_DRAFT   },
        {'F', FLAG_FLAGGED },
        {'R', FLAG_ANSWERED},
        {'S', FLAG_SEEN    },
        {'T', FLAG_DELETED },
    };
    bool is_set[26] = {false};
    size_t used = 0;

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if ((files->marks.flags & flags[i].flag) != 0)
            letters[used++] = flags[i].letter;
    }
    for (unsigned i = 0; i < files->marks.keyword_count; i++) {
        char letter = letter_of(files, files->marks.keywords[i]);

        if (letter != '\0')
            is_set[letter - 'a'] = true;
    }
    for (size_t i = 0; i < sizeof(is_set); i++) {
        if (is_set[i])
            letters[used++] = (char)('a' + i);
    }
    letters[used] = '\0';
}

static enum err_code keep(struct export_files *files, const char *from, struct err *err)
{
    const struct export_marks *marks = &files->marks;
    struct timespec times[2] = {{.tv_sec = marks->date}, {.tv_sec = marks->date}};
    char letters[32], to[320];

    write_letters(files, letters);
    snprintf(to, sizeof(to), "cur/%s:2,%s", marks->name, letters);
    if (utimensat(files->maildir, from, times, 0) != 0 ||
        renameat(files->maildir, from, files->maildir, to) != 0)
        return err_errno(err, errno, "%s", to);
    fprintf(files->list, "%u ", (unsigned)marks->uid);
    if (marks->uidl[0] != '\0')
        fprintf(files->list, "P%s ", marks->uidl);
    fprintf(files->list, ":%s\n", marks->name);
    return ERR_NONE;
}

static enum err_code end(struct export_files *files, bool drop, struct err *err)
{
    char from[300];
    enum err_code code = export_close(&files->message, err);

    snprintf(from, sizeof(from), "tmp/%s", files->marks.name);
    if (code == ERR_NONE && !drop)
        return keep(files, from, err);
    unlinkat(files->maildir, from, 0);
    return code;
}

const struct export_maker export_maildir = {open_folder, begin, write_data, end, close_folder};
