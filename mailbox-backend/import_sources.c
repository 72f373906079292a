/* What a folder holds from earlier imports: each such item has the name of its source as a property. */
#include "mailbox-backend/import_private.h"

#define SLICE 256 /* items of one snapshot */

static enum err_code note_sources(struct import *import, struct store_read *read,
                                  const struct store_item *items, size_t count, struct err *err)
{
    uint8_t name[STORE_PROPERTY_MAX];
    size_t length;

    for (size_t i = 0; i < count; i++) {
        enum err_code code =
            store_property_get(read, import->folder, items[i].item_id, IMPORT_SOURCE_PROPERTY, name,
                               sizeof(name), &length, err);

        if (code == ERR_NONE)
            hash_set_add(&import->sources, str_n(name, length));
        else if (code != ERR_NOT_FOUND)
            return code;
    }
    return ERR_NONE;
}

enum err_code import_load_sources(struct import *import, struct err *err)
{
    struct store_item items[SLICE];
    uint32_t first = 1;
    size_t count = SLICE;
    enum err_code code = ERR_NONE;

    hash_set_release(&import->sources);
    while (count == SLICE && code == ERR_NONE) {
        struct store_read *read;

        if ((code = store_read_begin(import->request->mailbox, &read, err)) != ERR_NONE)
            return code;
        code =
            store_item_scan(read, import->folder, first, UINT32_MAX, 0, items, SLICE, &count, err);
        if (code == ERR_NONE)
            code = note_sources(import, read, items, count, err);
        store_read_end(&read);
        first = count > 0 ? items[count - 1].uid + 1 : first;
    }
    return code;
}
