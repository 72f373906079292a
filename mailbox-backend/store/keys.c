#include "mailbox-backend/store/keys.h"

#include <assert.h>
#include <string.h>

#include "mailbox-backend/store/bytes.h"

static const char *const names[TABLE_COUNT] = {
    [TABLE_ITEM] = "item",         [TABLE_BLOCK] = "block",     [TABLE_SUMMARY] = "summary",
    [TABLE_VANISHED] = "vanished", [TABLE_NAME] = "name",       [TABLE_RECOVERABLE] = "recoverable",
    [TABLE_FOLDER] = "folder",     [TABLE_KEYWORD] = "keyword", [TABLE_PROPERTY] = "property",
    [TABLE_CONTENT] = "content",   [TABLE_SEGMENT] = "segment", [TABLE_MAILBOX] = "mailbox",
    [TABLE_GUID] = "guid",         [TABLE_PENDING] = "pending",
};

bool table_of_mailbox(enum table table)
{
    return table < TABLE_CONTENT;
}

const char *table_name(enum table table)
{
    return names[table];
}

/* mailbox (left free), then one number */
static struct key one(uint32_t number)
{
    struct key key;

    key.length = 8;
    memset(key.bytes, 0, 4);
    put_u32(key.bytes + 4, number);
    return key;
}

static struct key two(uint32_t first, uint32_t second)
{
    struct key key = one(first);

    put_u32(key.bytes + 8, second);
    key.length = 12;
    return key;
}

static void add(struct key *key, struct str name)
{
    assert(name.length <= KEY_MAX - key->length);
    if (name.length != 0)
        memcpy(key->bytes + key->length, name.data, name.length);
    key->length += name.length;
}

struct key key_item(uint32_t folder, uint32_t uid)
{
    return two(folder, uid);
}

struct key key_block(uint32_t folder, uint32_t block)
{
    return two(folder, block);
}

struct key key_vanished(uint32_t folder, uint64_t modseq)
{
    struct key key = one(folder);

    put_u64(key.bytes + 8, modseq);
    key.length = 16;
    return key;
}

struct key key_recoverable(uint64_t expiry, uint64_t item_id)
{
    struct key key;

    memset(key.bytes, 0, 4);
    put_u64(key.bytes + 4, expiry);
    put_u48(key.bytes + 12, item_id);
    key.length = 18;
    return key;
}

struct key key_name(uint32_t parent, struct str name)
{
    struct key key = one(parent);

    add(&key, name);
    return key;
}

struct key key_folder(uint32_t folder)
{
    return one(folder);
}

struct key key_keyword(uint32_t folder, uint8_t bit)
{
    struct key key = one(folder);

    key.bytes[key.length++] = bit;
    return key;
}

struct key key_property(uint32_t folder, uint64_t item_id, struct str name)
{
    struct key key = one(folder);

    put_u48(key.bytes + 8, item_id);
    key.length = PREFIX_PROPERTIES;
    add(&key, name);
    return key;
}

struct key key_content(uint64_t id)
{
    struct key key;

    put_u64(key.bytes, id);
    key.length = 8;
    return key;
}

struct key key_number(uint32_t number)
{
    struct key key;

    put_u32(key.bytes, number);
    key.length = 4;
    return key;
}

struct key key_guid(const uint8_t guid[16])
{
    struct key key;

    memcpy(key.bytes, guid, 16);
    key.length = 16;
    return key;
}

struct key key_pending(uint32_t mailbox, uint32_t folder)
{
    struct key key;

    put_u32(key.bytes, mailbox);
    put_u32(key.bytes + 4, folder);
    key.length = 8;
    return key;
}

struct key key_first(void)
{
    struct key key;

    memset(key.bytes, 0, 4);
    key.length = 4;
    return key;
}
