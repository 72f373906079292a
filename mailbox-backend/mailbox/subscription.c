/* Subscriptions are properties of the mailbox: the name begins with the path, so that they sort
   by it, and the value is the path. */
#include "mailbox-backend/mailbox/mailbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "subscribed"
#define NAME_SIZE ((size_t)128)
#define SHORT_PATH ((size_t)100) /* longer ones do not fit into a name: */
#define CUT_PATH 80              /* their beginning and a hash do */

static void property_name(char name[NAME_SIZE], struct str path)
{
    if (path.length <= SHORT_PATH)
        snprintf(name, NAME_SIZE, PREFIX "/%.*s", (int)path.length, path.data);
    else
        snprintf(name, NAME_SIZE, PREFIX ":%.*s#%016" PRIx64, CUT_PATH, path.data, str_hash(path));
}

void subscription_property(struct arena *arena, struct str path, bool subscribed,
                           struct store_property *property)
{
    char name[NAME_SIZE];

    property_name(name, path);
    *property = (struct store_property){
        .name = arena_string(arena, name),
        .value = arena_copy(arena, path.data, path.length),
        .length = subscribed ? path.length : 0,
    };
}

bool subscription_is_property(const char *name)
{
    return strncmp(name, PREFIX, strlen(PREFIX)) == 0;
}

bool subscription_has(struct store_read *read, struct str path)
{
    char name[NAME_SIZE];
    uint8_t value[PATH_MAX_BYTES];
    size_t length;

    property_name(name, path);
    return store_property_get(read, 0, 0, name, value, sizeof(value), &length, NULL) == ERR_NONE &&
           str_equal(str_n(value, length), path);
}

static enum err_code next_of(struct store_read *read, const char *prefix, char cursor[NAME_SIZE],
                             struct arena *arena, struct str *path, struct err *err)
{
    char name[NAME_SIZE];
    uint8_t value[PATH_MAX_BYTES];
    size_t length;
    enum err_code code = store_property_next(read, 0, 0, prefix, cursor, name, sizeof(name), err);

    if (code != ERR_NONE)
        return code;
    memcpy(cursor, name, NAME_SIZE);
    code = store_property_get(read, 0, 0, name, value, sizeof(value), &length, err);
    if (code != ERR_NONE)
        return code;
    *path = str_n(arena_copy(arena, value, length), length);
    return ERR_NONE;
}

enum err_code subscription_next(struct store_read *read, char cursor[128], struct arena *arena,
                                struct str *path, struct err *err)
{
    return next_of(read, PREFIX, cursor, arena, path, err);
}

static bool is_below(struct str path, struct str above)
{
    return path.length > above.length && path.data[above.length] == '/' &&
           memcmp(path.data, above.data, above.length) == 0;
}

/* Long paths are found by their beginning, as far as it is in their names. */
static enum err_code next_long(struct store_read *read, struct str above, char cursor[NAME_SIZE],
                               struct arena *arena, struct str *path, struct err *err)
{
    char prefix[NAME_SIZE];
    int length = above.length < CUT_PATH ? (int)above.length : CUT_PATH;
    enum err_code code;

    snprintf(prefix, sizeof(prefix), PREFIX ":%.*s%s", length, above.data,
             above.length < CUT_PATH ? "/" : "");
    do {
        code = next_of(read, prefix, cursor, arena, path, err);
    } while (code == ERR_NONE && !is_below(*path, above));
    return code;
}

/* The names of short paths begin with "subscribed/", those of long ones with "subscribed:". */
enum err_code subscription_next_below(struct store_read *read, struct str above, char cursor[128],
                                      struct arena *arena, struct str *path, struct err *err)
{
    char prefix[NAME_SIZE];
    bool in_long = strncmp(cursor, PREFIX ":", strlen(PREFIX ":")) == 0;
    enum err_code code = ERR_NOT_FOUND;

    if (!in_long && above.length < SHORT_PATH) {
        snprintf(prefix, sizeof(prefix), PREFIX "/%.*s/", (int)above.length, above.data);
        code = next_of(read, prefix, cursor, arena, path, err);
    }
    if (code != ERR_NOT_FOUND)
        return code;
    if (!in_long)
        cursor[0] = '\0';
    return next_long(read, above, cursor, arena, path, err);
}
