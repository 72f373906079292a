/* RETR and TOP. */
#include <string.h>

#include "common/log.h"
#include "mailbox-backend/pop3/pop3.h"

#define CHUNK 16384u        /* read and sent at a time */
#define FAIR_SHARE 262144u  /* bytes in one call */
#define BIG_MESSAGE 262144u /* from here on the content is read on workers */

void pop3_retrieval_end(struct pop3 *pop3)
{
    if (pop3->retrieval.content != NULL)
        store_content_close(&pop3->retrieval.content);
    surrogate_destroy(&pop3->retrieval.surrogate);
}

/* How much of these bytes TOP still wants: the header and so many lines of the body. */
static size_t top_share(struct pop3_retrieval *retrieval, const uint8_t *bytes, size_t length)
{
    size_t share = length < retrieval->header_left ? length : (size_t)retrieval->header_left;

    retrieval->header_left -= share;
    while (share < length && retrieval->lines_left > 0) {
        const uint8_t *newline = memchr(bytes + share, '\n', length - share);

        if (newline == NULL)
            return length;
        share = (size_t)(newline - bytes) + 1;
        retrieval->lines_left--;
    }
    return share;
}

static bool top_is_over(const struct pop3_retrieval *retrieval)
{
    return retrieval->top && retrieval->header_left == 0 && retrieval->lines_left == 0;
}

/* The next bytes of the message; *length is 0 at the end of what is wanted. */
static enum err_code next_chunk(struct pop3_retrieval *retrieval, uint8_t bytes[CHUNK], size_t room,
                                size_t *length, struct err *err)
{
    size_t wanted = room < CHUNK ? room : CHUNK;

    *length = 0;
    if (top_is_over(retrieval))
        return ERR_NONE;
    if (store_content_read(retrieval->content, retrieval->offset, bytes, wanted, length, err) !=
        ERR_NONE)
        return err->code;
    retrieval->offset += *length;
    if (retrieval->top)
        *length = top_share(retrieval, bytes, *length);
    return ERR_NONE;
}

/* A damaged piece behind the first cannot be told in a response that was begun: the client must see
   it break off, or it would take half a message for a whole one. */
static enum step failed(struct session *session, struct pop3 *pop3, const struct err *err)
{
    log_error(session_who(session), "reading a message failed: %s", err->text);
    pop3_retrieval_end(pop3);
    if (pop3->retrieval.begun)
        return STEP_END;
    pop3_reply(session, err);
    return STEP_IDLE;
}

static void begin(struct session *session, struct pop3_retrieval *retrieval)
{
    retrieval->begun = true;
    if (retrieval->top)
        pop3_ok(session, "top of message follows");
    else if (retrieval->surrogate != NULL)
        pop3_ok(session, "message follows, its headers in ASCII for want of UTF8");
    else
        pop3_ok(session, "%llu octets", (unsigned long long)retrieval->octets);
}

/* A big message, or one that the disk has to be asked for. */
static bool is_long_work(struct pop3_retrieval *retrieval)
{
    return store_content_size(retrieval->content) >= BIG_MESSAGE ||
           !store_content_warm(retrieval->content, retrieval->offset);
}

/* ---- internationalized messages ---- */

static void write_bytes(struct session *session, struct pop3_retrieval *retrieval,
                        const uint8_t *bytes, size_t length)
{
    struct buf ascii = {0};

    if (retrieval->surrogate == NULL) {
        dot_feed(&retrieval->dot, bytes, length, session_output(session));
        return;
    }
    if (length > 0)
        surrogate_feed(retrieval->surrogate, bytes, length, &ascii);
    else
        surrogate_finish(retrieval->surrogate, &ascii);
    dot_feed(&retrieval->dot, buf_bytes(&ascii), buf_length(&ascii), session_output(session));
    buf_release(&ascii);
}

/* Looks once whether the message wants UTF8, and what then is done without it. */
static enum err_code look_at_header(struct session *session, struct pop3 *pop3, bool *refused,
                                    struct err *err)
{
    struct pop3_retrieval *retrieval = &pop3->retrieval;
    int how = session_backend(session)->settings->pop3be.utf8_headers;
    bool needed = false;

    *refused = false;
    if (retrieval->looked || pop3->utf8 || how == POP3_UTF8_AS_IS)
        return ERR_NONE;
    if (surrogate_is_needed(retrieval->content, retrieval->header_size, &needed, err) != ERR_NONE)
        return err->code;
    retrieval->looked = true;
    *refused = needed && how == POP3_UTF8_REFUSE;
    if (needed && !*refused)
        retrieval->surrogate = surrogate_create();
    return ERR_NONE;
}

static enum step refuse(struct session *session, struct pop3 *pop3)
{
    pop3_retrieval_end(pop3);
    pop3_err(session, "[UTF8] this message is for clients that say UTF8 before they log in");
    return STEP_IDLE;
}

static enum step retrieve_step(struct session *session, struct pop3 *pop3, unsigned why)
{
    struct pop3_retrieval *retrieval = &pop3->retrieval;
    uint8_t bytes[CHUNK];
    struct err err;
    size_t length;
    bool refused;

    if (session_room(session) == 0)
        return STEP_MORE;
    if (!(why & WHY_WORKER) && is_long_work(retrieval))
        return STEP_WORK;
    if (look_at_header(session, pop3, &refused, &err) != ERR_NONE)
        return failed(session, pop3, &err);
    if (refused)
        return refuse(session, pop3);
    for (size_t done = 0; done < FAIR_SHARE; done += length) {
        if (session_room(session) == 0)
            return STEP_MORE;
        if (next_chunk(retrieval, bytes, session_room(session), &length, &err) != ERR_NONE)
            return failed(session, pop3, &err);
        if (!retrieval->begun)
            begin(session, retrieval);
        write_bytes(session, retrieval, bytes, length);
        if (length == 0) {
            dot_finish(&retrieval->dot, session_output(session));
            pop3_retrieval_end(pop3);
            return STEP_IDLE;
        }
    }
    return STEP_NEXT;
}

static void retrieve(struct session *session, struct pop3 *pop3, const struct pop3_args *args)
{
    struct pop3_retrieval *retrieval = &pop3->retrieval;
    struct store_read *read;
    struct store_item item;
    struct err err;

    if (!pop3_item(session, pop3, args->words[0], &read, &item))
        return;
    if (store_content_open(read, &item, &retrieval->content, &err) == ERR_NONE) {
        retrieval->octets = maildrop_octets(&item);
        retrieval->header_left = retrieval->header_size = item.header_size;
        pop3->running = retrieve_step;
    } else {
        pop3_reply(session, &err);
    }
    store_read_end(&read);
}

void pop3_retr(struct session *session, struct pop3 *pop3, const struct pop3_args *args)
{
    pop3->retrieval = (struct pop3_retrieval){.dot = DOT_INIT};
    retrieve(session, pop3, args);
}

void pop3_top(struct session *session, struct pop3 *pop3, const struct pop3_args *args)
{
    pop3->retrieval = (struct pop3_retrieval){.dot = DOT_INIT, .top = true};
    if (str_number(args->words[1], UINT64_MAX, &pop3->retrieval.lines_left))
        retrieve(session, pop3, args);
    else
        pop3_err(session, "the second argument is a number of lines");
}
