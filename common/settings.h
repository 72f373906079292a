/* Settings: one table says what there is; the file reader, `config check|show|sample`, --help and
   docs/settings.md all come from it.

   The file: `[section]` or `[section name]`, `key = value`, `#` or `;` at the start of a line for
   comments; a value goes to the end of the line; a key given twice in a section is an error except
   for lists, whose values add up (items are also split at commas). */
#ifndef COMMON_SETTINGS_H
#define COMMON_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

enum setting_type {
    SETTING_TEXT,      /* char * */
    SETTING_PATH,      /* char *; relative to the file's folder, made absolute */
    SETTING_BOOL,      /* bool: yes/no, true/false, on/off, 1/0 */
    SETTING_NUMBER,    /* uint64_t, between least and most */
    SETTING_SIZE,      /* uint64_t bytes: 64K, 10M, 2G (powers of 1024) */
    SETTING_SECONDS,   /* uint64_t seconds: 90, 90s, 30m, 2h, 14d */
    SETTING_CHOICE,    /* int: index into choices, a NULL-terminated list */
    SETTING_LIST,      /* struct setting_list: texts */
    SETTING_ADDRESSES, /* struct setting_list, each checked with net_parse() */
    SETTING_NETWORKS,  /* struct setting_list, each checked with net_range_parse() */
};

struct setting_list {
    char **items;
    size_t count;
};

struct setting {
    const char *section; /* "imap4"; for a named section ("backend NAME") the first word */
    const char *key;
    enum setting_type type;
    size_t offset; /* of the field in the section's struct */
    const char
        *preset; /* the default, in the file's own words; NULL: none; for lists comma-separated */
    uint64_t least, most; /* for numbers, sizes, seconds */
    const char *const *choices;
    bool required; /* must be given, once its section is there (or always, in a single section) */
    const char *help; /* one or two sentences */
};

/* A section of the file and where it goes. */
struct setting_section {
    const char *name;
    const char *help;
    bool named; /* may be there many times, as [name LABEL] */
    size_t
        offset; /* single: of the section's struct in the whole; named: of a struct setting_group */
    size_t size; /* of the section's struct; for named: its first member must be `char *name` */
};

/* A table's entry for a single section: a member, of the same name, of the whole struct. */
#define SETTING_SECTION(whole, member, text)                                                       \
    {                                                                                              \
        .name = #member, .help = text, .offset = offsetof(struct whole, member),                   \
        .size = sizeof(((struct whole *)0)->member)                                                \
    }

/* A table's entry for a named section: member is a struct setting_group of struct items. */
#define SETTING_SECTIONS(whole, word, member, item, text)                                          \
    {                                                                                              \
        .name = word, .help = text, .named = true, .offset = offsetof(struct whole, member),       \
        .size = sizeof(struct item)                                                                \
    }

/* Units for bounds. */
#define SETTING_MINUTE ((uint64_t)60)
#define SETTING_HOUR (60 * SETTING_MINUTE)
#define SETTING_DAY (24 * SETTING_HOUR)

/* Reads a time as the file has it (90, 90s, 30m, 2h, 14d), of least to most seconds. ERR_INVALID says
   what is allowed. */
enum err_code settings_seconds(const char *text, uint64_t least, uint64_t most, uint64_t *seconds,
                               struct err *err);

/* The instances of a named section. */
struct setting_group {
    void *items; /* array of the section's struct */
    size_t count;
};

struct settings_table {
    const char *program;
    const struct setting_section *sections;
    size_t section_count;
    const struct setting *settings;
    size_t setting_count;
    size_t size; /* of the whole struct */
};

/* Reads a file into whole (table->size bytes, zeroed by this call), fills in the defaults. path NULL:
   only defaults. Errors name file, line and what is allowed. */
enum err_code settings_read(const struct settings_table *table, const char *path, void *whole,
                            struct err *err);
void settings_free(const struct settings_table *table, void *whole);

/* What is in force, as a file that would give the same; values equal to the default are commented. */
void settings_show(const struct settings_table *table, const void *whole, FILE *to);

/* A commented file with every setting and its default. */
void settings_sample(const struct settings_table *table, FILE *to);

/* docs/settings.md's table for this program. */
void settings_markdown(const struct settings_table *table, FILE *to);

#endif
