#include "mailbox-backend/imap4/thread_answer.h"

#include <inttypes.h>

/* A node begins a list of its own below the root and beside siblings. */
static bool opens(const struct threads *threads, uint32_t node)
{
    uint32_t parent = threads->nodes[node].parent;

    return parent == THREAD_NONE || threads->nodes[parent].children > 1;
}

static void begin(const struct threads *threads, uint32_t node, uint32_t number, struct buf *out)
{
    uint32_t parent = threads->nodes[node].parent;

    if (parent != THREAD_NONE && threads->nodes[parent].uid != 0 && threads->child[parent] == node)
        buf_byte(out, ' ');
    if (opens(threads, node))
        buf_byte(out, '(');
    if (threads->nodes[node].uid != 0)
        buf_printf(out, "%" PRIu32, number);
}

void thread_answer_write(struct thread_answer *answer, const struct threads *threads,
                         uint32_t number, struct buf *out)
{
    uint32_t node = answer->at;

    if (!answer->told) {
        begin(threads, node, number, out);
        answer->told = threads->child[node] == THREAD_NONE;
        if (!answer->told)
            answer->at = threads->child[node];
        return;
    }
    if (opens(threads, node))
        buf_byte(out, ')');
    answer->told = threads->sibling[node] == THREAD_NONE;
    answer->at = answer->told ? threads->nodes[node].parent : threads->sibling[node];
}
