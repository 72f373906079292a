/* STATUS (RFC 3501 section 6.3.10; HIGHESTMODSEQ: RFC 7162 section 3.1.7). */
#include <inttypes.h>

#include "mailbox-backend/imap4/imap4.h"
#include "mailbox-backend/mailbox/mailbox.h"

enum status_item { MESSAGES, RECENT, UIDNEXT, UIDVALIDITY, UNSEEN, HIGHESTMODSEQ, ITEMS };

static const char *const item_names[ITEMS] = {
    [MESSAGES] = "MESSAGES",       [RECENT] = "RECENT", [UIDNEXT] = "UIDNEXT",
    [UIDVALIDITY] = "UIDVALIDITY", [UNSEEN] = "UNSEEN", [HIGHESTMODSEQ] = "HIGHESTMODSEQ",
};

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

static bool take_items(struct parse *args, unsigned *asked)
{
    if (!parse_space(args) || !parse_char(args, '('))
        return false;
    do {
        if (!take_item(args, asked))
            return false;
    } while (parse_skip(args, ' '));
    return parse_char(args, ')') && parse_end(args);
}

static enum err_code count_recent(struct command *command, struct store_read *read,
                                  const struct store_folder *folder, uint32_t *count,
                                  struct err *err)
{
    uint32_t first = store_recent_peek(command->imap->mailbox, folder->id);
    struct uidset uids = {0};
    enum err_code code = ERR_NONE;

    if (first < folder->uid_next)
        code = store_uids(read, folder->id, first, &uids, err);
    *count = (uint32_t)uidset_size(&uids);
    uidset_release(&uids);
    return code;
}

static void write_status(struct command *command, struct str path, unsigned asked,
                         const uint64_t values[ITEMS])
{
    struct buf *out = command_output(command);
    const char *separator = "";

    buf_text(out, "* STATUS ");
    mailbox_name_write(out, path);
    buf_text(out, " (");
    for (unsigned i = 0; i < ITEMS; i++) {
        if ((asked & 1u << i) == 0)
            continue;
        buf_printf(out, "%s%s %" PRIu64, separator, item_names[i], values[i]);
        separator = " ";
    }
    buf_text(out, ")\r\n");
}

static enum step tell_status(struct command *command, struct store_read *read, struct str path,
                             unsigned asked)
{
    struct store_folder folder;
    uint32_t recent = 0;
    struct err err;

    if (path_find(read, path, &folder, &err) != ERR_NONE)
        return command_fail(command, &err);
    if (placeholder_is(read, &folder))
        return command_no(command, "NONEXISTENT", "Only folders below that name exist");
    if ((asked & 1u << RECENT) != 0 &&
        count_recent(command, read, &folder, &recent, &err) != ERR_NONE)
        return command_fail(command, &err);
    write_status(command, path, asked,
                 (const uint64_t[ITEMS]){folder.messages, recent, folder.uid_next,
                                         folder.uid_validity, folder.unseen,
                                         folder.highest_modseq});
    return command_ok(command, NULL);
}

enum step cmd_status(struct command *command)
{
    struct store_read *read;
    struct str path;
    unsigned asked = 0;
    enum step step;

    if (!command_take_path(command, &path))
        return command_ended(command);
    if (!take_items(&command->args, &asked))
        return command_bad_syntax(command);
    if ((asked & 1u << HIGHESTMODSEQ) != 0)
        condstore_enable(command);
    if (!command_read(command, &read))
        return command_ended(command);
    step = tell_status(command, read, path, asked);
    store_read_end(&read);
    return step;
}
