/* One name of LIST: whether it is told, and what of it. */
#include <string.h>

#include "mailbox-backend/imap4/list.h"
#include "mailbox-backend/imap4/metadata.h"
#include "mailbox-backend/imap4/status.h"
#include "mailbox-backend/mailbox/mailbox.h"

static const char *const use_names[] = {
    [USE_NONE] = NULL,           [USE_INBOX] = NULL,    [USE_DRAFTS] = "\\Drafts",
    [USE_SENT] = "\\Sent",       [USE_JUNK] = "\\Junk", [USE_TRASH] = "\\Trash",
    [USE_ARCHIVE] = "\\Archive",
};
#define USES (sizeof(use_names) / sizeof(use_names[0]))

const char *list_use_name(enum store_special_use use)
{
    return use_names[use];
}

enum store_special_use list_use_of(struct str name)
{
    for (size_t i = 0; i < USES; i++) {
        if (use_names[i] != NULL && str_is_nocase(name, use_names[i]))
            return (enum store_special_use)i;
    }
    return USE_NONE;
}

/* ---- what is below ---- */

/* Goes through what meets the selection below a path: any, or any that matches no pattern. */
struct below {
    const struct list_request *request;
    struct store_read *read; /* the user's own mailbox */
    struct str path;
    bool any;       /* there is one */
    bool unmatched; /* there is one that no pattern matches */
};

static bool is_below(struct str path, struct str above)
{
    return path.length > above.length && memcmp(path.data, above.data, above.length) == 0 &&
           path.data[above.length] == '/';
}

static void note(struct below *below, struct str path)
{
    below->any = true;
    if (!below->unmatched && !list_matches(below->request, path))
        below->unmatched = true;
}

static bool is_special(struct store_read *read, struct str path)
{
    struct store_folder folder;

    return path_find(read, path, &folder, NULL) == ERR_NONE && use_names[folder.use] != NULL;
}

static enum err_code look_at_subscriptions(struct below *below, struct err *err)
{
    bool special = (below->request->select & LIST_SPECIAL_USE) != 0;
    struct arena arena = {0};
    char cursor[128] = "";
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && !below->unmatched) {
        struct str path;

        code = subscription_next_below(below->read, below->path, cursor, &arena, &path, err);
        if (code == ERR_NONE && (!special || is_special(below->read, path)))
            note(below, path);
    }
    arena_reset(&arena);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* No two folders have the same special use. */
static enum err_code look_at_uses(struct below *below, struct err *err)
{
    struct arena arena = {0};
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < USES && code == ERR_NONE; i++) {
        struct store_folder folder;
        struct str path = {0};

        if (use_names[i] == NULL)
            continue;
        code = store_folder_by_use(below->read, (enum store_special_use)i, &folder, err);
        if (code == ERR_NONE)
            code = path_of(below->read, &folder, &arena, &path, err);
        if (code == ERR_NONE && is_below(path, below->path))
            note(below, path);
        if (code == ERR_NOT_FOUND)
            code = ERR_NONE;
    }
    arena_reset(&arena);
    return code;
}

static enum err_code look_below(struct below *below, bool is_foreign, struct err *err)
{
    if ((below->request->select & LIST_RECURSIVE) == 0)
        return ERR_NONE;
    if (is_foreign && (below->request->select & LIST_SUBSCRIBED) == 0)
        return ERR_NONE; /* special uses are of one's own folders */
    if ((below->request->select & LIST_SUBSCRIBED) != 0)
        return look_at_subscriptions(below, err);
    return look_at_uses(below, err);
}

/* ---- the answer ---- */

struct name {
    struct str path;
    const char *children; /* attribute */
    const char *other;    /* attribute, or NULL */
    bool subscribed;
    bool with_child_info;
    struct str old_name; /* .data NULL: none */
};

static void write_child_info(struct buf *out, unsigned select)
{
    bool subscribed = (select & LIST_SUBSCRIBED) != 0;
    bool special = (select & LIST_SPECIAL_USE) != 0;

    buf_printf(out, " (\"CHILDINFO\" (%s%s%s))", subscribed ? "\"SUBSCRIBED\"" : "",
               subscribed && special ? " " : "", special ? "\"SPECIAL-USE\"" : "");
}

static void write_name(struct command *command, const struct list_request *request,
                       const struct name *name)
{
    struct buf *out = command_output(command);

    buf_printf(out, "* LIST (%s%s%s%s) \"/\" ", name->children, name->other != NULL ? " " : "",
               name->other != NULL ? name->other : "",
               name->subscribed && request->tells_subscribed ? " \\Subscribed" : "");
    mailbox_name_write(command, name->path);
    if (name->with_child_info)
        write_child_info(out, request->select);
    if (name->old_name.data != NULL) {
        buf_text(out, " (\"OLDNAME\" (");
        mailbox_name_write(command, name->old_name);
        buf_text(out, "))");
    }
    buf_text(out, "\r\n");
}

