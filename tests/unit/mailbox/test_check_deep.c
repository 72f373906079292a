/* What the index says of a message is changed behind its back, and a deep check says what its text says. */
#include "tests/unit/store/damage.h"

#include "mailbox-backend/mailbox/content_facts.h"
#include "mailbox-backend/mailbox/delivery.h"

#define TEXT                                                                                       \
    "From: a@example.test\r\nSubject: deep\r\nMessage-ID: <1@example.test>\r\n\r\n"                \
    "A line.\r\n\r\nNo line's end"

static void deliver(struct fixture *fixture, const char *text)
{
    struct store_op op = {.mailbox = fixture->mailbox, .folder = INBOX};
    struct intake *intake;
    struct err err;

    must(intake_create(fixture->store, 0, 0, &intake, &err), &err);
    must(intake_append(intake, text, strlen(text), &err), &err);
    must(intake_finish(intake, &err), &err);
    intake_fill(intake, &op);
    must(store_run(&op), &op.err);
    intake_destroy(&intake);
}

static int setup(void **state)
{
    int rc = fixture_setup(state);

    deliver(*state, TEXT);
    deliver(*state, "Subject: without a message id\n\nBare ends of lines\n");
    deliver(*state, "");
    deliver(*state, "no header at all");
    return rc;
}

static struct check_options deep(struct told *told)
{
    *told = (struct told){0};
    return (struct check_options){.content = true,
                                  .facts = content_facts_read,
                                  .share = 100,
                                  .wanted = on_wanted,
                                  .found = on_found,
                                  .context = told};
}

static void check_deep(struct fixture *fixture, struct told *told)
{
    const struct check_options options = deep(told);
    struct check_result result;
    struct err err;

    must(store_check(fixture->store, 0, &options, &result, &err), &err);
    for (unsigned i = 0; i < told->count; i++)
        print_message("uid %u: %s\n", told->findings[i].uid, told->findings[i].problem);
}

static enum err_code on_told(void *context, const struct maintain_finding *finding, bool mended,
                             const char *done, struct err *err)
{
    (void)context, (void)err;
    print_message("uid %u: %s: %s\n", finding->uid, finding->problem, done);
    assert_true(mended);
    return ERR_NONE;
}

/* Repairs, and finds nothing afterwards. */
static void repair_deep(struct fixture *fixture, unsigned mended)
{
    struct told told;
    const struct repair_options options = {.check = deep(&told), .told = on_told};
    struct repair_result result;
    struct err err;

    must(store_repair(fixture->store, 0, &options, &result, &err), &err);
    assert_int_equal(result.mended, mended);
    assert_int_equal(result.left, 0);
    check_deep(fixture, &told);
    assert_int_equal(told.count, 0);
}

static void assert_found(struct fixture *fixture, uint32_t uid, const char *problem)
{
    struct told told;

    check_deep(fixture, &told);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.findings[0].folder, INBOX);
    assert_int_equal(told.findings[0].uid, uid);
    assert_non_null(strstr(told.findings[0].problem, problem));
}

/* ---- tests ---- */

static void messages_as_they_were_delivered_are_sound(void **state)
{
    struct told told;

    check_deep(*state, &told);
    assert_int_equal(told.count, 0);
}

static void a_wrong_header_size_is_told_and_made_right(void **state)
{
    struct store_item item = item_of(*state, 1);
    uint64_t modseq = item.modseq;
    uint32_t size = (uint32_t)(strstr(TEXT, "\r\n\r\n") + 4 - TEXT);

    assert_int_equal(item.header_size, size);
    item.header_size = 40;
    put_item(*state, &item);
    assert_sound(*state); /* it takes the text to see it */
    assert_found(*state, 1, "its header counts as 40 bytes, and has");
    repair_deep(*state, 1);
    item = item_of(*state, 1);
    assert_int_equal(item.header_size, size);
    assert_true(item.modseq > modseq);
}

static void a_wrong_end_and_thread_are_made_right_together(void **state)
{
    struct store_item item = item_of(*state, 2);

    assert_int_equal(item.thread_id, item.email_id);
    item.no_final_newline = false;
    item.thread_id++;
    put_item(*state, &item);
    assert_found(*state, 2, "to end, and does not end");
    repair_deep(*state, 1);
    item = item_of(*state, 2);
    assert_true(item.no_final_newline);
    assert_int_equal(item.thread_id, item.email_id);
    item.thread_id++;
    put_item(*state, &item);
    assert_found(*state, 2, "its conversation");
}

static void a_wrong_summary_is_dropped(void **state)
{
    uint8_t summary[STORE_SUMMARY_MAX];
    struct key key = key_item(INBOX, 1);
    size_t length = get_row(*state, TABLE_SUMMARY, key, summary, sizeof(summary));

    summary[length - 10] ^= 1;
    put_row(*state, TABLE_SUMMARY, key, summary, length);
    assert_sound(*state);
    assert_found(*state, 1, "its summary");
    repair_deep(*state, 1);
}

/* The text of the last message is not the one that its row was made from. */
static void an_index_that_names_the_wrong_text_is_told(void **state)
{
    struct store_item item = item_of(*state, 4);
    struct store_item other = item_of(*state, 2);
    uint64_t content = item.content_id;
    struct told told;

    item.content_id = other.content_id;
    other.content_id = content;
    put_item(*state, &item);
    put_item(*state, &other);
    check_deep(*state, &told);
    assert_true(told.count >= 4); /* sizes too */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_as_they_were_delivered_are_sound, setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_wrong_header_size_is_told_and_made_right, setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_wrong_end_and_thread_are_made_right_together, setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_wrong_summary_is_dropped, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(an_index_that_names_the_wrong_text_is_told, setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
