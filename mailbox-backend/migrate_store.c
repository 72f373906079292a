/* What the store remembers of earlier runs. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/migrate_private.h"

#define SLICE 256 /* items of one snapshot */

enum err_code migrate_load_state(struct migrate *migrate, uint64_t key, struct migrate_state *state,
                                 struct err *err)
{
    char name[MIGRATE_STATE_NAME_SIZE], text[MIGRATE_STATE_SIZE + 1];
    struct store_folder folder;
    struct store_read *read;
    size_t length;
    enum err_code code = store_read_begin(migrate->request->mailbox, &read, err);

    *state = (struct migrate_state){0};
    if (code != ERR_NONE)
        return code;
    migrate_state_name(key, name);
    code = store_property_get(read, 0, 0, name, (uint8_t *)text, MIGRATE_STATE_SIZE, &length, err);
    if (code == ERR_NONE) {
        text[length] = '\0';
        migrate_state_parse(state, text);
        code = store_folder_get(read, state->folder, &folder, err);
    }
    store_read_end(&read);
    if (code != ERR_NOT_FOUND)
        return code;
    uidset_release(&state->refused); /* never brought, or deleted here: brought anew */
    *state = (struct migrate_state){0};
    return ERR_NONE;
}

enum err_code migrate_save_state(struct migrate *migrate, struct err *err)
{
    char name[MIGRATE_STATE_NAME_SIZE], text[MIGRATE_STATE_SIZE];
    struct store_op op = {.kind = OP_PROPERTY_SET, .mailbox = migrate->request->mailbox};
    enum err_code code;

    migrate_state_name(migrate->folder->key, name);
    op.in.property.property =
        (struct store_property){name, text, migrate_state_print(&migrate->state, text)};
    code = store_run(&op);
    return code == ERR_NONE ? code : err_set(err, code, "%s", op.err.text);
}

/* ---- which of the source's messages are here ---- */

static void add_known(struct migrate *migrate, const struct migrate_origin *origin, uint32_t here)
{
    if (migrate->known_count == migrate->known_room) {
        migrate->known_room = migrate->known_room == 0 ? 1024 : 2 * migrate->known_room;
        migrate->known = mem_grow(migrate->known, migrate->known_room, sizeof(*migrate->known));
    }
    migrate->known[migrate->known_count++] =
        (struct migrate_known){origin->uid, here, origin->mark};
}

static enum err_code note_items(struct migrate *migrate, struct store_read *read,
                                const struct store_item *items, size_t count, struct err *err)
{
    char text[STORE_PROPERTY_MAX + 1];
    size_t length;

    for (size_t i = 0; i < count; i++) {
        struct migrate_origin origin;
        enum err_code code = store_property_get(read, migrate->state.folder, items[i].item_id,
                                                IMPORT_SOURCE_PROPERTY, (uint8_t *)text,
                                                STORE_PROPERTY_MAX, &length, err);

        if (code == ERR_NOT_FOUND)
            continue;
        if (code != ERR_NONE)
            return code;
        text[length] = '\0';
        if (migrate_origin_parse(&origin, text) && origin.key == migrate->folder->key)
            add_known(migrate, &origin, items[i].uid);
    }
    return ERR_NONE;
}

static int compare(const void *a, const void *b)
{
    const struct migrate_known *one = a, *other = b;

    if (one->source != other->source)
        return one->source < other->source ? -1 : 1;
    return one->here < other->here ? -1 : one->here > other->here;
}

enum err_code migrate_load_known(struct migrate *migrate, struct err *err)
{
    struct store_item items[SLICE];
    uint32_t first = 1;
    size_t count = SLICE;
    enum err_code code = ERR_NONE;

    migrate->known_count = 0;
    while (count == SLICE && code == ERR_NONE) {
        struct store_read *read;

        if ((code = store_read_begin(migrate->request->mailbox, &read, err)) != ERR_NONE)
            return code;
        code = store_item_scan(read, migrate->state.folder, first, UINT32_MAX, 0, items, SLICE,
                               &count, err);
        if (code == ERR_NONE)
            code = note_items(migrate, read, items, count, err);
        store_read_end(&read);
        first = count > 0 ? items[count - 1].uid + 1 : first;
    }
    if (migrate->known_count > 0)
        qsort(migrate->known, migrate->known_count, sizeof(*migrate->known), compare);
    return code;
}

const struct migrate_known *migrate_find_known(const struct migrate *migrate, uint32_t source)
{
    size_t low = 0, high = migrate->known_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (migrate->known[middle].source < source)
            low = middle + 1;
        else
            high = middle;
    }
    return low < migrate->known_count && migrate->known[low].source == source ? &migrate->known[low]
                                                                              : NULL;
}
