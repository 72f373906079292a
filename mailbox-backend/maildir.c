#include "mailbox-backend/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/mem.h"
#include "mailbox-backend/hash_set.h"
#include "mailbox-backend/imap4/mutf7.h"
#include "mailbox-backend/maildir_uidlist.h"
#include "mailbox-backend/store/store.h"

#define NAMES_AT_ONCE 16384
#define LISTED_AT_ONCE 4096
#define KEYWORDS 26

struct feed {
    int to;
    char keywords[KEYWORDS][STORE_KEYWORD_NAME_MAX + 1]; /* of the folder: what a to z mean */
    struct hash_set listed;            /* files that came by the folder's list of uids */
    const struct uidlist_entry *entry; /* of the message being written; NULL: it is not listed */
};

static const struct {
    char letter;
    uint32_t flag;
} flag_letters[] = {
    {'D', FLAG_DRAFT   },
    {'F', FLAG_FLAGGED },
    {'R', FLAG_ANSWERED},
    {'S', FLAG_SEEN    },
    {'T', FLAG_DELETED },
};

uint32_t maildir_flags(const char *name, char letters[27])
{
    const char *info = strstr(name, ":2,");
    uint32_t flags = 0;
    size_t count = 0;

    letters[0] = '\0';
    for (const char *at = info == NULL ? "" : info + 3; *at != '\0' && *at != ','; at++) {
        for (size_t i = 0; i < sizeof(flag_letters) / sizeof(flag_letters[0]); i++)
            flags |= *at == flag_letters[i].letter ? flag_letters[i].flag : 0;
        if (*at >= 'a' && *at <= 'z' && count < KEYWORDS && strchr(letters, *at) == NULL) {
            letters[count++] = *at;
            letters[count] = '\0';
        }
    }
    return flags;
}

bool maildir_folder_path(const char *name, char *path, size_t room)
{
    struct arena arena = {0};
    struct str text = str_of(name + 1), decoded;
    size_t used = 0;
    bool good;

    if (mutf7_decode(&arena, text, &decoded))
        text = decoded;
    good = text.length > 0 && text.length < room && memchr(text.data, '/', text.length) == NULL &&
           memchr(text.data, '\n', text.length) == NULL;
    for (size_t i = 0; good && i < text.length; i++) {
        path[used++] = text.data[i] == '.' ? '/' : text.data[i];
        if (i + 2 < text.length && memcmp(text.data + i, "\\2e", 3) == 0) {
            path[used - 1] = '.'; /* as Dovecot's plug-in listescape has it */
            i += 2;
        } else if (i + 2 < text.length && memcmp(text.data + i, "\\5c", 3) == 0) {
            i += 2;
        }
    }
    path[good ? used : 0] = '\0';
    arena_reset(&arena);
    return good;
}

/* ---- writing the stream ---- */

static enum err_code put(struct feed *feed, const void *bytes, size_t length, struct err *err)
{
    const char *at = bytes;

    while (length > 0) {
        ssize_t wrote = write(feed->to, at, length);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return err_errno(err, errno, "passing the Maildir on");
        at += wrote;
        length -= (size_t)wrote;
    }
    return ERR_NONE;
}

static enum err_code put_line(struct feed *feed, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum err_code put_line(struct feed *feed, struct err *err, const char *format, ...)
{
    char line[MAILDIR_LINE_SIZE];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof(line))
        return err_set(err, ERR_LIMIT, "a name in the Maildir is too long");
    return put(feed, line, (size_t)length, err);
}

static enum err_code put_marks(struct feed *feed, const char *name, int64_t date, struct err *err)
{
    char letters[27];
    uint32_t flags = maildir_flags(name, letters);
    enum err_code code = put_line(feed, err, "flags %u\ndate %lld\n", (unsigned)flags,
                                  (long long)(date > 0 ? date : 1));

