/* What holds for every message, whatever its bytes: shared by the property tests and the fuzzer.
   check_message() ends the process when something does not hold. */
#ifndef TESTS_UNIT_MIME_CHECK_MESSAGE_H
#define TESTS_UNIT_MIME_CHECK_MESSAGE_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/buf.h"
#include "mailbox-backend/mime/bodystructure.h"
#include "mailbox-backend/mime/envelope.h"
#include "mailbox-backend/mime/header_filter.h"
#include "mailbox-backend/mime/parser.h"
#include "mailbox-backend/mime/search_text.h"
#include "mailbox-backend/mime/summary.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct message {
    const uint8_t *bytes;
    size_t length;
};

static inline unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static inline uint64_t count_lines(const struct message *message, uint64_t offset, uint64_t length)
{
    uint64_t lines = 0;

    for (uint64_t i = 0; i < length; i++)
        lines += message->bytes[offset + i] == '\n';
    return lines;
}

/* The place of one part: inside its parent and behind its elder siblings, whose end is given. */
static inline void check_place(const struct message *message, const struct mime_part *part,
                               uint64_t elder_end)
{
    const struct mime_part *parent = part->parent;
    uint64_t end = part->body_offset + part->body_length;

    CHECK(part->body_offset == part->header_offset + part->header_length);
    CHECK(end <= message->length);
    CHECK(part->header_offset >= elder_end);
    CHECK(part->body_lines == count_lines(message, part->body_offset, part->body_length));
    if (parent == NULL) {
        CHECK(part->header_offset == 0 && end == message->length && part->envelope != NULL);
        return;
    }
    CHECK(part->header_offset >= parent->body_offset);
    /* an empty part behind the last boundary of a parent that was cut short may lie behind it */
    CHECK(part->body_length == 0 || end <= parent->body_offset + parent->body_length);
    CHECK((part->envelope != NULL) == (parent->kind == MIME_MESSAGE));
}

static inline void check_places(const struct message *message, const struct mime_part *part)
{
    uint64_t end = part->body_offset;

    CHECK(part->kind != MIME_LEAF || part->children == NULL);
    CHECK(part->kind != MIME_MESSAGE || (part->children != NULL && part->children->next == NULL));
    for (const struct mime_part *child = part->children; child != NULL; child = child->next) {
        CHECK(child->parent == part);
        check_place(message, child, end);
        end = child->body_offset + child->body_length;
        check_places(message, child);
    }
}

/* Reads one IMAP string, number, NIL or list; returns what follows. */
static inline struct str check_imap_value(struct str text)
{
    const char *end;
    size_t length;

    CHECK(text.length > 0);
    switch (text.data[0]) {
    case '(':
        for (text = str_n(text.data + 1, text.length - 1); text.data[0] != ')';) {
            text = check_imap_value(text);
            CHECK(text.length > 0);
            if (text.data[0] == ' ')
                text = str_n(text.data + 1, text.length - 1);
            else
                CHECK(text.data[0] == ')' || text.data[0] == '(');
        }
        return str_n(text.data + 1, text.length - 1);
    case '"':
        for (length = 1; text.data[length] != '"'; length++) {
            CHECK(text.data[length] > 0 && text.data[length] != '\r' && text.data[length] != '\n');
            length += text.data[length] == '\\';
            CHECK(length + 1 < text.length);
        }
        return str_n(text.data + length + 1, text.length - length - 1);
    case '{':
        length = strtoul(text.data + 1, NULL, 10);
        end = memchr(text.data, '\n', text.length);
        CHECK(end != NULL && end[-1] == '\r' && end[-2] == '}');
        CHECK(length <= text.length - (size_t)(end + 1 - text.data));
        CHECK(memchr(end + 1, '\0', length) == NULL);
        return str_n(end + 1 + length, text.length - (size_t)(end + 1 - text.data) - length);
    default:
        for (length = 0; length < text.length && strchr("NIL0123456789", text.data[length]);)
            length++;
        CHECK(length > 0);
        return str_n(text.data + length, text.length - length);
    }
}

static inline void check_imap_text(struct buf *text)
{
    CHECK(check_imap_value(str_n(buf_bytes(text), buf_length(text))).length == 0);
}

/* Everything that is known of the tree, to compare two of them. */
static inline void describe(const struct mime_part *root, struct buf *out)
{
    mime_envelope_write(root, out);
    check_imap_text(out);
    for (const struct mime_part *part = root; part != NULL; part = mime_part_next(part))
        buf_printf(out, "%d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %d %d\n",
                   (int)part->kind, part->header_offset, part->header_length, part->body_offset,
                   part->body_length, part->body_lines, part->children != NULL, part->next != NULL);
    mime_bodystructure_write(root, out);
}

static inline const struct mime_part *
parse_in_pieces(const struct message *message, struct arena *arena, size_t longest, unsigned *seed)
{
    struct mime_parser parser;
    size_t offset = 0;

    mime_parser_init(&parser, arena, NULL);
    while (offset < message->length) {
        size_t n = longest == 0 ? message->length : 1 + next_random(seed) % longest;

        if (n > message->length - offset)
            n = message->length - offset;
        mime_parser_feed(&parser, message->bytes + offset, n);
        offset += n;
    }
    return mime_parser_finish(&parser);
}

static inline bool same_bytes(const struct buf *a, const struct buf *b)
{
    return buf_length(a) == buf_length(b) && memcmp(buf_bytes(a), buf_bytes(b), buf_length(a)) == 0;
}

