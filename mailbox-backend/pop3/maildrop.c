#include "mailbox-backend/pop3/maildrop.h"

#include <stdlib.h>

#include "common/mem.h"

#define SLICE 128

uint64_t maildrop_octets(const struct store_item *item)
{
    return item->size + (item->no_final_newline ? 2 : 0);
}

void maildrop_add(struct maildrop *maildrop, uint32_t uid, uint64_t octets)
{
    struct maildrop_range *last =
        maildrop->count > 0 ? &maildrop->ranges[maildrop->count - 1] : NULL;

    maildrop->messages++;
    maildrop->octets += octets;
    if (last != NULL && last->last + 1 == uid) {
        last->last = uid;
        return;
    }
    if (maildrop->ranges == NULL || maildrop->count == maildrop->room) {
        maildrop->room = maildrop->room == 0 ? 8 : maildrop->room * 2;
        maildrop->ranges = mem_grow(maildrop->ranges, maildrop->room, sizeof(*maildrop->ranges));
    }
    maildrop->ranges[maildrop->count++] =
        (struct maildrop_range){.first = uid, .last = uid, .number = maildrop->messages};
}

enum err_code maildrop_load(struct maildrop *maildrop, struct store_read *read, uint32_t folder,
                            struct err *err)
{
    struct store_item items[SLICE];
    uint32_t first = 1;
    size_t count;

    do {
        if (store_item_scan(read, folder, first, UINT32_MAX - 1, 0, items, SLICE, &count, err) !=
            ERR_NONE)
            return err->code;
        for (size_t i = 0; i < count; i++)
            maildrop_add(maildrop, items[i].uid, maildrop_octets(&items[i]));
        if (count > 0)
            first = items[count - 1].uid + 1;
    } while (count == SLICE);
    return ERR_NONE;
}

void maildrop_release(struct maildrop *maildrop)
{
    free(maildrop->ranges);
    uidset_release(&maildrop->deleted);
    *maildrop = (struct maildrop){0};
}

/* The last range that begins at or before the key, by number or by uid; NULL when all are behind. */
static const struct maildrop_range *range_find(const struct maildrop *maildrop, uint64_t key,
                                               bool by_number)
{
    size_t low = 0;
    size_t high = maildrop->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct maildrop_range *range = &maildrop->ranges[middle];

        if ((by_number ? range->number : range->first) <= key)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? NULL : &maildrop->ranges[low - 1];
}

uint32_t maildrop_uid(const struct maildrop *maildrop, uint64_t number)
{
    const struct maildrop_range *range;

    if (number == 0 || number > maildrop->messages)
        return 0;
    if (maildrop->newest_first)
        number = maildrop->messages + 1 - number;
    range = range_find(maildrop, number, true);
    return range->first + ((uint32_t)number - range->number);
}

uint32_t maildrop_number(const struct maildrop *maildrop, uint32_t uid)
{
    const struct maildrop_range *range = range_find(maildrop, uid, false);
    uint32_t number;

    if (range == NULL || uid > range->last)
        return 0;
    number = range->number + (uid - range->first);
    return maildrop->newest_first ? maildrop->messages + 1 - number : number;
}

void maildrop_delete(struct maildrop *maildrop, uint32_t uid, uint64_t octets)
{
    uidset_add(&maildrop->deleted, uid);
    maildrop->deleted_messages++;
    maildrop->deleted_octets += octets;
}

bool maildrop_is_deleted(const struct maildrop *maildrop, uint32_t uid)
{
    return uidset_has(&maildrop->deleted, uid);
}

void maildrop_undelete_all(struct maildrop *maildrop)
{
    uidset_release(&maildrop->deleted);
    maildrop->deleted_messages = 0;
    maildrop->deleted_octets = 0;
}

uint32_t maildrop_messages_left(const struct maildrop *maildrop)
{
    return maildrop->messages - maildrop->deleted_messages;
}

uint64_t maildrop_octets_left(const struct maildrop *maildrop)
{
    return maildrop->octets - maildrop->deleted_octets;
}
