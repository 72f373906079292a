#include "common/settings.h"

#include <stdlib.h>
#include <string.h>

#include "common/settings_inside.h"

bool setting_is_in(const struct setting *setting, const struct setting_section *section)
{
    return strcmp(setting->section, section->name) == 0;
}

void settings_visit(const struct settings_table *table, const void *whole,
                    void (*visit)(const struct setting_instance *instance, void *context),
                    void *context)
{
    for (size_t s = 0; s < table->section_count; s++) {
        const struct setting_section *section = &table->sections[s];
        char *place = (char *)(uintptr_t)whole + section->offset;
        size_t count = 1;

        if (section->named) {
            const struct setting_group *group = (const struct setting_group *)(void *)place;

            place = group->items;
            count = group->count;
        }
        for (size_t i = 0; i < count; i++) {
            struct setting_instance instance = {section, place + i * section->size};

            visit(&instance, context);
        }
    }
}

static void clear_instance(const struct setting_instance *instance, void *context)
{
    const struct settings_table *table = context;

    for (size_t i = 0; i < table->setting_count; i++) {
        const struct setting *setting = &table->settings[i];

        if (setting_is_in(setting, instance->section))
            setting_clear(setting, (char *)instance->place + setting->offset);
    }
    if (instance->section->named)
        free(*(char **)instance->place);
}

void settings_free(const struct settings_table *table, void *whole)
{
    settings_visit(table, whole, clear_instance, (void *)(uintptr_t)table);
    for (size_t s = 0; s < table->section_count; s++) {
        const struct setting_section *section = &table->sections[s];

        if (section->named)
            free(((struct setting_group *)(void *)((char *)whole + section->offset))->items);
    }
    memset(whole, 0, table->size);
}

#define WORD_MOST ((size_t)48)

/* How many letters must be changed, added or taken away to make b of a (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_MOST + 1];
    size_t length = strlen(b);

    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            size_t above = row[j];
            size_t best = diagonal + (str_lower(a[i - 1]) != str_lower(b[j - 1]));

            best = best < above + 1 ? best : above + 1;
            row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
            diagonal = above;
        }
    }
    return row[length];
}

const char *settings_nearest(const char *word, const char *const *candidates)
{
    size_t least = strlen(word) / 3 + 2; /* farther than this is no typing mistake */
    const char *nearest = NULL;

    if (strlen(word) > WORD_MOST)
        return NULL;
    for (; *candidates != NULL; candidates++) {
        size_t far = strlen(*candidates) > WORD_MOST ? least : distance(word, *candidates);

        if (far < least) {
            least = far;
            nearest = *candidates;
        }
    }
    return nearest;
}
