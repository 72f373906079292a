/* What every handler shares: arguments, the store, the ways a command ends. */
#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/imap4/imap4.h"
#include "mailbox-backend/imap4/mutf7.h"
#include "mailbox-backend/imap4/place.h"
#include "mailbox-backend/mailbox/mailbox.h"

/* ---- the end ---- */

static enum step end_with(struct command *command, enum command_result result, const char *code,
                          const char *text)
{
    command->result = result;
    command->code = code;
    command->text = text;
    return STEP_NEXT;
}

enum step command_ok(struct command *command, const char *text)
{
    return end_with(command, RESULT_OK, NULL, text);
}

enum step command_ok_code(struct command *command, const char *code, const char *text)
{
    return end_with(command, RESULT_OK, code, text);
}

enum step command_no(struct command *command, const char *code, const char *text)
{
    return end_with(command, RESULT_NO, code, text);
}

enum step command_bad(struct command *command, const char *text)
{
    return end_with(command, RESULT_BAD, NULL, text);
}

enum step command_bad_syntax(struct command *command)
{
    const char *fault = command->args.fault;

    return command_bad(command, fault != NULL ? fault : "Invalid arguments");
}

enum step command_ended(const struct command *command)
{
    (void)command;
    return STEP_NEXT;
}

enum step command_written(struct command *command, enum command_result result)
{
    command->answered = true;
    return end_with(command, result, NULL, NULL);
}

enum step command_bad_number(struct command *command)
{
    return end_with(command, RESULT_BAD, "UIDREQUIRED",
                    "Message numbers are not allowed once UIDONLY is enabled");
}

/* One line per code of ours: the response code of RFC 5530 (or RFC 9051), and what to say where
   our own text is not for clients. */
static const struct {
    const char *code;
    const char *text;
} no_words[] = {
    [ERR_NONE] = {"SERVERBUG",     "Internal error"                                   },
    [ERR_INVALID] = {"CANNOT",        NULL                                               },
    [ERR_NOT_FOUND] = {"NONEXISTENT",   NULL                                               },
    [ERR_EXISTS] = {"ALREADYEXISTS", NULL                                               },
    [ERR_DENIED] = {"NOPERM",        NULL                                               },
    [ERR_LIMIT] = {"LIMIT",         NULL                                               },
    [ERR_UNAVAILABLE] = {"UNAVAILABLE",
                  "The mail store is not available now, please try again later"       },
    [ERR_CORRUPT] = {"CORRUPTION",
                  "Stored data is damaged; the administrator can see which in the log"},
    [ERR_INTERNAL] = {"SERVERBUG",     "Internal error"                                   },
};

enum step command_fail(struct command *command, const struct err *err)
{
    const char *text = no_words[err->code].text;
    const char *detail = arena_string(&command->arena, err->text);

    command->detail = detail;
    return command_no(command, no_words[err->code].code, text != NULL ? text : detail);
}

/* ---- arguments ---- */

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.length; i++) {
        if ((text.data[i] & 0x80) != 0)
            return false;
    }
    return true;
}

enum err_code command_decode_name(struct command *command, struct str name, struct str *text,
                                  struct err *err)
{
    bool is_utf8 = (command->imap->enabled & ENABLED_UTF8) != 0 || !is_ascii(name);

    if (!is_utf8 && !mutf7_decode(&command->arena, name, &name))
        return err_set(err, ERR_INVALID, "The mailbox name is not valid modified UTF-7");
    command->given = name;
    return path_nfc(&command->arena, name, text, err);
}

bool command_normal_name(struct command *command, struct str name, struct str *path)
{
    struct str text = {0};
    struct err err;

    if (command_decode_name(command, name, &text, &err) != ERR_NONE ||
        path_normalise(&command->arena, text, path, &err) != ERR_NONE) {
        command_fail(command, &err);
        return false;
    }
    return true;
}

bool command_take_name(struct command *command, struct str *path)
{
    struct str name;

    if (!parse_astring(&command->args, &name)) {
        command_bad_syntax(command);
        return false;
    }
    return command_normal_name(command, name, path);
}

