/* CAPABILITY, NOOP and CHECK, LOGOUT, ID, ENABLE, COMPRESS, NAMESPACE. */
#include "mailbox-backend/imap4/notify.h"
#include "mailbox-backend/imap4/place.h"
#include "mailbox-backend/mailbox/grants.h"

enum step cmd_capability(struct command *command)
{
    struct buf *out = command_output(command);

    buf_text(out, "* CAPABILITY ");
    imap_capabilities_write(command->imap, out);
    buf_text(out, "\r\n");
    return command_ok(command, NULL);
}

/* What changed is told at the end of every command; these do nothing else but tell what NOTIFY has
   gathered. */
enum step cmd_noop(struct command *command)
{
    if (notify_interrupt(command, true))
        return STEP_NEXT;
    return command_ok(command, NULL);
}

enum step cmd_logout(struct command *command)
{
    untagged(command, "BYE Logging out");
    command->imap->ended = true;
    return command_ok(command, NULL);
}

/* ---- ID (RFC 2971) ---- */

#define ID_PAIRS 30
#define ID_FIELD 30
#define ID_VALUE 1024

static bool take_id_pair(struct parse *args)
{
    const char *start = args->at;
    struct str field;
    struct str value;

    if (!parse_string(args, &field) || !parse_space(args) || !parse_nstring(args, &value))
        return false;
    if (field.length > ID_FIELD || value.length > ID_VALUE)
        return parse_fail(args, start, "An ID parameter is too long");
    return true;
}

static bool take_id_list(struct parse *args)
{
    unsigned count = 0;

    if (!parse_char(args, '('))
        return false;
    if (parse_skip(args, ')'))
        return true;
    do {
        if (++count > ID_PAIRS)
            return parse_fail(args, args->at, "Too many ID parameters");
        if (!take_id_pair(args))
            return false;
    } while (parse_skip(args, ' '));
    return parse_char(args, ')');
}

enum step cmd_id(struct command *command)
{
    struct parse *args = &command->args;

    if ((!parse_word(args, "NIL") && !take_id_list(args)) || !parse_end(args))
        return command_bad_syntax(command);
    untagged(command, "ID (\"name\" \"mailbox-backend\" \"version\" \"%s\")", VERSION);
    return command_ok(command, NULL);
}

/* ---- ENABLE (RFC 5161): what is not known, or enabled already, is passed over ---- */

static const struct {
    const char *word;
    unsigned enables; /* enum imap_enabled bits */
} extensions[] = {
    {"CONDSTORE",   ENABLED_CONDSTORE                  },
    {"QRESYNC",     ENABLED_QRESYNC | ENABLED_CONDSTORE},
    {"UTF8=ACCEPT", ENABLED_UTF8_ACCEPT | ENABLED_UTF8 },
    {"IMAP4rev2",   ENABLED_REV2 | ENABLED_UTF8        },
    {"UIDONLY",     ENABLED_UIDONLY                    },
};
#define EXTENSIONS (sizeof(extensions) / sizeof(extensions[0]))

static bool take_extensions(struct parse *args, bool asked[EXTENSIONS])
{
    struct str name;

    do {
        if (!parse_atom(args, &name))
            return false;
        for (size_t i = 0; i < EXTENSIONS; i++)
            asked[i] |= str_is_nocase(name, extensions[i].word);
    } while (parse_skip(args, ' '));
    return parse_end(args);
}

enum step cmd_enable(struct command *command)
{
    struct imap *imap = command->imap;
    struct buf *out = command_output(command);
    bool asked[EXTENSIONS] = {false};
    unsigned before = imap->enabled;
    unsigned enabled = before;

    if (!take_extensions(&command->args, asked))
        return command_bad_syntax(command);
    buf_text(out, "* ENABLED");
    for (size_t i = 0; i < EXTENSIONS; i++) {
        if (!asked[i] || (extensions[i].enables & ~before) == 0)
            continue;
        buf_printf(out, " %s", extensions[i].word);
        enabled |= extensions[i].enables;
    }
    buf_text(out, "\r\n");
    if ((enabled & ENABLED_CONDSTORE) != 0)
        condstore_enable(command);
    imap->enabled |= enabled;
    if (imap_is_uid_only(imap) && imap->view != NULL)
        view_stop_numbers(imap->view);
    fetch_tree_forget(imap); /* it may have been parsed in another way */
    return command_ok(command, NULL);
}

/* RFC 4978: what follows the tagged line is compressed. */
enum step cmd_compress(struct command *command)
{
    struct imap *imap = command->imap;
    const char *start = command->args.at;

    if (!parse_word(&command->args, "DEFLATE")) {
        parse_fail(&command->args, start, "Unknown compression");
        return command_bad_syntax(command);
    }
    if (!parse_end(&command->args))
        return command_bad_syntax(command);
    if (imap->compress != NULL)
        return command_bad(command, "Compression is active already");
    imap->compress_next = compress_create();
    if (imap->compress_next == NULL)
        return command_no(command, "UNAVAILABLE", "There is no memory for it now");
    return command_ok(command, NULL);
}

/* ---- NAMESPACE (RFC 2342) ---- */

/* Of others only where somebody has given the user something. */
static enum err_code write_others(struct command *command, enum place_kind kind, struct buf *out,
                                  struct err *err)
{
    struct arena arena = {0};
    struct store_guid guid = {{0}};
    struct account owner;
    bool hidden;
    enum err_code code = place_is_hidden(command->imap, kind, &hidden, err);

    if (code == ERR_NONE)
        code = hidden ? ERR_NOT_FOUND
                      : place_next_owner(command->imap, kind, &guid, &arena, &owner, err);
    arena_reset(&arena);
    if (code == ERR_NONE)
        buf_printf(out, " ((\"%s/\" \"/\"))", place_namespace(kind));
    else if (code == ERR_NOT_FOUND)
        buf_text(out, " NIL");
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum step cmd_namespace(struct command *command)
{
    struct grants *grants = session_backend(command->imap->session)->grants;
    struct buf others = {0};
    struct err err;
    enum err_code code;

    if ((command->why & WHY_WORKER) == 0 && !grants_are_few(grants))
        return STEP_WORK;
    code = write_others(command, PLACE_OTHER_USER, &others, &err);
    if (code == ERR_NONE)
        code = write_others(command, PLACE_SHARED, &others, &err);
    if (code == ERR_NONE)
        untagged(command, "NAMESPACE ((\"\" \"/\"))%.*s", (int)buf_length(&others),
                 (const char *)buf_bytes(&others));
    buf_release(&others);
    return code == ERR_NONE ? command_ok(command, NULL) : command_fail(command, &err);
}
