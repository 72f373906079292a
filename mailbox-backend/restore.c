#include "mailbox-backend/restore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/bringing.h"
#include "mailbox-backend/folder_ensure.h"
#include "mailbox-backend/folder_walk.h"
#include "mailbox-backend/restore_private.h"

enum err_code restore_go_on(const struct restore_request *request, struct err *err)
{
    return request->wanted(request->context)
               ? ERR_NONE
               : err_set(err, ERR_UNAVAILABLE, "broken off: run it again, nothing comes twice");
}

bool restore_covers(const struct restore_request *request, struct str path)
{
    size_t length = request->folder == NULL ? 0 : strlen(request->folder);

    return request->folder == NULL ||
           (path.length >= length && memcmp(path.data, request->folder, length) == 0 &&
            (path.length == length || path.data[length] == '/'));
}

static void add(struct restore_counts *to, const struct restore_counts *from)
{
    to->messages += from->messages;
    to->there += from->there;
    to->restored += from->restored;
    to->flags += from->flags;
    to->removed += from->removed;
    to->failed += from->failed;
}

enum err_code restore_tell(struct restoring *restoring, struct err *err)
{
    const struct restore_request *request = restoring->request;
    enum err_code code = request->done(request->context, &restoring->folder, err);

    add(&restoring->result->counts, &restoring->folder.counts);
    restoring->result->folders++;
    restoring->folder = (struct restore_folder){0};
    return code;
}

/* ---- where a folder goes ---- */

/* In place its subscription is as it was; beside it, the user shall see it. */
static enum err_code read_folder(struct restoring *restoring, struct str path, bool *subscribe,
                                 struct err *err)
{
    struct store_read *read;
    enum err_code code = store_read_begin(restoring->request->from, &read, err);

    if (code != ERR_NONE)
        return code;
    *subscribe = restoring->request->into != NULL || subscription_has(read, path);
    code = store_keyword_list(read, restoring->from, restoring->keywords, &restoring->keyword_count,
                              err);
    store_read_end(&read);
    return code;
}

/* In a dry run. */
static enum err_code find_target(struct restoring *restoring, struct str path, struct err *err)
{
    struct store_folder folder;
    struct store_read *read;
    enum err_code code;

