/* Where messages go, and whether there is room for them. */
#include "mailbox-backend/imap4/append.h"
#include "mailbox-backend/imap4/quota.h"
#include "mailbox-backend/mailbox/mailbox.h"

/* What is replaced does not count any more. */
static bool is_over_quota(const struct quota *quota, const struct append *append,
                          const struct store_usage *usage, uint64_t size)
{
    uint64_t bytes = quota->bytes + append->replaced_size;
    uint64_t messages = quota->messages + (append->replaced_uid != 0 && !append->is_across);

    return (quota->bytes != 0 && usage->bytes + append->bytes + size > bytes) ||
           (quota->messages != 0 && usage->messages + append->count > messages);
}

static enum step count(struct command *command, struct store_read *read, uint64_t size)
{
    struct append *append = command->data;
    struct append_message *message = append_newest(append);
    const struct backend *backend = session_backend(command->imap->session);
    struct store_usage usage;
    struct quota quota;
    struct err err;

    if (size > backend->settings->store.message_size_limit - message->size)
        return command_no(command, "TOOBIG", "The message is larger than this server takes");
    if (store_usage(read, &usage, &err) != ERR_NONE)
        return command_fail(command, &err);
    quota_of(command->imap, append->place.mailbox, &quota);
    if (is_over_quota(&quota, append, &usage, size))
        return quota_exceeded(command);
    message->size += size;
    append->bytes += size;
    return STEP_NEXT;
}

static enum step find_folder(struct command *command, struct store_read *read)
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
    return STEP_NEXT;
}

bool append_open(struct command *command, uint64_t size)
{
    struct append *append = command->data;
    const struct backend *backend = session_backend(command->imap->session);
    struct store_read *read;
    struct err err;

    if (append->place.mailbox == NULL)
        command_no(command, "TRYCREATE", "The mailbox does not exist");
    if (command->result != RESULT_NONE || !place_read(command, &append->place, &read))
        return false;
    find_folder(command, read);
    if (command->result == RESULT_NONE)
        count(command, read, size);
    store_read_end(&read);
    if (command->result != RESULT_NONE)
        return false;
    append->ascii = 0;
    append->has_octet = false;
    if (intake_create(backend->store, store_mailbox_database(append->place.mailbox), size,
                      &append_newest(append)->intake, &err) != ERR_NONE)
        command_fail(command, &err);
    return command->result == RESULT_NONE;
}

bool append_grow(struct command *command, uint64_t size)
{
    const struct append *append = command->data;
    struct store_read *read;

    if (!place_read(command, &append->place, &read))
        return false;
    count(command, read, size);
    store_read_end(&read);
    return command->result == RESULT_NONE;
}
