#include "mailbox-backend/import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"
#include "mailbox-backend/import_private.h"
#include "mailbox-backend/maildir.h"

/* ---- one message ---- */

static struct import_item *current(struct import *import)
{
    return &import->lot[import->count];
}

/* The message's own fault, or a limit it meets: the others go on. */
static bool is_own_fault(enum err_code code)
{
    return code == ERR_LIMIT || code == ERR_INVALID;
}

/* Notes what is wrong with the message; anything else ends the import. */
static enum err_code note(struct import *import, enum err_code code, const struct err *problem,
                          struct err *err)
{
    if (code == ERR_NONE)
        return code;
    if (!is_own_fault(code))
        return err_set(err, code, "%s", problem->text);
    if (import->problem.code == ERR_NONE)
        import->problem = *problem;
    return ERR_NONE;
}

enum err_code import_begin(struct import *import, const char *source, struct err *err)
{
    static const char *const kept[] = {"Status", "X-Status",   "X-Keywords",
                                       "X-IMAP", "X-IMAPbase", "Subject"};
    struct import_item *item = current(import);
    struct err problem = {0};
    enum err_code code;

    *item = (struct import_item){0};
    snprintf(item->source, sizeof(item->source), "%s", source);
    import->ends_in_cr = false;
    import->problem = (struct err){0};
    code = intake_create(import->request->store, store_mailbox_database(import->request->mailbox),
                         0, &item->intake, &problem);
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]) && code == ERR_NONE; i++)
        intake_keep(item->intake, kept[i]);
    return note(import, code, &problem, err);
}

enum err_code import_feed_octets(struct import *import, const void *bytes, size_t length,
                                 struct err *err)
{
    struct err problem = {0};

    if (length == 0 || import->problem.code != ERR_NONE)
        return ERR_NONE;
    import->lot_bytes += length;
    return note(import, intake_append(current(import)->intake, bytes, length, &problem), &problem,
                err);
}

void import_label(struct import *import, const char *source)
{
    snprintf(current(import)->source, sizeof(current(import)->source), "%s", source);
}

/* A line feed by itself becomes CRLF. */
enum err_code import_feed(struct import *import, const void *bytes, size_t length, struct err *err)
{
    const char *at = bytes, *end = at + length;
    enum err_code code = ERR_NONE;

    while (at < end && code == ERR_NONE) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        const char *stop = feed == NULL ? end : feed;
        bool has_cr = stop > at ? stop[-1] == '\r' : import->ends_in_cr;

        code = import_feed_octets(import, at, (size_t)(stop - at), err);
        if (feed != NULL && code == ERR_NONE)
            code = import_feed_octets(import, has_cr ? "\n" : "\r\n", has_cr ? 1 : 2, err);
        import->ends_in_cr = feed == NULL && has_cr;
        at = feed == NULL ? end : feed + 1;
    }
    return code;
}

enum err_code import_finish(struct import *import, struct err *err)
{
    struct err problem = {0};

    if (import->problem.code != ERR_NONE)
        return ERR_NONE;
    return note(import, intake_finish(current(import)->intake, &problem), &problem, err);
}

struct str import_header(struct import *import, const char *name)
{
    if (import->problem.code != ERR_NONE)
        return str_of("");
    return intake_header(current(import)->intake, name);
}

void import_drop(struct import *import)
{
    intake_destroy(&current(import)->intake);
}

static enum err_code report(struct import *import, const char *source, const struct err *problem,
                            struct err *err)
{
    import->result->failed++;
    return import->request->failed(import->request->context, source, problem->text, err);
}

/* What the item remembers of where it came from. */
static void fill_properties(struct import_item *item)
{
    const struct import_marks *marks = &item->marks;
    unsigned count = 0;

    if (marks->name[0] != '\0')
        item->properties[count++] =
            (struct store_property){IMPORT_SOURCE_PROPERTY, marks->name, strlen(marks->name)};
    if (marks->uidl[0] != '\0')
        item->properties[count++] =
            (struct store_property){UIDL_PROPERTY, marks->uidl, strlen(marks->uidl)};
    item->op.in.append.properties = item->properties;
    item->op.in.append.property_count = count;
}

enum err_code import_take(struct import *import, const struct import_marks *marks, struct err *err)
{
    struct import_item *item = current(import);
    struct store_op *op = &item->op;

