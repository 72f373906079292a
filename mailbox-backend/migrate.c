#include "mailbox-backend/migrate.h"

#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/bringing.h"
#include "mailbox-backend/migrate_private.h"

/* ---- reports ---- */

enum err_code migrate_report(struct migrate *migrate, uint32_t uid, const char *problem,
                             struct err *err)
{
    const struct migrate_row row = {
        .folder = migrate->folder->path[0] != '\0' ? migrate->folder->path : migrate->folder->name,
        .uid = uid,
        .problem = problem,
    };
    enum err_code code;

    if (uid == 0)
        migrate->result->problems++;
    else
        migrate->result->refused++;
    code = migrate->request->row(migrate->request->context, &row, err);
    migrate->is_own_fault |= code != ERR_NONE;
    return code;
}

enum err_code migrate_refuse(struct migrate *migrate, uint32_t uid, const char *problem,
                             struct err *err)
{
    uidset_add(&migrate->state.refused, uid);
    return migrate_report(migrate, uid, problem, err);
}

/* Told by the import: source is the label that migrate_fetch.c gave. */
static enum err_code on_failed(void *context, const char *source, const char *problem,
                               struct err *err)
{
    struct migrate *migrate = context;

    return migrate_refuse(migrate, (uint32_t)strtoul(source, NULL, 10), problem, err);
}

void migrate_show(struct migrate *migrate)
{
    const struct migrate_request *request = migrate->request;
    struct timespec now;
    struct migrate_progress progress = {
        .folder = migrate->folder->path,
        .done = migrate->done,
        .all = migrate->all > migrate->done ? migrate->all : migrate->done,
        .bytes = migrate->past_octets + imap_client_octets(migrate->client),
    };

    if (request->progress == NULL)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    progress.seconds = (double)(now.tv_sec - migrate->start.tv_sec) +
                       (double)(now.tv_nsec - migrate->start.tv_nsec) / 1e9;
    request->progress(request->context, &progress);
}

/* ---- folder by folder ---- */

static bool is_to_do(const struct migrate_folder *folder)
{
    return folder->selectable && !folder->is_left_out;
}

static enum err_code survey_all(struct migrate *migrate, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < migrate->count && code == ERR_NONE; i++) {
        migrate->folder = &migrate->folders[i];
        if (is_to_do(migrate->folder))
            code = migrate_try(migrate, migrate_survey, err);
    }
    return code;
}

/* Adds up what a folder has brought, and shows it where there is anything. */
static enum err_code add_up(struct migrate *migrate, uint64_t messages_before, struct err *err)
{
    struct migrate_result *result = migrate->result;
    struct migrate_row *row = &migrate->row;

    row->messages = migrate->import_result.messages - messages_before;
    result->messages += row->messages;
    result->bytes += row->bytes;
    result->flags += row->flags;
    result->removed += row->removed;
    if (row->messages + row->flags + row->removed == 0)
        return ERR_NONE;
    return migrate->request->row(migrate->request->context, row, err);
}

static enum err_code bring_all(struct migrate *migrate, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < migrate->count && code == ERR_NONE; i++) {
        uint64_t before = migrate->import_result.messages;
        struct err unheard = {0};

        if (!is_to_do(&migrate->folders[i]))
            continue;
        code = migrate_folder_run(migrate, &migrate->folders[i], err);
        if (code == ERR_NONE)
            code = add_up(migrate, before, err);
        else
            add_up(migrate, before, &unheard);
    }
    return code;
}

static enum err_code run(struct migrate *migrate, struct err *err)
{
    enum err_code code = imap_client_open(&migrate->client, &migrate->request->source, err);

    if (code == ERR_NONE)
        code = migrate_list(migrate, err);
    migrate->import->knows_subscriptions = migrate->has_subscriptions;
    if (code == ERR_NONE)
        code = survey_all(migrate, err);
    return code == ERR_NONE ? bring_all(migrate, err) : code;
}

static void release(struct migrate *migrate)
{
    migrate_disconnect(migrate);
    import_destroy(&migrate->import);
    for (size_t i = 0; i < migrate->count; i++) {
        free(migrate->folders[i].name);
        free(migrate->folders[i].path);
    }
    free(migrate->folders);
    free(migrate->known);
    free(migrate);
}

static enum err_code run_alone(const struct migrate_request *request, struct migrate_result *result,
                               struct err *err)
{
    struct migrate *migrate = mem_alloc(sizeof(*migrate));
    enum err_code code;

    migrate->request = request;
    migrate->result = result;
    migrate->import = mem_alloc(sizeof(*migrate->import));
    migrate->import_request = (struct import_request){
        .store = request->store,
        .mailbox = request->mailbox,
        .file = -1,
        .failed = on_failed,
        .context = migrate,
    };
    migrate->import->request = &migrate->import_request;
    migrate->import->result = &migrate->import_result;
    clock_gettime(CLOCK_MONOTONIC, &migrate->start);
    code = run(migrate, err);
    release(migrate);
    return code;
}

enum err_code migrate_run(const struct migrate_request *request, struct migrate_result *result,
                          struct err *err)
{
    struct bringing own;
    enum err_code code = bringing_begin(&own, request->mailbox, err);

    *result = (struct migrate_result){0};
    if (code != ERR_NONE)
        return code;
    code = run_alone(request, result, err);
    bringing_end(&own);
    return code;
}
