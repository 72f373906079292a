/* Files of every format into a real store. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "mailbox-backend/export_private.h"
#include "mailbox-backend/import.h"
#include "mailbox-backend/mailbox/mailbox.h"
#include "mailbox-backend/maildir.h"
#include "mailbox-backend/maildir_uidlist.h"
#include "tests/unit/backend/harness.h"

struct fixture {
    struct harness harness;
    struct store_mailbox *mailbox;
    char folder[64]; /* for the files to be imported */
    struct import_result result;
    char problem[300];
    struct err err;
};

static int create(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    harness_open(&fixture->harness);
    assert_int_equal(mailbox_open(fixture->harness.backend.store, &fixture->harness.account,
                                  &fixture->mailbox, NULL),
                     ERR_NONE);
    strcpy(fixture->folder, "/tmp/import-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    *state = fixture;
    return 0;
}

static int destroy(void **state)
{
    struct fixture *fixture = *state;

    store_mailbox_unref(&fixture->mailbox);
    harness_close(&fixture->harness);
    nftw(fixture->folder, harness_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return 0;
}

static enum err_code on_failure(void *context, const char *source, const char *problem,
                                struct err *err)
{
    struct fixture *fixture = context;

    (void)err;
    snprintf(fixture->problem, sizeof(fixture->problem), "%s: %s", source, problem);
    return ERR_NONE;
}

static enum err_code import_from(struct fixture *fixture, int file, const char *folder)
{
    struct import_request request = {
        .store = fixture->harness.backend.store,
        .mailbox = fixture->mailbox,
        .file = file,
        .folder = folder,
        .failed = on_failure,
        .context = fixture,
    };
    enum err_code code = import_run(&request, &fixture->result, &fixture->err);

    close(file);
    return code;
}

static enum err_code import_bytes(struct fixture *fixture, const char *bytes, size_t length,
                                  const char *folder)
{
    char path[96];
    int file;

    snprintf(path, sizeof(path), "%s/file", fixture->folder);
    file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(file, bytes, length), length);
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    return import_from(fixture, file, folder);
}

static void import_text(struct fixture *fixture, const char *text, const char *folder)
{
    if (import_bytes(fixture, text, strlen(text), folder) != ERR_NONE)
        fail_msg("%s", fixture->err.text);
}

/* The n-th message of a folder: its bytes (to be freed) and what is known of it. */
static char *stored(struct fixture *fixture, const char *path, uint32_t uid,
                    struct store_item *item)
{
    struct store_content *content;
    struct store_folder folder;
    struct store_read *read;
    size_t got = 0;
    char *bytes;

    assert_int_equal(store_read_begin(fixture->mailbox, &read, NULL), ERR_NONE);
    assert_int_equal(path_find(read, str_of(path), &folder, NULL), ERR_NONE);
    assert_int_equal(store_item_get(read, folder.id, uid, item, NULL), ERR_NONE);
    assert_int_equal(store_content_open(read, item, &content, NULL), ERR_NONE);
    store_read_end(&read);
    bytes = calloc(1, item->size + 1);
    for (uint64_t at = 0; at < item->size; at += got)
        assert_int_equal(store_content_read(content, at, bytes + at, item->size - at, &got, NULL),
                         ERR_NONE);
    store_content_close(&content);
    return bytes;
}

static void holds(struct fixture *fixture, const char *path, uint32_t uid, const char *expected,
                  uint32_t flags)
{
    struct store_item item;
    char *bytes = stored(fixture, path, uid, &item);

    assert_string_equal(bytes, expected);
    assert_int_equal(item.flags.system, flags);
    free(bytes);
}

static unsigned count_in(struct fixture *fixture, const char *path)
{
    struct store_folder folder;
    struct store_read *read;

    assert_int_equal(store_read_begin(fixture->mailbox, &read, NULL), ERR_NONE);
    assert_int_equal(path_find(read, str_of(path), &folder, NULL), ERR_NONE);
    store_read_end(&read);
    return folder.messages;
}

static void a_message_gets_the_line_ends_of_mail(void **state)
{
    struct fixture *fixture = *state;

    import_text(fixture, "Subject: a\n\none\r\ntwo\n\rthree\r", NULL);
    assert_int_equal(fixture->result.messages, 1);
    holds(fixture, "INBOX", 1, "Subject: a\r\n\r\none\r\ntwo\r\n\rthree\r", 0);
}

static void line_ends_across_pieces_are_not_doubled(void **state)
{
    struct fixture *fixture = *state;
    char *text = calloc(1, 40000), *bytes;
    struct store_item item;

    strcpy(text, "A: b\n\n");
    memset(text + 6, 'x', 16384 - 7);
    strcpy(text + 16383, "\r\n"); /* CR is the last byte of the first 16384 read, LF the next */
    memset(text + 16385, 'y', 16384 * 2 - 16385);
    strcpy(text + 16384 * 2, "\nz");
    import_text(fixture, text, NULL);
    bytes = stored(fixture, "INBOX", 1, &item);
    assert_int_equal(item.size, strlen(text) + 3);
    assert_null(strstr(bytes, "\r\r"));
    free(bytes);
    free(text);
}

static void nul_and_eight_bit_bytes_stay_as_they_are(void **state)
{
    struct fixture *fixture = *state;
    struct store_item item;
    char *bytes;

    assert_int_equal(import_bytes(fixture, "A: b\n\n\0\xff\n", 9, NULL), ERR_NONE);
    bytes = stored(fixture, "INBOX", 1, &item);
    assert_int_equal(item.size, 12);
    assert_memory_equal(bytes, "A: b\r\n\r\n\0\xff\r\n", 12);
    free(bytes);
}

static void an_mbox_is_cut_at_its_from_lines(void **state)
{
    struct fixture *fixture = *state;
    struct store_item item;

    import_text(fixture,
                "From x@y Tue Nov 24 10:00:00 2026\n"
                "Subject: 1\nStatus: RO\nX-Status: AF\n\n"
                ">From here\n>>From there\n\nFrom me to you\n\n"
                "From x@y Tue Nov 24 11:00:00 2026\n"
                "Subject: 2\n\nbody\n\n\n"
                "From x@y Tue Nov 24 12:00:00 2026\n"
                "Subject: 3\n\nno line end",
                "Old/Box");
    assert_int_equal(fixture->result.messages, 3);
    holds(fixture, "Old/Box", 1,
          "Subject: 1\r\nStatus: RO\r\nX-Status: AF\r\n\r\n"
          "From here\r\n>From there\r\n\r\nFrom me to you\r\n",
          FLAG_SEEN | FLAG_ANSWERED | FLAG_FLAGGED);
    holds(fixture, "Old/Box", 2, "Subject: 2\r\n\r\nbody\r\n\r\n", 0);
    holds(fixture, "Old/Box", 3, "Subject: 3\r\n\r\nno line end", 0);
    free(stored(fixture, "Old/Box", 2, &item));
    assert_int_equal(item.internal_date, 1795518000);
}

static void keywords_of_an_mbox_are_taken_where_they_can_be(void **state)
{
    static char names[STORE_KEYWORDS_MAX][STORE_KEYWORD_NAME_MAX + 1];
    struct fixture *fixture = *state;
    struct store_folder inbox;
    struct store_read *read;
    struct store_item item;
    unsigned count;

    import_text(fixture,
                "From x@y Tue Nov 24 10:00:00 2026\n"
                "X-Keywords: Work  (bad) $Forwarded\nSubject: 1\n\nb\n",
                NULL);
    assert_int_equal(fixture->result.messages, 1);
    free(stored(fixture, "INBOX", 1, &item));
    assert_int_equal(item.flags.keywords[0], 3);
    assert_int_equal(store_read_begin(fixture->mailbox, &read, NULL), ERR_NONE);
    assert_int_equal(path_find(read, str_of("INBOX"), &inbox, NULL), ERR_NONE);
    assert_int_equal(store_keyword_list(read, inbox.id, names, &count, NULL), ERR_NONE);
    store_read_end(&read);
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "Work");
    assert_string_equal(names[1], "$Forwarded");
}

