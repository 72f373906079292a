#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/mem.h"
#include "common/settings_inside.h"

#define FILE_MOST ((size_t)1 << 20)
#define SHOWN_MOST 80 /* of a path in an error, so that the error itself has room */

struct reader {
    const struct settings_table *table;
    const char *shown; /* the file, in errors */
    char *folder;      /* what relative paths begin at */
    unsigned line;
    void *whole;
    const struct setting_section *section; /* that the lines belong to; NULL before the first */
    void *place;                           /* its struct */
    unsigned *given_at;                    /* for each setting: its line in this section, or 0 */
    unsigned *section_at;                  /* for each section: its line, or 0 */
    struct err *err;
};

static enum err_code at_line(struct reader *reader)
{
    return err_prefix(reader->err, "%s:%u", reader->shown, reader->line);
}

static void *group_add(struct reader *reader, const struct setting_section *section)
{
    struct setting_group *group =
        (struct setting_group *)(void *)((char *)reader->whole + section->offset);
    char *items = mem_grow(group->items, group->count + 1, section->size);
    void *place = items + group->count * section->size;

    memset(place, 0, section->size);
    group->items = items;
    group->count++;
    return place;
}

/* Fills in the defaults of the section that ends here, and asks for what must be given. */
static enum err_code end_section(struct reader *reader)
{
    const struct settings_table *table = reader->table;
    struct err *err = reader->err;

    for (size_t i = 0; reader->section != NULL && i < table->setting_count; i++) {
        const struct setting *setting = &table->settings[i];

        if (!setting_is_in(setting, reader->section) || reader->given_at[i] != 0)
            continue;
        if (setting->required) {
            const char *name = reader->section->named ? *(char **)reader->place : "";

            return err_set(err, ERR_INVALID, "%s: [%s%s%s]: %s must be given (%s)", reader->shown,
                           setting->section, name[0] == '\0' ? "" : " ", name, setting->key,
                           setting->help);
        }
        setting_preset(setting, reader->folder, (char *)reader->place + setting->offset);
    }
    memset(reader->given_at, 0, table->setting_count * sizeof(*reader->given_at));
    return ERR_NONE;
}

static enum err_code unknown_section(struct reader *reader, const char *name)
{
    const char **names = mem_array(reader->table->section_count + 1, sizeof(*names));
    const char *nearest;

    for (size_t i = 0; i < reader->table->section_count; i++)
        names[i] = reader->table->sections[i].name;
    nearest = settings_nearest(name, names);
    if (nearest == NULL)
        err_set(reader->err, ERR_INVALID, "there is no section [%s]", name);
    else
        err_set(reader->err, ERR_INVALID, "there is no section [%s]; did you mean [%s]?", name,
                nearest);
    free(names);
    return at_line(reader);
}

static enum err_code begin_named(struct reader *reader, const struct setting_section *section,
                                 struct str label)
{
    struct setting_group *group =
        (struct setting_group *)(void *)((char *)reader->whole + section->offset);

    if (label.length == 0) {
        err_set(reader->err, ERR_INVALID, "[%s NAME] must have a name", section->name);
        return at_line(reader);
    }
    for (size_t i = 0; i < group->count; i++) {
        const char *name = *(char **)(void *)((char *)group->items + i * section->size);

        if (str_is_nocase(label, name)) {
            err_set(reader->err, ERR_INVALID, "[%s %s] is there twice", section->name, name);
            return at_line(reader);
        }
    }
    reader->place = group_add(reader, section);
    *(char **)reader->place = mem_string_n(label.data, label.length);
    return ERR_NONE;
}

static enum err_code begin_single(struct reader *reader, const struct setting_section *section,
                                  struct str label)
{
    unsigned *first = &reader->section_at[section - reader->table->sections];

