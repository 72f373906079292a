#include "proto/admin_table.h"

#include <string.h>

#define WORD_MAX 31
#define NEAR 2 /* typing errors */

const struct admin_command *admin_table_next(const struct admin_program *program, size_t *place)
{
    size_t left = (*place)++;

    for (const struct admin_command *const *table = program->tables; *table != NULL; table++) {
        for (const struct admin_command *command = *table; command->noun != NULL; command++) {
            if (left-- == 0)
                return command;
        }
    }
    return NULL;
}

const struct admin_command *admin_table_find(const struct admin_program *program, const char *noun,
                                             const char *verb)
{
    const struct admin_command *command;

    for (size_t place = 0; (command = admin_table_next(program, &place)) != NULL;) {
        if (strcmp(command->noun, noun) == 0 && strcmp(command->verb, verb) == 0)
            return command;
    }
    return NULL;
}

bool admin_table_has_noun(const struct admin_program *program, const char *noun)
{
    const struct admin_command *command;

    for (size_t place = 0; (command = admin_table_next(program, &place)) != NULL;) {
        if (strcmp(command->noun, noun) == 0)
            return true;
    }
    return false;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned admin_word_distance(const char *a, const char *b)
{
    unsigned rows[3][WORD_MAX + 2];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    size_t a_length = strlen(a), b_length = strlen(b);

    if (a_length > WORD_MAX || b_length > WORD_MAX)
        return WORD_MAX;
    for (unsigned j = 0; j <= b_length; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned *free_row = before;

        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
        before = last;
        last = now;
        now = free_row;
    }
    return last[b_length];
}

struct suggestion {
    const char *given, *best;
    unsigned distance;
};

static void consider(struct suggestion *suggestion, const char *word)
{
    unsigned distance = admin_word_distance(suggestion->given, word);

    if (distance < suggestion->distance && distance < strlen(word)) {
        suggestion->distance = distance;
        suggestion->best = word;
    }
}

const char *admin_suggest_noun(const struct admin_program *program, const char *given)
{
    struct suggestion suggestion = {given, NULL, NEAR + 1};
    const struct admin_command *command;

    for (size_t place = 0; (command = admin_table_next(program, &place)) != NULL;)
        consider(&suggestion, command->noun);
    return suggestion.best;
}

const char *admin_suggest_verb(const struct admin_program *program, const char *noun,
                               const char *given)
{
    struct suggestion suggestion = {given, NULL, NEAR + 1};
    const struct admin_command *command;

    for (size_t place = 0; (command = admin_table_next(program, &place)) != NULL;) {
        if (strcmp(command->noun, noun) == 0)
            consider(&suggestion, command->verb);
    }
    return suggestion.best;
}

const char *admin_suggest_flag(const struct admin_command *command, const char *given)
{
    struct suggestion suggestion = {given, NULL, NEAR + 1};

    for (const struct admin_flag *flag = command->flags; flag != NULL && flag->name != NULL; flag++)
        consider(&suggestion, flag->name);
    return suggestion.best;
}
