#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mailbox-backend/session_registry.h"

static struct store_guid guid_of(unsigned number)
{
    struct store_guid guid = {{0}};

    for (size_t i = 0; i < sizeof(number); i++)
        guid.bytes[i] = (uint8_t)(number * 2654435761u >> 8 * i);
    return guid;
}

static void a_user_gets_as_many_sessions_as_allowed(void **state)
{
    struct session_registry *registry = session_registry_create();
    struct store_guid alice = guid_of(1);

    (void)state;
    assert_true(session_registry_add(registry, &alice, SERVICE_IMAP4, 2));
    assert_true(session_registry_add(registry, &alice, SERVICE_IMAP4, 2));
    assert_false(session_registry_add(registry, &alice, SERVICE_IMAP4, 2));
    session_registry_remove(registry, &alice, SERVICE_IMAP4);
    assert_true(session_registry_add(registry, &alice, SERVICE_IMAP4, 2));
    session_registry_remove(registry, &alice, SERVICE_IMAP4);
    session_registry_remove(registry, &alice, SERVICE_IMAP4);
    session_registry_destroy(&registry);
    assert_null(registry);
}

static void users_and_services_are_counted_apart(void **state)
{
    struct session_registry *registry = session_registry_create();
    struct store_guid alice = guid_of(1);
    struct store_guid bob = guid_of(2);

    (void)state;
    assert_true(session_registry_add(registry, &alice, SERVICE_IMAP4, 1));
    assert_true(session_registry_add(registry, &alice, SERVICE_POP3, 1));
    assert_true(session_registry_add(registry, &bob, SERVICE_IMAP4, 1));
    assert_false(session_registry_add(registry, &alice, SERVICE_POP3, 1));
    session_registry_remove(registry, &alice, SERVICE_IMAP4);
    session_registry_remove(registry, &alice, SERVICE_POP3);
    session_registry_remove(registry, &bob, SERVICE_IMAP4);
    session_registry_destroy(&registry);
}

static void many_users_find_their_own_count(void **state)
{
    struct session_registry *registry = session_registry_create();

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        struct store_guid guid = guid_of(i);

        assert_true(session_registry_add(registry, &guid, SERVICE_IMAP4, 1));
    }
    for (unsigned i = 0; i < 1000; i++) {
        struct store_guid guid = guid_of(i);

        assert_false(session_registry_add(registry, &guid, SERVICE_IMAP4, 1));
        session_registry_remove(registry, &guid, SERVICE_IMAP4);
    }
    session_registry_destroy(&registry);
}

static void all_sessions_of_a_service_are_counted(void **state)
{
    struct session_registry *registry = session_registry_create();

    (void)state;
    session_registry_note(registry, SERVICE_IMAP4, true);
    session_registry_note(registry, SERVICE_IMAP4, true);
    session_registry_note(registry, SERVICE_LMTP, true);
    assert_int_equal(session_registry_count(registry, SERVICE_IMAP4), 2);
    assert_int_equal(session_registry_count(registry, SERVICE_POP3), 0);
    assert_int_equal(session_registry_count(registry, 0), 3);
    session_registry_note(registry, SERVICE_IMAP4, false);
    assert_int_equal(session_registry_count(registry, 0), 2);
    session_registry_destroy(&registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_gets_as_many_sessions_as_allowed),
        cmocka_unit_test(users_and_services_are_counted_apart),
        cmocka_unit_test(many_users_find_their_own_count),
        cmocka_unit_test(all_sessions_of_a_service_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
