#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailbox-backend/mailbox/delivery.h"

struct fixture {
    char folder[64];
    struct store *store;
    struct store_mailbox *mailbox;
};

static int create(void **state)
{
    static const struct store_guid guid = {
        .bytes = {1, 2, 3}
    };
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct store_settings settings = {
        .folder = fixture->folder,
        .databases = 1,
        .map_size = (uint64_t)1 << 30,
        .max_readers = 16,
        .message_size_limit = 1 << 20,
        .content_budget = 16 << 20,
        .recovery_seconds = 3600,
    };
    struct err err;

    strcpy(fixture->folder, "/tmp/unit-delivery-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    assert_int_equal(store_open(&fixture->store, &settings, &err), ERR_NONE);
    assert_int_equal(store_mailbox_open(fixture->store, &guid, true, &fixture->mailbox, NULL, &err),
                     ERR_NONE);
    *state = fixture;
    return 0;
}

static int destroy(void **state)
{
    struct fixture *fixture = *state;
    char command[96];

    store_mailbox_unref(&fixture->mailbox);
    store_close(&fixture->store);
    snprintf(command, sizeof(command), "rm -rf '%s'", fixture->folder);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

/* A message taken in whole. */
static struct intake *take(struct fixture *fixture, struct str text)
{
    struct intake *intake;
    struct err err;

    assert_int_equal(intake_create(fixture->store, 0, text.length, &intake, &err), ERR_NONE);
    intake_keep(intake, "Subject");
    intake_keep(intake, "X-Spam-Flag: YES");
    for (size_t i = 0; i < text.length; i++)
        assert_int_equal(intake_append(intake, text.data + i, 1, &err), ERR_NONE);
    assert_int_equal(intake_finish(intake, &err), ERR_NONE);
    return intake;
}

static void fill(struct fixture *fixture, struct str text, struct store_op *op)
{
    struct intake *intake = take(fixture, text);

    *op = (struct store_op){0};
    intake_fill(intake, op);
    intake_destroy(&intake); /* only numbers are looked at */
}

static void the_operation_has_what_the_parser_found(void **state)
{
    struct store_op op;

    fill(*state, STR("Subject: a\r\nMessage-ID: <1@x>\r\n\r\nbody\r\n"), &op);
    assert_int_equal(op.kind, OP_APPEND);
    assert_int_equal(op.in.append.header_size, 33);
    assert_false(op.in.append.no_final_newline);
    assert_true(op.in.append.summary_length > 0);
    assert_true(op.in.append.email_id != 0);
}

static void the_final_line_end_is_looked_for(void **state)
{
    static const struct {
        const char *text;
        bool lacks;
    } cases[] = {
        {"",             false},
        {"A: b\r\n\r\n", false},
        {"a\n",          true },
        {"a\r",          true },
        {"a",            true },
        {"\n",           true },
        {"\r\n",         false},
    };
    struct store_op op;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fill(*state, str_of(cases[i].text), &op);
        assert_int_equal(op.in.append.no_final_newline, cases[i].lacks);
    }
}

static void answers_are_in_the_thread_of_what_they_answer(void **state)
{
    struct store_op first, answer, other, lonely;

    fill(*state, STR("Message-ID: <1@x>\r\n\r\n"), &first);
    fill(*state, STR("Message-ID: <2@x>\r\nReferences: <1@x> <9@x>\r\n\r\n"), &answer);
    fill(*state, STR("Message-ID: <3@x>\r\n\r\n"), &other);
    fill(*state, STR("Subject: x\r\n\r\n"), &lonely);
    assert_true(first.in.append.thread_id == answer.in.append.thread_id);
    assert_true(first.in.append.thread_id != other.in.append.thread_id);
    assert_true(first.in.append.email_id != answer.in.append.email_id);
    assert_true(lonely.in.append.thread_id == lonely.in.append.email_id);
}

static void kept_fields_can_be_asked_for(void **state)
{
    struct intake *intake = take(*state, STR("Subject: one\r\n two\r\nX-Spam-Flag: no\r\n"
                                             "x-spam-flag:  yes\r\n\r\nSubject: three\r\n"));

    assert_true(str_is(intake_header(intake, "subject"), "one two"));
    assert_true(str_is(intake_header(intake, "From"), ""));
    assert_true(intake_has_header(intake, "X-Spam-Flag: YES"));
    assert_true(intake_has_header(intake, "X-Spam-Flag"));
    assert_false(intake_has_header(intake, "X-Spam-Flag: maybe"));
    intake_destroy(&intake);
}

static void a_message_over_the_limit_is_refused(void **state)
{
    struct fixture *fixture = *state;
    enum err_code code = ERR_NONE;
    char *block = calloc(1, 65536);
    struct intake *intake;
    struct err err;

    assert_int_equal(intake_create(fixture->store, 0, 0, &intake, &err), ERR_NONE);
    for (int i = 0; i < 17 && code == ERR_NONE; i++)
        code = intake_append(intake, block, 65536, &err);
    assert_int_equal(code, ERR_LIMIT);
    intake_destroy(&intake);
    free(block);
}

static void an_item_keeps_what_the_intake_knew(void **state)
{
    struct fixture *fixture = *state;
    struct intake *intake = take(fixture, STR("A: b\r\n\r\nno end"));
    struct store_op op = {.mailbox = fixture->mailbox, .folder = STORE_INBOX_FOLDER};
    struct store_item item;
    struct store_read *read;
    struct err err;

    intake_fill(intake, &op);
    assert_int_equal(store_run(&op), ERR_NONE);
    assert_int_equal(store_read_begin(fixture->mailbox, &read, &err), ERR_NONE);
    assert_int_equal(store_item_get(read, STORE_INBOX_FOLDER, op.out.append.uid, &item, &err),
                     ERR_NONE);
    assert_true(item.no_final_newline);
    assert_int_equal(item.size, 14);
    assert_int_equal(item.header_size, 8);
    assert_true(item.thread_id == op.in.append.thread_id);
    store_read_end(&read);
    intake_destroy(&intake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_operation_has_what_the_parser_found),
        cmocka_unit_test(the_final_line_end_is_looked_for),
        cmocka_unit_test(answers_are_in_the_thread_of_what_they_answer),
        cmocka_unit_test(kept_fields_can_be_asked_for),
        cmocka_unit_test(a_message_over_the_limit_is_refused),
        cmocka_unit_test(an_item_keeps_what_the_intake_knew),
    };

    return cmocka_run_group_tests(tests, create, destroy);
}
