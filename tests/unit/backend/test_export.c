/* Files that are made of an exported stream. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailbox-backend/export.h"
#include "mailbox-backend/maildir.h"
#include "tests/unit/backend/harness.h"

static int create(void **state)
{
    char *folder = strdup("/tmp/export-test-XXXXXX");

    assert_non_null(mkdtemp(folder));
    *state = folder;
    return 0;
}

static int destroy(void **state)
{
    nftw(*state, harness_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return 0;
}

static enum err_code drain(const char *path, const char *stream)
{
    int ends[2], folder = open(path, O_RDONLY | O_DIRECTORY);
    enum err_code code;

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], stream, strlen(stream)), strlen(stream));
    close(ends[1]);
    code = export_drain(folder, ends[0], NULL);
    close(folder);
    return code;
}

static void file_is(const char *folder, const char *name, const char *expected)
{
    char path[400], bytes[1000] = "";
    int file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = open(path, O_RDONLY);
    if (expected == NULL) {
        assert_int_equal(file, -1);
        return;
    }
    assert_true(file >= 0);
    assert_true(read(file, bytes, sizeof(bytes) - 1) >= 0);
    close(file);
    assert_string_equal(bytes, expected);
}

#define MESSAGE(name, uid, bytes, end)                                                             \
    "message " name "\nflags 8\ndate 1\nuid " uid "\ndata 5\n" bytes end "\n"

static void a_message_that_breaks_off_is_left_out_of_a_maildir(void **state)
{
    assert_int_equal(
        drain(*state, MAILDIR_STREAM "format 0\nfolder INBOX\nuids 7\nnext 9\n" MESSAGE(
                          "a", "1", "A: b\n", "drop") MESSAGE("b", "2", "A: c\n", "end") "done\n"),
        ERR_NONE);
    file_is(*state, "cur/a:2,T", NULL);
    file_is(*state, "tmp/a", NULL);
    file_is(*state, "cur/b:2,T", "A: c\n");
    file_is(*state, "dovecot-uidlist", "3 V7 N9\n2 :b\n");
}

static void a_message_that_breaks_off_is_left_out_of_an_mbox(void **state)
{
    assert_int_equal(
        drain(*state, MAILDIR_STREAM "format 1\nfolder A/B\nuids 7\nnext 9\n" MESSAGE(
                          "a", "1", "A: b\n", "drop") MESSAGE("b", "2", "From ", "end") "done\n"),
        ERR_NONE);
    file_is(*state, "A.B.mbox",
            "From MAILER-DAEMON Thu Jan  1 00:00:01 1970\n"
            "Status: O\nX-Status: D\nX-UID: 2\n>From \n\n");
}

static void a_stream_that_breaks_off_is_an_error(void **state)
{
    assert_int_equal(drain(*state, MAILDIR_STREAM "format 0\nfolder INBOX\nuids 7\nnext 9\n"),
                     ERR_INVALID);
}

static void a_stream_that_leads_out_of_the_folder_is_refused(void **state)
{
    assert_int_equal(
        drain(*state, MAILDIR_STREAM "format 0\nfolder INBOX\nuids 7\nnext 9\nmessage ../x\n"),
        ERR_INVALID);
}

static void a_folder_that_is_not_empty_is_refused(void **state)
{
    char path[100];

    snprintf(path, sizeof(path), "%s/x", (char *)*state);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(drain(*state, MAILDIR_STREAM "format 0\ndone\n"), ERR_EXISTS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_that_breaks_off_is_left_out_of_a_maildir),
        TEST(a_message_that_breaks_off_is_left_out_of_an_mbox),
        TEST(a_stream_that_breaks_off_is_an_error),
        TEST(a_stream_that_leads_out_of_the_folder_is_refused),
        TEST(a_folder_that_is_not_empty_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