static void a_from_line_inside_a_paragraph_is_text(void **state)
{
    struct fixture *fixture = *state;

    import_text(fixture,
                "From x@y Tue Nov 24 10:00:00 2026\nA: b\n\nsee\n"
                "From x@y Tue Nov 24 10:00:00 2026\n",
                NULL);
    assert_int_equal(fixture->result.messages, 1);
}

static void the_note_of_other_programs_is_no_message(void **state)
{
    struct fixture *fixture = *state;

    import_text(fixture,
                "From MAILER-DAEMON Tue Nov 24 10:00:00 2026\n"
                "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n"
                "X-IMAP: 1 2\n\nnote\n\n"
                "From x@y Tue Nov 24 10:00:00 2026\nSubject: true\n\nbody\n",
                NULL);
    assert_int_equal(fixture->result.messages, 1);
    holds(fixture, "INBOX", 1, "Subject: true\r\n\r\nbody\r\n", 0);
}

static void a_message_over_the_limit_is_reported_and_the_others_go_on(void **state)
{
    struct fixture *fixture = *state;
    size_t size = 3 << 20; /* the harness allows 1 MB */
    char *text = calloc(1, size + 300);

    strcpy(text, "From x@y Tue Nov 24 10:00:00 2026\nSubject: long\n\n");
    for (size_t at = strlen(text); at < size; at += 64)
        strcpy(text + at, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
    strcat(text, "\nFrom x@y Tue Nov 24 10:00:00 2026\nSubject: short\n\nbody\n");
    import_text(fixture, text, NULL);
    assert_int_equal(fixture->result.messages, 1);
    assert_int_equal(fixture->result.failed, 1);
    assert_memory_equal(fixture->problem, "message 1: ", 11);
    free(text);
}

static void many_messages_keep_their_order(void **state)
{
    struct fixture *fixture = *state;
    char *text = calloc(1, 100 * 80), expected[64];

    for (int i = 1; i <= 100; i++)
        sprintf(text + strlen(text), "From x@y Tue Nov 24 10:00:00 2026\nSubject: %d\n\nb\n\n", i);
    import_text(fixture, text, NULL);
    assert_int_equal(fixture->result.messages, 100);
    for (uint32_t uid = 1; uid <= 100; uid += 33) {
        snprintf(expected, sizeof(expected), "Subject: %u\r\n\r\nb\r\n", uid);
        holds(fixture, "INBOX", uid, expected, 0);
    }
    free(text);
}

/* ---- Maildir ---- */

static void make(struct fixture *fixture, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
    if (text == NULL) {
        assert_int_equal(mkdir(path, 0700), 0);
        return;
    }
    file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
}

/* Feeds the Maildir through a pipe, as the tool's own process does. */
static enum err_code import_maildir(struct fixture *fixture, const char *folder)
{
    int ends[2], maildir = open(fixture->folder, O_RDONLY | O_DIRECTORY);
    pid_t feeder;

    assert_int_equal(pipe(ends), 0);
    feeder = fork();
    if (feeder == 0) {
        close(ends[0]);
        _exit(maildir_feed(maildir, ends[1], NULL) == ERR_NONE ? 0 : 1);
    }
    close(ends[1]);
    close(maildir);
    return import_from(fixture, ends[0], folder);
}

static void a_maildir_comes_with_flags_keywords_and_subfolders(void **state)
{
    static char names[STORE_KEYWORDS_MAX][STORE_KEYWORD_NAME_MAX + 1];
    struct fixture *fixture = *state;
    struct store_folder folder;
    struct store_read *read;
    struct store_item item;
    unsigned count;

    make(fixture, "cur", NULL);
    make(fixture, "new", NULL);
    make(fixture, ".Lists.B&APw-cher", NULL);
    make(fixture, ".Lists.B&APw-cher/cur", NULL);
    make(fixture, ".trash-without-cur", NULL);
    make(fixture, "cur/2.b.host:2,FS", "Subject: second\n\nb\n");
    make(fixture, "cur/1.a.host,S=5:2,RTD", "Subject: first\n\nb\n");
    make(fixture, "new/3.c.host", "Subject: third\n\nb\n");
    make(fixture, ".Lists.B&APw-cher/cur/4.d.host:2,Sb", "Subject: listed\n\nb\n");
    make(fixture, ".Lists.B&APw-cher/dovecot-keywords", "0 unused\n1 $Forwarded\n");
    assert_int_equal(import_maildir(fixture, NULL), ERR_NONE);
    assert_int_equal(fixture->result.messages, 4);
    holds(fixture, "INBOX", 1, "Subject: first\r\n\r\nb\r\n",
          FLAG_ANSWERED | FLAG_DELETED | FLAG_DRAFT);
    holds(fixture, "INBOX", 2, "Subject: second\r\n\r\nb\r\n", FLAG_FLAGGED | FLAG_SEEN);
    holds(fixture, "INBOX", 3, "Subject: third\r\n\r\nb\r\n", 0);
    free(stored(fixture,
                "Lists/B\xc3\xbc"
                "cher",
                1, &item));
    store_read_begin(fixture->mailbox, &read, NULL);
    path_find(read,
              str_of("Lists/B\xc3\xbc"
                     "cher"),
              &folder, NULL);
    store_keyword_list(read, folder.id, names, &count, NULL);
    store_read_end(&read);
    assert_int_equal(count, 1);
    assert_string_equal(names[0], "$Forwarded");
    assert_int_equal(item.flags.keywords[0], 1);
    assert_int_equal(item.flags.system, FLAG_SEEN);
}

static struct store_folder folder_of(struct fixture *fixture, const char *path)
{
    struct store_folder folder;
    struct store_read *read;

    assert_int_equal(store_read_begin(fixture->mailbox, &read, NULL), ERR_NONE);
    assert_int_equal(path_find(read, str_of(path), &folder, NULL), ERR_NONE);
    store_read_end(&read);
    return folder;
}

static void make_listed(struct fixture *fixture)
{
    make(fixture, "cur", NULL);
    make(fixture, "new", NULL);
    make(fixture, "cur/1.a.host:2,S", "Subject: later\n\nb\n");
    make(fixture, "cur/2.b.host:2,", "Subject: sooner\n\nb\n");
    make(fixture, "new/3.c.host", "Subject: unlisted\n\nb\n");
    make(fixture, "dovecot-uidlist",
         "3 V1234567 N90 G00000000000000000000000000000000\n"
         "12 Pold-id W24 :2.b.host\n20 :gone.host\n40 :1.a.host:2,\n");
    make(fixture, "subscriptions", "V\t2\n\nLists\tC\n");
}

static void uids_pop3_ids_and_subscriptions_are_taken_over(void **state)
{
    struct fixture *fixture = *state;
    struct store_folder inbox;
    struct store_read *read;
    struct store_item item;
    uint8_t id[80];
    size_t length;

    make_listed(fixture);
    assert_int_equal(import_maildir(fixture, NULL), ERR_NONE);
    assert_int_equal(fixture->result.messages, 3);
    assert_int_equal(fixture->result.renumbered, 0);
    inbox = folder_of(fixture, "INBOX");
    assert_int_equal(inbox.uid_validity, 1234567);
    assert_int_equal(inbox.uid_next, 90);
    holds(fixture, "INBOX", 12, "Subject: sooner\r\n\r\nb\r\n", 0);
    holds(fixture, "INBOX", 40, "Subject: later\r\n\r\nb\r\n", FLAG_SEEN);
    holds(fixture, "INBOX", 41, "Subject: unlisted\r\n\r\nb\r\n", 0);
    assert_int_equal(store_read_begin(fixture->mailbox, &read, NULL), ERR_NONE);
    assert_int_equal(store_item_get(read, inbox.id, 12, &item, NULL), ERR_NONE);
    assert_int_equal(store_property_get(read, inbox.id, item.item_id, "pop3/uidl", id, sizeof(id),
                                        &length, NULL),
                     ERR_NONE);
    assert_memory_equal(id, "old-id", 6);
    assert_int_equal(length, 6);
    assert_true(subscription_has(read, str_of("Lists/C")));
    store_read_end(&read);
}

static void importing_again_brings_only_what_is_new(void **state)
{
    struct fixture *fixture = *state;

    make_listed(fixture);
    assert_int_equal(import_maildir(fixture, NULL), ERR_NONE);
    make(fixture, "new/4.d.host", "Subject: new\n\nb\n");
    assert_int_equal(import_maildir(fixture, NULL), ERR_NONE);
    assert_int_equal(fixture->result.messages, 1);
    assert_int_equal(fixture->result.skipped, 3);
    assert_int_equal(count_in(fixture, "INBOX"), 4);
    holds(fixture, "INBOX", 90, "Subject: new\r\n\r\nb\r\n", 0);
}

static void a_folder_with_uids_of_its_own_keeps_them(void **state)
{
    struct fixture *fixture = *state;
    uint32_t validity = folder_of(fixture, "INBOX").uid_validity;

    import_text(fixture, "Subject: was here\n\nb\n", NULL);
    make_listed(fixture);
    assert_int_equal(import_maildir(fixture, NULL), ERR_NONE);
    assert_int_equal(fixture->result.renumbered, 1);
    assert_int_equal(folder_of(fixture, "INBOX").uid_validity, validity);
    holds(fixture, "INBOX", 2, "Subject: sooner\r\n\r\nb\r\n", 0);
    holds(fixture, "INBOX", 3, "Subject: later\r\n\r\nb\r\n", FLAG_SEEN);
}

static void folder_names_survive_the_way_to_a_file_and_back(void **state)
{
    static const char *const paths[] = {"Lists/Gr\xc3\xbcn", "v1.2/a\\b", "x&y", "INBOX/\\2e"};
    char name[256], path[1100];

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_int_equal(export_name(paths[i], name, NULL), ERR_NONE);
        assert_null(strchr(name, '/'));
        assert_true(maildir_folder_path(name, path, sizeof(path)));
        assert_string_equal(path, paths[i]);
    }
    memset(path, 'x', 300);
    path[300] = '\0';
    assert_int_equal(export_name(path, name, NULL), ERR_LIMIT);
}

