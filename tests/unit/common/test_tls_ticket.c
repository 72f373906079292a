/* The keys of session tickets and their file; resuming itself is in test_conn_tls.c. */
#include "tests/unit/common/unit.h"

#include <sys/stat.h>
#include <time.h>

#include "common/file.h"
#include "common/tls_ticket.h"
#include "common/tls_ticket_file.h"

static char folder[64];
static char path[128];

static int begin(void **state)
{
    (void)state;
    folder_begin(folder);
    snprintf(path, sizeof(path), "%s/tickets", folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    folder_end(folder);
    return 0;
}

static struct tls_ticket_keys *keys_of(const char *file)
{
    struct tls_ticket_keys *keys;
    struct err err = {0};

    if (tls_ticket_keys_create(&keys, file, 86400, &err) != ERR_NONE)
        fail_msg("%s", err.text);
    return keys;
}

static void a_key_is_good_at_another_front_and_for_the_same_only(void **state)
{
    struct tls_ticket_keys *one, *other, *stranger;
    struct tls_ticket_key sealed, found;
    size_t count;

    (void)state;
    assert_int_equal(tls_ticket_file_add(path, 86400, &count, NULL), ERR_NONE);
    one = keys_of(path);
    other = keys_of(path);
    stranger = keys_of(NULL);
    tls_ticket_keys_newest(one, "imap4", &sealed);
    assert_true(tls_ticket_keys_find(other, "imap4", sealed.id, &found));
    assert_memory_equal(found.seal, sealed.seal, sizeof(sealed.seal));
    assert_memory_equal(found.mac, sealed.mac, sizeof(sealed.mac));
    assert_memory_not_equal(sealed.seal, sealed.mac, sizeof(sealed.mac));
    assert_true(tls_ticket_keys_find(other, "pop3", sealed.id, &found));
    assert_memory_not_equal(found.seal, sealed.seal, sizeof(sealed.seal));
    assert_memory_not_equal(found.mac, sealed.mac, sizeof(sealed.mac));
    assert_false(tls_ticket_keys_find(stranger, "imap4", sealed.id, &found));
    tls_ticket_keys_unref(&one);
    tls_ticket_keys_unref(&other);
    tls_ticket_keys_unref(&stranger);
}

static void after_a_rotation_the_new_key_seals_and_the_old_one_opens(void **state)
{
    struct tls_ticket_keys *keys;
    struct tls_ticket_key before, after, found;
    size_t count;

    (void)state;
    assert_int_equal(tls_ticket_file_add(path, 86400, &count, NULL), ERR_NONE);
    keys = keys_of(path);
    tls_ticket_keys_newest(keys, "imap4", &before);
    assert_int_equal(tls_ticket_file_add(path, 86400, &count, NULL), ERR_NONE);
    assert_int_equal(count, 2);
    tls_ticket_keys_newest(keys, "imap4", &after);
    assert_memory_equal(before.id, after.id, sizeof(after.id)); /* not read yet */
    assert_int_equal(tls_ticket_keys_reload(keys, NULL), ERR_NONE);
    tls_ticket_keys_newest(keys, "imap4", &after);
    assert_memory_not_equal(before.id, after.id, sizeof(after.id));
    assert_true(tls_ticket_keys_find(keys, "imap4", before.id, &found));
    assert_false(found.is_newest);
    assert_memory_equal(found.seal, before.seal, sizeof(before.seal));
    tls_ticket_keys_unref(&keys);
}

static void keys_past_use_are_removed(void **state)
{
    struct ticket_ring ring = {0};

    (void)state;
    ticket_ring_add(&ring, 1000, 100);
    ticket_ring_add(&ring, 1090, 100); /* the first sealed until now */
    ticket_ring_add(&ring, 1190, 100);
    assert_int_equal(ring.count, 3);
    ticket_ring_add(&ring, 1191, 100);
    assert_int_equal(ring.count, 3);
    assert_int_equal(ring.keys[0].made, 1191);
    assert_int_equal(ring.keys[2].made, 1090);
    for (int i = 0; i < 40; i++)
        ticket_ring_add(&ring, 1192, 100);
    assert_int_equal(ring.count, TLS_TICKET_KEYS_MOST);
}

static void the_newest_by_its_time_seals_wherever_it_stands(void **state)
{
    static const char text[] =
        "# keys\n\n"
        "100 00000000000000000000000000000000000000000000000000000000000000AA\r\n"
        "300 00000000000000000000000000000000000000000000000000000000000000bb\n"
        "200 00000000000000000000000000000000000000000000000000000000000000cc";
    struct ticket_ring ring = {0};

    (void)state;
    assert_int_equal(file_write(path, text, strlen(text), 0600, NULL), ERR_NONE);
    assert_int_equal(ticket_ring_read(&ring, path, NULL), ERR_NONE);
    assert_int_equal(ring.count, 3);
    assert_int_equal(ring.keys[0].secret[31], 0xBB);
    assert_int_equal(ring.keys[1].secret[31], 0xCC);
    assert_int_equal(ring.keys[2].secret[31], 0xAA);
}

static void what_is_no_file_of_keys_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "# nothing\n",
        "100\n",
        "x 00000000000000000000000000000000000000000000000000000000000000aa\n",
        "100 00000000000000000000000000000000000000000000000000000000000000a\n",
        "100 00000000000000000000000000000000000000000000000000000000000000ag\n",
        "100 00000000000000000000000000000000000000000000000000000000000000aa \nmore\n",
    };
    struct tls_ticket_keys *keys;
    struct err err;
    size_t count;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(file_write(path, bad[i], strlen(bad[i]), 0600, NULL), ERR_NONE);
        assert_int_equal(tls_ticket_keys_create(&keys, path, 1, &err), ERR_INVALID);
        assert_null(keys);
        assert_non_null(strstr(err.text, path));
    }
    assert_int_equal(tls_ticket_file_add(path, 1, &count, &err), ERR_INVALID); /* nor changed */
    unlink(path);
    assert_int_equal(tls_ticket_keys_create(&keys, path, 1, &err), ERR_NOT_FOUND);
    assert_int_equal(tls_ticket_file_add(path, 1, &count, NULL), ERR_NONE);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(tls_ticket_keys_create(&keys, path, 1, &err), ERR_DENIED);
}

