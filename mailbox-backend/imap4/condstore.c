/* Mod-sequences and VANISHED (RFC 7162), as they are told. */
#include <inttypes.h>

#include "mailbox-backend/imap4/imap4.h"

bool condstore_is_enabled(const struct imap *imap)
{
    return (imap->enabled & ENABLED_CONDSTORE) != 0;
}

static void tell_highest(struct command *command, const char *text)
{
    untagged(command, "OK [HIGHESTMODSEQ %" PRIu64 "] %s", view_settled_modseq(command->imap->view),
             text);
}

void condstore_enable(struct command *command)
{
    struct imap *imap = command->imap;

    if (condstore_is_enabled(imap))
        return;
    imap->enabled |= ENABLED_CONDSTORE;
    if (imap->view != NULL)
        tell_highest(command, "You know all up to here");
}

void condstore_write(struct command *command, const struct store_item *item)
{
    struct buf *out = command_output(command);

    if (!imap_is_uid_only(command->imap))
        buf_printf(out, "UID %" PRIu32 " ", item->uid);
    buf_printf(out, "MODSEQ (%" PRIu64 ")", item->modseq);
}

void condstore_tell_item(struct command *command, const struct store_item *item)
{
    fetch_begin(command, item->uid);
    condstore_write(command, item);
    buf_text(command_output(command), ")\r\n");
}

void condstore_tell_delay(struct command *command)
{
    const struct imap *imap = command->imap;

    if (condstore_is_enabled(imap) && imap->view != NULL && !uidset_is_empty(&imap->view->gone))
        tell_highest(command, "What was expunged since is yet to be told");
}

/* ---- VANISHED ---- */

void vanished_tell(struct command *command, const struct uidset *set, size_t *at, bool earlier)
{
    struct buf *out = command_output(command);
    size_t count = set->count - *at;

    if (count > VANISHED_RANGES)
        count = VANISHED_RANGES;
    buf_text(out, earlier ? "* VANISHED (EARLIER) " : "* VANISHED ");
    uid_ranges_write(out, set->ranges + *at, count);
    buf_text(out, "\r\n");
    *at += count;
}

/* Where the store no longer knows what vanished since, all that is absent may have. */
enum err_code vanished_since(const struct view *view, struct store_read *read,
                             const struct uidset *wanted, uint64_t modseq, struct uidset *set,
                             struct err *err)
{
    struct uidset vanished = {0};
    struct uidset asked = {0};
    bool complete;

    if (store_vanished(read, view->folder, modseq, &vanished, &complete, err) != ERR_NONE) {
        uidset_release(&vanished);
        return err->code;
    }
    if (!complete && view->uid_next > 1)
        uidset_add_range(&vanished, 1, view->uid_next - 1);
    if (view->uid_next != 0)
        uidset_remove_range(&vanished, view->uid_next, UINT32_MAX);
    uidset_add_common(&asked, &vanished, wanted);
    uidset_add_missing(set, &asked, &view->uids);
    uidset_release(&vanished);
    uidset_release(&asked);
    return ERR_NONE;
}
