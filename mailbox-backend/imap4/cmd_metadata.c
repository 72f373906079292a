/* GETMETADATA and SETMETADATA (RFC 5464). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mailbox-backend/imap4/metadata.h"
#include "mailbox-backend/mailbox/mailbox.h"

#define SLICE 200u /* entries looked at in one snapshot */
#define TOLD_TOGETHER                                                                              \
    4096u /* bytes of small entries stand in one answer, whether there is room or not */

/* ---- GETMETADATA ---- */

/* What of an entry that is asked for comes next. */
enum stage { STAGE_ENTRY, STAGE_COMPUTED, STAGE_STORED };

struct getting {
    struct metadata_place place;
    struct metadata_request request;
    unsigned at; /* of what is asked for */
    enum stage stage;
    char after[METADATA_NAME_SIZE]; /* STAGE_STORED: the newest property */
    uint32_t longest;               /* octets of the largest value that was not told */
    bool begun;                     /* an answer is: its ")" is missing */
};

static void tell(struct command *command, const char *shown, struct str value)
{
    struct getting *getting = command->data;
    struct buf *out = command_output(command);

    if (value.length > getting->request.max_size) {
        if (value.length > getting->longest)
            getting->longest = (uint32_t)value.length;
        return;
    }
    if (!getting->begun) {
        buf_text(out, "* METADATA ");
        if (getting->place.is_server)
            buf_text(out, "\"\"");
        else
            mailbox_name_write(command, getting->place.place.name);
    }
    buf_text(out, getting->begun ? " " : " (");
    metadata_write(out, shown, value);
    getting->begun = true;
}

/* The name behind above, and whether it is to be told for its depth. */
static bool is_in_depth(const struct getting *getting, const char *entry, const char *above)
{
    size_t length = strlen(above);

    return strncmp(entry, above, length) == 0 && entry[length] == '/' &&
           (getting->request.depth == DEPTH_INFINITY || strchr(entry + length + 1, '/') == NULL);
}

static enum err_code tell_value(struct command *command, struct store_read *read,
                                const struct store_folder *folder, const char *shown,
                                const char *entry, bool even_nil, struct err *err)
{
    const struct getting *getting = command->data;
    uint8_t bytes[STORE_PROPERTY_MAX];
    struct str value;
    enum err_code code =
        metadata_get(command, &getting->place, read, folder, entry, bytes, &value, err);

    if (code == ERR_NONE && (value.data != NULL || even_nil))
        tell(command, shown, value);
    return code;
}

static enum err_code tell_computed(struct command *command, struct store_read *read,
                                   const struct store_folder *folder, const char *above,
                                   struct err *err)
{
    const struct getting *getting = command->data;
    enum err_code code = ERR_NONE;
    const char *entry;

    for (size_t n = 0;
         code == ERR_NONE && (entry = metadata_computed(getting->place.is_server, n)) != NULL;
         n++) {
        if (is_in_depth(getting, entry, above))
            code = tell_value(command, read, folder, entry, entry, false, err);
    }
    return code;
}

/* ERR_NOT_FOUND behind the last. */
static enum err_code tell_stored(struct command *command, struct store_read *read,
                                 const struct store_folder *folder, const char *above,
                                 struct err *err)
{
    struct getting *getting = command->data;
    char prefix[METADATA_NAME_SIZE + 1];
    char entry[METADATA_NAME_SIZE + METADATA_ENTRY_MAX]; /* that the property keeps */
    uint32_t id = getting->place.is_server ? 0 : folder->id;
    size_t length;
    enum err_code code;

    metadata_property_name(&getting->place, above, prefix);
    length = strlen(prefix);
    memcpy(prefix + length, "/", 2);
    code = store_property_next(read, id, 0, prefix, getting->after, getting->after,
                               sizeof(getting->after), err);
    if (code != ERR_NONE)
        return code;
    snprintf(entry, sizeof(entry), "%s%s", above, getting->after + length);
    if (!is_in_depth(getting, entry, above) ||
        metadata_is_computed(getting->place.is_server, entry))
        return ERR_NONE;
    return tell_value(command, read, folder, entry, entry, false, err);
}

