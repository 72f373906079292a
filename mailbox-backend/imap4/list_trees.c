#include "mailbox-backend/imap4/list_trees.h"

#include <string.h>

#include "mailbox-backend/mailbox/grants.h"

/* ---- patterns ---- */

void list_places_begin(const struct list_request *request, struct pattern_places *places)
{
    for (unsigned i = 0; i < request->pattern_count; i++)
        pattern_begin(request->patterns[i], &places[i]);
}

void list_places_feed(const struct list_request *request, struct pattern_places *places,
                      struct str text, bool nocase)
{
    for (unsigned i = 0; i < request->pattern_count; i++)
        pattern_feed(request->patterns[i], &places[i], text, nocase);
}

bool list_places_match(const struct list_request *request, const struct pattern_places *places)
{
    for (unsigned i = 0; i < request->pattern_count; i++) {
        if (pattern_matches(request->patterns[i], &places[i]))
            return true;
    }
    return false;
}

bool list_places_are_dead(const struct list_request *request, const struct pattern_places *places)
{
    for (unsigned i = 0; i < request->pattern_count; i++) {
        if (!pattern_is_dead(&places[i]))
            return false;
    }
    return true;
}

/* ---- owners ---- */

bool list_trees_are_quick(const struct command *command)
{
    struct grants *grants = session_backend(command->imap->session)->grants;
    struct store_guid owner = {{0}};

    return grants_are_few(grants) &&
           grants_next(grants, &session_account(command->imap->session)->guid, &owner, NULL) ==
               ERR_NOT_FOUND;
}

static enum err_code see_anything(const struct command *command, struct store_mailbox *mailbox,
                                  bool *has, struct err *err)
{
    struct store_read *read;
    enum err_code code = store_read_begin(mailbox, &read, err);

    *has = false;
    if (code != ERR_NONE)
        return code == ERR_NOT_FOUND ? ERR_NONE : code;
    code = place_has_visible(command, read, STORE_ROOT_FOLDER, has, err);
    store_read_end(&read);
    return code;
}

/* The next owner in whose mailbox something may be seen. One whose database is away is passed over. */
static enum err_code next_owner(struct command *command, struct list_trees *trees,
                                struct arena *arena, struct account *owner, struct err *err)
{
    const struct backend *backend = session_backend(command->imap->session);
    bool has = false;
    enum err_code code;

    while ((code = place_next_owner(command->imap, trees->kind, &trees->owner, arena, owner,
                                    err)) == ERR_NONE) {
        store_mailbox_unref(&trees->foreign);
        if (store_mailbox_open(backend->store, &trees->owner, false, &trees->foreign, NULL, NULL) !=
                ERR_NONE ||
            see_anything(command, trees->foreign, &has, NULL) != ERR_NONE || !has) {
            arena_reset(arena);
            continue;
        }
        trees->mailbox = trees->foreign;
        return ERR_NONE;
    }
    return code;
}

/* ---- names ---- */

/* Goes on along a level of a name that is no folder: tells of it where it matches. False: nothing below it
   can match. */
static bool go_along(struct command *command, const struct list_request *request,
                     struct list_tree *tree, struct str level, bool tell)
{
    memcpy(tree->path + tree->path_length, level.data, level.length);
    tree->path_length += level.length;
    list_places_feed(request, tree->places, level, false);
    if (tell && list_places_match(request, tree->places))
        list_tell_level(command, request, str_n(tree->path, tree->path_length));
    tree->path[tree->path_length++] = '/';
    list_places_feed(request, tree->places, STR("/"), false);
    return !list_places_are_dead(request, tree->places);
}

/* Whether anything in the namespace can match, its own name too. */
static bool concerns(struct command *command, const struct list_request *request,
                     enum place_kind kind, struct list_tree *tree, struct err *err)
{
    struct str name = str_of(place_namespace(kind));
    bool hidden;

    if (place_is_hidden(command->imap, kind, &hidden, err) != ERR_NONE || hidden)
        return false;
    list_places_begin(request, tree->places);
    list_places_feed(request, tree->places, name, false);
    if (list_places_match(request, tree->places))
        return true;
    list_places_feed(request, tree->places, STR("/"), false);
    return !list_places_are_dead(request, tree->places);
}

/* The namespace's name is told with the first tree in it. False: the tree's folders cannot match. */
static bool begin_tree(struct command *command, struct list_trees *trees,
                       const struct list_request *request, const char *login,
                       struct list_tree *tree)
{
    bool first = !trees->is_told;

    trees->is_told = true;
    tree->path_length = 0;
    list_places_begin(request, tree->places);
    return go_along(command, request, tree, str_of(place_namespace(trees->kind)), first) &&
           go_along(command, request, tree, str_of(login), true);
}

static bool next_namespace(struct list_trees *trees)
{
    if (trees->kind == PLACE_SHARED)
        return false;
    trees->kind = trees->kind == PLACE_OWN ? PLACE_OTHER_USER : PLACE_SHARED;
    trees->owner = (struct store_guid){{0}};
    trees->is_told = false;
    return true;
}

/* Of the namespace that trees->kind is. */
static enum err_code next_in_namespace(struct command *command, struct list_trees *trees,
                                       const struct list_request *request, struct list_tree *tree,
                                       struct err *err)
{
    struct arena arena = {0};
    struct account owner;
    enum err_code code;

    do {
        code = next_owner(command, trees, &arena, &owner, err);
    } while (code == ERR_NONE && !begin_tree(command, trees, request, owner.name, tree));
    arena_reset(&arena);
    return code;
}

enum err_code list_trees_next(struct command *command, struct list_trees *trees,
                              const struct list_request *request, struct list_tree *tree,
                              struct err *err)
{
    struct store_guid guid = {{0}};
    enum err_code code = grants_next(session_backend(command->imap->session)->grants,
                                     &session_account(command->imap->session)->guid, &guid, err);

    if (code != ERR_NONE) /* as for most users */
        return code;
    code = ERR_NOT_FOUND;
    if (trees->kind != PLACE_OWN)
        code = next_in_namespace(command, trees, request, tree, err);
    while (code == ERR_NOT_FOUND && next_namespace(trees)) {
        if (concerns(command, request, trees->kind, tree, err))
            code = next_in_namespace(command, trees, request, tree, err);
    }
    return code;
}

void list_trees_release(struct list_trees *trees)
{
    store_mailbox_unref(&trees->foreign);
}
