/* Deciding SEARCH's keys by what is known of a message so far. */
#include "mailbox-backend/imap4/search.h"

#include "mailbox-backend/mime/encoded_word.h"

/* ---- the envelope ---- */

static bool skip_address_list(struct parse *parse, struct str *list)
{
    const char *start = parse->at;
    struct str part;

    if (parse_skip(parse, '(')) {
        while (parse_skip(parse, '(')) {
            for (unsigned i = 0; i < 4; i++) {
                if ((i != 0 && !parse_space(parse)) || !parse_nstring(parse, &part))
                    return false;
            }
            if (!parse_char(parse, ')'))
                return false;
        }
        if (!parse_char(parse, ')'))
            return false;
    } else if (!parse_nstring(parse, &part)) {
        return false;
    }
    *list = str_n(start, (size_t)(parse->at - start));
    return true;
}

bool search_envelope_read(struct search_envelope *envelope, struct arena *arena, struct str text,
                          bool addresses)
{
    struct parse parse;
    struct str passed_over;
    /* from, sender, reply-to, to, cc, bcc */
    struct str *const places[] = {
        &envelope->addresses[SEARCH_FROM],
        &passed_over,
        &passed_over,
        &envelope->addresses[SEARCH_TO],
        &envelope->addresses[SEARCH_CC],
        &envelope->addresses[SEARCH_BCC],
    };

    parse_init(&parse, arena, text);
    if (!parse_char(&parse, '(') || !parse_nstring(&parse, &envelope->date) ||
        !parse_space(&parse) || !parse_nstring(&parse, &envelope->subject))
        return false;
    if (!addresses)
        return true;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (!parse_space(&parse) || !skip_address_list(&parse, places[i]))
            return false;
    }
    return parse_space(&parse) && parse_nstring(&parse, &envelope->in_reply_to) &&
           parse_space(&parse) && parse_nstring(&parse, &envelope->message_id);
}

static bool feed_decoded(struct text_match *match, struct str text)
{
    struct buf decoded = {0};
    bool found;

    mime_words_decode(text, &decoded);
    found = text_match_feed(match, buf_bytes(&decoded), buf_length(&decoded));
    buf_release(&decoded);
    return found;
}

static bool subject_has(const struct search_key *key, const struct search_envelope *envelope)
{
    struct text_match match = key->match;

    feed_decoded(&match, envelope->subject);
    text_match_break(&match);
    return match.found;
}

/* As people write an address: `Name <mailbox@host>`, or `mailbox@host`. */
static void feed_address(struct text_match *match, const struct str parts[4])
{
    bool named = parts[0].length != 0;

    feed_decoded(match, parts[0]);
    if (named)
        text_match_feed(match, " <", 2);
    text_match_feed(match, parts[2].data, parts[2].length);
    if (parts[3].length != 0) {
        text_match_feed(match, "@", 1);
        text_match_feed(match, parts[3].data, parts[3].length);
    }
    if (named)
        text_match_feed(match, ">", 1);
    text_match_break(match);
}

static bool addresses_have(const struct search_key *key, const struct search_envelope *envelope,
                           struct arena *arena)
{
    struct text_match match = key->match;
    struct parse parse;

    parse_init(&parse, arena, envelope->addresses[key->number]);
    if (parse_skip(&parse, '(')) {
        while (!match.found && parse_skip(&parse, '(')) {
            struct str parts[4];

            for (unsigned i = 0; i < 4; i++) {
                parse_skip(&parse, ' ');
                if (!parse_nstring(&parse, &parts[i]))
                    return false;
            }
            feed_address(&match, parts);
            parse_skip(&parse, ')');
        }
    }
    text_match_break(&match);
    return match.found;
}

static bool sent_matches(const struct search_key *key, const struct search_envelope *envelope)
{
    struct mime_date date;

    if (!mime_date_parse(envelope->date, &date))
        return false;
    if (key->kind == SEARCH_SENT_BEFORE)
        return date.day < key->day;
    return key->kind == SEARCH_SENT_ON ? date.day == key->day : date.day >= key->day;
}

static bool envelope_matches(const struct search_key *key, const struct search_envelope *envelope,
                             struct arena *arena)
{
    if (key->kind == SEARCH_SUBJECT)
        return subject_has(key, envelope);
    if (key->kind == SEARCH_ADDRESS)
        return addresses_have(key, envelope, arena);
    return sent_matches(key, envelope);
}

