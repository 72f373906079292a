#include "mailbox-backend/store/folder.h"

#include <string.h>

#include "mailbox-backend/store/database.h"

enum err_code folder_record_get(const struct tx *tx, uint32_t folder, struct folder_record *record,
                                struct err *err)
{
    struct key key = key_folder(folder);
    struct bytes row;
    enum err_code code = tx_get(tx, TABLE_FOLDER, &key, &row, err);

    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND, "there is no such folder");
    if (code == ERR_NONE && !folder_unpack(row, record))
        code = tx_bad_row(tx, TABLE_FOLDER, err);
    return code;
}

enum err_code folder_record_put(const struct tx *tx, uint32_t folder,
                                const struct folder_record *record, struct err *err)
{
    struct key key = key_folder(folder);
    uint8_t row[FOLDER_ROW_MAX];
    size_t length = folder_pack(row, record);

    return tx_put(tx, TABLE_FOLDER, &key, row, length, err);
}

enum err_code folder_name_get(const struct tx *tx, uint32_t parent, struct str name,
                              uint32_t *folder, struct err *err)
{
    struct key key;
    struct bytes row;
    enum err_code code;

    if (name.length > STORE_NAME_MAX)
        return err_set(err, ERR_NOT_FOUND, "there is no such folder");
    key = key_name(parent, name);
    code = tx_get(tx, TABLE_NAME, &key, &row, err);
    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND, "there is no such folder");
    if (code == ERR_NONE && row.length != 4)
        code = tx_bad_row(tx, TABLE_NAME, err);
    if (code == ERR_NONE)
        *folder = get_u32(row.data);
    return code;
}

enum err_code folder_child(const struct tx *tx, uint32_t parent, struct str from,
                           char name[STORE_NAME_MAX + 1], uint32_t *folder, struct err *err)
{
    struct key key = key_name(parent, from);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, tx, TABLE_NAME, PREFIX_FOLDER, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    if (code == ERR_NONE &&
        (scan.value.length != 4 || scan.key.length - PREFIX_FOLDER > STORE_NAME_MAX))
        code = tx_bad_row(tx, TABLE_NAME, err);
    if (code == ERR_NONE) {
        size_t length = scan.key.length - PREFIX_FOLDER;

        memcpy(name, scan.key.data + PREFIX_FOLDER, length);
        name[length] = '\0';
        *folder = get_u32(scan.value.data);
    }
    scan_end(&scan);
    return code;
}

bool folder_has_children(const struct tx *tx, uint32_t folder)
{
    char name[STORE_NAME_MAX + 1];
    uint32_t child;

    return folder_child(tx, folder, str_of(""), name, &child, NULL) != ERR_NOT_FOUND;
}

/* ---- reading ---- */

static void fill_in(struct store_folder *folder, const struct folder_state *state,
                    const struct folder_record *record)
{
    folder->parent = record->parent;
    folder->use = (enum store_special_use)record->use;
    folder->class = (enum store_class)record->class;
    if (record->name.length != 0)
        memcpy(folder->name, record->name.data, record->name.length);
    folder->name[record->name.length] = '\0';
    folder->uid_validity = state->uid_validity;
    folder->uid_next = state->uid_next;
    folder->highest_modseq = state->highest_modseq;
    folder->messages = state->messages;
    folder->unseen = state->unseen;
    folder->deleted = state->deleted;
    folder->bytes = state->bytes;
    folder->vanished_floor = state->vanished_floor;
}

enum err_code store_folder_get(struct store_read *read, uint32_t id, struct store_folder *folder,
                               struct err *err)
{
    struct key key = key_item(id, KEY_STATE);
    struct folder_record record = {0};
    struct folder_state state = {0};
    struct bytes row;
    enum err_code code = folder_record_get(&read->tx, id, &record, err);

    if (code == ERR_NONE)
        code = tx_get(&read->tx, TABLE_ITEM, &key, &row, err);
    if (code == ERR_NONE && !folder_state_unpack(row, &state))
        code = tx_bad_row(&read->tx, TABLE_ITEM, err);
    if (code != ERR_NONE)
        return code;
    folder->id = id;
    fill_in(folder, &state, &record);
    folder->has_children = folder_has_children(&read->tx, id);
    return ERR_NONE;
}

enum err_code store_folder_find(struct store_read *read, uint32_t parent, struct str name,
                                struct store_folder *folder, struct err *err)
{
    uint32_t id = 0;
    enum err_code code = folder_name_get(&read->tx, parent, name, &id, err);

    return code == ERR_NONE ? store_folder_get(read, id, folder, err) : code;
}

enum err_code store_folder_by_use(struct store_read *read, enum store_special_use use,
                                  struct store_folder *folder, struct err *err)
{
    struct key key = key_first();
    struct folder_record record;
    struct tx_scan scan;
    uint32_t id = 0;
    enum err_code code = scan_begin(&scan, &read->tx, TABLE_FOLDER, PREFIX_MAILBOX, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    while (code == ERR_NONE && id == 0) {
        if (!folder_unpack(scan.value, &record))
            code = tx_bad_row(&read->tx, TABLE_FOLDER, err);
        else if (record.use == use)
            id = get_u32(scan.key.data + 4);
        else
            code = scan_next(&scan, err);
    }
    scan_end(&scan);
    return code == ERR_NONE ? store_folder_get(read, id, folder, err) : code;
}

enum err_code store_folder_after(struct store_read *read, uint32_t after,
                                 struct store_folder *folder, struct err *err)
{
    struct key key = key_folder(after + 1);
    struct tx_scan scan;
    uint32_t id = 0;
    enum err_code code = scan_begin(&scan, &read->tx, TABLE_FOLDER, PREFIX_MAILBOX, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    if (code == ERR_NONE)
        id = get_u32(scan.key.data + 4);
    scan_end(&scan);
    return code == ERR_NONE ? store_folder_get(read, id, folder, err) : code;
}

enum err_code store_folder_next(struct store_read *read, uint32_t parent, const char *after,
                                struct store_folder *folder, struct err *err)
{
    char from[STORE_NAME_MAX + 1];
    char name[STORE_NAME_MAX + 1];
    size_t length = strlen(after);
    uint32_t id;
    enum err_code code;

    if (length > STORE_NAME_MAX)
        return err_set(err, ERR_INVALID, "the name is too long");
    memcpy(from, after, length);
    from[length] = '\0'; /* the least name behind it ends with one NUL more */
    code =
        folder_child(&read->tx, parent, str_n(from, length == 0 ? 0 : length + 1), name, &id, err);
    return code == ERR_NONE ? store_folder_get(read, id, folder, err) : code;
}
