/* What a mailbox gets back from another that stands for it in a backup, when rows of that are damaged. */
#include "tests/unit/store/damage.h"

#include "mailbox-backend/restore.h"

struct outcome {
    unsigned folders, problems;
    char problem[120];
};

static enum err_code on_done(void *context, const struct restore_folder *folder, struct err *err)
{
    struct outcome *outcome = context;

    (void)folder, (void)err;
    outcome->folders++;
    return ERR_NONE;
}

static enum err_code on_failed(void *context, const char *path, uint32_t uid, const char *problem,
                               struct err *err)
{
    struct outcome *outcome = context;

    (void)path, (void)err;
    assert_int_equal(uid, 0);
    outcome->problems++;
    snprintf(outcome->problem, sizeof(outcome->problem), "%s", problem);
    return ERR_NONE;
}

static bool on_wanted_still(void *context)
{
    (void)context;
    return true;
}

/* Three messages, which are the same in all mailboxes. */
static void append_three(struct fixture *fixture)
{
    for (unsigned i = 1; i <= 3; i++) {
        struct store_draft *draft = draft_of(fixture, "text", 4);
        struct store_op op = append_op(fixture, INBOX, draft);

        op.in.append.email_id = i;
        must(store_run(&op), &op.err);
        store_draft_unref(&draft);
    }
}

static struct restore_result restore_exact(struct fixture *fixture, struct store_mailbox *to,
                                           struct outcome *outcome)
{
    const struct restore_request request = {
        .store = fixture->store,
        .from = fixture->mailbox,
        .to = to,
        .flags = true,
        .exact = true,
        .done = on_done,
        .failed = on_failed,
        .wanted = on_wanted_still,
        .context = outcome,
    };
    struct restore_result result;
    struct err err;

    *outcome = (struct outcome){0};
    must(restore_run(&request, &result, &err), &err);
    return result;
}

static void nothing_is_removed_on_the_word_of_a_damaged_backup(void **state)
{
    struct fixture *fixture = *state;
    struct store_guid guid = guid_of(2);
    struct store_mailbox *to, *from;
    struct restore_result result;
    struct outcome outcome;
    struct err err;

    append_three(fixture);
    flip_row(fixture, TABLE_ITEM, key_item(INBOX, 2));
    must(store_mailbox_open(fixture->store, &guid, true, &to, NULL, &err), &err);
    from = fixture->mailbox;
    fixture->mailbox = to;
    append_three(fixture);
    fixture->mailbox = from;

    result = restore_exact(fixture, to, &outcome);
    assert_int_equal(result.counts.messages, 3);
    assert_int_equal(result.counts.there, 2);
    assert_int_equal(result.counts.failed, 1);
    assert_int_equal(result.counts.removed, 0);
    assert_int_equal(outcome.problems, 1);
    assert_non_null(strstr(outcome.problem, "nothing is removed"));
    fixture->mailbox = to;
    assert_int_equal(folder_now(fixture, INBOX).messages, 3);
    fixture->mailbox = from;
    store_mailbox_unref(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_removed_on_the_word_of_a_damaged_backup,
                                        fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
