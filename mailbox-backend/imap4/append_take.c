#include "mailbox-backend/imap4/append.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "mailbox-backend/imap4/quota.h"
#include "mailbox-backend/mailbox/mailbox.h"

#define CHUNK ((size_t)64 << 10)

/* A longer message is parsed and compressed on a worker. */
#define LONG_MESSAGE ((uint64_t)64 << 10)

/* Bytes of what stands between two messages: flags, a date. */
#define BETWEEN_MAX ((size_t)16 << 10)
#define BETWEEN_ALL ((size_t)1 << 20)

static enum step take_next(struct command *command);

static struct append_message *newest(const struct append *append)
{
    return append->messages[append->count - 1];
}

/* ---- the literal ---- */

static enum step take_end(struct command *command)
{
    const struct append *append = command->data;

    switch (input_take_end(imap_input(command->imap))) {
    case INPUT_END_WAIT:
        return STEP_IDLE;
    case INPUT_END_NO:
        if (append->replaced_uid != 0)
            return command_bad(command, "Unexpected extra arguments");
        command->run = take_next;
        return take_next(command);
    case INPUT_END_YES:
        break;
    }
    command->literal_comes = false;
    return append->then(command);
}

/* The ")" of UTF8 (…). */
static enum step take_closing(struct command *command)
{
    struct buf *in = imap_input(command->imap);

    if (buf_length(in) == 0)
        return STEP_IDLE;
    if (buf_bytes(in)[0] != ')')
        return command_bad(command, "Expected \")\" behind the message");
    buf_consume(in, 1);
    command->run = take_end;
    return take_end(command);
}

/* RFC 6855 section 4: a client that has not enabled UTF8=ACCEPT may not bring 8-bit header fields; IMAP4rev2 allows
   them (RFC 9051 section 4.3.1). */
static bool is_refused_header(const struct command *command)
{
    const struct append *append = command->data;
    const struct backend *backend = session_backend(command->imap->session);

    return append->has_octet && append->ascii < intake_header_size(newest(append)->intake) &&
           (command->imap->enabled & ENABLED_UTF8) == 0 &&
           !backend->settings->imap4be.append_8bit_headers;
}

static enum step end_literal(struct command *command)
{
    struct append *append = command->data;
    struct err err;

    if (intake_finish(newest(append)->intake, &err) != ERR_NONE)
        return command_fail(command, &err);
    if (is_refused_header(command))
        return command_no(command, "CANNOT",
                          "8-bit header fields are taken only once UTF-8 is enabled");
    command->run = newest(append)->in_utf8 ? take_closing : take_end;
    return command->run(command);
}

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
    const struct append *append = command->data;

    if (newest(append)->literal8)
        return command_no(command, "UNKNOWN-CTE", "A message with NUL cannot be kept");
    return command_no(command, "CANNOT", "A message with NUL cannot be appended");
}

static enum step take_literal(struct command *command)
{
    struct append *append = command->data;
    struct buf *in = imap_input(command->imap);
    struct err err;

    if (append->is_long && (command->why & WHY_WORKER) == 0 && buf_length(in) > 0)
        return STEP_WORK;
    while (command->literal.size > 0 && buf_length(in) > 0) {
        size_t length = buf_length(in) < CHUNK ? buf_length(in) : CHUNK;

        if (length > command->literal.size)
            length = (size_t)command->literal.size;
        if (memchr(buf_bytes(in), '\0', length) != NULL)
            return refuse_nul(command);
        if (intake_append(newest(append)->intake, buf_bytes(in), length, &err) != ERR_NONE)
            return command_fail(command, &err);
        look_for_octets(append, buf_bytes(in), length);
        buf_consume(in, length);
        command->literal.size -= length;
    }
    return command->literal.size > 0 ? STEP_IDLE : end_literal(command);
}

static enum step ask_for_literal(struct command *command)
{
    if (command->literal.synchronizing)
        buf_text(command_output(command), "+ OK\r\n");
    command->literal_comes = true;
    command->run = take_literal;
    return take_literal(command);
}

/* ---- before the literal ---- */

/* What is replaced does not count any more. */
static bool is_over_quota(const struct quota *quota, const struct append *append,
                          const struct store_usage *usage, uint64_t size)
{
    uint64_t bytes = quota->bytes + append->replaced_size;
    uint64_t messages = quota->messages + (append->replaced_uid != 0);

    return (quota->bytes != 0 && usage->bytes + append->bytes + size > bytes) ||
           (quota->messages != 0 && usage->messages + append->count > messages);
}

static enum step check_size(struct command *command, struct store_read *read)
{
    const struct append *append = command->data;
    const struct backend *backend = session_backend(command->imap->session);
    uint64_t size = command->literal.size;
    struct store_usage usage;
    struct quota quota;
    struct err err;

