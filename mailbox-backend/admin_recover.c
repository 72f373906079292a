/* mailbox recover|purge: what was deleted and is still kept. */
#include <string.h>
#include <time.h>

#include "common/buf.h"
#include "mailbox-backend/admin.h"
#include "mailbox-backend/mailbox/mailbox.h"
#include "mailbox-backend/mime/encoded_word.h"
#include "mailbox-backend/mime/header.h"
#include "mailbox-backend/mime/text_match.h"

#define HEADER_MOST 16384u /* bytes of a message in which its subject is looked for */
#define RECOVERED "Recovered"

/* One run of a command over the mailbox. No snapshot is held from one item to the next. */
struct recovery {
    struct admin_call *call;
    struct store_mailbox *mailbox;
    const char *folder;  /* a path; NULL: all */
    const char *subject; /* a part of it; NULL: all */
    int64_t since;       /* time of removal */
    enum store_op_kind kind;
    struct arena arena; /* of one item */

    uint32_t recovered; /* folder for what has lost its own; 0: not needed yet */
    uint32_t target;    /* of the ids that wait */
    struct store_recoverable_id ids[STORE_RECOVER_MOST];
    size_t count;
    uint64_t done;
};

/* What is shown of one. */
struct shown {
    struct store_recoverable entry;
    const char *path; /* of its folder, or the name of one that is gone */
    bool is_gone;
    const char *subject;
};

/* ---- looking ---- */

static void find_path(struct recovery *recovery, struct store_read *read, struct shown *shown)
{
    struct store_folder folder;
    struct str path;

    shown->path = shown->entry.name;
    shown->is_gone = true;
    if (store_folder_get(read, shown->entry.folder, &folder, NULL) != ERR_NONE ||
        placeholder_is(read, &folder) ||
        path_of(read, &folder, &recovery->arena, &path, NULL) != ERR_NONE)
        return;
    shown->path = arena_copy(&recovery->arena, path.data, path.length);
    shown->is_gone = false;
}

static const char *subject_of(struct recovery *recovery, struct store_content *content)
{
    char *header = arena_alloc(&recovery->arena, HEADER_MOST);
    struct mime_field field;
    struct buf text = {0};
    const char *subject = "";
    size_t got;

    if (store_content_read(content, 0, header, HEADER_MOST, &got, NULL) == ERR_NONE &&
        mime_field_find(str_n(header, got), "Subject", &field)) {
        mime_words_decode(mime_unfold(&recovery->arena, field.value), &text);
        subject = arena_copy(&recovery->arena, buf_bytes(&text), buf_length(&text));
    }
    buf_release(&text);
    return subject;
}

/* The next one, with all that is to be known of it. ERR_NOT_FOUND at the end. */
static enum err_code next(struct recovery *recovery, struct shown *shown, struct err *err)
{
    struct store_content *content = NULL;
    struct store_read *read;
    enum err_code code = store_read_begin(recovery->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = store_recoverable_next(read, &shown->entry, err);
    if (code == ERR_NONE) {
        find_path(recovery, read, shown);
        store_content_open(read, &shown->entry.item, &content, NULL);
    }
    store_read_end(&read);
    shown->subject = "";
    if (content != NULL)
        shown->subject = subject_of(recovery, content);
    store_content_close(&content);
    return code;
}

static bool has_subject(struct recovery *recovery, const char *subject)
{
    struct text_match match;

    if (recovery->subject == NULL)
        return true;
    text_match_init(&match, &recovery->arena, str_of(recovery->subject));
    return text_match_feed(&match, subject, strlen(subject));
}

static bool is_wanted(struct recovery *recovery, const struct shown *shown)
{
    return shown->entry.removed >= recovery->since &&
           (recovery->folder == NULL || strcmp(recovery->folder, shown->path) == 0) &&
           has_subject(recovery, shown->subject);
}

/* ---- doing ---- */

static enum err_code run(struct recovery *recovery, struct store_op *op, struct err *err)
{
    op->mailbox = recovery->mailbox;
    if (store_run(op) != ERR_NONE)
        *err = op->err;
    return op->err.code;
}

static enum err_code flush(struct recovery *recovery, struct err *err)
{
    struct store_op op = {.kind = recovery->kind, .folder = recovery->target};
    enum err_code code = ERR_NONE;

    op.in.recover.ids = recovery->ids;
    op.in.recover.count = recovery->count;
    op.in.recover.erase = admin_has(recovery->call, "now");
    if (recovery->count > 0)
        code = run(recovery, &op, err);
    recovery->count = 0;
    if (code == ERR_NONE)
        recovery->done += op.out.recover.count;
    return code;
}

static enum err_code find_recovered(struct recovery *recovery, struct err *err)
{
    struct store_folder folder;
    struct store_read *read;
    enum err_code code = store_read_begin(recovery->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = store_folder_find(read, STORE_ROOT_FOLDER, STR(RECOVERED), &folder, err);
    store_read_end(&read);
    recovery->recovered = code == ERR_NONE ? folder.id : 0;
    return code;
}

/* Finds the folder Recovered, or makes and subscribes it. */
static enum err_code make_recovered(struct recovery *recovery, struct err *err)
{
    struct store_op make = {.kind = OP_FOLDER_CREATE};
    struct store_op subscribe = {.kind = OP_PROPERTY_SET};
    enum err_code code = find_recovered(recovery, err);