    restoring->to = 0;
    restoring->folder.was_made = true;
    if (restoring->request->to == NULL)
        return ERR_NONE;
    code = store_read_begin(restoring->request->to, &read, err);
    if (code != ERR_NONE)
        return code;
    code = path_find(read, path, &folder, err);
    store_read_end(&read);
    if (code == ERR_NONE) {
        restoring->to = folder.id;
        restoring->folder.was_made = false;
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code make_target(struct restoring *restoring, const struct store_folder *folder,
                                 struct str path, struct arena *arena, struct err *err)
{
    const struct restore_request *request = restoring->request;
    struct folder_wish wish = {.use = request->into == NULL ? folder->use : USE_NONE};
    struct str wanted = path;
    enum err_code code = read_folder(restoring, path, &wish.subscribe, err);

    if (request->into != NULL)
        wanted = str_of(arena_printf(arena, "%s/%.*s", request->into, (int)path.length, path.data));
    if (code == ERR_NONE)
        code = path_normalise(arena, wanted, &wish.path, err);
    if (code != ERR_NONE)
        return code;
    restoring->folder.from = arena_copy(arena, path.data, path.length);
    restoring->folder.to = arena_copy(arena, wish.path.data, wish.path.length);
    restoring->is_inbox = strcmp(restoring->folder.to, "INBOX") == 0;
    if (request->dry_run)
        return find_target(restoring, wish.path, err);
    return folder_ensure(request->to, &wish, &restoring->to, &restoring->folder.was_made, err);
}

/* ---- a folder ---- */

/* Messages whose rows were damaged when the backup was made: nothing tells which they are, so what the
   backup seems not to have may be one of them. */
static enum err_code tell_damaged(struct restoring *restoring, uint64_t count, struct err *err)
{
    const struct restore_request *request = restoring->request;
    char problem[120];

    restoring->folder.counts.failed += count;
    snprintf(problem, sizeof(problem), "%llu messages have damaged rows in the backup%s",
             (unsigned long long)count, request->exact ? ": nothing is removed here" : "");
    return request->failed(request->context, restoring->folder.from, 0, problem, err);
}

/* messages: that the backup's folder counts. */
static enum err_code work_through(struct restoring *restoring, const struct restore_match *match,
                                  uint64_t messages, struct err *err)
{
    const struct restore_request *request = restoring->request;
    struct restore_counts *counts = &restoring->folder.counts;
    uint64_t readable = match->pair_count + match->missing_count;
    enum err_code code = ERR_NONE;

    counts->messages = messages > readable ? messages : readable;
    counts->there = match->pair_count;
    if (request->dry_run)
        counts->restored = match->missing_count;
    else
        code = restore_put(restoring, match->missing, match->missing_count, err);
    if (code == ERR_NONE && request->flags)
        code = restore_flags(restoring, match->pairs, match->pair_count, err);
    if (code == ERR_NONE && messages > readable)
        return tell_damaged(restoring, messages - readable, err);
    if (code == ERR_NONE && request->exact)
        code = restore_expunge(restoring, match->extra, match->extra_count, err);
    return code;
}

static enum err_code restore_folder(struct restoring *restoring, const struct store_folder *folder,
                                    struct str path, struct arena *arena, struct err *err)
{
    struct restore_match match = {0};
    enum err_code code;

    restoring->from = folder->id;
    code = make_target(restoring, folder, path, arena, err);
    if (code == ERR_NONE)
        code = restore_match(restoring->request, folder->id, restoring->to, &match, err);
    if (code == ERR_NONE)
        code = work_through(restoring, &match, folder->messages, err);
    restore_match_release(&match);
    if (code == ERR_NONE)
        return restore_tell(restoring, err);
    add(&restoring->result->counts, &restoring->folder.counts); /* what was done is done */
    err_prefix(err, "%.*s", (int)path.length, path.data);
    return code;
}

/* A name that only holds other folders is made with those below it. Beside what is there, empty
   folders would only be in the way. */
static bool is_passed_over(const struct restoring *restoring, const struct store_folder *folder)
{
    struct store_read *read;
    bool is_one;

    if (restoring->request->into != NULL && folder->messages == 0)
        return true;
    if (store_read_begin(restoring->request->from, &read, NULL) != ERR_NONE)
        return false;
    is_one = placeholder_is(read, folder);
    store_read_end(&read);
    return is_one;
}

static enum err_code restore_folders(struct restoring *restoring, bool *found, struct err *err)
{
    struct folder_walk walk = FOLDER_WALK;
    struct store_folder folder;
    struct arena arena = {0};
    struct str path;
    enum err_code code = ERR_NONE;

    walk.mailbox = restoring->request->from;
    while (code == ERR_NONE &&
           (code = folder_walk_next(&walk, &arena, &folder, &path, err)) == ERR_NONE) {
        if (restore_covers(restoring->request, path)) {
            *found = true;
            if (!is_passed_over(restoring, &folder))
                code = restore_folder(restoring, &folder, path, &arena, err);
            if (code == ERR_NOT_FOUND) /* not the walk's end */
                code = err_set(err, ERR_UNAVAILABLE, "%s", err->text);
        }
        arena_reset(&arena);
    }
    arena_reset(&arena);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code restore_alone(const struct restore_request *request,
                                   struct restore_result *result, struct err *err)
{
    struct restoring *restoring = mem_alloc(sizeof(*restoring));
    bool found = false;
    enum err_code code;

    restoring->request = request;
    restoring->result = result;
    code = restore_folders(restoring, &found, err);
    if (code == ERR_NONE && !found && request->folder != NULL)
        code = err_set(err, ERR_NOT_FOUND, "the backup has no folder %s", request->folder);
    if (code == ERR_NONE && request->exact && request->to != NULL)
        code = restore_delete_folders(restoring, err);
    free(restoring);
    return code;
}

enum err_code restore_run(const struct restore_request *request, struct restore_result *result,
                          struct err *err)
{
    struct bringing own;
    enum err_code code;

    *result = (struct restore_result){0};
    if (request->dry_run)
        return restore_alone(request, result, err);
    code = bringing_begin(&own, request->to, err);
    if (code != ERR_NONE)
        return code;
    code = restore_alone(request, result, err);
    bringing_end(&own);
    return code;
}