    if (label.length != 0)
        err_set(reader->err, ERR_INVALID, "[%s] has no name behind it", section->name);
    else if (*first != 0)
        err_set(reader->err, ERR_INVALID, "[%s] is there twice, first in line %u", section->name,
                *first);
    else
        *first = reader->line;
    if (*first != reader->line)
        return at_line(reader);
    reader->place = (char *)reader->whole + section->offset;
    return ERR_NONE;
}

static enum err_code begin_section(struct reader *reader, const char *name, struct str label)
{
    const struct setting_section *section = NULL;
    enum err_code code = end_section(reader);

    for (size_t i = 0; i < reader->table->section_count; i++) {
        if (strcmp(reader->table->sections[i].name, name) == 0)
            section = &reader->table->sections[i];
    }
    reader->section = NULL;
    if (code != ERR_NONE)
        return code;
    if (section == NULL)
        return unknown_section(reader, name);
    code =
        section->named ? begin_named(reader, section, label) : begin_single(reader, section, label);
    if (code == ERR_NONE)
        reader->section = section;
    return code;
}

static enum err_code read_header(struct reader *reader, struct str line)
{
    struct str inner = str_trim(str_n(line.data + 1, line.length - 2));
    const char *blank = memchr(inner.data, ' ', inner.length);
    size_t length = blank == NULL ? inner.length : (size_t)(blank - inner.data);
    char *name = mem_string_n(inner.data, length);
    enum err_code code =
        begin_section(reader, name, str_trim(str_n(inner.data + length, inner.length - length)));

    free(name);
    return code;
}

static enum err_code unknown_key(struct reader *reader, const char *key)
{
    const struct settings_table *table = reader->table;
    const char **keys = mem_array(table->setting_count + 1, sizeof(*keys));
    const char *elsewhere = NULL;
    const char *nearest;
    size_t count = 0;

    for (size_t i = 0; i < table->setting_count; i++) {
        if (setting_is_in(&table->settings[i], reader->section))
            keys[count++] = table->settings[i].key;
        else if (strcmp(table->settings[i].key, key) == 0)
            elsewhere = table->settings[i].section;
    }
    nearest = settings_nearest(key, keys);
    if (nearest != NULL)
        err_set(reader->err, ERR_INVALID, "%s.%s: there is no such setting; did you mean %s?",
                reader->section->name, key, nearest);
    else if (elsewhere != NULL)
        err_set(reader->err, ERR_INVALID, "%s.%s: there is no such setting; [%s] has one",
                reader->section->name, key, elsewhere);
    else
        err_set(reader->err, ERR_INVALID, "%s.%s: there is no such setting", reader->section->name,
                key);
    free(keys);
    return at_line(reader);
}

static bool adds_up(const struct setting *setting)
{
    return setting->type == SETTING_LIST || setting->type == SETTING_ADDRESSES ||
           setting->type == SETTING_NETWORKS;
}

static enum err_code set_value(struct reader *reader, size_t index, struct str value)
{
    const struct setting *setting = &reader->table->settings[index];
    unsigned *given_at = &reader->given_at[index];
    void *field = (char *)reader->place + setting->offset;

    if (*given_at != 0 && !adds_up(setting)) {
        err_set(reader->err, ERR_INVALID, "%s.%s: given twice, first in line %u", setting->section,
                setting->key, *given_at);
        return at_line(reader);
    }
    *given_at = reader->line;
    if (setting_parse(setting, value, reader->folder, field, reader->err) == ERR_NONE)
        return ERR_NONE;
    err_prefix(reader->err, "%s.%s", setting->section, setting->key);
    return at_line(reader);
}

static enum err_code set_key(struct reader *reader, const char *key, struct str value)
{
    const struct settings_table *table = reader->table;

    for (size_t i = 0; i < table->setting_count; i++) {
        if (setting_is_in(&table->settings[i], reader->section) &&
            strcmp(table->settings[i].key, key) == 0)
            return set_value(reader, i, value);
    }
    return unknown_key(reader, key);
}

