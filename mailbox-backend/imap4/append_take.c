/* Messages as they come: what stands before their literals, and these. */
#include <string.h>
#include <time.h>

#include "mailbox-backend/imap4/append.h"
#include "mailbox-backend/imap4/message_limit.h"

#define CHUNK ((size_t)64 << 10)

#define LONG_MESSAGE ((uint64_t)64 << 10)

/* Bytes of a line behind a literal: flags, a date, URLs. */
#define BETWEEN_MAX ((size_t)16 << 10)
#define BETWEEN_ALL ((size_t)1 << 20)

struct append_message *append_newest(const struct append *append)
{
    return append->messages[append->count - 1];
}

bool append_is_long(const struct append *append)
{
    return append_newest(append)->size > LONG_MESSAGE;
}

static bool wants_worker(const struct command *command)
{
    return append_is_long(command->data) && (command->why & WHY_WORKER) == 0;
}

/* ---- the content ---- */

static void look_for_octets(struct append *append, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length && !append->has_octet; i++) {
        append->has_octet = bytes[i] > 0x7f;
        append->ascii += !append->has_octet;
    }
}

/* No answer but BINARY's could show a message with NUL to clients. */
static enum step refuse_nul(struct command *command)
{
    if (append_newest(command->data)->literal8)
        return command_no(command, "UNKNOWN-CTE", "A message with NUL cannot be kept");
    return command_no(command, "CANNOT", "A message with NUL cannot be appended");
}

bool append_put(struct command *command, const void *bytes, size_t length)
{
    struct append *append = command->data;
    struct err err;

    if (memchr(bytes, '\0', length) != NULL)
        refuse_nul(command);
    else if (intake_append(append_newest(append)->intake, bytes, length, &err) != ERR_NONE)
        command_fail(command, &err);
    else
        look_for_octets(append, bytes, length);
    return command->result == RESULT_NONE;
}

/* ---- the end of a message ---- */

/* RFC 6855 section 4: a client that has not enabled UTF8=ACCEPT may not bring 8-bit header fields; IMAP4rev2 allows
   them (RFC 9051 section 4.3.1). */
static bool is_refused_header(const struct command *command)
{
    const struct append *append = command->data;
    const struct backend *backend = session_backend(command->imap->session);

    return append->has_octet && append->ascii < intake_header_size(append_newest(append)->intake) &&
           (command->imap->enabled & ENABLED_UTF8) == 0 &&
           !backend->settings->imap4be.append_8bit_headers;
}

static enum step end_message(struct command *command)
{
    const struct append *append = command->data;
    const struct append_message *message = append_newest(append);
    struct err err;

    if (wants_worker(command))
        return STEP_WORK;
    if (message->size == 0)
        return command_no(command, "CANNOT", "An empty message cannot be appended");
    if (intake_finish(message->intake, &err) != ERR_NONE)
        return command_fail(command, &err);
    if (is_refused_header(command))
        return command_no(command, "CANNOT",
                          "8-bit header fields are taken only once UTF-8 is enabled");
    if (parse_at_end(&command->args))
        return append->then(command);
    if (append->replaced_uid != 0)
        return command_bad(command, "Unexpected extra arguments");
    return append_take(command);
}

enum step append_end_message(struct command *command)
{
    command->run = end_message;
    return end_message(command);
}

/* ---- the literal ---- */

static enum step behind_literal(struct command *command)
{
    struct append *append = command->data;
    struct append_message *message = append_newest(append);

    if (message->in_utf8 && !parse_skip(&command->args, ')'))
        return command_bad(command, "Expected \")\" behind the message");
    message->in_utf8 = false;
    append->behind_literal = false;
    if (!message->catenated)
        return append_end_message(command);
    command->run = append_catenate; /* each part in a step of its own: there may be thousands */
    return STEP_NEXT;
}

/* What comes is the end of the command, or more of it, which may end in a literal as the first line does. */
static enum step take_line(struct command *command)
{
    struct append *append = command->data;
    struct buf *in = imap_input(command->imap);
    size_t length = buf_length(in);
    const uint8_t *end = length == 0 ? NULL : memchr(buf_bytes(in), '\n', length);
    struct str line;

