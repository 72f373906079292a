#include "mailbox-backend/store/property.h"

#include <stdio.h>
#include <string.h>

enum err_code property_check(const struct store_property *property, struct err *err)
{
    size_t length = property->name == NULL ? 0 : strlen(property->name);

    if (length == 0 || length > PROPERTY_NAME_MAX)
        return err_set(err, ERR_INVALID, "a property's name has 1 to %d bytes", PROPERTY_NAME_MAX);
    if (property->length > STORE_PROPERTY_MAX)
        return err_set(err, ERR_LIMIT, "a property has at most %d bytes", STORE_PROPERTY_MAX);
    return ERR_NONE;
}

static uint32_t place(uint32_t folder, uint64_t item_id)
{
    return item_id == 0 ? folder : 0;
}

enum err_code property_put(const struct tx *tx, uint32_t folder, uint64_t item_id,
                           const struct store_property *property, struct err *err)
{
    struct key key = key_property(place(folder, item_id), item_id, str_of(property->name));
    enum err_code code;

    if (property->length > 0)
        return tx_put(tx, TABLE_PROPERTY, &key, property->value, property->length, err);
    code = tx_remove(tx, TABLE_PROPERTY, &key, err);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

bool property_differs(const struct tx *tx, uint32_t folder, const struct store_property *property)
{
    struct key key = key_property(folder, 0, str_of(property->name));
    struct bytes row;

    if (tx_get(tx, TABLE_PROPERTY, &key, &row, NULL) != ERR_NONE)
        return property->length > 0;
    return row.length != property->length ||
           memcmp(row.data, property->value, property->length) != 0;
}

static struct str name_of(const struct tx_scan *scan)
{
    return str_n(scan->key.data + PREFIX_PROPERTIES, scan->key.length - PREFIX_PROPERTIES);
}

/* The first row of the owner at or behind key. */
static enum err_code seek(const struct tx *tx, struct key *key, struct tx_scan *scan,
                          struct err *err)
{
    enum err_code code = scan_begin(scan, tx, TABLE_PROPERTY, PREFIX_PROPERTIES, err);

    return code == ERR_NONE ? scan_seek(scan, key, err) : code;
}

enum err_code properties_count(const struct tx *tx, uint32_t folder, const char *prefix,
                               unsigned *count, struct err *err)
{
    struct key key = key_property(folder, 0, str_of(prefix));
    size_t length = strlen(prefix);
    struct tx_scan scan;
    enum err_code code = seek(tx, &key, &scan, err);

    *count = 0;
    while (code == ERR_NONE || code == ERR_CORRUPT) {
        struct str name = name_of(&scan);

        if (name.length < length || memcmp(name.data, prefix, length) != 0)
            break;
        ++*count;
        code = scan_next(&scan, err);
    }
    scan_end(&scan);
    return code == ERR_NOT_FOUND || code == ERR_CORRUPT ? ERR_NONE : code;
}

enum err_code properties_remove(const struct tx *tx, uint32_t folder, uint64_t item_id,
                                struct err *err)
{
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE) {
        struct key key = key_property(place(folder, item_id), item_id, str_of(""));
        struct tx_scan scan;

        code = seek(tx, &key, &scan, err);
        if (code == ERR_NONE || code == ERR_CORRUPT) {
            key = key_property(place(folder, item_id), item_id, name_of(&scan));
            code = tx_remove(tx, TABLE_PROPERTY, &key, err);
        }
        scan_end(&scan);
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* Copies what lies at key to the other item, and moves key just behind it. */
static enum err_code copy_one(const struct tx *tx, struct key *key, uint64_t to_item,
                              struct err *err)
{
    struct tx_scan scan;
    struct key to;
    uint8_t value[STORE_PROPERTY_MAX];
    size_t length = 0;
    enum err_code code = seek(tx, key, &scan, err);

    if (code == ERR_NONE) {
        to = key_property(0, to_item, name_of(&scan));
        memcpy(key->bytes, scan.key.data, scan.key.length);
        key->length = scan.key.length;
        key->bytes[key->length++] = 0;
        length = scan.value.length;
        memcpy(value, scan.value.data, length <= sizeof(value) ? length : 0);
    }
    scan_end(&scan);
    if (code == ERR_NONE && length <= sizeof(value))
        code = tx_put(tx, TABLE_PROPERTY, &to, value, length, err);
    return code;
}

enum err_code properties_copy(const struct tx *tx, uint64_t from_item, uint64_t to_item,
                              struct err *err)
{
    struct key key = key_property(0, from_item, str_of(""));
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE)
        code = copy_one(tx, &key, to_item, err);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

Journal__Property **properties_note(struct batch *batch, uint64_t item_id,
                                    const struct store_property *properties, unsigned count)
{
    Journal__Property **notes = arena_array(&batch->arena, count, sizeof(Journal__Property *));

    for (unsigned i = 0; i < count; i++) {
        notes[i] = arena_alloc(&batch->arena, sizeof(*notes[i]));
        journal__property__init(notes[i]);
        notes[i]->item_id = item_id;
        notes[i]->name = arena_string(&batch->arena, properties[i].name);
        notes[i]->value.len = properties[i].length;
        notes[i]->value.data =
            (uint8_t *)arena_copy(&batch->arena, properties[i].value, properties[i].length);
    }
    return notes;
}

/* ---- reading ---- */

enum err_code store_property_get(struct store_read *read, uint32_t folder, uint64_t item_id,
                                 const char *name, uint8_t *value, size_t room, size_t *length,
                                 struct err *err)
{
    struct key key;
    struct bytes row;
    enum err_code code;

    if (strlen(name) > PROPERTY_NAME_MAX)
        return err_set(err, ERR_NOT_FOUND, "no such property");
    key = key_property(place(folder, item_id), item_id, str_of(name));
    code = tx_get(&read->tx, TABLE_PROPERTY, &key, &row, err);
    if (code != ERR_NONE)
        return code;
    *length = row.length;
    if (row.length > room)
        return err_set(err, ERR_LIMIT, "the property has %zu bytes", row.length);
    memcpy(value, row.data, row.length);
    return ERR_NONE;
}

enum err_code store_property_next(struct store_read *read, uint32_t folder, uint64_t item_id,
                                  const char *prefix, const char *after, char *name, size_t room,
                                  struct err *err)
{
    const char *from = strcmp(after, prefix) >= 0 ? after : prefix;
    struct key key;
    struct tx_scan scan;
    enum err_code code;

    if (strlen(from) > PROPERTY_NAME_MAX)
        return err_set(err, ERR_NOT_FOUND, "no such property");
    key = key_property(place(folder, item_id), item_id, str_of(from));
    if (from == after && *after != '\0')
        key.bytes[key.length++] = 0; /* just behind it */
    code = seek(&read->tx, &key, &scan, err);
    if (code == ERR_NONE) {
        struct str found = name_of(&scan);

        if (found.length < strlen(prefix) || memcmp(found.data, prefix, strlen(prefix)) != 0)
            code = err_set(err, ERR_NOT_FOUND, "no such property");
        else if (found.length >= room)
            code = err_set(err, ERR_LIMIT, "the property's name is long");
        else
            snprintf(name, room, "%.*s", (int)found.length, found.data);
    }
    scan_end(&scan);
    return code;
}