    for (const char *at = letters; *at != '\0' && code == ERR_NONE; at++) {
        if (feed->keywords[*at - 'a'][0] != '\0')
            code = put_line(feed, err, "keyword %s\n", feed->keywords[*at - 'a']);
    }
    if (feed->entry != NULL && code == ERR_NONE)
        code = put_line(feed, err, "uid %u\n", (unsigned)feed->entry->uid);
    if (feed->entry != NULL && feed->entry->uidl[0] != '\0' && code == ERR_NONE)
        code = put_line(feed, err, "uidl %s\n", feed->entry->uidl);
    return code;
}

static enum err_code put_content(struct feed *feed, int file, struct err *err)
{
    char bytes[MAILDIR_DATA_MAX];
    enum err_code code = ERR_NONE;
    ssize_t got = 0;

    while (code == ERR_NONE && (got = read(file, bytes, sizeof(bytes))) > 0) {
        code = put_line(feed, err, "data %zd\n", got);
        if (code == ERR_NONE)
            code = put(feed, bytes, (size_t)got, err);
    }
    if (code == ERR_NONE && got < 0)
        code = err_errno(err, errno, "reading a message");
    return code == ERR_NONE ? put_line(feed, err, "end\n") : code;
}

/* A file that went away or was renamed meanwhile (the Maildir is in use) is passed over. */
static enum err_code put_message(struct feed *feed, int folder, const char *path, struct err *err)
{
    int file = openat(folder, path, O_RDONLY | O_CLOEXEC);
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    struct stat facts;
    enum err_code code = ERR_NONE;

    if (file < 0 && errno != ENOENT)
        return err_errno(err, errno, "%s", name);
    if (file < 0)
        return ERR_NONE;
    if (fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) && strchr(name, '\n') == NULL &&
        (code = put_line(feed, err, "message %s\n", name)) == ERR_NONE &&
        (code = put_marks(feed, name, facts.st_mtime, err)) == ERR_NONE)
        code = put_content(feed, file, err);
    close(file);
    return code;
}

/* ---- walking ---- */

typedef enum err_code visitor(struct feed *feed, int folder, const char *name, struct err *err);

/* Visits all names of a folder in order. */
static enum err_code for_all(struct feed *feed, int folder, enum maildir_which which,
                             visitor *visit, struct err *err)
{
    char **names = mem_array(NAMES_AT_ONCE, sizeof(*names));
    char after[256] = "";
    enum err_code code = ERR_NONE;
    size_t count = NAMES_AT_ONCE;

    while (count == NAMES_AT_ONCE && code == ERR_NONE) {
        count = maildir_names(folder, which, after, names, NAMES_AT_ONCE);
        for (size_t i = 0; i < count; i++) {
            snprintf(after, sizeof(after), "%s", names[i]);
            if (code == ERR_NONE)
                code = visit(feed, folder, names[i], err);
            free(names[i]);
        }
    }
    free(names);
    return code;
}

/* Those that are in the list of uids, in its order. */
static enum err_code put_listed(struct feed *feed, struct uidlist *list, int maildir,
                                struct err *err)
{
    struct uidlist_entry *entries = mem_array(LISTED_AT_ONCE, sizeof(*entries));
    size_t count = LISTED_AT_ONCE;
    enum err_code code = put_line(feed, err, "uids %u\n", (unsigned)list->uid_validity);

    while (count == LISTED_AT_ONCE && code == ERR_NONE) {
        count = uidlist_next(list, maildir, entries, LISTED_AT_ONCE);
        for (size_t i = 0; i < count; i++) {
            feed->entry = &entries[i];
            if (entries[i].path != NULL && code == ERR_NONE &&
                hash_set_add(&feed->listed, str_of(entries[i].name)))
                code = put_message(feed, maildir, entries[i].path, err);
            free(entries[i].path);
        }
        feed->entry = NULL;
    }
    free(entries);
    return code;
}

static enum err_code put_unlisted(struct feed *feed, int folder, const char *name, struct err *err)
{
    if (hash_set_has(&feed->listed, uidlist_base(name)))
        return ERR_NONE;
    return put_message(feed, folder, name, err);
}

