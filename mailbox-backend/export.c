#include "mailbox-backend/export.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mailbox-backend/folder_walk.h"
#include "mailbox-backend/mailbox/uidl.h"
#include "mailbox-backend/maildir.h"

#define SLICE 64 /* items of one snapshot */

struct export
{
    const struct export_request *request;
    struct export_result *result;
    struct store_folder folder; /* being written */
    char keywords[STORE_KEYWORDS_MAX][STORE_KEYWORD_NAME_MAX + 1];
    unsigned keyword_count;
};

/* What one message needs of its snapshot. */
struct taken {
    struct store_item item;
    struct store_content *content;
    char uidl[UIDL_MAX + 1]; /* "": none of its own */
};

static enum err_code put(const struct export *export, const void *bytes, size_t length,
                         struct err *err)
{
    const char *at = bytes;

    while (length > 0) {
        ssize_t wrote = write(export->request->to, at, length);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return err_set(err, ERR_UNAVAILABLE, "nobody takes the messages any more");
        at += wrote;
        length -= (size_t)wrote;
    }
    return ERR_NONE;
}

static enum err_code put_line(const struct export *export, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum err_code put_line(const struct export *export, struct err *err, const char *format, ...)
{
    char line[MAILDIR_LINE_SIZE];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof(line))
        return err_set(err, ERR_LIMIT, "a name in the mailbox is too long");
    return put(export, line, (size_t)length, err);
}

/* ---- one message ---- */

static enum err_code put_marks(const struct export *export, const struct taken *taken,
                               struct err *err)
{
    const struct store_item *item = &taken->item;
    const uint8_t *guid = store_mailbox_guid(export->request->mailbox)->bytes;
    enum err_code code = put_line(
        export, err, "message %lld.U%u_%llx.%02x%02x%02x%02x,S=%llu\nflags %u\ndate %lld\nuid %u\n",
        (long long)item->internal_date, (unsigned)item->uid, (unsigned long long)item->item_id,
        guid[0], guid[1], guid[2], guid[3], (unsigned long long)item->size,
        (unsigned)item->flags.system, (long long)item->internal_date, (unsigned)item->uid);

    for (unsigned bit = 0; bit < export->keyword_count && code == ERR_NONE; bit++) {
        if ((item->flags.keywords[bit / 64] >> bit % 64 & 1) != 0)
            code = put_line(export, err, "keyword %s\n", export->keywords[bit]);
    }
    if (code == ERR_NONE && taken->uidl[0] != '\0')
        code = put_line(export, err, "uidl %s\n", taken->uidl);
    return code;
}

/* A content that cannot be read to its end becomes "drop" instead of "end". */
static enum err_code put_content(const struct export *export, struct store_content *content,
                                 struct err *err)
{
    char bytes[16384];
    uint64_t at = 0;
    size_t got = 1;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && got > 0) {
        code = store_content_read(content, at, bytes, sizeof(bytes), &got, err);
        if (code == ERR_CORRUPT) {
            export->result->damaged++;
            return put_line(export, err, "drop\n");
        }
        if (code != ERR_NONE)
            return code;
        at += got;
        if (got > 0 && (code = put_line(export, err, "data %zu\n", got)) == ERR_NONE)
            code = put(export, bytes, got, err);
    }
    export->result->messages++;
    return code == ERR_NONE ? put_line(export, err, "end\n") : code;
}

static enum err_code put_message(const struct export *export, struct taken *taken, struct err *err)
{
    enum err_code code;

    if (taken->content == NULL) {
        export->result->damaged++;
        return ERR_NONE;
    }
    code = put_marks(export, taken, err);
    return code == ERR_NONE ? put_content(export, taken->content, err) : code;
}

/* ---- a folder ---- */

static void take(struct store_read *read, struct taken *taken)
{
    taken->content = NULL;
    if (!uidl_kept(read, &taken->item, taken->uidl))
        taken->uidl[0] = '\0';
    if (store_content_open(read, &taken->item, &taken->content, NULL) != ERR_NONE)
        taken->content = NULL;
}

