#include "mailbox-backend/imap4/pattern.h"

#define WORDS (sizeof(((struct pattern_places *)0)->bits) / sizeof(uint64_t))

static bool is_set(const struct pattern_places *places, size_t at)
{
    return (places->bits[at / 64] >> (at % 64) & 1) != 0;
}

/* A wildcard may stand for nothing: who stands before it stands behind it too. */
static void set(struct str pattern, struct pattern_places *places, size_t at)
{
    for (;; at++) {
        if (is_set(places, at))
            return; /* and so are those behind */
        places->bits[at / 64] |= (uint64_t)1 << (at % 64);
        if (at == pattern.length || (pattern.data[at] != '*' && pattern.data[at] != '%'))
            return;
    }
}

void pattern_begin(struct str pattern, struct pattern_places *places)
{
    *places = (struct pattern_places){0};
    set(pattern, places, 0);
}

static void feed_place(struct str pattern, struct pattern_places *next, size_t at, char c,
                       bool nocase)
{
    char expected;

    if (at == pattern.length)
        return;
    expected = pattern.data[at];
    if (expected == '*' || (expected == '%' && c != '/'))
        set(pattern, next, at);
    else if (expected == c || (nocase && str_lower(expected) == str_lower(c)))
        set(pattern, next, at + 1);
}

static void feed_byte(struct str pattern, struct pattern_places *places, char c, bool nocase)
{
    struct pattern_places next = {0};

    for (size_t word = 0; word < WORDS; word++) {
        for (uint64_t bits = places->bits[word]; bits != 0; bits &= bits - 1)
            feed_place(pattern, &next, word * 64 + (size_t)__builtin_ctzll(bits), c, nocase);
    }
    *places = next;
}

void pattern_feed(struct str pattern, struct pattern_places *places, struct str text, bool nocase)
{
    for (size_t i = 0; i < text.length; i++)
        feed_byte(pattern, places, text.data[i], nocase);
}

bool pattern_matches(struct str pattern, const struct pattern_places *places)
{
    return is_set(places, pattern.length);
}

bool pattern_is_dead(const struct pattern_places *places)
{
    for (size_t word = 0; word < WORDS; word++) {
        if (places->bits[word] != 0)
            return false;
    }
    return true;
}
