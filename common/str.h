/* A run of bytes that somebody else owns: what parsers hand out. It may hold NUL. */
#ifndef COMMON_STR_H
#define COMMON_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *data;
    size_t length;
};

/* A str over a string literal. */
#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})

struct str str_of(const char *text); /* NULL gives {NULL, 0} */
struct str str_n(const void *data, size_t length);

/* ASCII case only; never the locale. */
bool str_equal(struct str a, struct str b);
bool str_equal_nocase(struct str a, struct str b);
bool str_is(struct str a, const char *text);        /* exact */
bool str_is_nocase(struct str a, const char *text); /* ASCII case ignored */
bool str_starts_nocase(struct str a, const char *prefix);
struct str str_trim(struct str a); /* without SP, TAB, CR, LF at both ends */
char str_lower(char c);
char str_upper(char c);

/* Decimal digits only, whole str, no sign; false when empty, not digits, or above max. */
bool str_number(struct str a, uint64_t max, uint64_t *value);

/* FNV-1a of 64 bits: the same everywhere and for ever, so it may be stored. Anybody can make two texts
   alike. */
uint64_t str_hash(struct str a);

#endif
