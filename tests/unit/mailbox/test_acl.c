/* Access control lists: letters, what a list gives, its bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailbox-backend/mailbox/acl.h"

static const struct store_guid bob = {{1}};
static const struct store_guid carol = {{2}};

static struct acl_entry entry_of(const struct store_guid *guid, bool negative, const char *letters)
{
    struct acl_entry entry = {.is_anyone = guid == NULL, .is_negative = negative};

    if (guid != NULL)
        entry.guid = *guid;
    assert_true(acl_rights_parse(str_of(letters), &entry.rights));
    return entry;
}

static void assert_letters(unsigned rights, const char *letters)
{
    struct buf out = {0};

    acl_rights_write(&out, rights);
    buf_byte(&out, '\0');
    assert_string_equal((const char *)buf_bytes(&out), letters);
    buf_release(&out);
}

static void the_old_letters_stand_for_their_members(void **state)
{
    unsigned rights;

    (void)state;
    assert_true(acl_rights_parse(STR("c"), &rights));
    assert_letters(rights, "kxc");
    assert_true(acl_rights_parse(STR("d"), &rights));
    assert_letters(rights, "ted");
    assert_true(acl_rights_parse(STR("xe"), &rights));
    assert_letters(rights, "xecd");
    assert_true(acl_rights_parse(STR("aetxkpiwsrl"), &rights));
    assert_int_equal(rights, RIGHTS_ALL);
    assert_true(acl_rights_parse(STR(""), &rights));
    assert_int_equal(rights, 0);
    assert_false(acl_rights_parse(STR("lrL"), &rights));
    assert_false(acl_rights_parse(STR("q"), &rights));
}

static void negative_entries_take_away_what_others_give(void **state)
{
    struct acl acl = {0};
    struct acl_entry entries[] = {entry_of(&bob, false, "lrs"), entry_of(NULL, false, "lw"),
                                  entry_of(&bob, true, "r")};
    struct err err;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(acl_change(&acl, &entries[i], ACL_SET, &err), ERR_NONE);
    assert_letters(acl_rights(&acl, &bob), "lsw");
    assert_letters(acl_rights(&acl, &carol), "lw");
}

static void entries_are_set_added_to_and_taken_from(void **state)
{
    struct acl acl = {0};
    struct acl_entry entry = entry_of(&bob, false, "lr");
    struct err err;

    (void)state;
    acl_change(&acl, &entry, ACL_ADD, &err);
    entry.rights = RIGHT_SEEN;
    acl_change(&acl, &entry, ACL_ADD, &err);
    assert_letters(acl_rights(&acl, &bob), "lrs");
    entry.rights = RIGHT_READ;
    acl_change(&acl, &entry, ACL_REMOVE, &err);
    assert_letters(acl_rights(&acl, &bob), "ls");
    entry.rights = 0;
    acl_change(&acl, &entry, ACL_SET, &err);
    assert_int_equal(acl.count, 0);
    acl_change(&acl, &entry, ACL_SET, &err); /* one that is not there */
    assert_int_equal(acl.count, 0);
}

static void a_list_comes_back_from_its_bytes(void **state)
{
    struct acl acl = {0};
    struct acl back;
    struct store_property property;
    struct arena arena = {0};
    struct err err;

    (void)state;
    for (unsigned i = 0; i < ACL_ENTRIES_MAX; i++) {
        struct store_guid guid = {
            {(uint8_t)i, 7}
        };
        struct acl_entry entry = entry_of(i == 5 ? NULL : &guid, i % 2 == 1, "lrswipkxtea");

        entry.rights -= i % 3;
        assert_int_equal(acl_change(&acl, &entry, ACL_SET, &err), ERR_NONE);
    }
    acl_property(&arena, &acl, &property);
    assert_int_equal(acl_unpack(property.value, property.length, &back, &err), ERR_NONE);
    assert_int_equal(back.count, ACL_ENTRIES_MAX);
    for (unsigned i = 0; i < ACL_ENTRIES_MAX; i++) {
        assert_int_equal(back.entries[i].is_anyone, acl.entries[i].is_anyone);
        assert_int_equal(back.entries[i].is_negative, acl.entries[i].is_negative);
        assert_int_equal(back.entries[i].rights, acl.entries[i].rights);
        if (!acl.entries[i].is_anyone)
            assert_memory_equal(&back.entries[i].guid, &acl.entries[i].guid, 16);
    }
    assert_int_equal(acl_unpack(property.value, property.length - 1, &back, &err), ERR_CORRUPT);
    assert_int_equal(acl_unpack((const uint8_t *)"\2", 1, &back, &err), ERR_CORRUPT);
    assert_int_equal(acl_unpack(property.value, 0, &back, &err), ERR_CORRUPT);
    arena_reset(&arena);
}

static void a_full_list_takes_no_more(void **state)
{
    struct acl acl = {0};
    struct acl_entry entry = entry_of(NULL, true, "l");
    struct err err;

    (void)state;
    for (unsigned i = 0; i < ACL_ENTRIES_MAX; i++) {
        struct store_guid guid = {
            {(uint8_t)i, 7}
        };
        struct acl_entry one = entry_of(&guid, false, "l");

        assert_int_equal(acl_change(&acl, &one, ACL_SET, &err), ERR_NONE);
    }
    assert_int_equal(acl_change(&acl, &entry, ACL_SET, &err), ERR_LIMIT);
    assert_int_equal(acl.count, ACL_ENTRIES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_old_letters_stand_for_their_members),
        cmocka_unit_test(negative_entries_take_away_what_others_give),
        cmocka_unit_test(entries_are_set_added_to_and_taken_from),
        cmocka_unit_test(a_list_comes_back_from_its_bytes),
        cmocka_unit_test(a_full_list_takes_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