/* Takes the next messages from uid first on out of a snapshot, which ends before any is written. */
static enum err_code take_slice(struct export *export, uint32_t first, struct taken *taken,
                                size_t *count, struct err *err)
{
    struct store_item items[SLICE];
    struct store_read *read;
    enum err_code code = store_read_begin(export->request->mailbox, &read, err);

    *count = 0;
    if (code != ERR_NONE)
        return code;
    code = store_item_scan(read, export->folder.id, first, UINT32_MAX, 0, items, SLICE, count, err);
    if (code == ERR_NONE)
        code = store_keyword_list(read, export->folder.id, export->keywords, &export->keyword_count,
                                  err);
    *count = code == ERR_NONE ? *count : 0;
    for (size_t i = 0; i < *count; i++) {
        taken[i].item = items[i];
        take(read, &taken[i]);
    }
    store_read_end(&read);
    return code;
}

static enum err_code put_messages(struct export *export, struct err *err)
{
    struct taken taken[SLICE];
    uint32_t first = 1;
    size_t count = SLICE;
    enum err_code code = ERR_NONE;

    while (count == SLICE && code == ERR_NONE) {
        code = take_slice(export, first, taken, &count, err);
        for (size_t i = 0; i < count; i++) {
            if (code == ERR_NONE)
                code = put_message(export, &taken[i], err);
            if (taken[i].content != NULL)
                store_content_close(&taken[i].content);
            first = taken[i].item.uid + 1;
        }
    }
    return code;
}

static bool is_wanted(const char *wanted, struct str path)
{
    size_t length = wanted == NULL ? 0 : strlen(wanted);

    return wanted == NULL || (path.length >= length && memcmp(path.data, wanted, length) == 0 &&
                              (path.length == length || path.data[length] == '/'));
}

static enum err_code put_folder(struct export *export, struct str path, struct err *err)
{
    const struct store_folder *folder = &export->folder;
    enum err_code code =
        put_line(export, err, "folder %.*s\nuids %u\nnext %u\n", (int)path.length, path.data,
                 (unsigned)folder->uid_validity, (unsigned)folder->uid_next);

    export->result->folders++;
    return code == ERR_NONE ? put_messages(export, err) : code;
}

/* ---- the whole ---- */

static enum err_code put_folders(struct export *export, const char *wanted, struct err *err)
{
    struct folder_walk walk = FOLDER_WALK;
    struct arena arena = {0};
    struct str path;
    enum err_code code;

    walk.mailbox = export->request->mailbox;
    while ((code = folder_walk_next(&walk, &arena, &export->folder, &path, err)) == ERR_NONE) {
        if (is_wanted(wanted, path))
            code = put_folder(export, path, err);
        arena_reset(&arena);
        if (code != ERR_NONE)
            return code;
    }
    arena_reset(&arena);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code next_subscription(const struct export *export, char cursor[128],
                                       struct arena *arena, struct str *path, struct err *err)
{
    struct store_read *read;
    enum err_code code = store_read_begin(export->request->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = subscription_next(read, cursor, arena, path, err);
    store_read_end(&read);
    return code;
}

static enum err_code put_subscriptions(const struct export *export, const char *wanted,
                                       struct err *err)
{
    struct arena arena = {0};
    char cursor[128] = "";
    struct str path;
    enum err_code code;

    while ((code = next_subscription(export, cursor, &arena, &path, err)) == ERR_NONE) {
        if (is_wanted(wanted, path))
            code = put_line(export, err, "subscribe %.*s\n", (int)path.length, path.data);
        arena_reset(&arena);
        if (code != ERR_NONE)
            return code;
    }
    arena_reset(&arena);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code put_all(struct export *export, const char *wanted, struct err *err)
{
    enum err_code code =
        put_line(export, err, MAILDIR_STREAM "format %u\n", (unsigned)export->request->format);

    if (code == ERR_NONE)
        code = put_folders(export, wanted, err);
    if (code == ERR_NONE && export->result->folders == 0)
        code = err_set(err, ERR_NOT_FOUND, "there is no such folder");
    if (code == ERR_NONE)
        code = put_subscriptions(export, wanted, err);
    return code == ERR_NONE ? put_line(export, err, "done\n") : code;
}

enum err_code export_run(const struct export_request *request, struct export_result *result,
                         struct err *err)
{
    struct export export = {.request = request, .result = result};
    struct arena arena = {0};
    struct str wanted = {0};
    enum err_code code = ERR_NONE;

    *result = (struct export_result){0};
    if (request->folder != NULL)
        code = path_normalise(&arena, str_of(request->folder), &wanted, err);
    if (code == ERR_NONE)
        code = put_all(
            &export,
            request->folder == NULL ? NULL : arena_copy(&arena, wanted.data, wanted.length), err);
    arena_reset(&arena);
    return code;
}
