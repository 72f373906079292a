#include "mailbox-backend/imap4/search_result.h"

#include <inttypes.h>

#define RANGES ((size_t)512) /* written between two looks at the room left */

static const struct {
    const char *word;
    enum search_return option;
} words[] = {
    {"MIN",   RETURN_MIN  },
    {"MAX",   RETURN_MAX  },
    {"ALL",   RETURN_ALL  },
    {"COUNT", RETURN_COUNT},
    {"SAVE",  RETURN_SAVE },
};

static bool take_option(struct parse *parse, struct search_result *result)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (parse_word(parse, words[i].word)) {
            result->asked |= words[i].option;
            return true;
        }
    }
    return parse_fail(parse, parse->at, "Unknown search return option");
}

bool search_result_take(struct parse *parse, struct search_result *result)
{
    if (!parse_word(parse, "RETURN"))
        return true;
    if (!parse_space(parse) || !parse_char(parse, '('))
        return false;
    if (!parse_peek(parse, ')')) {
        do {
            if (!take_option(parse, result))
                return false;
        } while (parse_skip(parse, ' '));
    }
    if (result->asked == 0)
        result->asked = RETURN_ALL;
    return parse_char(parse, ')') && parse_space(parse);
}

/* ---- gathering ---- */

/* RFC 5182 section 2.4: with SAVE, MIN and MAX alone save themselves only. */
static bool wants_all(const struct search_result *result)
{
    if ((result->asked & RETURN_SAVE) == 0)
        return (result->asked & RETURN_ALL) != 0;
    return result->asked == RETURN_SAVE || (result->asked & (RETURN_ALL | RETURN_COUNT)) != 0;
}

void search_result_add(struct search_result *result, const struct store_item *item)
{
    result->count++;
    result->max = item->uid;
    result->max_modseq = item->modseq;
    if (result->min == 0) {
        result->min = item->uid;
        result->min_modseq = item->modseq;
    }
    if (item->modseq > result->highest_modseq)
        result->highest_modseq = item->modseq;
    if (wants_all(result))
        uidset_add(&result->found, item->uid);
}

bool search_result_is_whole(const struct search_result *result)
{
    return (result->asked | RETURN_SAVE) == (RETURN_MIN | RETURN_SAVE) && result->count > 0;
}

void search_result_save(struct imap *imap, const struct search_result *result)
{
    if ((result->asked & RETURN_SAVE) == 0)
        return;
    uidset_release(&imap->saved);
    if (wants_all(result))
        uidset_copy(&imap->saved, &result->found);
    if (!wants_all(result) && (result->asked & RETURN_MIN) != 0 && result->min != 0)
        uidset_add(&imap->saved, result->min);
    if (!wants_all(result) && (result->asked & RETURN_MAX) != 0 && result->max != 0)
        uidset_add(&imap->saved, result->max);
}

void search_result_release(struct search_result *result)
{
    uidset_release(&result->found);
    uidset_release(&result->numbers);
}

/* ---- telling ---- */

static bool is_by_uid(const struct command *command)
{
    return (command->entry->flags & CMD_UID) != 0;
}

static uint32_t number_of(const struct command *command, uint32_t uid)
{
    return is_by_uid(command) ? uid : view_sequence(command->imap->view, uid);
}

/* No range of found joins two ranges of the view, so its numbers follow one another as well. */
static void make_numbers(const struct command *command, struct search_result *result)
{
    for (size_t i = 0; i < result->found.count; i++) {
        const struct uid_range *range = &result->found.ranges[i];

        uidset_add_range(&result->numbers, number_of(command, range->first),
                         number_of(command, range->last));
    }
}

static void begin(struct command *command, struct search_result *result)
{
    struct buf *out = command_output(command);

    buf_text(out, "* ESEARCH (TAG \"");
    buf_append(out, command->tag.data, command->tag.length);
    buf_text(out, is_by_uid(command) ? "\") UID" : "\")");
    if ((result->asked & RETURN_MIN) != 0 && result->min != 0)
        buf_printf(out, " MIN %" PRIu32, number_of(command, result->min));
    if ((result->asked & RETURN_MAX) != 0 && result->max != 0)
        buf_printf(out, " MAX %" PRIu32, number_of(command, result->max));
    if ((result->asked & RETURN_COUNT) != 0)
        buf_printf(out, " COUNT %" PRIu32, result->count);
    if ((result->asked & RETURN_ALL) != 0)
        make_numbers(command, result);
    command->in_answer = true;
}

/* RFC 4731 section 3.2: MIN and MAX, where nothing else is asked for, tell of their messages only. */
static uint64_t modseq_of(const struct search_result *result)
{
    if ((result->asked & (RETURN_ALL | RETURN_COUNT)) != 0)
        return result->highest_modseq;
    if ((result->asked & RETURN_MAX) == 0)
        return result->min_modseq;
    if ((result->asked & RETURN_MIN) == 0 || result->max_modseq > result->min_modseq)
        return result->max_modseq;
    return result->min_modseq;
}

static bool end(struct command *command, const struct search_result *result, bool with_modseq)
{
    struct buf *out = command_output(command);

    if (with_modseq && result->count > 0)
        buf_printf(out, " MODSEQ %" PRIu64, modseq_of(result));
    buf_text(out, "\r\n");
    command->in_answer = false;
    return true;
}

/* SAVE alone is not answered (RFC 5182 section 2.2, example 1). */
bool search_result_tell(struct command *command, struct search_result *result, bool with_modseq)
{
    struct buf *out = command_output(command);

    if (result->asked == RETURN_SAVE)
        return true;
    if (!command->in_answer)
        begin(command, result);
    while (result->written < result->numbers.count) {
        size_t count = result->numbers.count - result->written;

        if (!command_has_room(command))
            return false;
        if (count > RANGES)
            count = RANGES;
        buf_text(out, result->written == 0 ? " ALL " : ",");
        uid_ranges_write(out, result->numbers.ranges + result->written, count);
        result->written += count;
    }
    return end(command, result, with_modseq);
}
