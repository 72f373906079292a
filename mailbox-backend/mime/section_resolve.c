#include "mailbox-backend/mime/section.h"

bool mime_section_is_top_header(const struct mime_section *section)
{
    return section->depth == 0 &&
           (section->kind == MIME_SECTION_HEADER || section->kind == MIME_SECTION_FIELDS ||
            section->kind == MIME_SECTION_FIELDS_NOT);
}

/* A multipart in which no part was found is told with one empty part (see bodystructure.h), which
   can be asked for. */
static const struct mime_part *nth_child(const struct mime_part *part, uint32_t number)
{
    static const struct mime_part none = {.kind = MIME_LEAF};
    const struct mime_part *child = part->children;

    if (child == NULL && number == 1)
        return &none;
    while (child != NULL && --number > 0)
        child = child->next;
    return child;
}

/* One step down (RFC 3501 section 6.4.5): numbers count the parts of a multipart; a message that is
   none has one part, number 1, which is its body. */
static const struct mime_part *step(const struct mime_part *part, bool top, uint32_t number)
{
    const struct mime_part *message = part;

    if (!top && part->kind == MIME_MESSAGE)
        message = part->children;
    else if (!top && part->kind == MIME_LEAF)
        return NULL;
    if (message->kind == MIME_MULTIPART)
        return nth_child(message, number);
    return number == 1 ? message : NULL;
}

const struct mime_part *mime_section_part(const struct mime_section *section,
                                          const struct mime_part *root)
{
    const struct mime_part *part = root;

    for (unsigned i = 0; i < section->depth && part != NULL; i++)
        part = step(part, i == 0, section->numbers[i]);
    return part;
}

static struct mime_range header_of(const struct mime_part *part)
{
    return (struct mime_range){part->header_offset, part->header_length};
}

static struct mime_range body_of(const struct mime_part *part)
{
    return (struct mime_range){part->body_offset, part->body_length};
}

bool mime_section_resolve(const struct mime_section *section, const struct mime_part *root,
                          struct mime_range *range)
{
    const struct mime_part *part = mime_section_part(section, root);

    if (part == NULL)
        return false;
    if (section->kind == MIME_SECTION_WHOLE) {
        *range = body_of(part);
        if (section->depth == 0)
            *range = (struct mime_range){0, root->body_offset + root->body_length};
        return true;
    }
    if (section->kind == MIME_SECTION_MIME) {
        *range = header_of(part);
        return true;
    }
    if (section->depth > 0) {
        if (part->kind != MIME_MESSAGE)
            return false;
        part = part->children;
    }
    *range = section->kind == MIME_SECTION_TEXT ? body_of(part) : header_of(part);
    return true;
}
