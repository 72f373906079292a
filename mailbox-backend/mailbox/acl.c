/* On the disk: a version, then for each entry a byte of bits (1 anyone, 2 negative), the user's GUID (zeros
   for anyone) and the rights as u16, big-endian. */
#include "mailbox-backend/mailbox/acl.h"

#include <string.h>

#define LIST_VERSION 1
#define ENTRY_SIZE ((size_t)19)

enum entry_bits { IS_ANYONE = 1, IS_NEGATIVE = 2 };

/* ---- letters ---- */

#define CREATE_MEMBERS (RIGHT_CREATE | RIGHT_DELETE)
#define DELETE_MEMBERS (RIGHT_MARK | RIGHT_EXPUNGE)

static const struct {
    char letter;
    unsigned rights;
} letters[] = {
    {'l', RIGHT_LOOKUP  },
    {'r', RIGHT_READ    },
    {'s', RIGHT_SEEN    },
    {'w', RIGHT_WRITE   },
    {'i', RIGHT_INSERT  },
    {'p', RIGHT_POST    },
    {'k', RIGHT_CREATE  },
    {'x', RIGHT_DELETE  },
    {'t', RIGHT_MARK    },
    {'e', RIGHT_EXPUNGE },
    {'c', CREATE_MEMBERS},
    {'d', DELETE_MEMBERS},
    {'a', RIGHT_ADMIN   },
};
#define LETTERS (sizeof(letters) / sizeof(letters[0]))

static unsigned rights_of_letter(char letter)
{
    for (size_t i = 0; i < LETTERS; i++) {
        if (letters[i].letter == letter)
            return letters[i].rights;
    }
    return 0;
}

bool acl_rights_parse(struct str text, unsigned *rights)
{
    *rights = 0;
    for (size_t i = 0; i < text.length; i++) {
        unsigned more = rights_of_letter(text.data[i]);

        if (more == 0)
            return false;
        *rights |= more;
    }
    return true;
}

void acl_rights_write(struct buf *out, unsigned rights)
{
    for (size_t i = 0; i < LETTERS; i++) {
        if ((rights & letters[i].rights) != 0)
            buf_byte(out, (uint8_t)letters[i].letter);
    }
}

/* ---- the list ---- */

unsigned acl_rights(const struct acl *acl, const struct store_guid *user)
{
    unsigned given = 0;
    unsigned taken = 0;

    for (unsigned i = 0; i < acl->count; i++) {
        const struct acl_entry *entry = &acl->entries[i];

        if (!entry->is_anyone && memcmp(&entry->guid, user, sizeof(*user)) != 0)
            continue;
        if (entry->is_negative)
            taken |= entry->rights;
        else
            given |= entry->rights;
    }
    return given & ~taken;
}

static bool is_of_same(const struct acl_entry *a, const struct acl_entry *b)
{
    return a->is_anyone == b->is_anyone && a->is_negative == b->is_negative &&
           (a->is_anyone || memcmp(&a->guid, &b->guid, sizeof(a->guid)) == 0);
}

static unsigned change_rights(unsigned old, unsigned rights, enum acl_change change)
{
    switch (change) {
    case ACL_SET:
        return rights;
    case ACL_ADD:
        return old | rights;
    case ACL_REMOVE:
        break;
    }
    return old & ~rights;
}

enum err_code acl_change(struct acl *acl, const struct acl_entry *what, enum acl_change change,
                         struct err *err)
{
    unsigned at = 0;
    unsigned rights;

    while (at < acl->count && !is_of_same(&acl->entries[at], what))
        at++;
    rights = change_rights(at < acl->count ? acl->entries[at].rights : 0, what->rights, change);
    if (rights == 0) {
        if (at < acl->count) {
            acl->count--;
            memmove(&acl->entries[at], &acl->entries[at + 1],
                    (acl->count - at) * sizeof(acl->entries[0]));
        }
        return ERR_NONE;
    }
    if (at == ACL_ENTRIES_MAX)
        return err_set(err, ERR_LIMIT, "An access control list has at most %u entries",
                       ACL_ENTRIES_MAX);
    acl->entries[at] = *what;
    acl->entries[at].rights = rights;
    acl->count += at == acl->count;
    return ERR_NONE;
}

/* ---- bytes ---- */

static void unpack_entry(const uint8_t *bytes, struct acl_entry *entry)
{
    entry->is_anyone = (bytes[0] & IS_ANYONE) != 0;
    entry->is_negative = (bytes[0] & IS_NEGATIVE) != 0;
    memcpy(&entry->guid, bytes + 1, sizeof(entry->guid));
    entry->rights = ((unsigned)bytes[17] << 8 | bytes[18]) & RIGHTS_ALL;
}

enum err_code acl_unpack(const uint8_t *value, size_t length, struct acl *acl, struct err *err)
{
    acl->count = 0;
    if (length == 0 || length > ACL_VALUE_MAX || value[0] != LIST_VERSION ||
        (length - 1) % ENTRY_SIZE != 0)
        return err_set(err, ERR_CORRUPT,
                       "an access control list is damaged, or of a newer version");
    while (acl->count < (length - 1) / ENTRY_SIZE) {
        unpack_entry(value + 1 + acl->count * ENTRY_SIZE, &acl->entries[acl->count]);
        acl->count++;
    }
    return ERR_NONE;
}

enum err_code acl_read(struct store_read *read, uint32_t folder, struct acl *acl, struct err *err)
{
    uint8_t value[ACL_VALUE_MAX];
    size_t length;
    enum err_code code =
        store_property_get(read, folder, 0, ACL_PROPERTY, value, sizeof(value), &length, err);

    acl->count = 0;
    if (code != ERR_NONE)
        return code == ERR_NOT_FOUND ? ERR_NONE : code;
    return acl_unpack(value, length, acl, err);
}

void acl_property(struct arena *arena, const struct acl *acl, struct store_property *property)
{
    uint8_t *value = arena_alloc(arena, ACL_VALUE_MAX);
    uint8_t *at = value;

    *at++ = LIST_VERSION;
    for (unsigned i = 0; i < acl->count; i++) {
        const struct acl_entry *entry = &acl->entries[i];

        at[0] =
            (uint8_t)((entry->is_anyone ? IS_ANYONE : 0) | (entry->is_negative ? IS_NEGATIVE : 0));
        if (!entry->is_anyone)
            memcpy(at + 1, &entry->guid, sizeof(entry->guid));
        at[17] = (uint8_t)(entry->rights >> 8);
        at[18] = (uint8_t)entry->rights;
        at += ENTRY_SIZE;
    }
    *property = (struct store_property){
        .name = ACL_PROPERTY, .value = value, .length = acl->count == 0 ? 0 : (size_t)(at - value)};
}
