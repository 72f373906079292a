/* UIDBATCHES (RFC 10022): uid ranges that have so many messages each, from the newest down. All comes from the view's own
   ranges, so that it costs these and the answer, not the messages. */
#include <inttypes.h>

#include "mailbox-backend/imap4/imap4.h"

#define SMALLEST 500 /* messages of a batch (section 3.1.3.2) */
#define WRITTEN 512  /* batches between two looks at the room left */

struct batches {
    uint32_t size;
    uint32_t first, last; /* of the batches, those asked for; the first is 1 */

    uint32_t number;    /* of the next one */
    size_t ranges_left; /* of the view: the last of them goes on at … */
    uint32_t uid;       /* … this message, downwards */
    uint32_t top;       /* the next batch begins here: right below the one before */
    bool begun;
};

static bool take_arguments(struct parse *args, struct batches *batches)
{
    batches->first = 1;
    batches->last = UINT32_MAX;
    if (!parse_nz_number(args, &batches->size))
        return false;
    return !parse_skip(args, ' ') ||
           (parse_nz_number(args, &batches->first) && parse_char(args, ':') &&
            parse_nz_number(args, &batches->last));
}

/* ---- going down ---- */

static void go_to_range(const struct uidset *uids, struct batches *batches)
{
    if (batches->ranges_left > 0)
        batches->uid = uids->ranges[batches->ranges_left - 1].last;
}

/* Passes over as many messages as a batch has, or all that there are. Returns the uid down to which the batch goes: the
   last one goes to 1, which says that it is the last. */
static uint32_t pass_batch(const struct uidset *uids, struct batches *batches)
{
    uint32_t left = batches->size;

    while (batches->ranges_left > 0) {
        uint32_t first = uids->ranges[batches->ranges_left - 1].first;
        uint32_t here = batches->uid - first + 1;

        if (here > left) {
            batches->uid -= left;
            return batches->uid + 1;
        }
        left -= here;
        batches->ranges_left--;
        go_to_range(uids, batches);
        if (left == 0 && batches->ranges_left > 0)
            return first;
    }
    return 1;
}

/* ---- the answer ---- */

static void begin_answer(struct command *command)
{
    struct buf *out = command_output(command);

    buf_text(out, "* UIDBATCHES (TAG \"");
    buf_append(out, command->tag.data, command->tag.length);
    buf_text(out, "\")");
    command->in_answer = true;
}

static void write_batch(struct command *command, uint32_t low)
{
    struct batches *batches = command->data;

    buf_printf(command_output(command), "%c%" PRIu32 ":%" PRIu32, batches->begun ? ',' : ' ',
               batches->top, low);
    batches->begun = true;
}

static enum step tell(struct command *command)
{
    struct batches *batches = command->data;
    const struct uidset *uids = &command->imap->view->uids;

    if (!command_has_room(command))
        return STEP_MORE;
    for (unsigned i = 0; i < WRITTEN; i++) {
        uint32_t low;

        if (batches->ranges_left == 0 || batches->number > batches->last) {
            buf_text(command_output(command), "\r\n");
            command->in_answer = false;
            return command_ok(command, NULL);
        }
        low = pass_batch(uids, batches);
        if (batches->number++ >= batches->first)
            write_batch(command, low);
        batches->top = low - 1;
    }
    return STEP_NEXT;
}

enum step cmd_uidbatches(struct command *command)
{
    struct batches *batches = arena_alloc(&command->arena, sizeof(*batches));
    const struct uidset *uids = &command->imap->view->uids;

    command->data = batches;
    if (!take_arguments(&command->args, batches) || !parse_end(&command->args))
        return command_bad_syntax(command);
    if (batches->first > batches->last) {
        command_bad(command, "The batches run from the lower number to the higher");
        command->code = "CLIENTBUG";
        return command_ended(command);
    }
    if (batches->size < SMALLEST)
        return command_no(command, "TOOFEW", "A batch has at least 500 messages");
    batches->number = 1;
    batches->ranges_left = uids->count;
    go_to_range(uids, batches);
    batches->top = uidset_last(uids);
    begin_answer(command);
    command->run = tell;
    return tell(command);
}