static void lists_of_uids_of_both_versions_are_understood(void **state)
{
    struct uidlist_entry entry;
    struct uidlist list = {0};

    (void)state;
    assert_true(uidlist_read_header(str_of("1 1275660208 25022"), &list));
    assert_int_equal(list.uid_validity, 1275660208);
    assert_true(uidlist_read_entry(str_of("7 1.a.host:2,S"), 1, &entry));
    assert_int_equal(entry.uid, 7);
    assert_string_equal(entry.name, "1.a.host");
    assert_true(uidlist_read_entry(str_of("8 Pid W2 S1 :1.a,S=1:2,"), 3, &entry));
    assert_string_equal(entry.uidl, "id");
    assert_string_equal(entry.name, "1.a,S=1");
    assert_false(uidlist_read_header(str_of("2 1 1"), &list));
    assert_false(uidlist_read_header(str_of("3 N5"), &list));
    assert_false(uidlist_read_header(str_of(""), &list));
    assert_false(uidlist_read_entry(str_of("0 :a"), 3, &entry));
    assert_false(uidlist_read_entry(str_of("5 Px"), 3, &entry));
    assert_false(uidlist_read_entry(str_of("5 :"), 3, &entry));
    assert_false(uidlist_read_entry(str_of("4294967295 :a"), 3, &entry));
}