static void a_bad_file_leaves_the_keys_in_use(void **state)
{
    struct tls_ticket_keys *keys;
    struct tls_ticket_key before, after;
    struct err err;
    size_t count;

    (void)state;
    assert_int_equal(tls_ticket_file_add(path, 86400, &count, NULL), ERR_NONE);
    keys = keys_of(path);
    tls_ticket_keys_newest(keys, "imap4", &before);
    assert_int_equal(file_write(path, "oops", 4, 0600, NULL), ERR_NONE);
    assert_int_equal(tls_ticket_keys_reload(keys, &err), ERR_INVALID);
    tls_ticket_keys_newest(keys, "imap4", &after);
    assert_memory_equal(&before, &after, sizeof(after));
    tls_ticket_keys_unref(&keys);
}

static void only_a_file_grows_old(void **state)
{
    static const char text[] =
        "100 00000000000000000000000000000000000000000000000000000000000000aa\n";
    struct tls_ticket_keys *keys;

    (void)state;
    assert_int_equal(file_write(path, text, strlen(text), 0600, NULL), ERR_NONE);
    keys = keys_of(path);
    assert_true(tls_ticket_keys_age(keys) >= 1000000000);
    tls_ticket_keys_unref(&keys);
    keys = keys_of(NULL);
    assert_int_equal(tls_ticket_keys_age(keys), 0);
    tls_ticket_keys_unref(&keys);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_key_is_good_at_another_front_and_for_the_same_only),
        IN_FOLDER(after_a_rotation_the_new_key_seals_and_the_old_one_opens),
        IN_FOLDER(keys_past_use_are_removed),
        IN_FOLDER(the_newest_by_its_time_seals_wherever_it_stands),
        IN_FOLDER(what_is_no_file_of_keys_is_refused),
        IN_FOLDER(only_a_file_grows_old),
        IN_FOLDER(a_bad_file_leaves_the_keys_in_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
