/* A store with two databases, of which the second may be away. */
#ifndef TESTS_STORE_TWO_DATABASES_H
#define TESTS_STORE_TWO_DATABASES_H

#include "tests/unit/store/damage.h"

static inline void shell(struct fixture *fixture, const char *format)
{
    char command[256];

    snprintf(command, sizeof(command), format, fixture->folder, fixture->folder);
    assert_int_equal(system(command), 0);
}

/* Mailbox 1 is in db1, mailbox 2 in db2. */
static inline struct fixture *begin(void **state)
{
    struct fixture *fixture = *state;
    struct store_guid guid = guid_of(2);
    struct err err;

    append_text(fixture, INBOX, "one");
    fixture_close(fixture);
    fixture->settings.databases = 2;
    fixture_open(fixture);
    store_mailbox_unref(&fixture->mailbox);
    must(store_mailbox_open(fixture->store, &guid, true, &fixture->mailbox, NULL, &err), &err);
    assert_int_equal(store_mailbox_database(fixture->mailbox), 1);
    append_text(fixture, INBOX, "two");
    return fixture;
}

static inline enum err_code open_mailbox(struct fixture *fixture, unsigned n, bool create)
{
    struct store_guid guid = guid_of(n);

    store_mailbox_unref(&fixture->mailbox);
    return store_mailbox_open(fixture->store, &guid, create, &fixture->mailbox, NULL, NULL);
}

static inline struct database_status status_of(struct fixture *fixture, unsigned number)
{
    struct database_status status;
    struct err err;

    must(store_database_status(fixture->store, number, &status, &err), &err);
    return status;
}

static inline void open_again(struct fixture *fixture)
{
    struct err err;

    must(store_open(&fixture->store, &fixture->settings, &err), &err);
}

static inline void assert_db2_is_away(struct fixture *fixture, const char *why)
{
    struct store_status status;

    store_status(fixture->store, &status);
    assert_int_equal(status.databases, 2);
    assert_int_equal(status.unmounted, 1);
    assert_true(status_of(fixture, 0).mounted);
    assert_false(status_of(fixture, 1).mounted);
    assert_non_null(strstr(status_of(fixture, 1).why, why));
    assert_int_equal(open_mailbox(fixture, 2, false), ERR_UNAVAILABLE);
    assert_int_equal(open_mailbox(fixture, 2, true), ERR_UNAVAILABLE);
    assert_int_equal(open_mailbox(fixture, 3, true), ERR_UNAVAILABLE); /* it may be in db2 */
    assert_int_equal(open_mailbox(fixture, 1, false), ERR_NONE);
    append_text(fixture, INBOX, "served");
}

static inline void assert_db2_serves(struct fixture *fixture)
{
    assert_true(status_of(fixture, 1).mounted);
    assert_string_equal(status_of(fixture, 1).why, "");
    assert_int_equal(open_mailbox(fixture, 2, false), ERR_NONE);
    append_text(fixture, INBOX, "served too");
}

#endif
