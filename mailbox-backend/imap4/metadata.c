#include "mailbox-backend/imap4/metadata.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "mailbox-backend/imap4/list.h"
#include "mailbox-backend/mailbox/mailbox.h"
#include "mailbox-backend/mime/imap_string.h"

#define ALL_ENTRIES "/" /* no other property's name begins so */
#define PRIVATE "/private"
#define ENTRIES_AT_ONCE 32u /* with values of 8 KB at most */

/* ---- places ---- */

void metadata_place_init(const struct command *command, bool is_foreign,
                         struct metadata_place *place)
{
    const struct store_guid *user = &session_account(command->imap->session)->guid;
    char *at = place->private_root;

    if (!is_foreign) {
        strcpy(at, PRIVATE);
        return;
    }
    at += sprintf(at, "/user/");
    for (size_t i = 0; i < sizeof(user->bytes); i++)
        at += sprintf(at, "%02x", user->bytes[i]);
}

bool metadata_take_place(struct command *command, struct metadata_place *place)
{
    struct str name;

    *place = (struct metadata_place){0};
    if (!parse_astring(&command->args, &name)) {
        command_bad_syntax(command);
        return false;
    }
    place->is_server = name.length == 0;
    if (place->is_server)
        place->place = (struct place){.mailbox = command->imap->mailbox, .rights = RIGHTS_ALL};
    else if (!command_place(command, name, &place->place))
        return false;
    metadata_place_init(command, place->place.kind != PLACE_OWN, place);
    return true;
}

/* ---- names ---- */

static bool is_entry_char(char c)
{
    return c >= ' ' && c < 0x7f && c != '*' && c != '%';
}

/* Components of a well-formed name; 0 for another. */
static unsigned count_components(struct str name)
{
    unsigned count = 0;

    if (name.length == 0 || name.data[0] != '/' || name.data[name.length - 1] == '/' ||
        name.length > METADATA_ENTRY_MAX)
        return 0;
    for (size_t i = 0; i < name.length; i++) {
        if (!is_entry_char(name.data[i]) || (name.data[i] == '/' && name.data[i + 1] == '/'))
            return 0;
        count += name.data[i] == '/';
    }
    return count;
}

static bool is_at(const char *entry, const char *above)
{
    size_t length = strlen(above);

    return strncmp(entry, above, length) == 0 && (entry[length] == '\0' || entry[length] == '/');
}

/* RFC 5464 section 3.2: below vendor there is a token of the vendor, and something below that. */
static bool can_have_value(const char *entry, unsigned components)
{
    bool of_vendor = is_at(entry, PRIVATE "/vendor") || is_at(entry, "/shared/vendor");

    return components >= (of_vendor ? 4u : 2u);
}

