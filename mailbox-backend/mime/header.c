#include "mailbox-backend/mime/header.h"

#include <string.h>

static size_t line_length(struct str text)
{
    const char *end = text.length == 0 ? NULL : memchr(text.data, '\n', text.length);

    return end == NULL ? text.length : (size_t)(end - text.data) + 1;
}

static bool is_blank_line(struct str text)
{
    return text.data[0] == '\n' ||
           (text.length > 1 && text.data[0] == '\r' && text.data[1] == '\n');
}

static void split(struct mime_field *field)
{
    const char *colon = memchr(field->raw.data, ':', line_length(field->raw));

    if (colon == NULL) {
        field->name = str_n(field->raw.data, 0);
        field->value = field->raw;
        return;
    }
    field->name = str_n(field->raw.data, (size_t)(colon - field->raw.data));
    field->value = str_n(colon + 1, field->raw.length - field->name.length - 1);
    while (field->name.length > 0 && (field->name.data[field->name.length - 1] == ' ' ||
                                      field->name.data[field->name.length - 1] == '\t'))
        field->name.length--;
}

bool mime_field_next(struct str *rest, struct mime_field *field)
{
    if (rest->length == 0 || is_blank_line(*rest))
        return false;
    field->raw = str_n(rest->data, 0);
    do {
        size_t length = line_length(*rest);

        field->raw.length += length;
        rest->data += length;
        rest->length -= length;
    } while (rest->length > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t'));
    split(field);
    return true;
}

bool mime_field_find(struct str header, const char *name, struct mime_field *field)
{
    while (mime_field_next(&header, field)) {
        if (str_is_nocase(field->name, name))
            return true;
    }
    return false;
}

struct str mime_unfold(struct arena *arena, struct str value)
{
    char *text = arena_alloc(arena, value.length + 1);
    size_t length = 0;

    for (size_t i = 0; i < value.length; i++) {
        char c = value.data[i];
        bool line_end =
            c == '\n' || (c == '\r' && i + 1 < value.length && value.data[i + 1] == '\n');

        if (!line_end && c != '\0')
            text[length++] = c;
    }
    return str_trim(str_n(text, length));
}
