/* What the files of settings.h share; nobody else includes it. */
#ifndef COMMON_SETTINGS_INSIDE_H
#define COMMON_SETTINGS_INSIDE_H

#include "common/buf.h"
#include "common/settings.h"
#include "common/str.h"

/* settings_value.c: one value, in the words of the file. */

/* Sets the field from its text, or for lists adds to it. A relative path is put behind folder. The
   error says what is allowed, and not yet where. */
enum err_code setting_parse(const struct setting *setting, struct str text, const char *folder,
                            void *field, struct err *err);

/* Sets a zeroed field to the default. A default that its own type refuses is our bug. */
void setting_preset(const struct setting *setting, const char *folder, void *field);
void setting_clear(const struct setting *setting, void *field);

/* settings_text.c */

/* Appends the value of a field as the file has it; nothing for a text that is not set. */
void setting_format(const struct setting *setting, const void *field, struct buf *out);

/* Appends what is allowed: "1 to 1000000", "yes or no". */
void setting_allowed(const struct setting *setting, struct buf *out);

/* What a value that its type refuses is: "not a number". */
const char *setting_type_word(const struct setting *setting);
bool setting_is_bounded(const struct setting *setting);

/* settings.c */
struct setting_instance {
    const struct setting_section *section;
    void *place; /* the section's struct */
};

/* Calls visit for every section's struct in whole. */
void settings_visit(const struct settings_table *table, const void *whole,
                    void (*visit)(const struct setting_instance *instance, void *context),
                    void *context);
bool setting_is_in(const struct setting *setting, const struct setting_section *section);

/* Of candidates, NULL-terminated, the one that word was most likely meant to be, or NULL. */
const char *settings_nearest(const char *word, const char *const *candidates);

#endif
