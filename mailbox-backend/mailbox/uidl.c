#include "mailbox-backend/mailbox/uidl.h"

#include <stdio.h>

static bool is_valid(const char *id, size_t length)
{
    if (length == 0 || length > UIDL_MAX)
        return false;
    for (size_t i = 0; i < length; i++)
        if (id[i] < 0x21 || id[i] > 0x7E)
            return false;
    return true;
}

bool uidl_kept(struct store_read *read, const struct store_item *item, char id[UIDL_MAX + 1])
{
    size_t length;

    if (store_property_get(read, 0, item->item_id, UIDL_PROPERTY, (uint8_t *)id, UIDL_MAX, &length,
                           NULL) != ERR_NONE ||
        !is_valid(id, length))
        return false;
    id[length] = '\0';
    return true;
}

void uidl_of(struct store_read *read, const struct store_guid *guid, const struct store_item *item,
             char id[UIDL_MAX + 1])
{
    const uint8_t *bytes = guid->bytes;

    if (!uidl_kept(read, item, id))
        snprintf(id, UIDL_MAX + 1, "%02x%02x%02x%02x%012llx", bytes[0], bytes[1], bytes[2],
                 bytes[3], (unsigned long long)item->item_id);
}
