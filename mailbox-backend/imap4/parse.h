/* Reads the arguments of a command (RFC 3501 section 9) from its text, in which literals stand as
   they came: "{5}", CRLF and five bytes. Pure: no session, no store.

   Each function either takes what its name says and returns true, or returns false with the
   place unchanged and `fault` telling what was expected there; so a handler chains them with &&
   and answers BAD with the fault. Strings point into the text, or into the arena where quotes
   were undone. */
#ifndef IMAP4_PARSE_H
#define IMAP4_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/str.h"
#include "mailbox-backend/mime/date.h"

struct parse {
    const char *at;
    const char *end;
    struct arena *arena;
    const char *fault; /* of the newest failure; NULL before */
    bool utf8;         /* a quoted string must be valid UTF-8 (RFC 6855 section 3); at first not */
};

/* text and arena must outlive the parse and all that it hands out. */
void parse_init(struct parse *parse, struct arena *arena, struct str text);

/* For parsers built upon these: goes back to at, keeps the fault, returns false. */
bool parse_fail(struct parse *parse, const char *at, const char *fault);

bool parse_at_end(const struct parse *parse);       /* just asks: no fault */
bool parse_end(struct parse *parse);                /* demands it */
bool parse_peek(const struct parse *parse, char c); /* the next byte is c: just asks */
bool parse_skip(struct parse *parse, char c);       /* takes it if it is there: no fault */
bool parse_char(struct parse *parse, char c);       /* demands it */
bool parse_space(struct parse *parse);              /* exactly one SP */

/* What is left, for parsers of other folders (mime_section_parse), and taking length bytes of
   it. */
struct str parse_rest(const struct parse *parse);
void parse_take(struct parse *parse, size_t length);

/* Takes word (ASCII case ignored) when a whole word of the text (up to SP, a parenthesis, a bracket
   or the end) is exactly it; just asks otherwise: no fault. */
bool parse_word(struct parse *parse, const char *word);

bool parse_atom(struct parse *parse, struct str *atom);
bool parse_tag(struct parse *parse, struct str *tag);         /* astring characters but "+" */
bool parse_astring(struct parse *parse, struct str *string);  /* atom with "]", quoted or literal */
bool parse_string(struct parse *parse, struct str *string);   /* quoted or literal; NUL refused */
bool parse_nstring(struct parse *parse, struct str *string);  /* or NIL: {NULL, 0} */
bool parse_literal8(struct parse *parse, struct str *octets); /* "~{5}" …: NUL may be in it */
bool parse_list_mailbox(struct parse *parse, struct str *pattern); /* may have % and * */

bool parse_number(struct parse *parse, uint32_t *number);
bool parse_nz_number(struct parse *parse, uint32_t *number);

/* Up to 2^63 - 1 (RFC 9051 section 9). */
bool parse_number64(struct parse *parse, uint64_t *number);
bool parse_nz_number64(struct parse *parse, uint64_t *number);

/* A mod-sequence-valzer of RFC 7162: 0 to 2^63 - 1. */
bool parse_modseq(struct parse *parse, uint64_t *modseq);

/* A date with or without quotes, and a quoted date-time. */
bool parse_date(struct parse *parse, int32_t *day);
bool parse_date_time(struct parse *parse, struct mime_date *date);

/* A sequence-set, numbers as written: 0 stands for "*"; or "$", what a search has saved (RFC 5182). */
struct sequence_range {
    uint32_t first, last;
};

struct sequence_set {
    struct sequence_range *ranges; /* the arena's */
    size_t count;
    bool saved;
};

bool parse_sequence_set(struct parse *parse, struct sequence_set *set);
bool parse_known_set(struct parse *parse, struct sequence_set *set); /* without "*" and "$" */

/* Flags that a client may give: \Recent and unknown system flags are faults. Keywords are each
   there once, whatever their case. */
struct parsed_flags {
    uint32_t system;             /* enum store_flag bits */
    const char *const *keywords; /* the arena's */
    unsigned count;
};

bool parse_flag_list(struct parse *parse, struct parsed_flags *flags); /* "(" flags ")" */
bool parse_flags(struct parse *parse,
                 struct parsed_flags *flags); /* STORE: "(" … ")" or flags to the end */

/* What the text of a command that ends in a literal says of it: "{123}" or, without waiting for us
   (RFC 7888), "{123+}". False when the text does not end so. */
struct literal {
    uint64_t size;
    bool synchronizing;
};

bool parse_trailing_literal(struct str text, struct literal *literal);

#endif
