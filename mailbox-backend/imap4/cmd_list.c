/* LIST (RFC 3501 section 6.3.8) with CHILDREN (RFC 3348) and the SPECIAL-USE options (RFC 6154).
   The tree of folders is walked depth first; where the walk stands is kept by names, so that it
   goes on in a new snapshot whatever changed meanwhile. */
#include <string.h>

#include "mailbox-backend/imap4/imap4.h"
#include "mailbox-backend/imap4/mutf7.h"
#include "mailbox-backend/imap4/pattern.h"
#include "mailbox-backend/mailbox/mailbox.h"

#define SLICE 200 /* folders looked at in one snapshot */

struct level {
    uint32_t folder;
    size_t path_length; /* of the folder's path with the "/" behind it */
    char after[STORE_NAME_MAX + 1];
    struct pattern_places places; /* of the pattern, behind that path */
};

struct list {
    struct str pattern;
    bool only_special;
    char path[(STORE_NAME_MAX + 1) * (STORE_DEPTH_MAX + 1)];
    unsigned depth;
    struct level levels[STORE_DEPTH_MAX + 1];
};

static const char *const use_names[] = {
    [USE_NONE] = NULL,           [USE_INBOX] = NULL,    [USE_DRAFTS] = "\\Drafts",
    [USE_SENT] = "\\Sent",       [USE_JUNK] = "\\Junk", [USE_TRASH] = "\\Trash",
    [USE_ARCHIVE] = "\\Archive",
};

/* ---- one folder ---- */

static void tell_folder(struct command *command, struct store_read *read,
                        const struct store_folder *folder, struct str path)
{
    struct buf *out = command_output(command);
    const char *use = placeholder_is(read, folder) ? "\\Noselect" : use_names[folder->use];

    buf_printf(out, "* LIST (%s%s%s) \"/\" ",
               folder->has_children ? "\\HasChildren" : "\\HasNoChildren", use != NULL ? " " : "",
               use != NULL ? use : "");
    mailbox_name_write(out, path);
    buf_text(out, "\r\n");
}

static void enter(struct list *list, const struct store_folder *folder, size_t path_length,
                  const struct pattern_places *places)
{
    struct level *level = &list->levels[list->depth + 1];

    if (!folder->has_children || list->depth + 1 > STORE_DEPTH_MAX)
        return;
    level->places = *places;
    pattern_feed(list->pattern, &level->places, STR("/"), false);
    if (pattern_is_dead(&level->places))
        return;
    level->folder = folder->id;
    level->after[0] = '\0';
    list->path[path_length] = '/';
    level->path_length = path_length + 1;
    list->depth++;
}

static void visit(struct command *command, struct store_read *read,
                  const struct store_folder *folder)
{
    struct list *list = command->data;
    struct level *level = &list->levels[list->depth];
    struct str name = str_of(folder->name);
    size_t path_length = level->path_length + name.length;
    struct pattern_places places = level->places;

    memcpy(level->after, folder->name, sizeof(level->after));
    memcpy(list->path + level->path_length, name.data, name.length);
    pattern_feed(list->pattern, &places, name, folder->id == STORE_INBOX_FOLDER);
    if (pattern_matches(list->pattern, &places) &&
        (!list->only_special || use_names[folder->use] != NULL))
        tell_folder(command, read, folder, str_n(list->path, path_length));
    enter(list, folder, path_length, &places);
}

/* ---- the walk ---- */

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

static enum step walk(struct command *command)
{
    struct list *list = command->data;
    struct store_read *read;
    struct err err;
    enum err_code code = ERR_NONE;

    if (!command_has_room(command))
        return STEP_MORE;
    if (!command_read(command, &read))
        return command_ended(command);
    for (unsigned i = 0; i < SLICE && code == ERR_NONE && command_has_room(command); i++) {
        struct store_folder folder;

        code = next_folder(list, read, &folder, &err);
        if (code == ERR_NONE)
            visit(command, read, &folder);
    }
    store_read_end(&read);
    if (code == ERR_NOT_FOUND)
        return command_ok(command, NULL);
    return code == ERR_NONE ? STEP_NEXT : command_fail(command, &err);
}

/* ---- arguments ---- */

static bool take_option(struct parse *args, bool selecting, struct list *list)
{
    if (parse_word(args, "SPECIAL-USE")) {
        list->only_special |= selecting;
        return true;
    }
    return (!selecting && parse_word(args, "CHILDREN")) || /* both are always told */
           parse_fail(args, args->at, "Unknown LIST option");
}

static bool take_options(struct parse *args, bool selecting, struct list *list)
{
    if (!parse_char(args, '('))
        return false;
    if (parse_skip(args, ')'))
        return true;
    do {
        if (!take_option(args, selecting, list))
            return false;
    } while (parse_skip(args, ' '));
    return parse_char(args, ')');
}

static bool take_return(struct parse *args, struct list *list)
{
    if (parse_at_end(args))
        return true;
    if (!parse_space(args))
        return false;
    if (!parse_word(args, "RETURN"))
        return parse_fail(args, args->at, "Expected RETURN");
    return parse_space(args) && take_options(args, false, list);
}

bool list_take_pattern(struct command *command, struct str *pattern)
{
    struct parse *args = &command->args;
    struct str reference;
    struct str name;
    char *both;

    if (!parse_astring(args, &reference) || !parse_space(args) ||
        !parse_list_mailbox(args, &name)) {
        command_bad_syntax(command);
        return false;
    }
    both = arena_alloc(&command->arena, reference.length + name.length + 1);
    if (name.length != 0) {
        memcpy(both, reference.data, reference.length);
        memcpy(both + reference.length, name.data, name.length);
        name = str_n(both, reference.length + name.length);
    }
    if (!mutf7_decode(&command->arena, name, pattern)) {
        command_no(command, "CANNOT", "The pattern is not valid modified UTF-7");
        return false;
    }
    if (pattern->length > PATTERN_MAX) {
        command_no(command, "LIMIT", "The pattern is too long");
        return false;
    }
    return true;
}

/* An empty name asks for the separator only. */
static enum step tell_separator(struct command *command)
{
    untagged(command, "LIST (\\Noselect) \"/\" \"\"");
    return command_ok(command, NULL);
}

enum step cmd_list(struct command *command)
{
    struct list *list = arena_alloc(&command->arena, sizeof(*list));
    struct parse *args = &command->args;

    if (parse_peek(args, '(') && (!take_options(args, true, list) || !parse_space(args)))
        return command_bad_syntax(command);
    if (!list_take_pattern(command, &list->pattern))
        return command_ended(command);
    if (!take_return(args, list) || !parse_end(args))
        return command_bad_syntax(command);
    if (list->pattern.length == 0)
        return tell_separator(command);
    list->levels[0].folder = STORE_ROOT_FOLDER;
    pattern_begin(list->pattern, &list->levels[0].places);
    command->data = list;
    command->run = walk;
    return walk(command);
}
