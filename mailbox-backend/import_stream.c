/* The stream that maildir_feed() writes, read back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mailbox-backend/import_private.h"
#include "mailbox-backend/mailbox/mailbox.h"
#include "mailbox-backend/maildir.h"

struct stream {
    struct import *import;
    FILE *file;
    bool is_open;    /* a message was begun */
    bool is_skipped; /* which an earlier import brought */
    struct import_marks marks;
};

static enum err_code broken(struct err *err)
{
    return err_set(err, ERR_INVALID, "the stream of the Maildir is broken off or malformed");
}

/* The folder of the stream below the one that the administrator named. */
static enum err_code select_folder(struct stream *stream, const char *value, struct err *err)
{
    const char *base = stream->import->request->folder;
    char path[2 * PATH_MAX_BYTES];
    enum err_code code = ERR_NONE;

    snprintf(path, sizeof(path), "%s%s%s", base == NULL ? "" : base, base == NULL ? "" : "/",
             value);
    if (value[0] != '\0') /* else where messages go already */
        code = import_select(stream->import, path, err);
    return code == ERR_NONE ? import_load_sources(stream->import, err) : code;
}

static enum err_code subscribe(struct stream *stream, const char *value, struct err *err)
{
    const char *base = stream->import->request->folder;
    char path[2 * PATH_MAX_BYTES];

    snprintf(path, sizeof(path), "%s%s%s", base == NULL ? "" : base, base == NULL ? "" : "/",
             value);
    return import_subscribe(stream->import, path, err);
}

static enum err_code begin_message(struct stream *stream, const char *name, struct err *err)
{
    struct import_marks *marks = &stream->marks;

    *marks = (struct import_marks){0};
    snprintf(marks->name, sizeof(marks->name), "%.*s", (int)strcspn(name, ":"), name);
    stream->is_open = true;
    stream->is_skipped = !hash_set_add(&stream->import->sources, str_of(marks->name));
    return stream->is_skipped ? ERR_NONE : import_begin(stream->import, name, err);
}

static enum err_code add_keyword(struct stream *stream, const char *value, struct err *err)
{
    struct import_marks *marks = &stream->marks;

    if (marks->keyword_count == IMPORT_KEYWORDS_MAX || strlen(value) > STORE_KEYWORD_NAME_MAX)
        return broken(err);
    strcpy(marks->keywords[marks->keyword_count++], value);
    return ERR_NONE;
}

static enum err_code copy_data(struct stream *stream, const char *value, struct err *err)
{
    char bytes[16384];
    uint64_t left;
    enum err_code code = ERR_NONE;

    if (!str_number(str_of(value), MAILDIR_DATA_MAX, &left))
        return broken(err);
    while (left > 0 && code == ERR_NONE) {
        size_t wanted = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);
        size_t got = fread(bytes, 1, wanted, stream->file);

        if (got == 0)
            return broken(err);
        left -= got;
        if (!stream->is_skipped)
            code = import_feed(stream->import, bytes, got, err);
    }
    return code;
}

static enum err_code end_message(struct stream *stream, struct err *err)
{
    enum err_code code;

    stream->is_open = false;
    if (stream->is_skipped) {
        stream->import->result->skipped++;
        return ERR_NONE;
    }
    code = import_finish(stream->import, err);
    return code == ERR_NONE ? import_take(stream->import, &stream->marks, err) : code;
}

static enum err_code in_message(struct stream *stream, const char *word, const char *value,
                                struct err *err)
{
    uint64_t number = 0;

    if (strcmp(word, "data") == 0)
        return copy_data(stream, value, err);
    if (strcmp(word, "end") == 0)
        return end_message(stream, err);
    if (strcmp(word, "keyword") == 0)
        return add_keyword(stream, value, err);
    if (strcmp(word, "uidl") == 0) {
        snprintf(stream->marks.uidl, sizeof(stream->marks.uidl), "%s", value);
        return ERR_NONE;
    }
    if (!str_number(str_of(value), INT64_MAX, &number))
        return broken(err);
    if (strcmp(word, "flags") == 0)
        stream->marks.flags = (uint32_t)number & FLAG_ALL;
    else if (strcmp(word, "uid") == 0)
        stream->marks.uid = number <= UINT32_MAX ? (uint32_t)number : 0;
    else if (strcmp(word, "date") == 0)
        stream->marks.date = (int64_t)number;
    else
        return broken(err);
    return ERR_NONE;
}

static enum err_code between_messages(struct stream *stream, const char *word, const char *value,
                                      struct err *err)
{
    uint64_t number;

    if (strcmp(word, "folder") == 0)
        return select_folder(stream, value, err);
    if (strcmp(word, "message") == 0)
        return begin_message(stream, value, err);
    if (strcmp(word, "subscribe") == 0)
        return subscribe(stream, value, err);
    if (!str_number(str_of(value), UINT32_MAX, &number))
        return broken(err);
    if (strcmp(word, "uids") == 0)
        return import_adopt(stream->import, (uint32_t)number, 1, err);
    if (strcmp(word, "next") != 0)
        return broken(err);
    return stream->import->keeps_uids
               ? import_adopt(stream->import, stream->import->uid_validity, (uint32_t)number, err)
               : ERR_NONE;
}

enum err_code import_stream(struct import *import, FILE *file, struct err *err)
{
    struct stream stream = {.import = import, .file = file};
    char line[MAILDIR_LINE_SIZE];
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && fgets(line, sizeof(line), file) != NULL) {
        size_t length = strcspn(line, "\n"), word = strcspn(line, " \n");
        const char *value = line[word] == ' ' ? line + word + 1 : line + length;

        if (line[length] != '\n')
            return broken(err);
        line[length] = '\0';
        line[word] = '\0';
        code = stream.is_open ? in_message(&stream, line, value, err)
                              : between_messages(&stream, line, value, err);
    }
    return code == ERR_NONE && (stream.is_open || ferror(file)) ? broken(err) : code;
}
