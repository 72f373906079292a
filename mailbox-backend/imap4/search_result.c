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

/* Not more than one of ALL and PARTIAL (RFC 9394 section 3.1). */
static bool take_partial(struct parse *parse, struct search_result *result)
{
    const char *start = parse->at;

    if (result->sorts || (result->asked & RETURN_PARTIAL) != 0 || !parse_word(parse, "PARTIAL"))
        return parse_fail(parse, start, "Unknown search return option");
    result->asked |= RETURN_PARTIAL;
    return partial_take(parse, &result->partial);
}

static bool take_option(struct parse *parse, struct search_result *result)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (parse_word(parse, words[i].word)) {
            result->asked |= words[i].option;
            return true;
        }
    }
    return take_partial(parse, result);
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
    if ((result->asked & RETURN_ALL) != 0 && (result->asked & RETURN_PARTIAL) != 0)
        return parse_fail(parse, parse->at, "Either ALL or PARTIAL");
    return parse_char(parse, ')') && parse_space(parse);
}

/* ---- gathering ---- */

/* RFC 5182 section 2.4, RFC 9394 section 3.2: without ALL and COUNT, MIN, MAX and PARTIAL save what they tell. */
static bool saves_all(const struct search_result *result)
{
    return result->asked == RETURN_SAVE || ((result->asked & RETURN_SAVE) != 0 &&
                                            (result->asked & (RETURN_ALL | RETURN_COUNT)) != 0);
}

static bool tells_some(const struct search_result *result)
{
    return (result->asked & (RETURN_ALL | RETURN_PARTIAL)) != 0;
}

void search_result_unsave(struct imap *imap, const struct search_result *result)
{
    if ((result->asked & RETURN_SAVE) != 0)
        uidset_release(&imap->saved);
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
    if (saves_all(result) || (!result->sorts && tells_some(result)))
        uidset_add(&result->found, item->uid);
}

bool search_result_is_whole(const struct search_result *result, bool with_modseq)
{
    unsigned asked = result->asked & ~(unsigned)RETURN_SAVE;

    if (asked == RETURN_MIN)
        return result->count > 0;
    return asked == RETURN_PARTIAL && !result->partial.from_end && !with_modseq &&
           result->count >= result->partial.last;
}

void search_result_order(struct search_result *result,
                         uint32_t (*uid_at)(const void *context, size_t n), const void *context,
                         uint64_t first_modseq, uint64_t last_modseq)
{
    result->uid_at = uid_at;
    result->context = context;
    if (result->count == 0)
        return;
    result->min = uid_at(context, 0);
    result->max = uid_at(context, result->count - 1);
    result->min_modseq = first_modseq;
    result->max_modseq = last_modseq;
}

void search_result_save(struct imap *imap, const struct search_result *result)
{
    search_result_unsave(imap, result);
    if ((result->asked & RETURN_SAVE) == 0)
        return;
    if (saves_all(result)) {
        uidset_copy(&imap->saved, &result->found);
        return;
    }
    if ((result->asked & RETURN_PARTIAL) != 0)
        partial_cut(&result->partial, &result->found, &imap->saved);
    if ((result->asked & RETURN_MIN) != 0 && result->min != 0)
        uidset_add(&imap->saved, result->min);
    if ((result->asked & RETURN_MAX) != 0 && result->max != 0)
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
static void add_numbers(const struct command *command, struct search_result *result,
                        const struct uidset *uids)
{
    for (size_t i = 0; i < uids->count; i++) {
        const struct uid_range *range = &uids->ranges[i];

        uidset_add_range(&result->numbers, number_of(command, range->first),
                         number_of(command, range->last));
    }
}

static void make_numbers(const struct command *command, struct search_result *result)
{
    struct uidset part = {0};

    if ((result->asked & RETURN_ALL) != 0)
        add_numbers(command, result, &result->found);
    if ((result->asked & RETURN_PARTIAL) != 0)
        partial_cut(&result->partial, &result->found, &part);
    add_numbers(command, result, &part);
    uidset_release(&part);
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
    if (!result->sorts)
        make_numbers(command, result);
    command->in_answer = true;
}

/* RFC 4731 section 3.2: MIN and MAX, where nothing else is asked for, tell of their messages only. */
static uint64_t modseq_of(const struct search_result *result)
{
    if ((result->asked & (RETURN_ALL | RETURN_COUNT | RETURN_PARTIAL)) != 0)
        return result->highest_modseq;
    if ((result->asked & RETURN_MAX) == 0)
        return result->min_modseq;
    if ((result->asked & RETURN_MIN) == 0 || result->max_modseq > result->min_modseq)
        return result->max_modseq;
    return result->min_modseq;
}

/* ---- ALL and PARTIAL ---- */

static bool has_more(const struct search_result *result)
{
    if (result->sorts)
        return (result->asked & RETURN_ALL) != 0 && result->written < result->count;
    return result->written < result->numbers.count;
}

/* Of SORT, numbers that follow one another upwards are a range (RFC 5267 section 3.2). */
static size_t next_sorted(const struct command *command, struct search_result *result,
                          struct uid_range *ranges)
{
    size_t count = 0;

    for (; result->written < result->count; result->written++) {
        uint32_t number = number_of(command, result->uid_at(result->context, result->written));

        if (count > 0 && number == ranges[count - 1].last + 1) {
            ranges[count - 1].last = number;
            continue;
        }
        if (count == RANGES)
            break;
        ranges[count++] = (struct uid_range){number, number};
    }
    return count;
}

static void write_some(struct command *command, struct search_result *result)
{
    struct uid_range sorted[RANGES];
    const struct uid_range *ranges = sorted;
    struct buf *out = command_output(command);
    size_t count = result->numbers.count - result->written;

    if (result->sorts) {
        count = next_sorted(command, result, sorted);
    } else {
        ranges = result->numbers.ranges + result->written;
        if (count > RANGES)
            count = RANGES;
        result->written += count;
    }
    if (result->begun)
        buf_byte(out, ',');
    uid_ranges_write(out, ranges, count);
    result->begun = true;
}

static void begin_some(struct command *command, const struct search_result *result)
{
    struct buf *out = command_output(command);

    if ((result->asked & RETURN_PARTIAL) == 0) {
        buf_text(out, " ALL ");
        return;
    }
    buf_text(out, " PARTIAL (");
    buf_append(out, result->partial.text.data, result->partial.text.length);
    buf_byte(out, ' ');
}

static bool end(struct command *command, const struct search_result *result, bool with_modseq)
{
    struct buf *out = command_output(command);

    if ((result->asked & RETURN_PARTIAL) != 0) {
        if (!result->begun) {
            begin_some(command, result);
            buf_text(out, "NIL");
        }
        buf_byte(out, ')');
    }
    if (with_modseq && result->count > 0)
        buf_printf(out, " MODSEQ %" PRIu64, modseq_of(result));
    buf_text(out, "\r\n");
    command->in_answer = false;
    return true;
}

/* SAVE alone is not answered (RFC 5182 section 2.2, example 1). */
bool search_result_tell(struct command *command, struct search_result *result, bool with_modseq)
{
    if (result->asked == RETURN_SAVE)
        return true;
    if (!command->in_answer)
        begin(command, result);
    while (has_more(result)) {
        if (!command_has_room(command))
            return false;
        if (!result->begun)
            begin_some(command, result);
        write_some(command, result);
    }
    return end(command, result, with_modseq);
}
