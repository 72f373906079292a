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

bool subscription_has(struct store_read *read, struct str path)
{
    char name[NAME_SIZE];
    uint8_t value[PATH_MAX_BYTES];
    size_t length;

    property_name(name, path);
    return store_property_get(read, 0, 0, name, value, sizeof(value), &length, NULL) == ERR_NONE &&
           str_equal(str_n(value, length), path);
}

enum err_code subscription_next(struct store_read *read, char cursor[128], struct arena *arena,
                                struct str *path, struct err *err)
{
    char name[NAME_SIZE];
    uint8_t value[PATH_MAX_BYTES];
    size_t length;
    enum err_code code = store_property_next(read, 0, 0, PREFIX, cursor, name, sizeof(name), err);

    if (code != ERR_NONE)
        return code;
    memcpy(cursor, name, NAME_SIZE);
    code = store_property_get(read, 0, 0, name, value, sizeof(value), &length, err);
    if (code != ERR_NONE)
        return code;
    *path = str_n(arena_copy(arena, value, length), length);
    return ERR_NONE;
}
