#include "mailbox-backend/mime/part.h"

#include <string.h>

#include "mailbox-backend/mime/scan.h"

const struct mime_part *mime_part_next(const struct mime_part *part)
{
    if (part->children != NULL)
        return part->children;
    while (part != NULL && part->next == NULL)
        part = part->parent;
    return part == NULL ? NULL : part->next;
}

bool mime_part_is(const struct mime_part *part, const char *type, const char *subtype)
{
    return str_is_nocase(part->type, type) &&
           (subtype == NULL || str_is_nocase(part->subtype, subtype));
}

struct str mime_part_param(const struct mime_part *part, const char *name)
{
    for (const struct mime_param *param = part->params; param != NULL; param = param->next) {
        if (str_is_nocase(param->name, name))
            return param->value;
    }
    return (struct str){NULL, 0};
}

/* The first id in angle brackets; in fields that have none, as some old programs write them, the
   first word. */
static struct str first_id(struct str text)
{
    const char *begin;
    const char *end;
    struct str word = {NULL, 0};

    if (text.length == 0)
        return word;
    begin = memchr(text.data, '<', text.length);
    if (begin != NULL) {
        size_t left = text.length - (size_t)(begin + 1 - text.data);

        end = memchr(begin + 1, '>', left);
        if (end != NULL && end > begin + 1)
            return str_trim(str_n(begin + 1, (size_t)(end - begin - 1)));
    }
    scan_cfws(&text, NULL);
    for (word = str_n(text.data, 0); word.length < text.length; word.length++) {
        if (strchr(" \t<>", text.data[word.length]) != NULL)
            break;
    }
    return word.length == 0 ? (struct str){NULL, 0} : word;
}

struct str mime_thread_source(const struct mime_part *root)
{
    static const enum mime_envelope_field order[] = {MIME_REFERENCES, MIME_IN_REPLY_TO,
                                                     MIME_MESSAGE_ID};
    struct str id = {NULL, 0};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && id.length == 0; i++)
        id = first_id(root->envelope->field[order[i]]);
    return id;
}
