#include "tests/unit/store/fixture.h"

#include "mailbox-backend/mailbox/content_text.h"
#include "mailbox-backend/search/gram_index.h"

#define INBOX STORE_INBOX_FOLDER
#define MESSAGES 700u

struct rig {
    struct fixture *fixture;
    struct gram_index *index;
    char folder[128];
};

static void index_open(struct rig *rig)
{
    struct err err;

    must(gram_index_open(&rig->index, rig->folder, &err), &err);
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    rig->fixture = fixture_make();
    fixture_open(rig->fixture);
    snprintf(rig->folder, sizeof(rig->folder), "%s/search", rig->fixture->folder);
    index_open(rig);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    void *fixture = rig->fixture;

    gram_index_close(&rig->index);
    free(rig);
    return fixture_teardown(&fixture);
}

/* ---- messages ---- */

static const char *const words[] = {"apple",  "Banane", "cherry", "dégoût", "Straße", "fig",
                                    "grape",  "honey",  "ibis",   "jackal", "kiwi",   "lemon",
                                    "mango",  "nectar", "olive",  "papaya", "quince", "raisin",
                                    "squash", "tomato", "ugli",   "vanilla"};
#define WORDS (sizeof(words) / sizeof(words[0]))

/* Message n has two words of the list, told by n, and a number of its own. */
static void message_text(unsigned n, char text[512])
{
    snprintf(
        text, 512,
        "Subject: =?utf-8?q?D=C3=A9j=C3=A0_vu_%u?=\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "\r\nWe have %s and %s, number %u.\r\n",
        n, words[n % WORDS], words[n / WORDS % WORDS], n * 7919u);
}

static void append_messages(struct fixture *fixture, unsigned from, unsigned count)
{
    struct store_op *ops = calloc(count, sizeof(*ops));
    struct store_op **list = calloc(count, sizeof(*list));

    for (unsigned i = 0; i < count; i++) {
        char text[512];

        message_text(from + i, text);
        ops[i] = append_op(fixture, INBOX, draft_of(fixture, text, strlen(text)));
        ops[i].done = fixture_ignore;
        list[i] = &ops[i];
    }
    store_submit_all(list, count, false);
    append_text(fixture, INBOX, "comes behind them");
    for (unsigned i = 0; i < count; i++)
        store_draft_unref(&ops[i].in.append.draft);
    free(list);
    free(ops);
}

/* ---- what a query says, against the messages themselves ---- */

static bool message_has(struct fixture *fixture, const struct store_item *item,
                        const struct text_match *needle)
{
    struct mime_search_key key = {.scope = MIME_SEARCH_TEXT, .match = *needle};
    struct store_read *read = read_begin(fixture);
    const struct mime_part *root;
    struct store_content *content;
    struct mime_search *search;
    struct arena arena = {0};
    struct err err;

    must(store_content_open(read, item, &content, &err), &err);
    store_read_end(&read);
    must(content_tree(content, &arena, false, &root, &err), &err);
    search = mime_search_begin(&arena, root, &key, 1);
    must(content_search(content, search, &err), &err);
    mime_search_end(&search);
    store_content_close(&content);
    arena_reset(&arena);
    return key.match.found;
}

struct outcome {
    unsigned items, ruled_out, hits;
};

static struct outcome ask(struct rig *rig, const char *text, uint32_t folder)
{
    struct store_read *read = read_begin(rig->fixture);
    struct gram_query *query = gram_index_ask(rig->index, rig->fixture->mailbox, read);
    struct outcome outcome = {0};
    struct store_item *items = calloc(2000, sizeof(*items));
    struct arena arena = {0};
    struct text_match needle;
    unsigned number = 0;
    size_t count;
    struct err err;

    text_match_init(&needle, &arena, str_of(text));
    must(store_item_scan(read, folder, 1, UINT32_MAX - 1, 0, items, 2000, &count, &err), &err);
    store_read_end(&read);
    if (query != NULL && !gram_query_add(query, &needle, &number))
        gram_index_end(rig->index, rig->fixture->mailbox, &query);
    for (size_t i = 0; i < count; i++) {
        bool out = query != NULL && gram_query_rules_out(query, number, items[i].item_id);
        bool has = message_has(rig->fixture, &items[i], &needle);

        assert_false(out && has);
        outcome.items++;
        outcome.ruled_out += out;
        outcome.hits += has;
    }
    gram_index_end(rig->index, rig->fixture->mailbox, &query);
    arena_reset(&arena);
    free(items);
    return outcome;
}

static void index_now(struct rig *rig)
{
    ask(rig, "anything", INBOX);
    gram_index_settle(rig->index);
}

static void what_a_message_lacks_is_ruled_out_and_nothing_else(void **state)
{
    struct rig *rig = *state;
    const char *needles[] = {"banane", "STRASSE",    "dégoût",        "DÉJÀ VU 12",  "number 7919",
                             "fig",    "not in any", "Subject: déjà", "and lemon, n"};
    struct outcome outcome;

    append_messages(rig->fixture, 0, MESSAGES);
    outcome = ask(rig, "banane", INBOX);
    assert_int_equal(outcome.ruled_out, 0); /* there is no index yet */
    gram_index_settle(rig->index);
    for (size_t i = 0; i < sizeof(needles) / sizeof(needles[0]); i++) {
        outcome = ask(rig, needles[i], INBOX);
        assert_int_equal(outcome.items, MESSAGES + 1);
        if (strlen(needles[i]) > 5) /* few of those that lack it must be read */
            assert_true(outcome.ruled_out + outcome.hits > MESSAGES * 9 / 10);
    }
    assert_true(ask(rig, "banane", INBOX).hits > 30);
    assert_int_equal(ask(rig, "not in any", INBOX).hits, 0);
}

