/* user import: a passwd-file, read and entered in lots, so that its length does not matter. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "mailbox-backend/admin.h"
#include "mailbox-backend/directory/admin.h"

#define LOT 256 /* accounts of one transaction */
#define LINE_SIZE 8192

struct import {
    struct admin_call *call;
    FILE *file;
    uint64_t line; /* number of the line that was read last */
    struct arena arena;
    struct account_new new[LOT];
    uint64_t lines[LOT];
    struct err results[LOT];
    size_t count;
    uint64_t made, failed;
};

static enum err_code put_failure(struct import *import, uint64_t line, struct str login,
                                 const char *problem, struct err *err)
{
    struct admin_call *call = import->call;

    import->failed++;
    admin_findings(call);
    admin_put_number(call, "line", line);
    admin_put_text(call, "login", arena_copy(&import->arena, login.data, login.length));
    admin_put_text(call, "problem", problem);
    return admin_row(call, err);
}

static enum err_code enter_lot(struct import *import, struct err *err)
{
    enum err_code code =
        account_add_many(admin_backend(import->call)->directory, import->new, import->count,
                         admin_is_dry_run(import->call), import->results, err);

    for (size_t i = 0; i < import->count && code == ERR_NONE; i++) {
        if (import->results[i].code == ERR_NONE)
            import->made++;
        else
            code = put_failure(import, import->lines[i], import->new[i].name,
                               import->results[i].text, err);
    }
    import->count = 0;
    arena_reset(&import->arena); /* may hold passwords of {PLAIN} lines, but so does the file */
    return code;
}

static enum err_code take_line(struct import *import, const char *line, struct err *err)
{
    struct account_new *new = &import->new[import->count];
    struct err problem = {0};
    enum err_code code = passwd_line_parse(str_of(line), &import->arena, new, &problem);

    import->line++;
    if (code == ERR_NOT_FOUND)
        return ERR_NONE;
    if (code != ERR_NONE) {
        code = enter_lot(import, err); /* failures are told in the file's order */
        return code == ERR_NONE
                   ? put_failure(import, import->line, str_n(line, strcspn(line, ":\r\n")),
                                 problem.text, err)
                   : code;
    }
    import->lines[import->count++] = import->line;
    return import->count == LOT ? enter_lot(import, err) : ERR_NONE;
}

static enum err_code read_all(struct import *import, struct err *err)
{
    char line[LINE_SIZE];
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && fgets(line, sizeof(line), import->file) != NULL) {
        if (strlen(line) == sizeof(line) - 1 && strchr(line, '\n') == NULL)
            return err_set(err, ERR_INVALID, "line %llu is longer than %d bytes",
                           (unsigned long long)import->line + 1, LINE_SIZE);
        code = take_line(import, line, err);
    }
    mem_wipe(line, sizeof(line));
    if (code == ERR_NONE && ferror(import->file))
        code = err_errno(err, errno, "passwd-file");
    return code == ERR_NONE ? enter_lot(import, err) : code;
}

enum err_code admin_user_import(struct admin_call *call, struct err *err)
{
    struct import *import = mem_alloc(sizeof(*import));
    int file = dup(admin_file(call));
    enum err_code code;

    import->call = call;
    import->file = file < 0 ? NULL : fdopen(file, "r");
    if (import->file == NULL) {
        code = err_errno(err, errno, "passwd-file");
        if (file >= 0)
            close(file);
    } else {
        code = read_all(import, err);
        fclose(import->file);
    }
    admin_say(call, "%llu users made, %llu not", (unsigned long long)import->made,
              (unsigned long long)import->failed);
    arena_reset(&import->arena);
    free(import);
    return code;
}
