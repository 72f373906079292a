/* LIST and UIDL. */
#include "common/log.h"
#include "mailbox-backend/mailbox/uidl.h"
#include "mailbox-backend/pop3/pop3.h"

#define SLICE 128       /* items at a time */
#define FAIR_SHARE 1024 /* items in one call */

static void line_write(struct pop3 *pop3, struct store_read *read, const struct store_item *item,
                       struct buf *out)
{
    buf_printf(out, "%u ", maildrop_number(&pop3->maildrop, item->uid));
    if (pop3->listing.ids) {
        char id[UIDL_MAX + 1];

        uidl_of(read, store_mailbox_guid(pop3->mailbox), item, id);
        buf_text(out, id);
    } else {
        buf_printf(out, "%llu", (unsigned long long)maildrop_octets(item));
    }
    buf_text(out, "\r\n");
}

/* Lists the items of one slice, by ascending numbers, as far as there is room. */
static bool slice_write(struct session *session, struct pop3 *pop3, struct store_read *read,
                        const struct store_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct store_item *item =
            pop3->maildrop.newest_first ? &items[count - 1 - i] : &items[i];

        pop3->listing.next = maildrop_number(&pop3->maildrop, item->uid);
        if (session_room(session) == 0)
            return false;
        if (!maildrop_is_deleted(&pop3->maildrop, item->uid))
            line_write(pop3, read, item, session_output(session));
    }
    return true;
}

/* The messages from listing.next on up to another number. Uids only grow, so whatever is found between two
   uids of the maildrop is in it, less what others have expunged. */
static enum step numbers_write(struct session *session, struct pop3 *pop3, struct store_read *read,
                               uint32_t last, struct err *err)
{
    uint32_t one = maildrop_uid(&pop3->maildrop, pop3->listing.next);
    uint32_t other = maildrop_uid(&pop3->maildrop, last);
    struct store_item items[SLICE];
    size_t count;

    if (store_item_scan(read, pop3->folder, one < other ? one : other, one < other ? other : one, 0,
                        items, SLICE, &count, err) != ERR_NONE)
        return STEP_END;
    if (!slice_write(session, pop3, read, items, count))
        return STEP_MORE;
    pop3->listing.next = last + 1;
    return STEP_NEXT;
}

/* The items of one snapshot, as far as there is room. */
static enum step snapshot_write(struct session *session, struct pop3 *pop3, struct store_read *read,
                                struct err *err)
{
    uint32_t messages = pop3->maildrop.messages;

    for (unsigned done = 0; done < FAIR_SHARE; done += SLICE) {
        uint32_t next = pop3->listing.next;
        enum step step;

        if (next > messages)
            return STEP_IDLE;
        step = numbers_write(session, pop3, read,
                             messages - next < SLICE ? messages : next + SLICE - 1, err);
        if (step != STEP_NEXT)
            return step;
    }
    return STEP_NEXT;
}

/* A listing that was begun cannot be taken back: the client must see it break off. */
static enum step failed(struct session *session, struct pop3 *pop3, const struct err *err)
{
    log_warning(session_who(session), "listing the maildrop failed: %s", err->text);
    if (pop3->listing.begun)
        return STEP_END;
    pop3_reply(session, err);
    return STEP_IDLE;
}

static void begin(struct session *session, struct pop3 *pop3)
{
    pop3->listing.begun = true;
    if (pop3->listing.ids)
        pop3_ok(session, "unique ids follow");
    else
        pop3_ok(session, "%u messages (%llu octets)", maildrop_messages_left(&pop3->maildrop),
                (unsigned long long)maildrop_octets_left(&pop3->maildrop));
}

static enum step list_step(struct session *session, struct pop3 *pop3, unsigned why)
{
    struct err err = {0};
    struct store_read *read;
    enum step step;

    (void)why;
    if (session_room(session) == 0)
        return STEP_MORE;
    if (store_read_begin(pop3->mailbox, &read, &err) != ERR_NONE)
        return failed(session, pop3, &err);
    if (!pop3->listing.begun)
        begin(session, pop3);
    step = snapshot_write(session, pop3, read, &err);
    store_read_end(&read);
    if (step == STEP_END)
        return failed(session, pop3, &err);
    if (step == STEP_IDLE)
        buf_text(session_output(session), ".\r\n");
    return step;
}

static void list_one(struct session *session, struct pop3 *pop3, struct str number)
{
    struct store_read *read;
    struct store_item item;

    if (!pop3_item(session, pop3, number, &read, &item))
        return;
    buf_text(session_output(session), "+OK ");
    line_write(pop3, read, &item, session_output(session));
    store_read_end(&read);
}

static void list(struct session *session, struct pop3 *pop3, const struct pop3_args *args, bool ids)
{
    pop3->listing = (struct pop3_listing){.ids = ids, .next = 1};
    if (args->count == 1)
        list_one(session, pop3, args->words[0]);
    else
        pop3->running = list_step;
}

void pop3_list(struct session *session, struct pop3 *pop3, const struct pop3_args *args)
{
    list(session, pop3, args, false);
}

void pop3_uidl(struct session *session, struct pop3 *pop3, const struct pop3_args *args)
{
    list(session, pop3, args, true);
}
