#include "proto/imap_language.h"

#include <string.h>

/* The first is preferred. */
static const char *const languages[] = {"en", "i-default"};
#define LANGUAGES (sizeof(languages) / sizeof(languages[0]))

/* A range loses subtags from its end until it is a language that there is (RFC 4647 section 3.4). */
static bool asks_for(struct str range, const char *language)
{
    size_t length = strlen(language);

    return str_starts_nocase(range, language) &&
           (range.length == length || range.data[length] == '-');
}

const char *imap_language_find(struct str range)
{
    if (str_is_nocase(range, "default") || str_is(range, "*"))
        return languages[0];
    for (size_t i = 0; i < LANGUAGES; i++) {
        if (asks_for(range, languages[i]))
            return languages[i];
    }
    return NULL;
}

void imap_language_tell(const char *language, struct buf *out)
{
    const char *separator = "";

    buf_text(out, "* LANGUAGE (");
    for (size_t i = 0; i < LANGUAGES; i++) {
        if (language != NULL && strcmp(language, languages[i]) != 0)
            continue;
        buf_printf(out, "%s%s", separator, languages[i]);
        separator = " ";
    }
    buf_text(out, ")\r\n");
}