static void a_short_needle_rules_out_nothing(void **state)
{
    struct rig *rig = *state;

    append_messages(rig->fixture, 0, MESSAGES);
    index_now(rig);
    assert_int_equal(ask(rig, "fi", INBOX).ruled_out, 0);
    assert_int_equal(ask(rig, "", INBOX).ruled_out, 0);
}

static void new_messages_are_found_before_and_after_they_are_indexed(void **state)
{
    struct rig *rig = *state;

    append_messages(rig->fixture, 0, MESSAGES);
    index_now(rig);
    append_messages(rig->fixture, MESSAGES, 10);
    assert_true(ask(rig, "number 5543300", INBOX).hits == 1);
    append_messages(rig->fixture, MESSAGES + 10, 400);
    assert_true(ask(rig, "number 5543300", INBOX).ruled_out < MESSAGES + 2);
    gram_index_settle(rig->index);
    assert_true(ask(rig, "number 5543300", INBOX).ruled_out > MESSAGES + 300);
}

static void moved_and_copied_messages_are_found(void **state)
{
    struct rig *rig = *state;
    uint32_t folder = make_folder(rig->fixture, STORE_ROOT_FOLDER, "other");
    struct uidset uids = set_of(1, 100);
    struct store_op op = {.kind = OP_MOVE,
                          .mailbox = rig->fixture->mailbox,
                          .folder = INBOX,
                          .uids = &uids,
                          .in.copy.target = folder};

    append_messages(rig->fixture, 0, MESSAGES);
    index_now(rig);
    must(store_run(&op), &op.err);
    uidset_release(&op.out.copy.source);
    assert_int_equal(ask(rig, "number 7919.", folder).hits, 1);
    assert_true(ask(rig, "number 7919.", folder).ruled_out > 90);
    op = (struct store_op){.kind = OP_COPY,
                           .mailbox = rig->fixture->mailbox,
                           .folder = folder,
                           .uids = &uids,
                           .in.copy.target = INBOX};
    must(store_run(&op), &op.err);
    uidset_release(&op.out.copy.source);
    uidset_release(&uids);
    assert_int_equal(ask(rig, "number 7919.", INBOX).hits, 1);
}

static void the_file_serves_after_a_restart(void **state)
{
    struct rig *rig = *state;

    append_messages(rig->fixture, 0, MESSAGES);
    index_now(rig);
    gram_index_close(&rig->index);
    fixture_reopen(rig->fixture);
    index_open(rig);
    assert_true(ask(rig, "banane", INBOX).ruled_out > MESSAGES / 2);
}

/* The one file below the folder. */
static void file_path(const struct rig *rig, char path[256])
{
    char command[256];
    FILE *found;

    snprintf(command, sizeof(command), "find %s -type f", rig->folder);
    found = popen(command, "r");
    assert_non_null(found);
    assert_non_null(fgets(path, 256, found));
    path[strcspn(path, "\n")] = '\0';
    pclose(found);
}

static void a_damaged_file_is_noticed_and_made_anew(void **state)
{
    struct rig *rig = *state;
    char path[256];
    char garbage[4096];
    FILE *file;

    append_messages(rig->fixture, 0, MESSAGES);
    index_now(rig);
    file_path(rig, path);
    memset(garbage, 0x5A, sizeof(garbage));
    file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, 64 + 64, SEEK_SET); /* the first block's ids */
    fwrite(garbage, 1, sizeof(garbage), file);
    fclose(file);
    gram_index_close(&rig->index);
    index_open(rig);
    ask(rig, "banane", INBOX); /* finds all, whatever the file says */
    gram_index_settle(rig->index);
    assert_true(ask(rig, "banane", INBOX).ruled_out > MESSAGES / 2);
}

static void a_file_that_was_cut_off_serves_as_far_as_it_is_whole(void **state)
{
    struct rig *rig = *state;
    char path[256];

    append_messages(rig->fixture, 0, MESSAGES);
    index_now(rig);
    append_messages(rig->fixture, MESSAGES, 400);
    index_now(rig);
    file_path(rig, path);
    {
        struct gram_file file;
        struct store_guid guid = guid_of(1);
        struct err err;

        must(gram_file_open(&file, rig->folder, &guid, false, &err), &err);
        assert_true(file.count == 2);
        assert_int_equal(truncate(path, (off_t)file.end - 1), 0);
        gram_file_close(&file);
        must(gram_file_open(&file, rig->folder, &guid, false, &err), &err);
        assert_true(file.count == 1);
        gram_file_close(&file);
    }
    index_now(rig);
    assert_true(ask(rig, "number 5543300", INBOX).ruled_out > MESSAGES + 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_message_lacks_is_ruled_out_and_nothing_else, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_short_needle_rules_out_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(new_messages_are_found_before_and_after_they_are_indexed,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(moved_and_copied_messages_are_found, setup, teardown),
        cmocka_unit_test_setup_teardown(the_file_serves_after_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_noticed_and_made_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_was_cut_off_serves_as_far_as_it_is_whole, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