bool metadata_take_entry(struct parse *parse, bool whole, const char **shown, const char **entry)
{
    const char *start = parse->at;
    unsigned components;
    struct str name;
    char *lower;

    if (!parse_astring(parse, &name))
        return false;
    components = count_components(name);
    lower = arena_copy(parse->arena, name.data, name.length);
    *shown = arena_copy(parse->arena, name.data, name.length);
    for (char *c = lower; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    *entry = lower;
    if (components == 0 || (!is_at(lower, PRIVATE) && !is_at(lower, "/shared")) ||
        (whole && !can_have_value(lower, components)))
        return parse_fail(parse, start, "Expected the name of an entry such as /private/comment");
    return true;
}

void metadata_property_name(const struct metadata_place *place, const char *entry,
                            char name[METADATA_NAME_SIZE])
{
    if (is_at(entry, PRIVATE))
        snprintf(name, METADATA_NAME_SIZE, "%s%s", place->private_root, entry + strlen(PRIVATE));
    else
        snprintf(name, METADATA_NAME_SIZE, "%s", entry);
}

/* ---- values: behind a byte, as a property without bytes is none ---- */

#define VALUE 1

bool metadata_take_value(struct parse *parse, struct str *value)
{
    if (parse_peek(parse, '~'))
        return parse_literal8(parse, value);
    return parse_nstring(parse, value);
}

void metadata_property(struct arena *arena, const struct metadata_place *place, const char *entry,
                       struct str value, struct store_property *property)
{
    char name[METADATA_NAME_SIZE];
    uint8_t *bytes = arena_alloc(arena, value.length + 1);

    metadata_property_name(place, entry, name);
    bytes[0] = VALUE;
    if (value.length > 0)
        memcpy(bytes + 1, value.data, value.length);
    *property = (struct store_property){
        .name = arena_string(arena, name),
        .value = bytes,
        .length = value.data == NULL ? 0 : value.length + 1,
    };
}

static enum err_code get_stored(const struct metadata_place *place, struct store_read *read,
                                uint32_t folder, const char *entry,
                                uint8_t bytes[STORE_PROPERTY_MAX], struct str *value,
                                struct err *err)
{
    char name[METADATA_NAME_SIZE];
    size_t length;
    enum err_code code;

    metadata_property_name(place, entry, name);
    code = store_property_get(read, folder, 0, name, bytes, STORE_PROPERTY_MAX, &length, err);
    if (code == ERR_NONE && bytes[0] == VALUE)
        *value = str_n(bytes + 1, length - 1);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* ---- computed entries ---- */

#define SPECIAL_USE "/private/specialuse" /* RFC 6154 section 4 */
#define SERVER_ADMIN "/shared/admin"
#define SERVER_COMMENT "/shared/comment"

static const char *const of_folders[] = {SPECIAL_USE, NULL};
static const char *const of_server[] = {SERVER_ADMIN, SERVER_COMMENT, NULL};

const char *metadata_computed(bool is_server, size_t n)
{
    return (is_server ? of_server : of_folders)[n];
}

bool metadata_is_computed(bool is_server, const char *entry)
{
    const char *computed;

    for (size_t n = 0; (computed = metadata_computed(is_server, n)) != NULL; n++) {
        if (strcmp(computed, entry) == 0)
            return true;
    }
    return false;
}

/* NULL: it has no value. */
static const char *compute(const struct command *command, const struct metadata_place *place,
                           const struct store_folder *folder, const char *entry)
{
    const struct backend_settings *settings = session_backend(command->imap->session)->settings;
    const char *text;

    if (!place->is_server)
        return place->place.kind == PLACE_OWN ? list_use_name(folder->use) : NULL;
    text = strcmp(entry, SERVER_ADMIN) == 0 ? settings->imap4be.metadata_admin
                                            : settings->imap4be.metadata_comment;
    return text != NULL && text[0] != '\0' ? text : NULL;
}

enum err_code metadata_get(const struct command *command, const struct metadata_place *place,
                           struct store_read *read, const struct store_folder *folder,
                           const char *entry, uint8_t bytes[STORE_PROPERTY_MAX], struct str *value,
                           struct err *err)
{
    const char *text;

    *value = (struct str){0};
    if (!metadata_is_computed(place->is_server, entry))
        return get_stored(place, read, place->is_server ? 0 : folder->id, entry, bytes, value, err);
    text = compute(command, place, folder, entry);
    if (text != NULL)
        *value = str_of(text);
    return ERR_NONE;
}

/* ---- output ---- */

static bool is_plain(const char *name)
{
    return strpbrk(name, " (){\"\\") == NULL;
}

void metadata_write(struct buf *out, const char *shown, struct str value)
{
    if (is_plain(shown))
        buf_text(out, shown);
    else
        imap_string_write(out, str_of(shown));
    buf_byte(out, ' ');
    if (value.data == NULL || memchr(value.data, '\0', value.length) == NULL) {
        imap_nstring_write(out, value);
        return;
    }
    buf_printf(out, "~{%zu}\r\n", value.length);
    buf_append(out, value.data, value.length);
}

enum err_code metadata_tell_folder(struct command *command, const struct metadata_request *request,
                                   struct store_read *read, const struct store_folder *folder,
                                   bool is_foreign, struct str name, struct err *err)
{
    struct metadata_place place = {.place.kind = is_foreign ? PLACE_OTHER_USER : PLACE_OWN};
    struct buf *out = command_output(command);
    uint8_t bytes[STORE_PROPERTY_MAX];
    const char *separator = " (";
    struct str value;

    metadata_place_init(command, is_foreign, &place);
    for (unsigned i = 0; i < request->count; i++) {
        if (metadata_get(command, &place, read, folder, request->asked[i].entry, bytes, &value,
                         err) != ERR_NONE)
            return err->code;
        if (value.length > request->max_size)
            continue;
        if (separator[1] != '\0') {
            buf_text(out, "* METADATA ");
            mailbox_name_write(command, name);
        }
        buf_text(out, separator);
        metadata_write(out, request->asked[i].shown, value);
        separator = " ";
    }
    if (separator[1] == '\0')
        buf_text(out, ")\r\n");
    return ERR_NONE;
}

/* ---- all of a folder ---- */

static enum err_code take_entries(struct metadata_walk *walk, struct store_read *read,
                                  uint32_t folder, bool with_values, struct store_property *list,
                                  unsigned *count, struct err *err)
{
    uint8_t bytes[STORE_PROPERTY_MAX];
    enum err_code code = ERR_NONE;

    *count = 0;
    while (code == ERR_NONE && *count < ENTRIES_AT_ONCE) {
        size_t length = 0;

        code = store_property_next(read, folder, 0, ALL_ENTRIES, walk->after, walk->after,
                                   sizeof(walk->after), err);
        if (code == ERR_NONE && with_values)
            code = store_property_get(read, folder, 0, walk->after, bytes, sizeof(bytes), &length,
                                      err);
        if (code == ERR_NONE)
            list[(*count)++] =
                (struct store_property){arena_string(&walk->arena, walk->after),
                                        arena_copy(&walk->arena, bytes, length), length};
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

bool metadata_pass_on(struct command *command, struct metadata_walk *walk, uint32_t from,
                      uint32_t to, enum step *step)
{
    struct store_property *list;
    struct store_read *read;
    unsigned count;
    enum err_code code;
    struct err err;

    if (command->op.err.code != ERR_NONE) {
        *step = command_fail(command, &command->op.err);
        return true;
    }
    command_op_release(&command->op);
    metadata_walk_release(walk);
    if (!command_read(command, &read)) {
        *step = command_ended(command);
        return true;
    }
    if (from == to) /* those before it have gone */
        walk->after[0] = '\0';
    list = arena_array(&walk->arena, ENTRIES_AT_ONCE, sizeof(*list));
    code = take_entries(walk, read, from, from != to, list, &count, &err);
    store_read_end(&read);
    if (code != ERR_NONE) {
        *step = command_fail(command, &err);
        return true;
    }
    if (count == 0)
        return false;
    command->op.kind = OP_PROPERTIES_SET;
    command->op.folder = to;
    command->op.in.properties.list = list;
    command->op.in.properties.count = count;
    *step = command_submit(command);
    return true;
}

void metadata_walk_release(struct metadata_walk *walk)
{
    arena_reset(&walk->arena);
}