static bool is_selected(const struct list_request *request, const struct store_folder *folder,
                        bool subscribed, bool is_foreign)
{
    return ((request->select & LIST_SUBSCRIBED) == 0 || subscribed) &&
           ((request->select & LIST_SPECIAL_USE) == 0 ||
            (!is_foreign && use_names[folder->use] != NULL));
}

static struct name name_of(struct store_read *read, const struct store_folder *folder,
                           struct str path)
{
    return (struct name){
        .path = path,
        .children = folder->has_children ? "\\HasChildren" : "\\HasNoChildren",
        .other = placeholder_is(read, folder) ? "\\Noselect" : use_names[folder->use],
    };
}

/* Another's Sent is not where one's own mail goes, and children that may not be seen are none. */
static enum err_code foreign_name_of(const struct command *command, struct store_read *read,
                                     const struct store_folder *folder, struct str path,
                                     struct name *name, struct err *err)
{
    bool has = false;

    if (folder->has_children && place_has_visible(command, read, folder->id, &has, err) != ERR_NONE)
        return err->code;
    *name = (struct name){
        .path = path,
        .children = has ? "\\HasChildren" : "\\HasNoChildren",
        .other = placeholder_is(read, folder) ? "\\Noselect" : NULL,
    };
    return ERR_NONE;
}

/* RFC 5464 section 3.3: whoever may see the folder and do something with its messages may see its entries. */
static enum err_code tell_metadata(struct command *command, const struct list_request *request,
                                   const struct list_source *source,
                                   const struct store_folder *folder, struct str path,
                                   struct err *err)
{
    static const unsigned one_of =
        RIGHT_READ | RIGHT_SEEN | RIGHT_WRITE | RIGHT_INSERT | RIGHT_POST;

    if (request->metadata == NULL || (source->rights & one_of) == 0)
        return ERR_NONE;
    return metadata_tell_folder(command, request->metadata, source->read, folder,
                                source->is_foreign, path, err);
}

static enum err_code tell_status(struct command *command, const struct list_request *request,
                                 const struct list_source *source,
                                 const struct store_folder *folder, struct str path,
                                 struct err *err)
{
    if (request->tells_rights)
        my_rights_tell(command, path, source->rights);
    if (request->status == 0 || (source->rights & RIGHT_READ) == 0)
        return ERR_NONE;
    return status_tell(command, source->read, folder, path, request->status, err);
}

/* RFC 5258 section 3.3: what is not selected is told only for the sake of what is below it and is not
   told itself. */
enum err_code list_tell_folder(struct command *command, const struct list_request *request,
                               const struct list_source *source, const struct store_folder *folder,
                               struct str path, struct err *err)
{
    bool subscribed = request->tells_subscribed && subscription_has(source->own, path);
    bool selected = is_selected(request, folder, subscribed, source->is_foreign);
    struct below below = {.request = request, .read = source->own, .path = path};
    struct name name;

    if (!source->is_foreign)
        name = name_of(source->read, folder, path);
    else if (foreign_name_of(command, source->read, folder, path, &name, err) != ERR_NONE)
        return err->code;
    if (look_below(&below, source->is_foreign, err) != ERR_NONE)
        return err->code;
    if (!selected && !below.unmatched)
        return ERR_NONE;
    name.subscribed = subscribed;
    name.with_child_info = below.any;
    write_name(command, request, &name);
    if (selected && tell_metadata(command, request, source, folder, path, err) != ERR_NONE)
        return err->code;
    if (!selected || placeholder_is(source->read, folder))
        return ERR_NONE;
    return tell_status(command, request, source, folder, path, err);
}

void list_tell_level(struct command *command, const struct list_request *request, struct str path)
{
    const struct name name = {.path = path, .children = "\\HasChildren", .other = "\\Noselect"};

    if ((request->select & (LIST_SUBSCRIBED | LIST_SPECIAL_USE)) == 0)
        write_name(command, request, &name);
}

/* ---- names without a folder ---- */

/* Others' folders are looked for in a snapshot of their own. */
static bool is_missing_elsewhere(struct command *command, struct place *place)
{
    struct store_folder folder;
    struct store_read *read;
    struct err err;
    enum err_code code;

    if (place->mailbox == NULL)
        return true;
    if (store_read_begin(place->mailbox, &read, &err) != ERR_NONE)
        return false;
    code = place_find(command, place, ON_NAMED, read, &folder, &err);
    store_read_end(&read);
    return code == ERR_NOT_FOUND;
}