    if (import->problem.code != ERR_NONE) {
        import_drop(import);
        return report(import, item->source, &import->problem, err);
    }
    item->marks = *marks;
    for (unsigned i = 0; i < marks->keyword_count; i++)
        item->keywords[i] = item->marks.keywords[i];
    intake_fill(item->intake, op);
    op->mailbox = import->request->mailbox;
    op->folder = import->folder;
    op->in.append.flags.system = marks->flags;
    op->in.append.keywords.names = item->keywords;
    op->in.append.keywords.count = marks->keyword_count;
    op->in.append.least_uid = import->keeps_uids ? marks->uid : 0;
    fill_properties(item);
    op->in.append.internal_date = marks->date != 0 ? marks->date : time(NULL);
    op->in.append.zone = marks->zone;
    import->count++;
    if (import->count == IMPORT_LOT || import->lot_bytes >= IMPORT_LOT_BYTES)
        return import_flush(import, err);
    return ERR_NONE;
}

/* ---- a lot ---- */

static void run_lot(struct import *import)
{
    struct store_op *ops[IMPORT_LOT + 1];
    size_t count = 0;

    for (; count < import->count; count++)
        ops[count] = &import->lot[count].op;
    if (import->with_lot != NULL)
        ops[count++] = import->with_lot;
    store_run_all(ops, count);
}

enum err_code import_flush(struct import *import, struct err *err)
{
    enum err_code code = ERR_NONE;

    if (import->count > 0)
        run_lot(import);
    for (size_t i = 0; i < import->count; i++) {
        struct import_item *item = &import->lot[i];
        const struct err *problem = &item->op.err;

        intake_destroy(&item->intake);
        if (problem->code == ERR_NONE)
            import->result->messages++;
        else if (code == ERR_NONE && is_own_fault(problem->code))
            code = report(import, item->source, problem, err);
        else if (code == ERR_NONE)
            code = err_set(err, problem->code, "%s", problem->text);
    }
    import->count = 0;
    import->lot_bytes = 0;
    return code;
}

/* ---- the whole ---- */

enum err_code import_message(struct import *import, FILE *file, int64_t date, struct err *err)
{
    struct import_marks marks = {.date = date};
    char bytes[16384];
    size_t got;
    enum err_code code = import_begin(import, "message", err);

    while (code == ERR_NONE && (got = fread(bytes, 1, sizeof(bytes), file)) > 0)
        code = import_feed(import, bytes, got, err);
    if (code == ERR_NONE && ferror(file))
        code = err_errno(err, errno, "the file");
    if (code == ERR_NONE)
        code = import_finish(import, err);
    return code == ERR_NONE ? import_take(import, &marks, err) : code;
}

/* Looks at the first bytes to see which format it is. */
static enum err_code import_any(struct import *import, FILE *file, int64_t date, struct err *err)
{
    char line[sizeof(MAILDIR_STREAM)];
    int first = fgetc(file);

    if (first == EOF)
        return err_set(err, ERR_INVALID, "there is nothing to import");
    ungetc(first, file);
    if (first == 'F')
        return import_mbox(import, file, err);
    if (first != MAILDIR_STREAM[0])
        return import_message(import, file, date, err);
    if (fgets(line, sizeof(line), file) == NULL || strcmp(line, MAILDIR_STREAM) != 0)
        return err_set(err, ERR_INVALID, "the file is neither a message nor an mbox");
    return import_stream(import, file, err);
}

void import_destroy(struct import **where)
{
    struct import *import = *where;

    *where = NULL;
    if (import == NULL)
        return;
    for (size_t i = 0; i < IMPORT_LOT; i++)
        intake_destroy(&import->lot[i].intake);
    hash_set_release(&import->sources);
    free(import);
}

static enum err_code import_file(struct import *import, FILE *file, int64_t date, struct err *err)
{
    const char *folder = import->request->folder;
    enum err_code code = import_select(import, folder == NULL ? "INBOX" : folder, err);

    if (code == ERR_NONE)
        code = import_any(import, file, date, err);
    return code == ERR_NONE ? import_flush(import, err) : code;
}

enum err_code import_run(const struct import_request *request, struct import_result *result,
                         struct err *err)
{
    struct import *import;
    struct stat facts;
    int copy = dup(request->file);
    FILE *file = copy < 0 ? NULL : fdopen(copy, "r");
    enum err_code code;

    *result = (struct import_result){0};
    if (file == NULL || fstat(copy, &facts) != 0) {
        code = err_errno(err, errno, "the file");
        if (file != NULL)
            fclose(file);
        else if (copy >= 0)
            close(copy);
        return code;
    }
    import = mem_alloc(sizeof(*import));
    import->request = request;
    import->result = result;
    code = import_file(import, file, S_ISREG(facts.st_mode) ? facts.st_mtime : 0, err);
    import_destroy(&import);
    fclose(file);
    return code;
}