    if (code != ERR_NOT_FOUND)
        return code;
    make.in.create.parent = STORE_ROOT_FOLDER;
    make.in.create.name = RECOVERED;
    make.in.create.class = CLASS_MAIL;
    code = run(recovery, &make, err);
    if (code == ERR_EXISTS)
        return find_recovered(recovery, err);
    if (code != ERR_NONE)
        return code;
    recovery->recovered = make.out.create.folder;
    subscription_property(&recovery->arena, STR(RECOVERED), true, &subscribe.in.property.property);
    return run(recovery, &subscribe, err);
}

static enum err_code take(struct recovery *recovery, const struct shown *shown, struct err *err)
{
    uint32_t target = shown->entry.folder;
    enum err_code code = ERR_NONE;

    if (recovery->kind == OP_RECOVER && shown->is_gone) {
        if (recovery->recovered == 0)
            code = make_recovered(recovery, err);
        target = recovery->recovered;
    }
    if (code == ERR_NONE && (recovery->count == STORE_RECOVER_MOST || target != recovery->target))
        code = flush(recovery, err);
    recovery->target = target;
    recovery->ids[recovery->count++] = shown->entry.id;
    return code;
}

static enum err_code put_row(struct admin_call *call, const struct shown *shown, struct err *err)
{
    admin_put_time(call, "deleted", shown->entry.removed);
    admin_put_time(call, "kept-until", (int64_t)shown->entry.id.expiry);
    admin_put_text(call, "folder", shown->path);
    admin_put_bytes(call, "bytes", shown->entry.item.size);
    admin_put_text(call, "subject", shown->subject);
    return admin_row(call, err);
}

static enum err_code go_through(struct recovery *recovery, bool list, struct err *err)
{
    struct shown shown = {0};
    enum err_code code;

    while ((code = next(recovery, &shown, err)) == ERR_NONE) {
        if (is_wanted(recovery, &shown))
            code = list ? put_row(recovery->call, &shown, err) : take(recovery, &shown, err);
        arena_reset(&recovery->arena);
        if (code != ERR_NONE)
            return code;
    }
    arena_reset(&recovery->arena);
    return code == ERR_NOT_FOUND ? flush(recovery, err) : code;
}

/* ---- the commands ---- */

static enum err_code read_flags(struct recovery *recovery, struct err *err)
{
    const char *folder = admin_value(recovery->call, "folder");
    const char *since = admin_value(recovery->call, "since");
    struct tm day = {0};
    struct str path;
    enum err_code code = ERR_NONE;

    recovery->subject = admin_value(recovery->call, "subject");
    if (since != NULL) {
        const char *end = strptime(since, "%Y-%m-%d", &day);

        if (end == NULL || *end != '\0')
            return err_set(err, ERR_INVALID, "--since wants a date as 2026-11-24");
        recovery->since = timegm(&day);
    }
    if (folder != NULL) {
        code = path_normalise(admin_arena(recovery->call), str_of(folder), &path, err);
        if (code == ERR_NONE)
            recovery->folder = arena_copy(admin_arena(recovery->call), path.data, path.length);
    }
    return code;
}

static enum err_code work(struct admin_call *call, enum store_op_kind kind, bool list,
                          const char *what, struct err *err)
{
    struct recovery *recovery = arena_alloc(admin_arena(call), sizeof(*recovery));
    struct account account;
    enum err_code code = admin_find_account(call, admin_arena(call), &account, err);

    recovery->call = call;
    recovery->kind = kind;
    if (code == ERR_NONE)
        code = read_flags(recovery, err);
    if (code == ERR_NONE)
        code = admin_open_mailbox(call, &account, &recovery->mailbox, err);
    if (code == ERR_NONE && recovery->mailbox != NULL)
        code = go_through(recovery, list, err);
    store_mailbox_unref(&recovery->mailbox);
    if (code == ERR_NONE && !list)
        admin_say(call, "%llu messages %s", (unsigned long long)recovery->done, what);
    else if (recovery->done > 0)
        admin_hint(call, "%llu messages were %s before", (unsigned long long)recovery->done, what);
    return code;
}

static enum err_code run_recover(struct admin_call *call, struct err *err)
{
    return work(call, OP_RECOVER, admin_has(call, "list"), "recovered", err);
}

static enum err_code run_purge(struct admin_call *call, struct err *err)
{
    return work(call, OP_PURGE, false,
                admin_has(call, "now")
                    ? "erased for good; database show has segments-erasing 0 when their texts have "
                      "left the disk"
                    : "erased for good",
                err);
}

#define WHICH                                                                                      \
    {"folder", "PATH", "only what was in this folder"},                                            \
        {"since", "DATE", "only what was deleted on this day (2026-11-24, UTC) or later"},         \
    {                                                                                              \
        "subject", "TEXT", "only with this text in the subject"                                    \
    }

static const struct admin_flag recover_flags[] = {
    WHICH, {"list",                                          NULL, "show what there is, and leave it where it is"},
     {0}
};
static const struct admin_flag purge_flags[] = {
    WHICH,
    {"now",                                                                 NULL, "get the texts off the disk as soon as possible, not within 30 days"},
    {0}
};

const struct admin_command backend_recover_commands[] = {
    {
     .noun = "mailbox",
     .verb = "recover",
     .arguments = "LOGIN",
     .least = 1,
     .most = 1,
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES | ADMIN_ROWS,
     .needs = BACKEND_DIRECTORY | BACKEND_STORE,
     .flags = recover_flags,
     .help = "put deleted messages back into their folders, or into " RECOVERED,
     .run = run_recover,
     },
    {
     .noun = "mailbox",
     .verb = "purge",
     .arguments = "LOGIN",
     .least = 1,
     .most = 1,
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES | ADMIN_CONFIRM,
     .needs = BACKEND_DIRECTORY | BACKEND_STORE,
     .flags = purge_flags,
     .help = "erase deleted messages before their recovery time is over",
     .run = run_purge,
     },
    {0           },
};
