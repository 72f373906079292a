/* APPEND (RFC 3501 section 6.3.11) with APPENDUID (RFC 4315). The message goes into the store as
   it comes; a client that waits for our "+" is refused before it sends anything, where that can
   be known. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "mailbox-backend/imap4/imap4.h"
#include "mailbox-backend/mailbox/delivery.h"
#include "mailbox-backend/mailbox/mailbox.h"

#define CHUNK ((size_t)64 << 10)

/* A longer message is parsed and compressed on a worker. */
#define LONG_MESSAGE ((uint64_t)64 << 10)

struct append {
    struct str path;
    uint32_t folder;
    struct parsed_flags flags;
    struct mime_date date;
    bool is_long;
    struct intake *intake;
};

bool append_streams(struct str text)
{
    struct arena arena = {0};
    struct parse parse;
    struct str word;
    bool is_message;

    parse_init(&parse, &arena, text);
    is_message = parse_tag(&parse, &word) && parse_space(&parse) && parse_word(&parse, "APPEND") &&
                 parse_space(&parse) && parse_astring(&parse, &word) && !parse_at_end(&parse);
    arena_reset(&arena);
    return is_message;
}

static void cleanup(struct command *command)
{
    struct append *append = command->data;

    if (append->intake != NULL)
        intake_destroy(&append->intake);
}

/* ---- the item ---- */

static enum step after_append(struct command *command)
{
    const struct store_op *op = &command->op;

    if (op->err.code == ERR_NOT_FOUND)
        return command_no(command, "TRYCREATE", "The mailbox does not exist");
    if (op->over_quota)
        return command_no(command, "OVERQUOTA", "The mailbox is over its quota");
    if (op->err.code != ERR_NONE)
        return command_fail(command, &op->err);
    return command_ok_code(command,
                           arena_printf(&command->arena, "APPENDUID %u %u",
                                        op->out.append.uid_validity, op->out.append.uid),
                           NULL);
}

static enum step submit_item(struct command *command)
{
    struct append *append = command->data;
    const struct account *account = session_account(command->imap->session);
    struct store_op *op = &command->op;
    struct err err;

    if (intake_finish(append->intake, &err) != ERR_NONE)
        return command_fail(command, &err);
    intake_fill(append->intake, op);
    op->folder = append->folder;
    op->in.append.flags.system = append->flags.system;
    op->in.append.keywords.names = append->flags.keywords;
    op->in.append.keywords.count = append->flags.count;
    op->in.append.internal_date = append->date.utc;
    op->in.append.zone = (int16_t)append->date.zone_minutes;
    op->in.append.quota_bytes = account->quota_bytes;
    op->in.append.quota_messages = account->quota_messages;
    command->run = after_append;
    return command_submit(command);
}

/* ---- the literal ---- */

static enum step take_end(struct command *command)
{
    switch (input_take_end(session_input(command->imap->session))) {
    case INPUT_END_WAIT:
        return STEP_IDLE;
    case INPUT_END_NO:
        return command_bad(command, "Only one message can be appended by a command");
    case INPUT_END_YES:
        break;
    }
    command->literal_comes = false;
    return submit_item(command);
}

static enum step take_literal(struct command *command)
{
    struct append *append = command->data;
    struct buf *in = session_input(command->imap->session);
    struct err err;

    if (append->is_long && (command->why & WHY_WORKER) == 0 && buf_length(in) > 0)
        return STEP_WORK;
    while (command->literal.size > 0 && buf_length(in) > 0) {
        size_t length = buf_length(in) < CHUNK ? buf_length(in) : CHUNK;

        if (length > command->literal.size)
            length = (size_t)command->literal.size;
        if (memchr(buf_bytes(in), '\0', length) != NULL)
            return command_no(command, "CANNOT", "A message with NUL cannot be appended");
        if (intake_append(append->intake, buf_bytes(in), length, &err) != ERR_NONE)
            return command_fail(command, &err);
        buf_consume(in, length);
        command->literal.size -= length;
    }
    return command->literal.size > 0 ? STEP_IDLE : take_end(command);
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

static enum step check_size(struct command *command, struct store_read *read)
{
    const struct backend *backend = session_backend(command->imap->session);
    const struct account *account = session_account(command->imap->session);
    uint64_t size = command->literal.size;
    struct store_usage usage;
    struct err err;

    if (size == 0)
        return command_no(command, "CANNOT", "An empty message cannot be appended");
    if (size > backend->settings->store.message_size_limit)
        return command_no(command, "TOOBIG", "The message is larger than this server takes");
    if (store_usage(read, &usage, &err) != ERR_NONE)
        return command_fail(command, &err);
    if ((account->quota_bytes != 0 && usage.bytes + size > account->quota_bytes) ||
        (account->quota_messages != 0 && usage.messages >= account->quota_messages))
        return command_no(command, "OVERQUOTA", "The mailbox is over its quota");
    return STEP_NEXT;
}

static enum step check_folder(struct command *command, struct store_read *read)
{
    struct append *append = command->data;
    struct store_folder folder;
    struct err err;
    enum err_code code = path_find(read, append->path, &folder, &err);

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

    if (!command_read(command, &read))
        return command_ended(command);
    check_folder(command, read);
    store_read_end(&read);
    if (command->result != RESULT_NONE)
        return command_ended(command);
    if (intake_create(backend->store, store_mailbox_database(command->imap->mailbox),
                      command->literal.size, &append->intake, &err) != ERR_NONE)
        return command_fail(command, &err);
    append->is_long = command->literal.size > LONG_MESSAGE;
    return ask_for_literal(command);
}

/* [flags SP] [date-time SP] literal; the literal's bytes are not in the text. */
static bool take_options(struct command *command, struct append *append)
{
    struct parse *args = &command->args;
    struct literal literal;

    append->date = (struct mime_date){.utc = time(NULL)};
    if (!parse_space(args))
        return false;
    if (parse_peek(args, '(') && (!parse_flag_list(args, &append->flags) || !parse_space(args)))
        return false;
    if (parse_peek(args, '"') && (!parse_date_time(args, &append->date) || !parse_space(args)))
        return false;
    return (command->has_literal && parse_peek(args, '{') &&
            parse_trailing_literal(parse_rest(args), &literal)) ||
           parse_fail(args, args->at, "Expected the message as a literal");
}

enum step cmd_append(struct command *command)
{
    struct append *append = arena_alloc(&command->arena, sizeof(*append));

    command->data = append;
    command->cleanup = cleanup;
    if (!command_take_path(command, &append->path))
        return command_ended(command);
    if (!take_options(command, append))
        return command_bad_syntax(command);
    return begin_intake(command);
}