static bool is_missing(struct command *command, struct store_read *own, struct str path)
{
    struct arena arena = {0};
    struct store_folder folder;
    struct place place;
    struct err err;
    bool is_missing = false;

    if (place_look(command->imap, path, &arena, &place, &err) == ERR_NONE) {
        is_missing = place.kind != PLACE_OWN ? is_missing_elsewhere(command, &place)
                                             : path_find(own, path, &folder, NULL) == ERR_NOT_FOUND;
        place_leave(&place);
    }
    arena_reset(&arena);
    return is_missing;
}

/* A missing name above a subscribed one is told at the first of those below it. */
static enum err_code tell_above(struct command *command, const struct list_request *request,
                                struct store_read *read, struct str above, struct str path,
                                struct err *err)
{
    struct below below = {.request = request, .read = read, .path = above};
    struct name name = {.path = above,
                        .children = "\\HasNoChildren",
                        .other = "\\NonExistent",
                        .with_child_info = true};
    char cursor[128] = "";
    struct str first;

    if (!list_matches(request, above) || subscription_has(read, above) ||
        !is_missing(command, read, above))
        return ERR_NONE;
    if (subscription_next_below(read, above, cursor, &command->arena, &first, err) != ERR_NONE)
        return err->code == ERR_NOT_FOUND ? ERR_NONE : err->code;
    if (!str_equal(first, path))
        return ERR_NONE;
    if (look_below(&below, false, err) != ERR_NONE)
        return err->code;
    if (below.unmatched)
        write_name(command, request, &name);
    return ERR_NONE;
}

enum err_code list_tell_missing(struct command *command, const struct list_request *request,
                                struct store_read *read, struct str path, struct err *err)
{
    struct below below = {.request = request, .read = read, .path = path};
    struct name name = {
        .path = path, .children = "\\HasNoChildren", .other = "\\NonExistent", .subscribed = true};

    if ((request->select & LIST_SPECIAL_USE) != 0 || !is_missing(command, read, path))
        return ERR_NONE;
    for (size_t i = 1; i < path.length && (request->select & LIST_RECURSIVE) != 0; i++) {
        if (path.data[i] == '/' &&
            tell_above(command, request, read, str_n(path.data, i), path, err) != ERR_NONE)
            return err->code;
    }
    if (!list_matches(request, path))
        return ERR_NONE;
    if (look_below(&below, false, err) != ERR_NONE)
        return err->code;
    name.with_child_info = below.any;
    write_name(command, request, &name);
    return ERR_NONE;
}

/* ---- one name ---- */

static const struct list_request alone; /* what a name that was not asked for is told with */

static enum err_code name_alone(struct store_read *read, const struct place *place,
                                struct name *name, struct err *err)
{
    struct store_folder folder;
    enum err_code code = path_find(read, place->path, &folder, err);

    *name =
        (struct name){.path = place->name, .children = "\\HasNoChildren", .other = "\\NonExistent"};
    if (code == ERR_NONE)
        *name = name_of(read, &folder, place->name);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code list_tell_one(struct command *command, struct store_read *read,
                            const struct place *place, struct str old_name, struct err *err)
{
    struct name name;

    if (name_alone(read, place, &name, err) != ERR_NONE)
        return err->code;
    name.old_name = old_name;
    write_name(command, &alone, &name);
    return ERR_NONE;
}

static enum err_code name_elsewhere(struct command *command, struct place *place, struct name *name,
                                    struct err *err)
{
    struct store_folder folder;
    struct store_read *read;
    enum err_code code;

    *name =
        (struct name){.path = place->name, .children = "\\HasNoChildren", .other = "\\NonExistent"};
    if (place->mailbox == NULL)
        return ERR_NONE;
    code = store_read_begin(place->mailbox, &read, err);
    if (code != ERR_NONE)
        return code;
    code = place_find(command, place, ON_NAMED, read, &folder, err);
    if (code == ERR_NONE || code == ERR_DENIED)
        code = foreign_name_of(command, read, &folder, place->name, name, err);
    store_read_end(&read);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code list_tell_changed(struct command *command, struct store_read *own, struct str path,
                                struct str old_name, struct err *err)
{
    static const struct list_request request = {.tells_subscribed = true};
    struct arena arena = {0};
    struct place place;
    struct name name;
    enum err_code code = place_look(command->imap, path, &arena, &place, err);

    if (code == ERR_NONE) {
        code = place.kind == PLACE_OWN ? name_alone(own, &place, &name, err)
                                       : name_elsewhere(command, &place, &name, err);
        place_leave(&place);
    }
    arena_reset(&arena);
    if (code != ERR_NONE)
        return code;
    name.path = path; /* the owner's own spelling would tell that there is such a user */
    name.old_name = old_name;
    name.subscribed = subscription_has(own, path);
    write_name(command, &request, &name);
    return ERR_NONE;
}