static enum err_code put_part(struct feed *feed, int maildir, const char *part, struct err *err)
{
    int folder = openat(maildir, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err_code code;

    if (folder < 0)
        return errno == ENOENT ? ERR_NONE : err_errno(err, errno, "%s", part);
    code = for_all(feed, folder, MAILDIR_FILES, put_unlisted, err);
    close(folder);
    return code;
}

/* Dovecot's list: "0 $Forwarded" says what the letter a means. */
static void read_keywords(struct feed *feed, int maildir)
{
    int own = openat(maildir, "dovecot-keywords", O_RDONLY | O_CLOEXEC);
    FILE *file = own < 0 ? NULL : fdopen(own, "r");
    char line[256];

    memset(feed->keywords, 0, sizeof(feed->keywords));
    if (file == NULL) {
        if (own >= 0)
            close(own);
        return;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        char name[STORE_KEYWORD_NAME_MAX + 1];
        unsigned number;

        if (sscanf(line, "%u %64s", &number, name) == 2 && number < KEYWORDS)
            strcpy(feed->keywords[number], name);
    }
    fclose(file);
}

static enum err_code put_maildir(struct feed *feed, int maildir, const char *path, struct err *err)
{
    struct uidlist list;
    enum err_code code = put_line(feed, err, "folder %s\n", path);

    read_keywords(feed, maildir);
    hash_set_release(&feed->listed);
    uidlist_open(&list, maildir);
    if (list.file != NULL && code == ERR_NONE)
        code = put_listed(feed, &list, maildir, err);
    if (code == ERR_NONE && (code = put_part(feed, maildir, "cur", err)) == ERR_NONE)
        code = put_part(feed, maildir, "new", err);
    if (list.file != NULL && code == ERR_NONE)
        code = put_line(feed, err, "next %u\n", (unsigned)list.uid_next);
    uidlist_close(&list);
    return code;
}

static bool is_maildir(int folder)
{
    return faccessat(folder, "cur", F_OK, 0) == 0 || faccessat(folder, "new", F_OK, 0) == 0;
}

static enum err_code put_subfolder(struct feed *feed, int folder, const char *name, struct err *err)
{
    char path[1100];
    int maildir = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err_code code = ERR_NONE;

    if (maildir < 0)
        return err_errno(err, errno, "%s", name);
    if (is_maildir(maildir) && maildir_folder_path(name, path, sizeof(path)))
        code = put_maildir(feed, maildir, path, err);
    close(maildir);
    return code;
}

/* Dovecot's list of subscribed folders: of version 2 with a header and tabs between levels. */
static enum err_code put_subscriptions(struct feed *feed, int maildir, struct err *err)
{
    int own = openat(maildir, "subscriptions", O_RDONLY | O_CLOEXEC);
    FILE *file = own < 0 ? NULL : fdopen(own, "r");
    char line[1024] = ".", path[1100];
    enum err_code code = ERR_NONE;

    if (file == NULL && own >= 0)
        close(own);
    while (file != NULL && code == ERR_NONE && fgets(line + 1, sizeof(line) - 1, file) != NULL) {
        bool is_header = strncmp(line + 1, "V\t", 2) == 0;

        line[strcspn(line, "\n")] = '\0';
        for (char *tab = strchr(line, '\t'); tab != NULL; tab = strchr(tab, '\t'))
            *tab = '.';
        if (!is_header && maildir_folder_path(line, path, sizeof(path)))
            code = put_line(feed, err, "subscribe %s\n", path);
    }
    if (file != NULL)
        fclose(file);
    return code;
}

enum err_code maildir_feed(int folder, int to, struct err *err)
{
    struct feed *feed = mem_alloc(sizeof(*feed));
    enum err_code code;

    feed->to = to;
    if (!is_maildir(folder))
        code = err_set(err, ERR_INVALID, "the folder is no Maildir: it has neither cur nor new");
    else if ((code = put(feed, MAILDIR_STREAM, strlen(MAILDIR_STREAM), err)) == ERR_NONE &&
             (code = put_subscriptions(feed, folder, err)) == ERR_NONE &&
             (code = put_maildir(feed, folder, "", err)) == ERR_NONE)
        code = for_all(feed, folder, MAILDIR_FOLDERS, put_subfolder, err);
    hash_set_release(&feed->listed);
    free(feed);
    return code;
}
