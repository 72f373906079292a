/* CAPABILITY, NOOP and CHECK, LOGOUT, ID, ENABLE, NAMESPACE. */
#include "mailbox-backend/imap4/imap4.h"

enum step cmd_capability(struct command *command)
{
    struct buf *out = command_output(command);

    buf_text(out, "* CAPABILITY ");
    imap_capabilities_write(out);
    buf_text(out, "\r\n");
    return command_ok(command, NULL);
}

/* What changed is told at the end of every command; these do nothing else. */
enum step cmd_noop(struct command *command)
{
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

/* ENABLE (RFC 5161): none of our extensions needs it; unknown ones are passed over. */
enum step cmd_enable(struct command *command)
{
    struct str name;

    do {
        if (!parse_atom(&command->args, &name))
            return command_bad_syntax(command);
    } while (parse_skip(&command->args, ' '));
    if (!parse_end(&command->args))
        return command_bad_syntax(command);
    untagged(command, "ENABLED");
    return command_ok(command, NULL);
}

/* RFC 2342: everything is the user's own, from the root. */
enum step cmd_namespace(struct command *command)
{
    untagged(command, "NAMESPACE ((\"\" \"/\")) NIL NIL");
    return command_ok(command, NULL);
}
