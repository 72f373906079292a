#include "mailbox-backend/mime/address.h"

#include <string.h>

#include "mailbox-backend/mime/scan.h"

/* What white space between two words means. Next to a dot it means nothing, but in a phrase. */
enum gap {
    GAP_PHRASE, /* one space */
    GAP_LOCAL,  /* one space: broken, but kept readable */
    GAP_DOMAIN  /* the end */
};

void mime_address_init(struct mime_address_reader *reader, struct arena *arena, struct str value)
{
    *reader = (struct mime_address_reader){.rest = value, .size = value.length + 1};
    reader->scratch = arena_alloc(arena, reader->size);
}

static void skip_one(struct str *text)
{
    text->data++;
    text->length--;
}

static bool at_any(struct str text, const char *bytes)
{
    return text.length > 0 && text.data[0] != '\0' && strchr(bytes, text.data[0]) != NULL;
}

/* Appends to the scratch. An address is never longer than what it was made of, so the room
   suffices; separators that only broken input lacks are left out when it does not. */
static void add(struct mime_address_reader *reader, struct str text)
{
    if (text.length == 0 || text.length > reader->size - reader->used)
        return;
    memcpy(reader->scratch + reader->used, text.data, text.length);
    reader->used += text.length;
}

static void add_unescaped(struct mime_address_reader *reader, struct str raw)
{
    if (raw.length <= reader->size - reader->used)
        reader->used += scan_unescape(reader->scratch + reader->used, raw);
}

static struct str added_since(const struct mime_address_reader *reader, size_t begin)
{
    return str_n(reader->scratch + begin, reader->used - begin);
}

/* One word: an atom, a quoted string, a domain literal, or a byte that has no business here and is
   kept as it is. */
static void add_word(struct mime_address_reader *reader)
{
    struct str word;

    if (scan_quoted(&reader->rest, &word)) {
        add_unescaped(reader, word);
    } else if (scan_domain_literal(&reader->rest, &word)) {
        add(reader, STR("["));
        add_unescaped(reader, word);
        add(reader, STR("]"));
    } else if (scan_atom(&reader->rest, &word)) {
        add(reader, word);
    } else {
        add(reader, str_n(reader->rest.data, 1));
        skip_one(&reader->rest);
    }
}

/* Words up to a sign that tells what they were. */
static struct str take_words(struct mime_address_reader *reader, enum gap gap, struct str *comment)
{
    size_t begin = reader->used;
    bool any = false;
    bool dot = false; /* the newest word was one */

    for (;;) {
        const char *before = reader->rest.data;
        bool spaced;

        scan_cfws(&reader->rest, comment);
        if (reader->rest.length == 0 || at_any(reader->rest, "<>,:;@"))
            break;
        spaced = any && reader->rest.data != before;
        if (gap != GAP_PHRASE && (dot || at_any(reader->rest, ".")))
            spaced = false;
        if (spaced && gap == GAP_DOMAIN)
            break;
        if (spaced)
            add(reader, STR(" "));
        dot = at_any(reader->rest, ".");
        add_word(reader);
        any = true;
    }
    return added_since(reader, begin);
}

/* "@one,@two:" in front of an address (RFC 5322 section 4.4), told as "@one,@two". */
static struct str take_route(struct mime_address_reader *reader)
{
    size_t begin = reader->used;

    while (scan_byte(&reader->rest, '@')) {
        if (reader->used > begin)
            add(reader, STR(","));
        add(reader, STR("@"));
        take_words(reader, GAP_DOMAIN, NULL);
        while (scan_byte(&reader->rest, ','))
            scan_cfws(&reader->rest, NULL);
    }
    if (reader->used > begin)
        scan_byte(&reader->rest, ':');
    return added_since(reader, begin);
}

static void take_mailbox(struct mime_address_reader *reader, struct mime_address *address,
                         struct str *comment)
{
    address->mailbox = take_words(reader, GAP_LOCAL, comment);
    address->host = STR("");
    if (scan_byte(&reader->rest, '@'))
        address->host = take_words(reader, GAP_DOMAIN, comment);
}

/* Skips up to one of the ends, which is left in place. */
static void skip_to(struct str *text, const char *ends, struct str *comment)
{
    struct str ignored;

    for (;;) {
        scan_cfws(text, comment);
        if (text->length == 0 || at_any(*text, ends))
            return;
        if (!scan_quoted(text, &ignored))
            skip_one(text);
    }
}

/* Whether "<" comes before the end of the address. What was found once is good up to that place, so that
   a long run of "@" is not looked through again and again. */
static bool has_angle_address(struct mime_address_reader *reader)
{
    if (reader->phrase_end.data == NULL || reader->rest.data > reader->phrase_end.data) {
        reader->phrase_end = reader->rest;
        skip_to(&reader->phrase_end, "<,;", NULL);
    }
    return at_any(reader->phrase_end, "<");
}

/* The words before "<", ":" or what else ends a phrase. An "@" belongs to them when "<" follows: many
   programs do not quote an address that is used as a name. */
static struct str take_phrase(struct mime_address_reader *reader, struct str *comment)
{
    size_t begin = reader->used;

    take_words(reader, GAP_PHRASE, comment);
    while (at_any(reader->rest, "@") && has_angle_address(reader)) {
        skip_one(&reader->rest);
        add(reader, STR("@"));
        take_words(reader, GAP_PHRASE, comment);
    }
    return added_since(reader, begin);
}

static void take_angle_address(struct mime_address_reader *reader, struct mime_address *address,
                               struct str *comment)
{
    struct str route;

    scan_cfws(&reader->rest, NULL);
    route = take_route(reader);
    if (route.length > 0)
        address->route = route;
    take_mailbox(reader, address, NULL);
    skip_to(&reader->rest, ">", NULL);
    scan_byte(&reader->rest, '>');
    skip_to(&reader->rest, reader->in_group ? ",;" : ",", comment);
}

/* Skips what separates addresses. True when the next thing is the end of a group. */
static bool skip_separators(struct mime_address_reader *reader)
{
    for (;;) {
        scan_cfws(&reader->rest, NULL);
        if (reader->rest.length == 0 || (reader->in_group && at_any(reader->rest, ";"))) {
            bool group_ends = reader->in_group;

            scan_byte(&reader->rest, ';');
            reader->in_group = false;
            return group_ends;
        }
        if (!at_any(reader->rest, ",;>:"))
            return false;
        skip_one(&reader->rest);
    }
}

static void take_name(struct mime_address_reader *reader, struct mime_address *address,
                      struct str comment)
{
    size_t begin = reader->used;

    if (address->name.length == 0 && comment.length > 0) {
        add_unescaped(reader, comment);
        address->name = str_trim(added_since(reader, begin));
    }
    if (address->name.length == 0)
        address->name = (struct str){NULL, 0};
}

bool mime_address_next(struct mime_address_reader *reader, struct mime_address *address)
{
    struct str comment = {NULL, 0};
    struct str begin;
    struct str words;

    *address = (struct mime_address){0};
    reader->used = 0;
    if (skip_separators(reader))
        return true;
    if (reader->rest.length == 0)
        return false;
    begin = reader->rest;
    words = take_phrase(reader, &comment);
    if (scan_byte(&reader->rest, '<')) {
        address->name = words;
        take_angle_address(reader, address, &comment);
    } else if (!reader->in_group && scan_byte(&reader->rest, ':')) {
        address->mailbox = words;
        reader->in_group = true;
        return true;
    } else {
        reader->rest = begin; /* it was no phrase */
        reader->used = 0;
        take_mailbox(reader, address, &comment);
    }
    take_name(reader, address, comment);
    return true;
}
