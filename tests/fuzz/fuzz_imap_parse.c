/* What an IMAP4 client may send to the back end: commands gathered from bytes that come in pieces,
   then read by every parser of arguments; mailbox names; patterns. */
#include <stdlib.h>
#include <string.h>

#include "mailbox-backend/imap4/input.h"
#include "mailbox-backend/imap4/mutf7.h"
#include "mailbox-backend/imap4/pattern.h"

#define LITERALS ((uint64_t)1000)

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* A failed parser leaves its place; one that took something stays within the text. */
static void check_place(const struct parse *parse, struct str text, bool taken)
{
    check(parse->at >= text.data && parse->at <= text.data + text.length);
    check(taken || (parse->fault != NULL && parse->at == text.data));
}

typedef bool parse_text(struct parse *parse, struct str *text);

static void try_strings(struct arena *arena, struct str text)
{
    static parse_text *const parsers[] = {parse_atom,   parse_tag,     parse_astring,
                                          parse_string, parse_nstring, parse_list_mailbox};

    for (size_t i = 0; i < sizeof(parsers) / sizeof(parsers[0]); i++) {
        struct parse parse;
        struct str taken;

        parse_init(&parse, arena, text);
        check_place(&parse, text, parsers[i](&parse, &taken));
        parse_init(&parse, arena, text);
        parse.utf8 = true;
        check_place(&parse, text, parsers[i](&parse, &taken));
    }
}

static void try_others(struct arena *arena, struct str text)
{
    struct sequence_set set;
    struct parsed_flags flags;
    struct mime_date date;
    struct parse parse;
    uint32_t number;
    int32_t day;

    parse_init(&parse, arena, text);
    check_place(&parse, text, parse_sequence_set(&parse, &set));
    parse_init(&parse, arena, text);
    check_place(&parse, text, parse_flag_list(&parse, &flags));
    parse_init(&parse, arena, text);
    check_place(&parse, text, parse_flags(&parse, &flags));
    parse_init(&parse, arena, text);
    check_place(&parse, text, parse_date_time(&parse, &date));
    parse_init(&parse, arena, text);
    check_place(&parse, text, parse_date(&parse, &day));
    parse_init(&parse, arena, text);
    check_place(&parse, text, parse_nz_number(&parse, &number));
}

/* A name that decodes is what its text encodes to. */
static void try_name(struct arena *arena, struct str name)
{
    struct buf encoded = {0};
    struct str text;

    if (!mutf7_decode(arena, name, &text))
        return;
    mutf7_encode(&encoded, text);
    check(str_equal(str_n(buf_bytes(&encoded), buf_length(&encoded)), name));
    buf_release(&encoded);
}

static void try_pattern(struct str text)
{
    const char *middle = memchr(text.data, ' ', text.length);
    struct str pattern = text;
    struct pattern_places places;

    if (middle == NULL)
        return;
    pattern.length = (size_t)(middle - text.data);
    if (pattern.length > PATTERN_MAX)
        return;
    pattern_begin(pattern, &places);
    pattern_feed(pattern, &places, str_n(middle, text.length - pattern.length), true);
    (void)pattern_matches(pattern, &places);
}

static void try_command(struct str text)
{
    struct arena arena = {0};

    for (size_t at = 0; at <= text.length; at++) {
        if (at != 0 && text.data[at - 1] != ' ')
            continue;
        try_strings(&arena, str_n(text.data + at, text.length - at));
        try_others(&arena, str_n(text.data + at, text.length - at));
    }
    if (text.length != 0) {
        try_name(&arena, text);
        try_pattern(text);
    }
    arena_reset(&arena);
}

static bool streams(struct str text)
{
    return text.length % 7 == 3;
}

static void take(struct input *input, struct buf *in, struct buf *out)
{
    enum input_event event;

    while ((event = input_read(input, in, out, LITERALS, streams)) != INPUT_WAIT) {
        check(buf_length(&input->text) <= INPUT_LINES_MAX + LITERALS + 1000);
        if (event == INPUT_COMMAND && input_text(input).length < 300)
            try_command(input_text(input));
        if (event == INPUT_STREAM)
            input_drop(input, input_text(input).length);
        input_next_command(input);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {0};
    struct buf in = {0};
    struct buf out = {0};
    size_t piece = size > 0 ? data[0] % 16 + (size_t)1 : 1;

    for (size_t at = 1; at < size; at += piece) {
        buf_append(&in, data + at, size - at < piece ? size - at : piece);
        take(&input, &in, &out);
    }
    input_release(&input);
    buf_release(&in);
    buf_release(&out);
    return 0;
}
