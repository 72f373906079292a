#include "mailbox-backend/imap4/thread_references.h"

#include "mailbox-backend/imap4/msg_id.h"

static size_t count_ids(struct str rest)
{
    char bytes[MSG_ID_MAX];
    struct str id;
    size_t count = 0;

    while (msg_id_next(&rest, bytes, &id))
        count++;
    return count;
}

/* The last ids, but for so many of them. */
static bool add_last(struct threads *threads, struct str rest, size_t passed_over)
{
    char bytes[MSG_ID_MAX];
    struct str id;

    for (size_t i = 0; msg_id_next(&rest, bytes, &id); i++) {
        if (i >= passed_over && !threads_add_reference(threads, id))
            return false;
    }
    return true;
}

static struct str first_bytes(struct str text)
{
    return str_n(text.data,
                 text.length < THREAD_REFERENCES_BYTES ? text.length : THREAD_REFERENCES_BYTES);
}

static struct str last_bytes(struct str text)
{
    size_t left_out = text.length - first_bytes(text).length;

    return str_n(text.data + left_out, text.length - left_out);
}

static bool add_first(struct threads *threads, struct str field)
{
    struct str rest = first_bytes(field);
    char bytes[MSG_ID_MAX];
    struct str id;

    return !msg_id_next(&rest, bytes, &id) || threads_add_reference(threads, id);
}

bool thread_references_add(struct threads *threads, struct str references, struct str in_reply_to)
{
    struct str rest = first_bytes(references);
    char bytes[MSG_ID_MAX];
    struct str id;
    bool any = msg_id_next(&rest, bytes, &id);
    size_t count;

    if (any) {
        if (!threads_add_reference(threads, id))
            return false;
        references = str_n(rest.data, references.length - (size_t)(rest.data - references.data));
    }
    references = last_bytes(references);
    count = count_ids(references);
    if (!any && count == 0)
        return add_first(threads, in_reply_to);
    return add_last(threads, references,
                    count < THREAD_REFERENCES_MAX ? 0 : count - (THREAD_REFERENCES_MAX - 1));
}