bool command_take_path(struct command *command, struct str *path)
{
    struct place place;

    if (!command_take_place(command, &place))
        return false;
    if (place.kind != PLACE_OWN) {
        command_no(command, "CANNOT", "That can be done in one's own mailboxes only");
        return false;
    }
    *path = place.path;
    return true;
}

/* The greatest number in use, for "*" (RFC 3501 section 9, seq-number); 0 where there is none. */
static uint32_t star(const struct view *view, bool by_uid)
{
    if (!by_uid)
        return view_count(view);
    return view_count(view) > 0 ? uidset_last(&view->uids) : view->uid_next - 1;
}

static struct uid_range resolve(const struct sequence_range *range, uint32_t greatest)
{
    uint32_t first = range->first != 0 ? range->first : greatest;
    uint32_t last = range->last != 0 ? range->last : greatest;

    return first <= last ? (struct uid_range){first, last} : (struct uid_range){last, first};
}

static int compare_ranges(const void *a, const void *b)
{
    uint32_t one = ((const struct uid_range *)a)->first;
    uint32_t other = ((const struct uid_range *)b)->first;

    return one < other ? -1 : one > other;
}

void command_numbers_of(const struct command *command, const struct sequence_set *set, bool by_uid,
                        struct uidset *numbers)
{
    uint32_t greatest = star(command->imap->view, by_uid);
    struct uid_range *ranges = mem_grow(NULL, set->count + 1, sizeof(*ranges));

    if (set->saved)
        uidset_copy(numbers, &command->imap->saved);
    for (size_t i = 0; i < set->count; i++)
        ranges[i] = resolve(&set->ranges[i], greatest);
    /* in their order each goes to the end: thousands the other way round would be moved again and again */
    qsort(ranges, set->count, sizeof(*ranges), compare_ranges);
    for (size_t i = 0; i < set->count; i++) {
        if (ranges[i].first != 0) /* "*" where there is none */
            uidset_add_range(numbers, ranges[i].first, ranges[i].last);
    }
    free(ranges);
}

/* A sequence number that does not exist, "*" of an empty folder among them, is an error of the
   client (RFC 3501 section 9, "seq-number"); a uid that does not exist is not. */
bool command_uids_of(struct command *command, const struct sequence_set *set, bool by_uid,
                     struct uidset *uids)
{
    const struct view *view = command->imap->view;
    struct uidset numbers = {0};
    bool valid = true;

    if (set->saved) {
        view_known_uids(view, &command->imap->saved, uids);
        return true;
    }
    command_numbers_of(command, set, by_uid, &numbers);
    if (by_uid) {
        view_known_uids(view, &numbers, uids);
    } else {
        valid = !uidset_is_empty(&numbers) && view_uids_of(view, &numbers, uids);
    }
    uidset_release(&numbers);
    if (!valid)
        command_bad(command, "There is no message with such a sequence number");
    return valid;
}

bool command_take_uids(struct command *command)
{
    struct sequence_set set;

    if (!parse_sequence_set(&command->args, &set)) {
        command_bad_syntax(command);
        return false;
    }
    return command_uids_of(command, &set, (command->entry->flags & CMD_UID) != 0, &command->uids);
}

/* ---- the store ---- */

bool command_read(struct command *command, struct store_read **read)
{
    struct err err;

    if (store_read_begin(command->mailbox, read, &err) == ERR_NONE)
        return true;
    command_fail(command, &err);
    return false;
}

enum step command_submit(struct command *command)
{
    command->op.mailbox = command->mailbox;
    session_submit(command->imap->session, &command->op);
    return STEP_WAIT;
}

enum step command_op_done(struct command *command)
{
    if (command->op.err.code != ERR_NONE)
        return command_fail(command, &command->op.err);
    return command_ok(command, NULL);
}

void command_op_release(struct store_op *op)
{
    switch (op->kind) {
    case OP_FLAGS:
        uidset_release(&op->out.flags.changed);
        uidset_release(&op->out.flags.refused);
        break;
    case OP_EXPUNGE:
        uidset_release(&op->out.expunge.removed);
        break;
    case OP_COPY:
    case OP_MOVE:
        uidset_release(&op->out.copy.source);
        break;
    default:
        break;
    }
    *op = (struct store_op){0};
}