static enum err_code read_pair(struct reader *reader, struct str line)
{
    const char *equals = memchr(line.data, '=', line.length);
    struct str value;
    enum err_code code;
    char *key;

    if (equals == NULL) {
        err_set(reader->err, ERR_INVALID,
                "this is no \"key = value\", no [section] and no # comment");
        return at_line(reader);
    }
    if (reader->section == NULL) {
        err_set(reader->err, ERR_INVALID, "a [section] must come before the first setting");
        return at_line(reader);
    }
    value = str_trim(str_n(equals + 1, line.length - (size_t)(equals + 1 - line.data)));
    line = str_trim(str_n(line.data, (size_t)(equals - line.data)));
    key = mem_string_n(line.data, line.length);
    code = set_key(reader, key, value);
    free(key);
    return code;
}

static enum err_code read_line(struct reader *reader, struct str line)
{
    reader->line++;
    line = str_trim(line);
    if (line.length != 0 && memchr(line.data, '\0', line.length) != NULL) {
        err_set(reader->err, ERR_INVALID, "a NUL byte: this is no text file");
        return at_line(reader);
    }
    if (line.length == 0 || line.data[0] == '#' || line.data[0] == ';')
        return ERR_NONE;
    if (line.data[0] == '[' && line.data[line.length - 1] == ']')
        return read_header(reader, line);
    return read_pair(reader, line);
}

static enum err_code read_lines(struct reader *reader, struct str text)
{
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && text.length > 0) {
        const char *end = memchr(text.data, '\n', text.length);
        size_t length = end == NULL ? text.length : (size_t)(end - text.data);

        code = read_line(reader, str_n(text.data, length));
        length += end != NULL;
        text = str_n(text.data + length, text.length - length);
    }
    return code == ERR_NONE ? end_section(reader) : code;
}

/* The single sections that the file does not have. */
static enum err_code add_missing(struct reader *reader)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; code == ERR_NONE && i < reader->table->section_count; i++) {
        const struct setting_section *section = &reader->table->sections[i];

        if (section->named || reader->section_at[i] != 0)
            continue;
        reader->section = section;
        reader->place = (char *)reader->whole + section->offset;
        code = end_section(reader);
    }
    return code;
}

/* The folder of the file, absolute. */
static char *folder_of(const char *path)
{
    char resolved[PATH_MAX];
    const char *from = path == NULL ? "." : path;

    if (realpath(from, resolved) == NULL)
        return mem_string(".");
    if (path != NULL) {
        char *slash = strrchr(resolved, '/');

        *slash = '\0'; /* of a file in the root folder nothing is left, which is right before "/" */
    }
    return mem_string(resolved);
}

static const char *shown(const char *path)
{
    const char *slash;

    if (path == NULL)
        return "no settings file";
    slash = strrchr(path, '/');
    return strlen(path) > SHOWN_MOST && slash != NULL ? slash + 1 : path;
}

enum err_code settings_read(const struct settings_table *table, const char *path, void *whole,
                            struct err *err)
{
    struct err ours; /* err may be NULL, and err_prefix() wants one */
    struct reader reader = {.table = table, .shown = shown(path), .whole = whole, .err = &ours};
    struct buf text = {0};
    enum err_code code = ERR_NONE;

    memset(whole, 0, table->size);
    if (path != NULL)
        code = file_read(&text, path, FILE_MOST, &ours);
    reader.folder = folder_of(path);
    reader.given_at = mem_array(table->setting_count, sizeof(*reader.given_at));
    reader.section_at = mem_array(table->section_count, sizeof(*reader.section_at));
    if (code == ERR_NONE)
        code = read_lines(&reader, str_n(buf_bytes(&text), buf_length(&text)));
    if (code == ERR_NONE)
        code = add_missing(&reader);
    if (code != ERR_NONE) {
        settings_free(table, whole);
        if (err != NULL)
            *err = ours;
    }
    buf_release(&text);
    free(reader.folder);
    free(reader.given_at);
    free(reader.section_at);
    return code;
}
