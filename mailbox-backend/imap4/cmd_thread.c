/* THREAD and UID THREAD (RFC 5256; REFS: draft-ietf-morg-inthread section 4). */
#include "mailbox-backend/imap4/message_facts.h"
#include "mailbox-backend/imap4/msg_id.h"
#include "mailbox-backend/imap4/thread_answer.h"
#include "mailbox-backend/imap4/thread_references.h"
#include "mailbox-backend/mime/base_subject.h"

#define HIT_COST 8192u /* a header is read */
#define COMPARISONS ((size_t)200000)
#define SUBJECT_MAX ((size_t)1000) /* bytes of a subject that are compared */

struct threading {
    struct search_run run;
    struct threads threads;

    struct thread_answer answer;
    bool begun;
};

static void clean_up(struct command *command)
{
    struct threading *threading = command->data;

    search_run_release(command, &threading->run);
    threads_release(&threading->threads);
}

static bool take_algorithm(struct parse *args, struct threading *threading)
{
    const char *start = args->at;

    if (parse_word(args, "ORDEREDSUBJECT"))
        threading->threads.algorithm = THREAD_ORDEREDSUBJECT;
    else if (parse_word(args, "REFERENCES"))
        threading->threads.algorithm = THREAD_REFERENCES;
    else if (parse_word(args, "REFS"))
        threading->threads.algorithm = THREAD_REFS;
    else
        return parse_fail(args, start, "Unknown threading algorithm");
    return parse_space(args);
}

/* ---- gathering ---- */

static bool add_message(struct threads *threads, const struct store_item *item,
                        const struct message_facts *facts, struct arena *arena)
{
    struct thread_message message = {
        .uid = item->uid,
        .date = message_facts_date(facts, item),
        .arrived = item->internal_date,
    };
    struct str rest = facts->envelope.message_id;
    char bytes[MSG_ID_MAX];
    struct buf key = {0};
    struct str base;
    bool added;

    message.is_reply = mime_base_subject(arena, facts->envelope.subject, &base);
    mime_collation_key(base, SUBJECT_MAX, &key);
    if (buf_length(&key) > 0)
        message.base_subject = str_n(buf_bytes(&key), buf_length(&key));
    msg_id_next(&rest, bytes, &message.message_id);
    added = threads_add(threads, &message);
    buf_release(&key);
    if (added && threads->algorithm != THREAD_ORDEREDSUBJECT)
        added = thread_references_add(threads, facts->references, facts->envelope.in_reply_to);
    if (added)
        threads_end_message(threads);
    return added;
}

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "too much to be threaded at once, or by too many at a time");
}

static enum err_code take_hit(struct command *command, const struct store_item *item,
                              struct err *err)
{
    struct threading *threading = command->data;
    struct threads *threads = &threading->threads;
    struct message_facts facts;
    struct arena arena = {0};
    enum err_code code = message_facts_read(
        command, item, threads->algorithm != THREAD_ORDEREDSUBJECT, &arena, &facts, err);

    if (code == ERR_NONE && !add_message(threads, item, &facts, &arena))
        code = no_memory(err);
    arena_reset(&arena);
    return code;
}

/* ---- the answer ---- */

/* What the next message is called. */
static uint32_t number_of(const struct command *command)
{
    const struct threading *threading = command->data;
    uint32_t uid = threading->threads.nodes[threading->answer.at].uid;

    if (threading->answer.told || uid == 0 || (command->entry->flags & CMD_UID) != 0)
        return uid;
    return view_sequence(command->imap->view, uid);
}

static enum step tell(struct command *command)
{
    struct threading *threading = command->data;
    struct thread_answer *answer = &threading->answer;
    struct buf *out = command_output(command);

    if (!threading->begun) {
        answer->at = threading->threads.top;
        buf_text(out, answer->at == THREAD_NONE ? "* THREAD" : "* THREAD ");
    }
    threading->begun = true;
    command->in_answer = true;
    while (answer->at != THREAD_NONE) {
        if (!command_has_room(command))
            return STEP_MORE;
        thread_answer_write(answer, &threading->threads, number_of(command), out);
    }
    buf_text(out, "\r\n");
    command->in_answer = false;
    return command_ok(command, NULL);
}

/* ---- steps ---- */

static enum step thread(struct command *command)
{
    struct threading *threading = command->data;
    struct err err;

    if ((command->why & WHY_WORKER) == 0)
        return STEP_WORK;
    switch (threads_run(&threading->threads, COMPARISONS)) {
    case THREADS_GO_ON:
        return STEP_WORK;
    case THREADS_FULL:
        no_memory(&err);
        return command_fail(command, &err);
    case THREADS_DONE:
        break;
    }
    command->run = tell;
    return tell(command);
}

static enum step gather(struct command *command)
{
    struct threading *threading = command->data;
    enum step step;
    struct err err;

    if ((command->why & WHY_WORKER) == 0)
        return STEP_WORK;
    if (!search_run_go(command, &threading->run, &step, &err))
        return step;
    if (err.code != ERR_NONE)
        return command_fail(command, &err);
    command->run = thread;
    return thread(command);
}

enum step cmd_thread(struct command *command)
{
    struct threading *threading = arena_alloc(&command->arena, sizeof(*threading));

    command->data = threading;
    command->cleanup = clean_up;
    threading->run.hit = take_hit;
    threading->run.limit = SEARCH_REFUSE;
    threading->run.hit_cost = HIT_COST;
    threading->run.search.charset_stands = true;
    if (!take_algorithm(&command->args, threading))
        return command_bad_syntax(command);
    if (!search_run_take(command, &threading->run))
        return command_ended(command);
    command->run = gather;
    return gather(command);
}