static inline void check_pieces(const struct message *message, const struct mime_part *root,
                                unsigned *seed)
{
    static const size_t longest[] = {1, 3, 100, 5000};
    struct buf whole = {0};

    describe(root, &whole);
    for (size_t i = 0; i < sizeof(longest) / sizeof(longest[0]); i++) {
        struct arena arena = {0};
        struct buf pieces = {0};

        describe(parse_in_pieces(message, &arena, longest[i], seed), &pieces);
        CHECK(same_bytes(&whole, &pieces));
        buf_release(&pieces);
        arena_reset(&arena);
    }
    buf_release(&whole);
}

static inline struct mime_range find(const struct mime_part *root, const uint32_t *numbers,
                                     unsigned depth, enum mime_section_kind kind)
{
    struct mime_section section = {.kind = kind, .depth = depth, .numbers = numbers};
    struct mime_range range;

    CHECK(mime_section_resolve(&section, root, &range));
    return range;
}

/* The section that asks for a part finds it: by its number in each multipart. */
static inline void check_numbers(const struct mime_part *root, const struct mime_part *part,
                                 uint32_t *numbers, unsigned depth)
{
    struct mime_range range;

    if (part->kind == MIME_MESSAGE && depth > 0) {
        part = part->children;
        range = find(root, numbers, depth, MIME_SECTION_HEADER);
        CHECK(range.offset == part->header_offset && range.length == part->header_length);
    }
    if (part->kind != MIME_MULTIPART)
        return;
    numbers[depth] = 0;
    for (const struct mime_part *child = part->children; child != NULL; child = child->next) {
        numbers[depth]++;
        range = find(root, numbers, depth + 1, MIME_SECTION_WHOLE);
        CHECK(range.offset == child->body_offset && range.length == child->body_length);
        range = find(root, numbers, depth + 1, MIME_SECTION_MIME);
        CHECK(range.offset == child->header_offset && range.length == child->header_length);
        check_numbers(root, child, numbers, depth + 1);
    }
}

/* Of every header, what the two filters let through is all of it, and the blank line twice. */
static inline void check_filters(const struct message *message, const struct mime_part *part)
{
    static const struct str names[] = {
        {"Content-Type", 12},
        {"to",           2 }
    };
    struct mime_section section = {.kind = MIME_SECTION_FIELDS, .field_count = 2, .fields = names};
    struct mime_header_filter filter;
    uint64_t total = 0;

    for (int kind = 0; kind < 2; kind++) {
        mime_header_filter_init(&filter, &section);
        mime_header_filter_feed(&filter, message->bytes + part->header_offset, part->header_length,
                                NULL);
        mime_header_filter_finish(&filter, NULL);
        total += filter.total;
        section.kind = MIME_SECTION_FIELDS_NOT;
    }
    CHECK(total >= part->header_length && total <= part->header_length + 2);
    CHECK(filter.ended || total == part->header_length);
}

static inline bool search(const struct message *message, const struct mime_part *root,
                          size_t longest, unsigned *seed)
{
    struct mime_search_key keys[2] = {{.scope = MIME_SEARCH_TEXT}, {.scope = MIME_SEARCH_FIELD}};
    struct arena arena = {0};
    struct mime_search *running;
    size_t offset = 0;
    bool found;

    keys[1].field = STR("to");
    text_match_init(&keys[0].match, &arena, STR("\xc3\xa9 b"));
    text_match_init(&keys[1].match, &arena, STR("b"));
    running = mime_search_begin(&arena, root, keys, 2);
    while (offset < message->length) {
        size_t n = longest == 0 ? message->length : 1 + next_random(seed) % longest;

        if (n > message->length - offset)
            n = message->length - offset;
        if (mime_search_feed(running, message->bytes + offset, n))
            break;
        offset += n;
    }
    mime_search_end(&running);
    found = keys[0].match.found;
    arena_reset(&arena);
    return found;
}

/* BODY made from BODYSTRUCTURE is the same as BODY made from the message. */
static inline void check_body_of_summary(const struct mime_part *root)
{
    struct mime_summary summary;
    struct buf structure = {0};
    struct buf body = {0};
    struct buf made = {0};

    mime_bodystructure_write(root, &structure);
    mime_body_write(root, &body);
    check_imap_text(&structure);
    check_imap_text(&body);
    summary.bodystructure = str_n(buf_bytes(&structure), buf_length(&structure));
    CHECK(mime_summary_body(&summary, &made, NULL) == ERR_NONE);
    CHECK(same_bytes(&made, &body));
    buf_release(&structure);
    buf_release(&body);
    buf_release(&made);
}

static inline void check_summary(const struct mime_part *root)
{
    struct mime_summary opened;
    struct buf summary = {0};

    if (mime_summary_build(root, &summary)) {
        CHECK(buf_length(&summary) <= MIME_SUMMARY_MAX);
        CHECK(mime_summary_open(buf_bytes(&summary), buf_length(&summary), &opened, NULL) ==
              ERR_NONE);
        CHECK(check_imap_value(opened.envelope).length == 0);
        CHECK(check_imap_value(opened.bodystructure).length == 0);
    }
    buf_release(&summary);
}

static inline void check_message(const void *data, size_t length, unsigned seed)
{
    struct message message = {data, length};
    uint32_t numbers[1000];
    struct arena arena = {0};
    const struct mime_part *root = parse_in_pieces(&message, &arena, 0, &seed);

    CHECK(arena.total < (size_t)8 << 20);
    check_place(&message, root, 0);
    check_places(&message, root);
    check_pieces(&message, root, &seed);
    check_numbers(root, root, numbers, 0);
    for (const struct mime_part *part = root; part != NULL; part = mime_part_next(part))
        check_filters(&message, part);
    check_body_of_summary(root);
    check_summary(root);
    mime_thread_source(root);
    CHECK(search(&message, root, 0, &seed) == search(&message, root, 9, &seed));
    arena_reset(&arena);
}

#endif