    if (end != NULL)
        length = (size_t)(end - buf_bytes(in));
    if (length > BETWEEN_MAX)
        return command_bad(command, "The line is too long");
    if (end == NULL)
        return STEP_IDLE;
    append->between += length;
    if (append->between > BETWEEN_ALL)
        return command_no(command, "LIMIT", "There is too much between the literals of a command");
    line = str_n(arena_copy(&command->arena, buf_bytes(in), length), length);
    buf_consume(in, length + 1);
    if (line.length > 0 && line.data[line.length - 1] == '\r')
        line.length--;
    command->has_literal = parse_trailing_literal(line, &command->literal);
    command->literal_comes = command->has_literal && !command->literal.synchronizing;
    parse_init(&command->args, &command->arena, line);
    return behind_literal(command);
}

enum step append_take_line(struct command *command)
{
    command->run = take_line;
    return take_line(command);
}

static enum step take_literal(struct command *command)
{
    struct buf *in = imap_input(command->imap);

    if (wants_worker(command) && buf_length(in) > 0)
        return STEP_WORK;
    while (command->literal.size > 0 && buf_length(in) > 0) {
        size_t length = buf_length(in) < CHUNK ? buf_length(in) : CHUNK;

        if (length > command->literal.size)
            length = (size_t)command->literal.size;
        if (!append_put(command, buf_bytes(in), length))
            return command_ended(command);
        buf_consume(in, length);
        command->literal.size -= length;
    }
    return command->literal.size > 0 ? STEP_IDLE : append_take_line(command);
}

enum step append_take_literal(struct command *command)
{
    if (command->literal.synchronizing)
        buf_text(command_output(command), "+ OK\r\n");
    command->literal_comes = true;
    command->run = take_literal;
    return take_literal(command);
}

/* ---- before the literal ---- */

static bool take_utf8(struct parse *args, struct append_message *message)
{
    message->in_utf8 = parse_word(args, "UTF8");
    if (!message->in_utf8)
        return true;
    return parse_space(args) && parse_char(args, '(') &&
           (parse_peek(args, '~') || parse_fail(args, args->at, "Expected a literal8"));
}

bool append_parse_literal(struct command *command)
{
    struct append_message *message = append_newest(command->data);
    struct parse *args = &command->args;
    struct literal literal;

    if (!take_utf8(args, message))
        return false;
    message->literal8 = parse_skip(args, '~');
    return (command->has_literal && parse_peek(args, '{') &&
            parse_trailing_literal(parse_rest(args), &literal)) ||
           parse_fail(args, args->at, "Expected the message as a literal");
}

/* [flags SP] [date-time SP] */
static bool take_options(struct parse *args, struct append_message *message)
{
    message->date = (struct mime_date){.utc = time(NULL)};
    if (!parse_space(args))
        return false;
    if (parse_peek(args, '(') && (!parse_flag_list(args, &message->flags) || !parse_space(args)))
        return false;
    return !parse_peek(args, '"') || (parse_date_time(args, &message->date) && parse_space(args));
}

static enum step take_parts(struct command *command)
{
    append_newest(command->data)->catenated = true;
    if (!parse_space(&command->args) || !parse_char(&command->args, '('))
        return command_bad_syntax(command);
    if (!append_open(command, 0))
        return command_ended(command);
    return append_catenate(command);
}

enum step append_take(struct command *command)
{
    struct append *append = command->data;
    struct append_message *message;

    if (!message_limit_allows(command, append->count + 1, message_limit_of_saving(command->imap),
                              0))
        return command_ended(command);
    if (append->count == APPEND_MESSAGES_MAX)
        return command_no(command, "LIMIT", "There are too many messages in one command");
    message = arena_alloc(&command->arena, sizeof(*message));
    append->messages[append->count++] = message;
    if (!take_options(&command->args, message))
        return command_bad_syntax(command);
    if (parse_word(&command->args, "CATENATE"))
        return take_parts(command);
    if (!append_parse_literal(command))
        return command_bad_syntax(command);
    if (command->literal.size == 0)
        return command_no(command, "CANNOT", "An empty message cannot be appended");
    if (!append_open(command, command->literal.size))
        return command_ended(command);
    return append_take_literal(command);
}