static void a_maildir_goes_below_the_folder_that_is_named(void **state)
{
    struct fixture *fixture = *state;

    make(fixture, "cur", NULL);
    make(fixture, "cur/1.a.host:2,", "A: b\n\nc\n");
    make(fixture, ".Sent", NULL);
    make(fixture, ".Sent/new", NULL);
    make(fixture, ".Sent/new/1.a.host", "A: b\n\nc\n");
    assert_int_equal(import_maildir(fixture, "Old"), ERR_NONE);
    assert_int_equal(count_in(fixture, "Old"), 1);
    assert_int_equal(count_in(fixture, "Old/Sent"), 1);
    assert_int_equal(count_in(fixture, "INBOX"), 0);
}

static void a_stream_that_breaks_off_is_an_error(void **state)
{
    static const char whole[] = MAILDIR_STREAM
        "folder \nmessage a\nflags 0\ndate 1\ndata 5\nA: b\nend\nmessage b\nflags 0\ndate 1\n";
    struct fixture *fixture = *state;

    assert_int_equal(import_bytes(fixture, whole, sizeof(whole) - 1, NULL), ERR_INVALID);
    assert_int_equal(import_bytes(fixture, "\001maildir 1\nnonsense\n", 20, NULL), ERR_INVALID);
    assert_int_equal(import_bytes(fixture, "\001other", 6, NULL), ERR_INVALID);
    assert_int_equal(import_bytes(fixture, "", 0, NULL), ERR_INVALID);
    assert_int_equal(import_bytes(fixture, MAILDIR_STREAM "message a\ndata 99999999\n", 35, NULL),
                     ERR_INVALID);
    assert_int_equal(count_in(fixture, "INBOX"), 0);
}

