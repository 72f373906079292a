/* A store in a folder of its own, and short forms of what the store's tests do all the time. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailbox-backend/store/store.h"

struct fixture {
    char folder[64];
    struct store_settings settings;
    struct store *store;
    struct store_mailbox *mailbox;
};

static inline struct store_guid guid_of(unsigned n)
{
    struct store_guid guid = {{0xAB}};

    memcpy(guid.bytes + 12, &n, sizeof(n));
    return guid;
}

static inline void must(enum err_code code, const struct err *err)
{
    if (code != ERR_NONE)
        print_error("%s: %s\n", err_word(code), err->text);
    assert_int_equal(code, ERR_NONE);
}

static inline void fixture_open(struct fixture *fixture)
{
    struct store_guid guid = guid_of(1);
    struct err err;

    must(store_open(&fixture->store, &fixture->settings, &err), &err);
    must(store_mailbox_open(fixture->store, &guid, true, &fixture->mailbox, NULL, &err), &err);
}

static inline void fixture_close(struct fixture *fixture)
{
    store_mailbox_unref(&fixture->mailbox);
    store_close(&fixture->store);
}

static inline void fixture_reopen(struct fixture *fixture)
{
    fixture_close(fixture);
    fixture_open(fixture);
}

static inline struct fixture *fixture_make(void)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    snprintf(fixture->folder, sizeof(fixture->folder), "%.40s/store-test-XXXXXX",
             getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(fixture->folder));
    fixture->settings = (struct store_settings){
        .folder = fixture->folder,
        .databases = 1,
        .map_size = 1u << 30,
        .max_readers = 16,
        .message_size_limit = 64u << 20,
        .content_budget = 64u << 20,
        .compress = true,
    };
    return fixture;
}

static inline int fixture_setup(void **state)
{
    struct fixture *fixture = fixture_make();

    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[sizeof(fixture->folder) + 16];

    if (fixture->store != NULL)
        fixture_close(fixture);
    snprintf(command, sizeof(command), "rm -rf %s", fixture->folder);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static inline struct store_draft *draft_of(struct fixture *fixture, const void *bytes,
                                           size_t length)
{
    struct store_draft *draft;
    struct err err;

    must(store_draft_create(fixture->store, store_mailbox_database(fixture->mailbox), length,
                            &draft, &err),
         &err);
    must(store_draft_append(draft, bytes, length, &err), &err);
    must(store_draft_finish(draft, &err), &err);
    return draft;
}

static inline struct store_op append_op(struct fixture *fixture, uint32_t folder,
                                        struct store_draft *draft)
{
    struct store_op op = {.kind = OP_APPEND, .mailbox = fixture->mailbox, .folder = folder};

    op.in.append.draft = draft;
    op.in.append.internal_date = 1700000000;
    op.in.append.zone = 60;
    op.in.append.email_id = 7;
    return op;
}

/* Appends and gives the uid. */
static inline uint32_t append_bytes(struct fixture *fixture, uint32_t folder, const void *bytes,
                                    size_t length)
{
    struct store_draft *draft = draft_of(fixture, bytes, length);
    struct store_op op = append_op(fixture, folder, draft);

    must(store_run(&op), &op.err);
    store_draft_unref(&draft);
    return op.out.append.uid;
}

static inline uint32_t append_text(struct fixture *fixture, uint32_t folder, const char *text)
{
    return append_bytes(fixture, folder, text, strlen(text));
}

static inline void fixture_ignore(struct store_op *op)
{
    (void)op;
}

/* Appends count short items in one transaction, and one more. */
static inline void append_many(struct fixture *fixture, uint32_t folder, size_t count)
{
    struct store_draft *draft = draft_of(fixture, "many", 4);
    struct store_op *ops = calloc(count, sizeof(*ops));
    struct store_op **list = calloc(count, sizeof(*list));
    struct store_op last = append_op(fixture, folder, draft);

    for (size_t i = 0; i < count; i++) {
        ops[i] = append_op(fixture, folder, draft);
        ops[i].done = fixture_ignore;
        list[i] = &ops[i];
    }
    store_submit_all(list, count, false);
    must(store_run(&last), &last.err); /* comes behind them */
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ops[i].err.code, ERR_NONE);
    store_draft_unref(&draft);
    free(list);
    free(ops);
}

static inline uint32_t make_folder(struct fixture *fixture, uint32_t parent, const char *name)
{
    struct store_op op = {.kind = OP_FOLDER_CREATE, .mailbox = fixture->mailbox};

    op.in.create.parent = parent;
    op.in.create.name = name;
    op.in.create.class = CLASS_MAIL;
    must(store_run(&op), &op.err);
    return op.out.create.folder;
}

static inline struct store_read *read_begin(struct fixture *fixture)
{
    struct store_read *read;
    struct err err;

    must(store_read_begin(fixture->mailbox, &read, &err), &err);
    return read;
}

static inline struct store_folder folder_now(struct fixture *fixture, uint32_t id)
{
    struct store_read *read = read_begin(fixture);
    struct store_folder folder;
    struct err err;

    must(store_folder_get(read, id, &folder, &err), &err);
    store_read_end(&read);
    return folder;
}

static inline enum err_code item_now(struct fixture *fixture, uint32_t folder, uint32_t uid,
                                     struct store_item *item)
{
    struct store_read *read = read_begin(fixture);
    enum err_code code = store_item_get(read, folder, uid, item, NULL);

    store_read_end(&read);
    return code;
}

static inline struct store_content *content_now(struct fixture *fixture, uint32_t folder,
                                                uint32_t uid)
{
    struct store_read *read = read_begin(fixture);
    struct store_content *content;
    struct store_item item;
    struct err err;

    must(store_item_get(read, folder, uid, &item, &err), &err);
    must(store_content_open(read, &item, &content, &err), &err);
    store_read_end(&read);
    assert_int_equal(store_content_size(content), item.size);
    return content;
}

/* The item's content is exactly these bytes. */
static inline void assert_content(struct fixture *fixture, uint32_t folder, uint32_t uid,
                                  const void *bytes, size_t length)
{
    struct store_content *content = content_now(fixture, folder, uid);
    uint8_t *got = malloc(length + 1);
    size_t count;
    struct err err;

    must(store_content_read(content, 0, got, length + 1, &count, &err), &err);
    assert_int_equal(count, length);
    if (length != 0)
        assert_memory_equal(got, bytes, length);
    free(got);
    store_content_close(&content);
}

static inline struct uidset set_of(uint32_t first, uint32_t last)
{
    struct uidset set = {0};

    uidset_add_range(&set, first, last);
    return set;
}

/* Expunges first to last. */
static inline void expunge(struct fixture *fixture, uint32_t folder, uint32_t first, uint32_t last)
{
    struct uidset uids = set_of(first, last);
    struct store_op op = {
        .kind = OP_EXPUNGE, .mailbox = fixture->mailbox, .folder = folder, .uids = &uids};

    must(store_run(&op), &op.err);
    uidset_release(&op.out.expunge.removed);
    uidset_release(&uids);
}

#endif