static void next_asked(struct getting *getting)
{
    getting->at++;
    getting->stage = STAGE_ENTRY;
    getting->after[0] = '\0';
}

static enum err_code tell_next(struct command *command, struct store_read *read,
                               const struct store_folder *folder, struct err *err)
{
    struct getting *getting = command->data;
    const struct metadata_asked *asked = &getting->request.asked[getting->at];
    bool deep = getting->request.depth != DEPTH_0;
    enum err_code code;

    switch (getting->stage) {
    case STAGE_ENTRY:
        code = tell_value(command, read, folder, asked->shown, asked->entry, !deep, err);
        getting->stage = STAGE_COMPUTED;
        if (!deep)
            next_asked(getting);
        return code;
    case STAGE_COMPUTED:
        getting->stage = STAGE_STORED;
        return tell_computed(command, read, folder, asked->entry, err);
    case STAGE_STORED:
        code = tell_stored(command, read, folder, asked->entry, err);
        if (code == ERR_NOT_FOUND)
            next_asked(getting);
        return code == ERR_NOT_FOUND ? ERR_NONE : code;
    }
    return ERR_NONE;
}

static enum err_code tell_slice(struct command *command, struct store_read *read, struct err *err)
{
    struct getting *getting = command->data;
    size_t before = buf_length(command_output(command));
    struct store_folder folder = {0};
    enum err_code code = ERR_NONE;

    if (!getting->place.is_server)
        code = place_find(command, &getting->place.place, ON_NAMED, read, &folder, err);
    for (unsigned left = SLICE;
         left > 0 && code == ERR_NONE && getting->at < getting->request.count &&
         (command_has_room(command) ||
          buf_length(command_output(command)) - before < TOLD_TOGETHER);
         left--)
        code = tell_next(command, read, &folder, err);
    if (getting->begun)
        buf_text(command_output(command), ")\r\n");
    getting->begun = false;
    return code;
}

static enum step end_get(struct command *command)
{
    const struct getting *getting = command->data;

    if (getting->longest == 0)
        return command_ok(command, NULL);
    return command_ok_code(
        command, arena_printf(&command->arena, "METADATA LONGENTRIES %" PRIu32, getting->longest),
        NULL);
}

static enum step get(struct command *command)
{
    const struct getting *getting = command->data;
    struct store_read *read;
    struct err err;
    enum err_code code;

    if (!command_has_room(command))
        return STEP_MORE;
    if (!place_read(command, &getting->place.place, &read))
        return command_ended(command);
    code = tell_slice(command, read, &err);
    store_read_end(&read);
    if (code != ERR_NONE)
        return command_fail(command, &err);
    return getting->at < getting->request.count ? STEP_NEXT : end_get(command);
}

/* Options stand before the mailbox's name by the grammar, behind it in the examples. */
enum step cmd_get_entries(struct command *command)
{
    struct getting *getting = arena_alloc(&command->arena, sizeof(*getting));
    struct parse *args = &command->args;

    getting->request.max_size = UINT32_MAX;
    if (!metadata_take_options(args, &getting->request))
        return command_bad_syntax(command);
    if (!metadata_take_place(command, &getting->place))
        return command_ended(command);
    if (!parse_space(args) || !metadata_take_options(args, &getting->request) ||
        !metadata_take_entries(args, &getting->request) || !parse_end(args))
        return command_bad_syntax(command);
    command->data = getting;
    command->run = get;
    return get(command);
}

/* ---- SETMETADATA ---- */

#define SET_MAX 250u /* entries of one command */

struct setting_entry {
    const char *shown, *entry;
    struct str value;
};

struct setting_all {
    struct metadata_place place;
    struct setting_entry *entries; /* the arena's */
    unsigned count;
    const char *counted[3];
};

/* What is given twice is what was given last. */
static struct setting_entry *entry_for(struct setting_all *all, const char *entry)
{
    for (unsigned i = 0; i < all->count; i++) {
        if (strcmp(all->entries[i].entry, entry) == 0)
            return &all->entries[i];
    }
    return &all->entries[all->count++];
}

