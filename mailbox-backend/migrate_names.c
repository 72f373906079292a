/* The other server's names of folders. */
#include <string.h>
#include <unistr.h>

#include "mailbox-backend/imap4/mutf7.h"
#include "mailbox-backend/migrate_private.h"

/* What cannot stand in a level of a path becomes "_". */
static void put_level(struct buf *path, struct str level)
{
    struct arena arena = {0};
    struct str text;

    if (!mutf7_decode(&arena, level, &text))
        text = level; /* "R&D", or UTF-8 as it should not be */
    if (buf_length(path) > 0)
        buf_byte(path, '/');
    if (str_is(text, ".") || str_is(text, ".."))
        text = STR("_");
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.data[i];

        buf_byte(path, byte == '/' || byte < ' ' || byte == 0x7F ? '_' : byte);
    }
    arena_reset(&arena);
}

bool migrate_path(const char *name, char delimiter, const char *prefix, char *path, size_t room)
{
    struct buf out = {0};
    size_t skipped = strlen(prefix), length;
    bool good;

    if (skipped > 0 && strncasecmp(name, prefix, skipped) == 0 && name[skipped] != '\0')
        name += skipped;
    while (*name != '\0') {
        size_t level = delimiter == '\0' || strchr(name, delimiter) == NULL
                           ? strlen(name)
                           : (size_t)(strchr(name, delimiter) - name);

        if (level > 0)
            put_level(&out, str_n(name, level));
        name += level + (name[level] != '\0');
    }
    length = buf_length(&out);
    good = length > 0 && length < room && u8_check(buf_bytes(&out), length) == NULL;
    memcpy(path, good ? (const char *)buf_bytes(&out) : "", good ? length : 0);
    path[good ? length : 0] = '\0';
    buf_release(&out);
    return good;
}

bool migrate_is_below(const char *path, const char *base)
{
    size_t length = strlen(base);

    return strncmp(path, base, length) == 0 && (path[length] == '\0' || path[length] == '/');
}
