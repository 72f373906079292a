#include "mailbox-backend/imap4/progress.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

void progress_begin(struct progress *progress, uint64_t goal)
{
    *progress = (struct progress){.told = now(), .goal = goal};
}

/* Section 4: a tag with "]" would end the response code too early. */
static void write_tag(struct command *command)
{
    struct buf *out = command_output(command);
    struct str tag = command->tag;

    if (memchr(tag.data, ']', tag.length) != NULL) {
        buf_text(out, "NIL");
        return;
    }
    buf_byte(out, '"');
    buf_append(out, tag.data, tag.length);
    buf_byte(out, '"');
}

/* The goal is greater than what is done, or nothing is told (section 4). */
void progress_tell(struct command *command, struct progress *progress)
{
    struct session *session = command->imap->session;
    uint64_t interval = session_backend(session)->settings->imap4be.progress_interval * 1000;
    uint64_t time = now();

    if (time - progress->told < interval || command->in_answer || !command_has_room(command) ||
        progress->done >= progress->goal)
        return;
    progress->told = time;
    buf_text(command_output(command), "* OK [INPROGRESS (");
    write_tag(command);
    buf_printf(command_output(command), " %" PRIu64 " %" PRIu64 ")] Still at it\r\n",
               progress->done, progress->goal);
}