static bool take_entry(struct parse *args, struct setting_all *all)
{
    struct setting_entry given = {0};

    if (all->count == SET_MAX)
        return parse_fail(args, args->at, "Too many entries in one command");
    if (!metadata_take_entry(args, true, &given.shown, &given.entry) || !parse_space(args) ||
        !metadata_take_value(args, &given.value))
        return false;
    *entry_for(all, given.entry) = given;
    return true;
}

static bool take_all(struct command *command, struct setting_all *all)
{
    struct parse *args = &command->args;

    all->entries = arena_array(&command->arena, SET_MAX, sizeof(*all->entries));
    if (!parse_space(args) || !parse_char(args, '('))
        return false;
    do {
        if (!take_entry(args, all))
            return false;
    } while (parse_skip(args, ' '));
    return parse_char(args, ')') && parse_end(args);
}

static bool is_shared(const char *entry)
{
    return strncmp(entry, "/shared/", 8) == 0;
}

/* The site says what all users are told of the server; what all see of a folder is said by who may write there. */
static bool may_set(const struct setting_all *all, const char *entry)
{
    if (!is_shared(entry))
        return true;
    return !all->place.is_server && (all->place.place.rights & RIGHT_WRITE) != 0;
}

/* False: the answer has been given. */
static bool check_entries(struct command *command, const struct setting_all *all)
{
    uint64_t most = session_backend(command->imap->session)->settings->imap4be.metadata_max_value;

    for (unsigned i = 0; i < all->count; i++) {
        const struct setting_entry *entry = &all->entries[i];

        if (!may_set(all, entry->entry))
            command_no(command, "NOPERM", "This entry is not yours to set");
        else if (metadata_is_computed(all->place.is_server, entry->entry))
            command_no(command, "CANNOT", "This entry is read-only");
        else if (entry->value.length > most)
            command_no(command, arena_printf(&command->arena, "METADATA MAXSIZE %" PRIu64, most),
                       "The value is too large");
        if (command->result != RESULT_NONE)
            return false;
    }
    return true;
}

static enum step after_set(struct command *command)
{
    if (command->op.over_quota)
        return command_no(command, "METADATA TOOMANY", "There are too many entries already");
    return command_op_done(command);
}

static enum step submit_set(struct command *command, uint32_t folder)
{
    struct setting_all *all = command->data;
    struct store_property *list = arena_array(&command->arena, all->count, sizeof(*list));
    struct store_op *op = &command->op;

    for (unsigned i = 0; i < all->count; i++)
        metadata_property(&command->arena, &all->place, all->entries[i].entry,
                          all->entries[i].value, &list[i]);
    all->counted[0] = "/shared/";
    all->counted[1] = arena_printf(&command->arena, "%s/", all->place.private_root);
    op->kind = OP_PROPERTIES_SET;
    op->folder = folder;
    op->in.properties.list = list;
    op->in.properties.count = all->count;
    op->in.properties.counted = all->counted;
    op->in.properties.most =
        (unsigned)session_backend(command->imap->session)->settings->imap4be.metadata_max_entries;
    command->run = after_set;
    return command_submit(command);
}

enum step cmd_set_entries(struct command *command)
{
    struct setting_all *all = arena_alloc(&command->arena, sizeof(*all));
    struct store_folder folder = {0};
    struct store_read *read;
    enum err_code code = ERR_NONE;
    struct err err;

    command->data = all;
    if (!metadata_take_place(command, &all->place))
        return command_ended(command);
    if (!take_all(command, all))
        return command_bad_syntax(command);
    if (!place_read(command, &all->place.place, &read))
        return command_ended(command);
    if (!all->place.is_server)
        code = place_find(command, &all->place.place, ON_NAMED, read, &folder, &err);
    store_read_end(&read);
    if (code != ERR_NONE)
        return command_fail(command, &err);
    if (!check_entries(command, all))
        return command_ended(command);
    return submit_set(command, folder.id);
}
