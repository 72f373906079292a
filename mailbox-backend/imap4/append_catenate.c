/* A message made of literals and of parts of messages that are here already (RFC 4469). */
#include "mailbox-backend/imap4/append.h"

/* Bytes of a URL. */
#define URL_MAX ((uint64_t)8 << 10)

static enum step url_too_long(struct command *command)
{
    return command_bad(command, "The URL is too long");
}

/* It is short: it comes whole. */
static enum step take_url_literal(struct command *command)
{
    struct append *append = command->data;
    struct buf *in = imap_input(command->imap);
    size_t length = (size_t)command->literal.size;
    struct str url;

    if (buf_length(in) < length)
        return STEP_IDLE;
    url = str_n(arena_copy(&command->arena, buf_bytes(in), length), length);
    buf_consume(in, length);
    command->literal.size = 0;
    append->behind_literal = true;
    append->between += length;
    return append_url_take(command, url);
}

static enum step ask_for_url(struct command *command)
{
    if (command->literal.size > URL_MAX)
        return url_too_long(command);
    if (command->literal.synchronizing)
        buf_text(command_output(command), "+ OK\r\n");
    command->literal_comes = true;
    command->run = take_url_literal;
    return take_url_literal(command);
}

static enum step take_url(struct command *command)
{
    struct parse *args = &command->args;
    struct str url;

    if (!parse_space(args))
        return command_bad_syntax(command);
    if (parse_peek(args, '{') && command->has_literal)
        return ask_for_url(command);
    if (!parse_astring(args, &url))
        return command_bad_syntax(command);
    return url.length > URL_MAX ? url_too_long(command) : append_url_take(command, url);
}

static enum step take_text(struct command *command)
{
    if (!append_parse_literal(command))
        return command_bad_syntax(command);
    if (!append_grow(command, command->literal.size))
        return command_ended(command);
    return append_take_literal(command);
}

static enum step take_part(struct command *command)
{
    struct parse *args = &command->args;
    const char *start = args->at;

    if (parse_word(args, "URL"))
        return take_url(command);
    if (parse_word(args, "TEXT"))
        return parse_space(args) ? take_text(command) : command_bad_syntax(command);
    if (parse_word(args, "UTF8")) { /* RFC 6855 section 4 */
        args->at = start;
        return take_text(command);
    }
    parse_fail(args, start, "Expected TEXT, URL or UTF8");
    return command_bad_syntax(command);
}

enum step append_catenate(struct command *command)
{
    struct append *append = command->data;
    struct parse *args = &command->args;

    if (append->behind_literal)
        return append_take_line(command);
    if (!append_newest(append)->has_part)
        append_newest(append)->has_part = true;
    else if (parse_skip(args, ')'))
        return append_end_message(command);
    else if (!parse_space(args))
        return command_bad_syntax(command);
    return take_part(command);
}