static void a_folder_name_that_cannot_be_is_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(import_bytes(fixture, "A: b\n\n", 6, "a//b"), ERR_INVALID);
}

static void names_come_in_order_and_a_bounded_number_at_a_time(void **state)
{
    struct fixture *fixture = *state;
    int folder = open(fixture->folder, O_RDONLY | O_DIRECTORY);
    char name[32], after[32] = "", *names[7];
    size_t count, all = 0;

    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "%02d", (i * 37) % 50);
        make(fixture, name, "x");
    }
    make(fixture, ".hidden", "x");
    make(fixture, "99folder", NULL);
    while ((count = maildir_names(folder, MAILDIR_FILES, after, names, 7)) > 0) {
        for (size_t i = 0; i < count; i++) {
            snprintf(name, sizeof(name), "%02zu", all++);
            assert_string_equal(names[i], name);
            strcpy(after, names[i]);
            free(names[i]);
        }
    }
    assert_int_equal(all, 50);
    close(folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_gets_the_line_ends_of_mail),
        TEST(line_ends_across_pieces_are_not_doubled),
        TEST(nul_and_eight_bit_bytes_stay_as_they_are),
        TEST(an_mbox_is_cut_at_its_from_lines),
        TEST(keywords_of_an_mbox_are_taken_where_they_can_be),
        TEST(a_from_line_inside_a_paragraph_is_text),
        TEST(the_note_of_other_programs_is_no_message),
        TEST(a_message_over_the_limit_is_reported_and_the_others_go_on),
        TEST(many_messages_keep_their_order),
        TEST(a_maildir_comes_with_flags_keywords_and_subfolders),
        TEST(uids_pop3_ids_and_subscriptions_are_taken_over),
        TEST(importing_again_brings_only_what_is_new),
        TEST(a_folder_with_uids_of_its_own_keeps_them),
        TEST(folder_names_survive_the_way_to_a_file_and_back),
        TEST(lists_of_uids_of_both_versions_are_understood),
        TEST(a_maildir_goes_below_the_folder_that_is_named),
        TEST(a_stream_that_breaks_off_is_an_error),
        TEST(a_folder_name_that_cannot_be_is_refused),
        TEST(names_come_in_order_and_a_bounded_number_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
