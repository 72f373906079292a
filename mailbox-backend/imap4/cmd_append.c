/* APPEND (RFC 3501 section 6.3.11) of one or more messages (RFC 3502) with APPENDUID (RFC 4315). */
#include "mailbox-backend/imap4/append.h"
#include "mailbox-backend/imap4/old_name.h"

/* "APPEND mailbox", "REPLACE 4 mailbox" or "UID REPLACE 4 mailbox". */
static bool take_beginning(struct parse *parse)
{
    struct str word;

    if (!parse_word(parse, "APPEND")) {
        if (parse_word(parse, "UID") && !parse_space(parse))
            return false;
        if (!parse_word(parse, "REPLACE") || !parse_space(parse) ||
            !parse_list_mailbox(parse, &word)) /* it may be "*" */
            return false;
    }
    return parse_space(parse) && parse_astring(parse, &word);
}

bool append_streams(struct str text)
{
    struct arena arena = {0};
    struct parse parse;
    struct str word;
    bool is_message;

    parse_init(&parse, &arena, text);
    is_message = parse_tag(&parse, &word) && parse_space(&parse) && take_beginning(&parse) &&
                 !parse_at_end(&parse);
    arena_reset(&arena);
    return is_message;
}

static enum step after_append(struct command *command)
{
    const struct append *append = command->data;

    if (!append_succeeded(command))
        return command_ended(command);
    old_name_tell_given(command, &append->place);
    return command_ok_code(command, append_uid_code(command), NULL);
}

static enum step submit(struct command *command)
{
    command->run = after_append;
    return append_submit(command);
}

enum step cmd_append(struct command *command)
{
    struct append *append = arena_alloc(&command->arena, sizeof(*append));

    command->data = append;
    command->cleanup = append_cleanup;
    append->then = submit;
    if (!command_take_place(command, &append->place))
        return command_ended(command);
    return append_take(command);
}
