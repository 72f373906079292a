/* LIST (RFC 3501 section 6.3.8) with CHILDREN (RFC 3348), LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC 5819)
   and SPECIAL-USE (RFC 6154). The tree of folders is walked depth first; where the walk stands is kept by
   names, so that it goes on in a new snapshot whatever changed meanwhile. Behind it come subscribed
   names without a folder. */
#include <string.h>

#include "mailbox-backend/imap4/list.h"
#include "mailbox-backend/imap4/list_trees.h"
#include "mailbox-backend/imap4/status.h"
#include "mailbox-backend/mailbox/mailbox.h"

#define SLICE 200u /* folders, or subscriptions, looked at in one snapshot */

struct level {
    uint32_t folder;
    size_t path_length; /* of the folder's path with the "/" behind it */
    char after[STORE_NAME_MAX + 1];
    struct pattern_places *places; /* of each pattern, behind that path */
};

struct list {
    struct list_request request;
    struct list_trees trees; /* whose folders are walked */
    char path[LIST_ABOVE_MAX + (STORE_NAME_MAX + 1) * (STORE_DEPTH_MAX + 1)];
    unsigned depth;
    struct level levels[STORE_DEPTH_MAX + 2]; /* the one behind the last is for a look ahead */
    char cursor[128];                         /* of the subscriptions */
};

/* ---- the walk ---- */

/* The next level's places are those of the folder. */
static void enter(struct list *list, const struct store_folder *folder, size_t path_length)
{
    struct level *level = &list->levels[list->depth + 1];

    if (!folder->has_children || list->depth + 1 > STORE_DEPTH_MAX)
        return;
    list_places_feed(&list->request, level->places, STR("/"), false);
    if (list_places_are_dead(&list->request, level->places))
        return;
    level->folder = folder->id;
    level->after[0] = '\0';
    list->path[path_length] = '/';
    level->path_length = path_length + 1;
    list->depth++;
}

/* A folder that may not be seen is passed over as if it were not there; what is below it may be seen even so (RFC
   4314 section 4). */
static enum err_code tell_visible(struct command *command, struct list_source *source,
                                  const struct store_folder *folder, struct str path,
                                  struct err *err)
{
    const struct list *list = command->data;

    source->rights = RIGHTS_ALL;
    if (source->is_foreign &&
        place_rights(command, source->read, folder->id, &source->rights, err) != ERR_NONE)
        return err->code;
    if ((source->rights & RIGHT_LOOKUP) == 0)
        return ERR_NONE;
    return list_tell_folder(command, &list->request, source, folder, path, err);
}

static enum err_code visit(struct command *command, struct list_source *source,
                           const struct store_folder *folder, struct err *err)
{
    struct list *list = command->data;
    struct level *level = &list->levels[list->depth];
    struct pattern_places *places = level[1].places;
    struct str name = str_of(folder->name);
    size_t path_length = level->path_length + name.length;
    enum err_code code = ERR_NONE;

    memcpy(level->after, folder->name, sizeof(level->after));
    memcpy(list->path + level->path_length, name.data, name.length);
    memcpy(places, level->places, list->request.pattern_count * sizeof(*places));
    list_places_feed(&list->request, places, name, folder->id == STORE_INBOX_FOLDER);
    if (list_places_match(&list->request, places))
        code = tell_visible(command, source, folder, str_n(list->path, path_length), err);
    enter(list, folder, path_length);
    return code;
}

/* The next folder of the walk: ERR_NOT_FOUND at its end. */
static enum err_code next_folder(struct list *list, struct store_read *read,
                                 struct store_folder *folder, struct err *err)
{
    for (;;) {
        const struct level *level = &list->levels[list->depth];
        enum err_code code = store_folder_next(read, level->folder, level->after, folder, err);

        if (code != ERR_NOT_FOUND || list->depth == 0)
            return code;
        list->depth--;
    }
}

static enum err_code next_of_tree(struct command *command, struct list_source *source, bool *done,
                                  struct err *err)
{
    struct store_folder folder;
    enum err_code code = next_folder(command->data, source->read, &folder, err);

    *done = code == ERR_NOT_FOUND;
    if (code != ERR_NONE)
        return *done ? ERR_NONE : code;
    return visit(command, source, &folder, err);
}

static enum err_code next_of_subscriptions(struct command *command, struct list_source *source,
                                           bool *done, struct err *err)
{
    struct list *list = command->data;
    struct arena arena = {0};
    struct str path;
    enum err_code code = subscription_next(source->own, list->cursor, &arena, &path, err);

    *done = code == ERR_NOT_FOUND;
    if (code == ERR_NONE)
        code = list_tell_missing(command, &list->request, source->own, path, err);
    arena_reset(&arena);
    return *done ? ERR_NONE : code;
}

/* ---- slices ---- */

/* Folders in one slice: fewer where each is matched with much. */
static unsigned slice_of(const struct command *command)
{
    const struct list *list = command->data;

    return (unsigned)(SLICE / (1 + list->request.pattern_bytes / LIST_PATTERN_SHARE)) + 1;
}

