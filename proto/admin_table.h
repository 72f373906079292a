/* Looking commands up in a program's tables, and saying what was perhaps meant. */
#ifndef PROTO_ADMIN_TABLE_H
#define PROTO_ADMIN_TABLE_H

#include "proto/admin.h"

/* Goes through all commands of a program: *place 0 at first; NULL behind the last. */
const struct admin_command *admin_table_next(const struct admin_program *program, size_t *place);

/* The command; a noun that is a command by itself (status) has the verb "". */
const struct admin_command *admin_table_find(const struct admin_program *program, const char *noun,
                                             const char *verb);
bool admin_table_has_noun(const struct admin_program *program, const char *noun);

/* A known noun or verb that is at most two typing errors away; NULL when none is. */
const char *admin_suggest_noun(const struct admin_program *program, const char *given);
const char *admin_suggest_verb(const struct admin_program *program, const char *noun,
                               const char *given);
const char *admin_suggest_flag(const struct admin_command *command, const char *given);

/* Insertions, deletions, replacements and swaps of neighbours that make one word of the other. Words
   over 31 bytes are far from everything. */
unsigned admin_word_distance(const char *a, const char *b);

#endif