/* ---- the index record ---- */

static bool has_keyword(const struct search_key *key, const struct search_facts *facts)
{
    int bit = keyword_find(&facts->view->keywords, key->keyword);

    return bit >= 0 && keyword_is_set(&facts->item->flags, (unsigned)bit);
}

/* NEW is a RECENT whose number names the flag that must be unset. */
static bool is_recent(const struct search_key *key, const struct search_facts *facts)
{
    return view_is_recent(facts->view, facts->item->uid) &&
           (facts->item->flags.system & key->number) == 0;
}

static bool record_matches(const struct search_key *key, const struct search_facts *facts)
{
    const struct store_item *item = facts->item;

    switch (key->kind) {
    case SEARCH_FLAG:
        return (item->flags.system & key->number) != 0;
    case SEARCH_RECENT:
        return is_recent(key, facts);
    case SEARCH_KEYWORD:
        return has_keyword(key, facts);
    case SEARCH_UIDS:
        return uidset_has(key->set, item->uid);
    case SEARCH_NUMBERS:
        return uidset_has(key->set, view_sequence(facts->view, item->uid));
    case SEARCH_LARGER:
        return item->size > key->value;
    case SEARCH_SMALLER:
        return item->size < key->value;
    case SEARCH_BEFORE:
        return mime_day_of(item->internal_date, item->zone) < key->day;
    case SEARCH_ON:
        return mime_day_of(item->internal_date, item->zone) == key->day;
    case SEARCH_MODSEQ:
        return item->modseq >= key->value;
    case SEARCH_OLDER:
        return item->internal_date <= key->moment;
    case SEARCH_YOUNGER:
        return item->internal_date >= key->moment;
    case SEARCH_SAVED_BEFORE:
        return mime_day_of(item->save_date, 0) < key->day;
    case SEARCH_SAVED_ON:
        return mime_day_of(item->save_date, 0) == key->day;
    case SEARCH_SAVED_SINCE:
        return mime_day_of(item->save_date, 0) >= key->day;
    case SEARCH_EMAILID:
        return key->value != 0 && item->email_id == key->value;
    case SEARCH_THREADID:
        return key->value != 0 && item->thread_id == key->value;
    default: /* SEARCH_SINCE */
        return mime_day_of(item->internal_date, item->zone) >= key->day;
    }
}

/* ---- the tree ---- */

/* AND ends at the first NO, OR at the first YES; what is unknown is passed over meanwhile. */
static enum truth decide_all(const struct search_key *key, const struct search_facts *facts,
                             struct arena *arena, enum truth ending)
{
    enum truth truth = ending == TRUTH_NO ? TRUTH_YES : TRUTH_NO;

    for (const struct search_key *child = key->children; child != NULL; child = child->next) {
        enum truth one = search_decide(child, facts, arena);

        if (one == ending)
            return ending;
        if (one == TRUTH_UNKNOWN)
            truth = TRUTH_UNKNOWN;
    }
    return truth;
}

static enum truth decide_not(const struct search_key *key, const struct search_facts *facts,
                             struct arena *arena)
{
    enum truth truth = search_decide(key->children, facts, arena);

    if (truth == TRUTH_UNKNOWN)
        return TRUTH_UNKNOWN;
    return truth == TRUTH_NO ? TRUTH_YES : TRUTH_NO;
}

enum truth search_decide(const struct search_key *key, const struct search_facts *facts,
                         struct arena *arena)
{
    if (key->kind == SEARCH_AND)
        return decide_all(key, facts, arena, TRUTH_NO);
    if (key->kind == SEARCH_OR)
        return decide_all(key, facts, arena, TRUTH_YES);
    if (key->kind == SEARCH_NOT)
        return decide_not(key, facts, arena);
    if (key->kind < SEARCH_SENT_BEFORE)
        return record_matches(key, facts) ? TRUTH_YES : TRUTH_NO;
    if (key->kind == SEARCH_CONTENT) {
        if (facts->contents == NULL)
            return search_hint_rules_out(facts->hint, key->content, facts->item->item_id)
                       ? TRUTH_NO
                       : TRUTH_UNKNOWN;
        return facts->contents[key->content].match.found ? TRUTH_YES : TRUTH_NO;
    }
    if (facts->envelope == NULL)
        return TRUTH_UNKNOWN;
    return envelope_matches(key, facts->envelope, arena) ? TRUTH_YES : TRUTH_NO;
}