static enum err_code begin_source(struct command *command, struct store_mailbox *mailbox,
                                  struct list_source *source, struct err *err)
{
    enum err_code code = store_read_begin(command->imap->mailbox, &source->own, err);

    source->is_foreign = mailbox != command->imap->mailbox;
    source->read = source->own;
    if (code == ERR_NONE && source->is_foreign &&
        store_read_begin(mailbox, &source->read, err) != ERR_NONE) {
        store_read_end(&source->own);
        return err->code;
    }
    return code;
}

static void end_source(struct list_source *source)
{
    if (source->is_foreign)
        store_read_end(&source->read);
    store_read_end(&source->own);
}

static enum err_code
tell_slice(struct command *command, struct store_mailbox *mailbox, bool *done, struct err *err,
           enum err_code (*next)(struct command *command, struct list_source *source, bool *done,
                                 struct err *err))
{
    struct list_source source;
    enum err_code code = begin_source(command, mailbox, &source, err);

    *done = false;
    if (code != ERR_NONE)
        return code;
    command->mailbox = mailbox; /* what STATUS tells of */
    for (unsigned left = slice_of(command);
         left > 0 && code == ERR_NONE && !*done && command_has_room(command); left--)
        code = next(command, &source, done, err);
    end_source(&source);
    return code;
}

/* What is below a name may be much, and so may what its status needs; of others' folders each list is read. */
static bool is_long(const struct command *command)
{
    const struct list *list = command->data;

    return ((list->request.select & LIST_RECURSIVE) != 0 || status_is_long(list->request.status) ||
            list->trees.kind != PLACE_OWN) &&
           (command->why & WHY_WORKER) == 0;
}

static enum step tell_missing(struct command *command)
{
    bool done;
    struct err err;

    if (!command_has_room(command))
        return STEP_MORE;
    if (is_long(command))
        return STEP_WORK;
    if (tell_slice(command, command->imap->mailbox, &done, &err, next_of_subscriptions) != ERR_NONE)
        return command_fail(command, &err);
    return done ? command_ok(command, NULL) : STEP_NEXT;
}

static enum step walk(struct command *command);

/* Begins with the next mailbox of others; behind the last come subscriptions. */
static enum step next_tree(struct command *command)
{
    struct list *list = command->data;
    struct list_tree tree = {.path = list->path, .places = list->levels[0].places};
    struct err err;
    enum err_code code;

    if (!command_has_room(command))
        return STEP_MORE;
    if ((command->why & WHY_WORKER) == 0 && !list_trees_are_quick(command))
        return STEP_WORK;
    code = list_trees_next(command, &list->trees, &list->request, &tree, &err);
    if (code == ERR_NOT_FOUND && (list->request.select & LIST_SUBSCRIBED) == 0)
        return command_ok(command, NULL);
    if (code != ERR_NONE && code != ERR_NOT_FOUND)
        return command_fail(command, &err);
    command->run = code == ERR_NONE ? walk : tell_missing;
    list->depth = 0;
    list->levels[0].after[0] = '\0';
    list->levels[0].path_length = tree.path_length;
    return command->run(command);
}

/* Another's mailbox may be removed meanwhile. */
static bool is_over(const struct command *command, enum err_code code, bool done)
{
    const struct list *list = command->data;

    return done || (code == ERR_NOT_FOUND && list->trees.kind != PLACE_OWN);
}

static enum step walk(struct command *command)
{
    const struct list *list = command->data;
    enum err_code code;
    bool done;
    struct err err;

    if (!command_has_room(command))
        return STEP_MORE;
    if (is_long(command))
        return STEP_WORK;
    code = tell_slice(command, list->trees.mailbox, &done, &err, next_of_tree);
    if (is_over(command, code, done)) {
        command->run = next_tree;
        return next_tree(command);
    }
    return code == ERR_NONE ? STEP_NEXT : command_fail(command, &err);
}

/* ---- the beginning ---- */

/* An empty name asks for the separator only. */
static enum step tell_separator(struct command *command)
{
    untagged(command, "LIST (\\Noselect) \"/\" \"\"");
    return command_ok(command, NULL);
}

static void cleanup(struct command *command)
{
    struct list *list = command->data;

    list_trees_release(&list->trees);
}

enum step cmd_list(struct command *command)
{
    struct list *list = arena_alloc(&command->arena, sizeof(*list));

    if (!list_take(command, &list->request))
        return command_ended(command);
    if (list->request.pattern_count == 0)
        return list->request.extended ? command_ok(command, NULL) : tell_separator(command);
    status_begin(command, list->request.status);
    for (unsigned i = 0; i < STORE_DEPTH_MAX + 2; i++)
        list->levels[i].places = arena_array(&command->arena, list->request.pattern_count,
                                             sizeof(struct pattern_places));
    list->levels[0].folder = STORE_ROOT_FOLDER;
    list_places_begin(&list->request, list->levels[0].places);
    list->trees.mailbox = command->imap->mailbox;
    command->data = list;
    command->cleanup = cleanup;
    command->run = walk;
    return walk(command);
}
