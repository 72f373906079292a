#include "mailbox-backend/mailbox/mailbox.h"

#include <stdlib.h>
#include <string.h>
#include <uninorm.h>
#include <unistr.h>

/* Takes the first level off a path: path becomes what is behind the "/". */
static struct str take_level(struct str *path)
{
    const char *slash = memchr(path->data, '/', path->length);
    struct str level = *path;

    if (slash == NULL) {
        *path = str_n(path->data + path->length, 0);
        return level;
    }
    level.length = (size_t)(slash - path->data);
    *path = str_n(slash + 1, path->length - level.length - 1);
    return level;
}

/* ---- normal form ---- */

static bool is_control(const uint8_t *bytes, size_t left)
{
    if (bytes[0] < 0x20 || bytes[0] == 0x7f)
        return true;
    if (bytes[0] == 0xc2 && left > 1) /* U+0080 to U+009F */
        return bytes[1] < 0xa0;
    return bytes[0] == 0xe2 && left > 2 && bytes[1] == 0x80 && /* U+2028, U+2029 */
           (bytes[2] == 0xa8 || bytes[2] == 0xa9);
}

static bool has_control(struct str text)
{
    const uint8_t *bytes = (const uint8_t *)text.data;

    for (size_t i = 0; i < text.length; i++) {
        if (is_control(bytes + i, text.length - i))
            return true;
    }
    return false;
}

static enum err_code check_level(struct str level, struct err *err)
{
    if (level.length == 0)
        return err_set(err, ERR_INVALID, "A level of the folder's path is empty");
    if (str_is(level, ".") || str_is(level, ".."))
        return err_set(err, ERR_INVALID, "A folder cannot be named \".\" or \"..\"");
    if (level.length > STORE_NAME_MAX)
        return err_set(err, ERR_INVALID, "A folder name is longer than %d bytes", STORE_NAME_MAX);
    return ERR_NONE;
}

static enum err_code check_levels(struct str path, struct err *err)
{
    unsigned depth = 0;

    if (path.length > PATH_MAX_BYTES)
        return err_set(err, ERR_INVALID, "The folder's path is longer than %d bytes",
                       PATH_MAX_BYTES);
    if (path.length > 0 && path.data[path.length - 1] == '/')
        return check_level(STR(""), err);
    do {
        enum err_code code = check_level(take_level(&path), err);

        if (code != ERR_NONE)
            return code;
        if (++depth > STORE_DEPTH_MAX)
            return err_set(err, ERR_INVALID, "Folders nest deeper than %d levels", STORE_DEPTH_MAX);
    } while (path.length > 0);
    return ERR_NONE;
}

enum err_code path_nfc(struct arena *arena, struct str text, struct str *nfc, struct err *err)
{
    size_t length;
    uint8_t *normal;

    if (text.length > 4 * (size_t)PATH_MAX_BYTES)
        return err_set(err, ERR_INVALID, "The folder's path is longer than %d bytes",
                       PATH_MAX_BYTES);
    if (u8_check((const uint8_t *)text.data, text.length) != NULL)
        return err_set(err, ERR_INVALID, "The folder's name is not valid UTF-8");
    normal = u8_normalize(UNINORM_NFC, (const uint8_t *)text.data, text.length, NULL, &length);
    if (normal == NULL)
        return err_set(err, ERR_INVALID, "The folder's name has no normal form");
    *nfc = str_n(arena_copy(arena, normal, length), length);
    free(normal);
    return ERR_NONE;
}

static void write_inbox_in_capitals(struct arena *arena, struct str *path)
{
    struct str rest = *path;

    if (!str_is_nocase(take_level(&rest), "INBOX"))
        return;
    path->data = arena_copy(arena, path->data, path->length);
    memcpy((char *)path->data, "INBOX", 5);
}

enum err_code path_normalise(struct arena *arena, struct str path, struct str *normal,
                             struct err *err)
{
    enum err_code code;

    if (path.length > 1 && path.data[path.length - 1] == '/')
        path.length--;
    if (has_control(path))
        return err_set(err, ERR_INVALID, "The folder's name has a control character");
    code = path_nfc(arena, path, normal, err);
    if (code == ERR_NONE)
        code = check_levels(*normal, err);
    if (code == ERR_NONE)
        write_inbox_in_capitals(arena, normal);
    return code;
}

/* ---- in the store ---- */

enum err_code path_find_ancestor(struct store_read *read, struct str path,
                                 struct store_folder *folder, struct str *rest, struct err *err)
{
    enum err_code code = store_folder_get(read, STORE_ROOT_FOLDER, folder, err);

    *rest = path;
    while (code == ERR_NONE && rest->length > 0) {
        struct str behind = *rest;
        struct store_folder child;

        code = store_folder_find(read, folder->id, take_level(&behind), &child, err);
        if (code != ERR_NONE)
            break;
        *folder = child;
        *rest = behind;
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code path_find(struct store_read *read, struct str path, struct store_folder *folder,
                        struct err *err)
{
    struct str rest;
    enum err_code code = path_find_ancestor(read, path, folder, &rest, err);

    if (code == ERR_NONE && rest.length > 0)
        return err_set(err, ERR_NOT_FOUND, "There is no such folder");
    return code;
}

enum err_code path_of(struct store_read *read, const struct store_folder *folder,
                      struct arena *arena, struct str *path, struct err *err)
{
    struct store_folder at = *folder;

    *path = str_of(arena_string(arena, at.name));
    for (unsigned depth = 0; at.parent != STORE_ROOT_FOLDER && depth < STORE_DEPTH_MAX; depth++) {
        struct store_folder parent;
        enum err_code code = store_folder_get(read, at.parent, &parent, err);

        if (code != ERR_NONE)
            return code;
        *path = str_of(arena_printf(arena, "%s/%s", parent.name, path->data));
        at = parent;
    }
    return ERR_NONE;
}

enum err_code path_length_below(struct store_read *read, uint32_t folder, size_t *length,
                                struct err *err)
{
    char after[STORE_NAME_MAX + 1] = "";
    struct store_folder child;
    enum err_code code;

    *length = 0;
    while ((code = store_folder_next(read, folder, after, &child, err)) == ERR_NONE) {
        size_t name = strlen(child.name);
        size_t below = 0;

        if (child.has_children && path_length_below(read, child.id, &below, err) != ERR_NONE)
            return err->code;
        if (1 + name + below > *length)
            *length = 1 + name + below;
        memcpy(after, child.name, name + 1);
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}
