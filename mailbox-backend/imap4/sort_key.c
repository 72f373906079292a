#include "mailbox-backend/imap4/sort_key.h"

#include <string.h>

#include "mailbox-backend/mime/base_subject.h"
#include "mailbox-backend/mime/encoded_word.h"

#define TEXT_MAX ((size_t)1000) /* bytes of a text that are compared */

static const char *const names[SORT_CRITERIA] = {
    [SORT_ARRIVAL] = "ARRIVAL",
    [SORT_CC] = "CC",
    [SORT_DATE] = "DATE",
    [SORT_FROM] = "FROM",
    [SORT_SIZE] = "SIZE",
    [SORT_SUBJECT] = "SUBJECT",
    [SORT_TO] = "TO",
    [SORT_DISPLAYFROM] = "DISPLAYFROM",
    [SORT_DISPLAYTO] = "DISPLAYTO",
};

/* ---- arguments ---- */

static bool take_criterion(struct parse *args, struct sort_order *order)
{
    bool reversed = parse_word(args, "REVERSE");
    unsigned used = 0;

    if (reversed && !parse_space(args))
        return false;
    for (unsigned i = 0; i < order->count; i++)
        used |= 1u << order->criteria[i];
    for (unsigned i = 0; i < SORT_CRITERIA; i++) {
        if (!parse_word(args, names[i]))
            continue;
        if ((used & 1u << i) == 0) {
            order->reversed[order->count] = reversed;
            order->criteria[order->count++] = (enum sort_criterion)i;
            order->needs_envelope |= i != SORT_ARRIVAL && i != SORT_SIZE;
        }
        return true;
    }
    return parse_fail(args, args->at, "Unknown sort criterion");
}

bool sort_order_take(struct parse *args, struct sort_order *order)
{
    if (!parse_char(args, '('))
        return false;
    do {
        if (!take_criterion(args, order))
            return false;
    } while (parse_skip(args, ' '));
    return parse_char(args, ')');
}

/* ---- keys ---- */

static void add_number(struct buf *key, uint64_t number)
{
    for (unsigned shift = 64; shift > 0; shift -= 8)
        buf_byte(key, (uint8_t)(number >> (shift - 8)));
}

/* Times before 1970 come before the others. */
static void add_time(struct buf *key, int64_t time)
{
    add_number(key, (uint64_t)time ^ (uint64_t)1 << 63);
}

/* A text ends by NUL, which it does not hold: a shorter one comes first. */
static void add_text(struct buf *key, struct str text)
{
    const char *nul = text.length == 0 ? NULL : memchr(text.data, '\0', text.length);

    if (nul != NULL)
        text.length = (size_t)(nul - text.data);
    mime_collation_key(text, TEXT_MAX, key);
    buf_byte(key, 0);
}

/* The parts of the first address of a list: name, route, mailbox, host. */
static void first_address(struct arena *arena, struct str list, struct str parts[4])
{
    struct parse parse;

    memset(parts, 0, 4 * sizeof(parts[0]));
    parse_init(&parse, arena, list);
    if (!parse_skip(&parse, '(') || !parse_skip(&parse, '('))
        return;
    for (unsigned i = 0; i < 4; i++) {
        if ((i != 0 && !parse_space(&parse)) || !parse_nstring(&parse, &parts[i]))
            return;
    }
}

static void add_mailbox(struct buf *key, struct arena *arena, struct str list)
{
    struct str parts[4];

    first_address(arena, list, parts);
    add_text(key, parts[2].data != NULL ? parts[2] : STR(""));
}

/* RFC 5957 section 3. */
static void add_display(struct buf *key, struct arena *arena, struct str list)
{
    struct buf text = {0};
    struct str parts[4];

    first_address(arena, list, parts);
    if (parts[0].data != NULL)
        mime_words_decode(parts[0], &text);
    if (buf_length(&text) == 0 && parts[2].data != NULL) {
        buf_append(&text, parts[2].data, parts[2].length);
        if (parts[3].data != NULL) {
            buf_byte(&text, '@');
            buf_append(&text, parts[3].data, parts[3].length);
        }
    }
    if (buf_length(&text) > 0)
        add_text(key, str_n(buf_bytes(&text), buf_length(&text)));
    else
        add_text(key, STR(""));
    buf_release(&text);
}

static void add_subject(struct buf *key, struct arena *arena, struct str subject)
{
    struct str base;

    mime_base_subject(arena, subject, &base);
    add_text(key, base);
}

static void add_criterion(struct buf *key, enum sort_criterion criterion,
                          const struct store_item *item, const struct message_facts *facts,
                          struct arena *arena)
{
    const struct str *addresses = facts->envelope.addresses;

    switch (criterion) {
    case SORT_ARRIVAL:
        add_time(key, item->internal_date);
        break;
    case SORT_DATE:
        add_time(key, message_facts_date(facts, item));
        break;
    case SORT_SIZE:
        add_number(key, item->size);
        break;
    case SORT_SUBJECT:
        add_subject(key, arena, facts->envelope.subject);
        break;
    case SORT_CC:
        add_mailbox(key, arena, addresses[SEARCH_CC]);
        break;
    case SORT_FROM:
        add_mailbox(key, arena, addresses[SEARCH_FROM]);
        break;
    case SORT_TO:
        add_mailbox(key, arena, addresses[SEARCH_TO]);
        break;
    case SORT_DISPLAYFROM:
        add_display(key, arena, addresses[SEARCH_FROM]);
        break;
    default: /* DISPLAYTO */
        add_display(key, arena, addresses[SEARCH_TO]);
        break;
    }
}

void sort_key_make(const struct sort_order *order, const struct store_item *item,
                   const struct message_facts *facts, struct arena *arena, struct buf *key)
{
    struct buf part = {0};

    for (unsigned i = 0; i < order->count; i++) {
        uint8_t flip = order->reversed[i] ? 0xff : 0;

        buf_truncate(&part, 0);
        add_criterion(&part, order->criteria[i], item, facts, arena);
        for (size_t n = 0; n < buf_length(&part); n++)
            buf_byte(key, buf_bytes(&part)[n] ^ flip);
    }
    buf_release(&part);
}
