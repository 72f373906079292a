/* One mbox per folder (RFC 4155, the mboxrd kind): flags, keywords and uids as fields on top of each
   message's header, as other programs write them. Line ends are LF. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mailbox-backend/export_private.h"

static const char from_word[] = "From ";
#define FROM_LENGTH (sizeof(from_word) - 1)

static enum err_code close_folder(struct export_files *files, struct err *err)
{
    return export_close(&files->list, err);
}

static enum err_code open_folder(struct export_files *files, const char *path,
                                 uint32_t uid_validity, uint32_t uid_next, struct err *err)
{
    char name[256], file[264];
    enum err_code code = close_folder(files, err);

    (void)uid_validity;
    (void)uid_next;
    if (code == ERR_NONE)
        code = export_name(path, name, err);
    if (code != ERR_NONE)
        return code;
    snprintf(file, sizeof(file), "%s.mbox", name + 1);
    return export_open(files->root, file, &files->list, err);
}

static void write_status(struct export_files *files)
{
    const struct export_marks *marks = &files->marks;
    FILE *file = files->list;

    fprintf(file, "Status: %sO\n", (marks->flags & FLAG_SEEN) != 0 ? "R" : "");
    fprintf(file, "X-Status: %s%s%s%s\n", (marks->flags & FLAG_ANSWERED) != 0 ? "A" : "",
            (marks->flags & FLAG_FLAGGED) != 0 ? "F" : "",
            (marks->flags & FLAG_DELETED) != 0 ? "D" : "",
            (marks->flags & FLAG_DRAFT) != 0 ? "T" : "");
    if (marks->keyword_count > 0) {
        fputs("X-Keywords:", file);
        for (unsigned i = 0; i < marks->keyword_count; i++)
            fprintf(file, " %s", marks->keywords[i]);
        fputc('\n', file);
    }
    fprintf(file, "X-UID: %u\n", (unsigned)marks->uid);
}

static enum err_code begin(struct export_files *files, struct err *err)
{
    time_t date = files->marks.date;
    struct tm parts;
    char text[64];

    (void)err;
    gmtime_r(&date, &parts);
    strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &parts);
    files->start = ftell(files->list);
    fprintf(files->list, "From MAILER-DAEMON %s\n", text);
    write_status(files);
    files->is_line_start = true;
    files->matched = 0;
    files->ends_in_cr = false;
    files->ends_in_newline = true;
    return ERR_NONE;
}

/* Gives out what was held back since it could have been "From ". */
static void let_go(struct export_files *files)
{
    fwrite(from_word, 1, files->matched, files->list);
    files->matched = 0;
}

/* A byte of the message, with a ">" more before a "From " that begins a line, maybe behind others. */
static void write_byte(struct export_files *files, char byte)
{
    files->ends_in_newline = byte == '\n';
    if (files->is_line_start && byte == from_word[files->matched]) {
        if (++files->matched < FROM_LENGTH)
            return;
        fputc('>', files->list);
        let_go(files);
        files->is_line_start = false;
        return;
    }
    files->is_line_start =
        byte == '\n' || (files->is_line_start && byte == '>' && files->matched == 0);
    let_go(files);
    fputc(byte, files->list);
}

static enum err_code write_data(struct export_files *files, const char *bytes, size_t length,
                                struct err *err)
{
    for (size_t i = 0; i < length; i++) {
        if (files->ends_in_cr && bytes[i] != '\n')
            write_byte(files, '\r');
        files->ends_in_cr = bytes[i] == '\r';
        if (!files->ends_in_cr)
            write_byte(files, bytes[i]);
    }
    return ferror(files->list) ? err_errno(err, errno, "writing an mbox") : ERR_NONE;
}

/* The empty line behind a message is the format's, and begins a line. */
static enum err_code end(struct export_files *files, bool drop, struct err *err)
{
    if (drop) {
        if (fseek(files->list, files->start, SEEK_SET) != 0 ||
            ftruncate(fileno(files->list), files->start) != 0)
            return err_errno(err, errno, "writing an mbox");
        return ERR_NONE;
    }
    if (files->ends_in_cr)
        write_byte(files, '\r');
    let_go(files);
    fputs(files->ends_in_newline ? "\n" : "\n\n", files->list);
    return ERR_NONE;
}

const struct export_maker export_mbox = {open_folder, begin, write_data, end, close_folder};