    if (size == 0)
        return command_no(command, "CANNOT", "An empty message cannot be appended");
    if (size > backend->settings->store.message_size_limit)
        return command_no(command, "TOOBIG", "The message is larger than this server takes");
    if (store_usage(read, &usage, &err) != ERR_NONE)
        return command_fail(command, &err);
    quota_of(command->imap, append->place.mailbox, &quota);
    if (is_over_quota(&quota, append, &usage, size))
        return quota_exceeded(command);
    return STEP_NEXT;
}

static enum step check_folder(struct command *command, struct store_read *read)
{
    struct append *append = command->data;
    struct store_folder folder;
    struct err err;
    enum err_code code = place_find(command, &append->place, ON_TARGET, read, &folder, &err);

    if (code == ERR_NOT_FOUND || (code == ERR_NONE && placeholder_is(read, &folder)))
        return command_no(command, "TRYCREATE", "The mailbox does not exist");
    if (code != ERR_NONE)
        return command_fail(command, &err);
    append->folder = folder.id;
    return check_size(command, read);
}

static enum step begin_intake(struct command *command)
{
    struct append *append = command->data;
    const struct backend *backend = session_backend(command->imap->session);
    struct store_read *read;
    struct err err;

    if (append->place.mailbox == NULL)
        return command_no(command, "TRYCREATE", "The mailbox does not exist");
    if (!place_read(command, &append->place, &read))
        return command_ended(command);
    check_folder(command, read);
    store_read_end(&read);
    if (command->result != RESULT_NONE)
        return command_ended(command);
    if (intake_create(backend->store, store_mailbox_database(append->place.mailbox),
                      command->literal.size, &newest(append)->intake, &err) != ERR_NONE)
        return command_fail(command, &err);
    append->is_long = command->literal.size > LONG_MESSAGE;
    append->bytes += command->literal.size;
    append->ascii = 0;
    append->has_octet = false;
    return ask_for_literal(command);
}

static bool take_utf8(struct parse *args, struct append_message *message)
{
    message->in_utf8 = parse_word(args, "UTF8");
    if (!message->in_utf8)
        return true;
    return parse_space(args) && parse_char(args, '(') &&
           (parse_peek(args, '~') || parse_fail(args, args->at, "Expected a literal8"));
}

/* [flags SP] [date-time SP] literal, literal8 or UTF8 (literal8); the literal's bytes are not in the
   text. */
static bool take_options(struct command *command, struct append_message *message)
{
    struct parse *args = &command->args;
    struct literal literal;

    message->date = (struct mime_date){.utc = time(NULL)};
    if (!parse_space(args))
        return false;
    if (parse_peek(args, '(') && (!parse_flag_list(args, &message->flags) || !parse_space(args)))
        return false;
    if (parse_peek(args, '"') && (!parse_date_time(args, &message->date) || !parse_space(args)))
        return false;
    if (!take_utf8(args, message))
        return false;
    message->literal8 = parse_skip(args, '~');
    return (command->has_literal && parse_peek(args, '{') &&
            parse_trailing_literal(parse_rest(args), &literal)) ||
           parse_fail(args, args->at, "Expected the message as a literal");
}

enum step append_take(struct command *command)
{
    struct append *append = command->data;
    struct append_message *message;

    if (append->count == APPEND_MESSAGES_MAX)
        return command_no(command, "LIMIT", "There are too many messages in one command");
    message = arena_alloc(&command->arena, sizeof(*message));
    append->messages[append->count++] = message;
    if (!take_options(command, message))
        return command_bad_syntax(command);
    return begin_intake(command);
}

/* What stands between two messages ends in a literal, as the first line does. */
static enum step take_next(struct command *command)
{
    struct append *append = command->data;
    struct buf *in = imap_input(command->imap);
    const uint8_t *end = memchr(buf_bytes(in), '\n', buf_length(in));
    size_t length = end == NULL ? buf_length(in) : (size_t)(end - buf_bytes(in));
    struct str line;

    if (length > BETWEEN_MAX)
        return command_bad(command, "The line is too long");
    if (end == NULL)
        return STEP_IDLE;
    append->between += length;
    if (append->between > BETWEEN_ALL)
        return command_no(command, "LIMIT", "There are too many flags in one command");
    line = str_n(arena_copy(&command->arena, buf_bytes(in), length), length);
    buf_consume(in, length + 1);
    if (line.length > 0 && line.data[line.length - 1] == '\r')
        line.length--;
    command->has_literal = parse_trailing_literal(line, &command->literal);
    command->literal_comes = command->has_literal && !command->literal.synchronizing;
    parse_init(&command->args, &command->arena, line);
    return append_take(command);
}
