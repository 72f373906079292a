/* STATUS (RFC 3501 section 6.3.10; DELETED: RFC 9051 section 6.3.11). */
#include "mailbox-backend/imap4/status.h"

#include <inttypes.h>

#include "mailbox-backend/imap4/object_id.h"
#include "mailbox-backend/imap4/place.h"
#include "mailbox-backend/mailbox/mailbox.h"

enum status_item {
    MESSAGES,
    RECENT,
    UIDNEXT,
    UIDVALIDITY,
    UNSEEN,
    DELETED,
    HIGHESTMODSEQ,   /* RFC 7162 section 3.1.7 */
    SIZE,            /* RFC 8438 */
    APPENDLIMIT,     /* RFC 7889 */
    MAILBOXID,       /* RFC 8474 */
    DELETED_STORAGE, /* RFC 9208 section 4.1.4: octets, as SIZE */
    ITEMS,
};

static const char *const item_names[ITEMS] = {
    [MESSAGES] = "MESSAGES",
    [RECENT] = "RECENT",
    [UIDNEXT] = "UIDNEXT",
    [UIDVALIDITY] = "UIDVALIDITY",
    [UNSEEN] = "UNSEEN",
    [DELETED] = "DELETED",
    [HIGHESTMODSEQ] = "HIGHESTMODSEQ",
    [SIZE] = "SIZE",
    [APPENDLIMIT] = "APPENDLIMIT",
    [MAILBOXID] = "MAILBOXID",
    [DELETED_STORAGE] = "DELETED-STORAGE",
};

#define ITEMS_AT_ONCE 256

static bool has(unsigned asked, enum status_item item)
{
    return (asked & 1u << item) != 0;
}

static bool take_item(struct parse *args, unsigned *asked)
{
    for (unsigned i = 0; i < ITEMS; i++) {
        if (parse_word(args, item_names[i])) {
            *asked |= 1u << i;
            return true;
        }
    }
    return parse_fail(args, args->at, "Unknown STATUS item");
}

bool status_take_items(struct parse *parse, unsigned *asked)
{
    if (!parse_char(parse, '('))
        return false;
    do {
        if (!take_item(parse, asked))
            return false;
    } while (parse_skip(parse, ' '));
    return parse_char(parse, ')');
}

unsigned status_basic_items(bool with_unseen, bool with_modseq)
{
    return 1u << MESSAGES | 1u << UIDNEXT | 1u << UIDVALIDITY | (unsigned)with_unseen << UNSEEN |
           (unsigned)with_modseq << HIGHESTMODSEQ;
}

void status_begin(struct command *command, unsigned asked)
{
    if (has(asked, HIGHESTMODSEQ))
        condstore_enable(command);
}

static enum err_code count_recent(struct command *command, struct store_read *read,
                                  const struct store_folder *folder, uint64_t *count,
                                  struct err *err)
{
    uint32_t first = store_recent_peek(command->mailbox, folder->id);
    struct uidset uids = {0};
    enum err_code code = ERR_NONE;

    if (first < folder->uid_next)
        code = store_uids(read, folder->id, first, &uids, err);
    *count = uidset_size(&uids);
    uidset_release(&uids);
    return code;
}

bool status_is_long(unsigned asked)
{
    return has(asked, DELETED_STORAGE);
}

/* The folder counts its deleted messages, not their sizes: it is gone through until all were seen. */
static enum err_code sum_deleted(struct store_read *read, const struct store_folder *folder,
                                 uint64_t *bytes, struct err *err)
{
    struct store_item items[ITEMS_AT_ONCE];
    uint32_t first = 1, left = folder->deleted;
    size_t count = ITEMS_AT_ONCE;

    while (left > 0 && count == ITEMS_AT_ONCE) {
        if (store_item_scan(read, folder->id, first, UINT32_MAX - 1, 0, items, ITEMS_AT_ONCE,
                            &count, err) != ERR_NONE)
            return err->code;
        for (size_t i = 0; i < count; i++) {
            if ((items[i].flags.system & FLAG_DELETED) == 0)
                continue;
            *bytes += items[i].size;
            left--;
        }
        first = count > 0 ? items[count - 1].uid + 1 : 0;
    }
    return ERR_NONE;
}

static void write_value(struct command *command, const struct store_folder *folder,
                        enum status_item item, uint64_t value)
{
    struct buf *out = command_output(command);

    buf_printf(out, "%s ", item_names[item]);
    if (item != MAILBOXID) {
        buf_printf(out, "%" PRIu64, value);
        return;
    }
    buf_byte(out, '(');
    object_id_write_folder(out, command->mailbox, folder->id);
    buf_byte(out, ')');
}

enum err_code status_tell(struct command *command, struct store_read *read,
                          const struct store_folder *folder, struct str path, unsigned asked,
                          struct err *err)
{
    struct buf *out = command_output(command);
    const struct backend *backend = session_backend(command->imap->session);
    uint64_t values[ITEMS] = {
        [MESSAGES] = folder->messages,
        [UIDNEXT] = folder->uid_next,
        [UIDVALIDITY] = folder->uid_validity,
        [UNSEEN] = folder->unseen,
        [DELETED] = folder->deleted,
        [HIGHESTMODSEQ] = folder->highest_modseq,
        [SIZE] = folder->bytes,
        [APPENDLIMIT] = backend->settings->store.message_size_limit,
    };
    const char *separator = "";

    if (has(asked, RECENT) && count_recent(command, read, folder, &values[RECENT], err) != ERR_NONE)
        return err->code;
    if (has(asked, DELETED_STORAGE) &&
        sum_deleted(read, folder, &values[DELETED_STORAGE], err) != ERR_NONE)
        return err->code;
    buf_text(out, "* STATUS ");
    mailbox_name_write(command, path);
    buf_text(out, " (");
    for (unsigned i = 0; i < ITEMS; i++) {
        if (!has(asked, i))
            continue;
        buf_text(out, separator);
        write_value(command, folder, i, values[i]);
        separator = " ";
    }
    buf_text(out, ")\r\n");
    return ERR_NONE;
}

static enum step tell(struct command *command, struct store_read *read, struct place *place,
                      unsigned asked)
{
    struct store_folder folder;
    struct err err;

    if (place_find(command, place, ON_NAMED, read, &folder, &err) != ERR_NONE)
        return command_fail(command, &err);
    if (placeholder_is(read, &folder))
        return command_no(command, "NONEXISTENT", "Only folders below that name exist");
    if (status_tell(command, read, &folder, place->name, asked, &err) != ERR_NONE)
        return command_fail(command, &err);
    return command_ok(command, NULL);
}

struct status {
    struct place place;
    unsigned asked;
};

static enum step run(struct command *command)
{
    struct status *status = command->data;
    struct store_read *read;
    enum step step;

    if (status_is_long(status->asked) && (command->why & WHY_WORKER) == 0)
        return STEP_WORK;
    if (!place_read(command, &status->place, &read))
        return command_ended(command);
    status_begin(command, status->asked);
    step = tell(command, read, &status->place, status->asked);
    store_read_end(&read);
    return step;
}

enum step cmd_status(struct command *command)
{
    struct status *status = arena_alloc(&command->arena, sizeof(*status));

    if (!command_take_place(command, &status->place))
        return command_ended(command);
    if (!parse_space(&command->args) || !status_take_items(&command->args, &status->asked) ||
        !parse_end(&command->args))
        return command_bad_syntax(command);
    command->data = status;
    command->run = run;
    return run(command);
}
