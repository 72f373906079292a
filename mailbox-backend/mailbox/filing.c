#include "mailbox-backend/mailbox/filing.h"

#include "mailbox-backend/mailbox/mailbox.h"

static uint32_t detail_folder(struct store_read *read, const char *detail)
{
    struct arena arena = {0};
    struct store_folder folder;
    struct str path;
    uint32_t id = STORE_INBOX_FOLDER;
    struct err err;

    if (path_normalise(&arena, str_of(detail), &path, &err) == ERR_NONE &&
        path_find(read, path, &folder, &err) == ERR_NONE && folder.id != STORE_ROOT_FOLDER &&
        !placeholder_is(read, &folder))
        id = folder.id;
    arena_reset(&arena);
    return id;
}

uint32_t filing_folder(struct store_read *read, bool junk, const char *detail)
{
    struct store_folder folder;
    struct err err;

    if (junk && store_folder_by_use(read, USE_JUNK, &folder, &err) == ERR_NONE &&
        !placeholder_is(read, &folder))
        return folder.id;
    if (!junk && detail[0] != '\0')
        return detail_folder(read, detail);
    return STORE_INBOX_FOLDER;
}
