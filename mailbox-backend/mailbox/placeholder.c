#include "mailbox-backend/mailbox/mailbox.h"

#include <string.h>

#define PLACEHOLDER "placeholder"

void placeholder_property(bool is_one, struct store_property *property)
{
    *property = (struct store_property){.name = PLACEHOLDER, .value = "1", .length = is_one};
}

bool placeholder_is_property(const char *name)
{
    return strcmp(name, PLACEHOLDER) == 0;
}

bool placeholder_is(struct store_read *read, const struct store_folder *folder)
{
    uint8_t value[1];
    size_t length;

    return store_property_get(read, folder->id, 0, PLACEHOLDER, value, sizeof(value), &length,
                              NULL) == ERR_NONE;
}
