/* Random operations on the store and on a plain model of it in memory; they must agree. */
#include "tests/unit/store/fixture.h"

#define FOLDERS 4
#define UIDS 4000
#define ROUNDS 1500
#define CHECK_EVERY 50

struct model_item {
    bool there;
    uint32_t system;
    uint64_t number; /* of the message */
    uint64_t modseq;
};

struct model_folder {
    uint32_t id;
    uint32_t uid_next;
    uint64_t modseq;
    struct model_item items[UIDS];
};

struct model {
    struct fixture *fixture;
    struct model_folder folders[FOLDERS];
    uint64_t messages; /* made so far */
    unsigned seed;
};

static unsigned pick(struct model *model, unsigned below)
{
    return (unsigned)rand_r(&model->seed) % below;
}

static struct model_folder *pick_folder(struct model *model)
{
    return &model->folders[pick(model, FOLDERS)];
}

static struct uidset pick_uids(struct model *model, const struct model_folder *folder)
{
    struct uidset uids = {0};
    unsigned ranges = 1 + pick(model, 3);

    for (unsigned i = 0; i < ranges; i++) {
        uint32_t first = 1 + pick(model, folder->uid_next + 2);

        uidset_add_range(&uids, first, first + pick(model, 10));
    }
    return uids;
}

static size_t text_of(uint64_t number, char text[64])
{
    return (size_t)snprintf(text, 64, "message %llu", (unsigned long long)number);
}

/* ---- the operations, on both ---- */

static void do_append(struct model *model)
{
    struct model_folder *folder = pick_folder(model);
    uint64_t number = ++model->messages;
    char text[64];
    size_t length = text_of(number, text);
    struct store_draft *draft = draft_of(model->fixture, text, length);
    struct store_op op = append_op(model->fixture, folder->id, draft);
    uint32_t system = pick(model, FLAG_ALL + 1);

    op.in.append.flags.system = system;
    op.in.append.email_id = number;
    must(store_run(&op), &op.err);
    store_draft_unref(&draft);
    assert_int_equal(op.out.append.uid, folder->uid_next);
    folder->items[folder->uid_next++] = (struct model_item){true, system, number, op.modseq};
    folder->modseq = op.modseq;
}

static uint32_t changed_flags(enum store_flags_mode mode, uint32_t old, uint32_t system)
{
    return mode == FLAGS_ADD ? old | system : mode == FLAGS_REMOVE ? old & ~system : system;
}

static void do_flags(struct model *model)
{
    struct model_folder *folder = pick_folder(model);
    struct uidset uids = pick_uids(model, folder);
    struct store_op op = {
        .kind = OP_FLAGS, .mailbox = model->fixture->mailbox, .folder = folder->id, .uids = &uids};
    uint64_t changed = 0;

    op.in.flags.mode = (enum store_flags_mode)pick(model, 3);
    op.in.flags.system = pick(model, FLAG_ALL + 1);
    op.in.flags.unchanged_since = UINT64_MAX;
    must(store_run(&op), &op.err);
    for (uint32_t uid = 1; uid < folder->uid_next; uid++) {
        struct model_item *item = &folder->items[uid];
        uint32_t system = changed_flags(op.in.flags.mode, item->system, op.in.flags.system);

        if (!item->there || !uidset_has(&uids, uid) || system == item->system)
            continue;
        item->system = system;
        item->modseq = op.modseq;
        folder->modseq = op.modseq;
        changed++;
        assert_true(uidset_has(&op.out.flags.changed, uid));
    }
    assert_int_equal(uidset_size(&op.out.flags.changed), changed);
    uidset_release(&op.out.flags.changed);
    uidset_release(&uids);
}

static void do_expunge(struct model *model)
{
    struct model_folder *folder = pick_folder(model);
    struct uidset uids = pick_uids(model, folder);
    struct store_op op = {.kind = OP_EXPUNGE,
                          .mailbox = model->fixture->mailbox,
                          .folder = folder->id,
                          .uids = &uids};
    uint64_t removed = 0;

    op.in.expunge.only_deleted = pick(model, 2) != 0;
    must(store_run(&op), &op.err);
    for (uint32_t uid = 1; uid < folder->uid_next; uid++) {
        struct model_item *item = &folder->items[uid];

        if (!item->there || !uidset_has(&uids, uid) ||
            (op.in.expunge.only_deleted && (item->system & FLAG_DELETED) == 0))
            continue;
        item->there = false;
        item->modseq = op.modseq; /* when it went */
        folder->modseq = op.modseq;
        removed++;
        assert_true(uidset_has(&op.out.expunge.removed, uid));
    }
    assert_int_equal(uidset_size(&op.out.expunge.removed), removed);
    uidset_release(&op.out.expunge.removed);
    uidset_release(&uids);
}

static void do_copy(struct model *model)
{
    struct model_folder *from = pick_folder(model);
    struct model_folder *to = pick_folder(model);
    struct uidset uids = pick_uids(model, from);
    struct store_op op = {.kind = pick(model, 2) != 0 ? OP_COPY : OP_MOVE,
                          .mailbox = model->fixture->mailbox,
                          .folder = from->id,
                          .uids = &uids};
    uint32_t end = from->uid_next;
    uint64_t count = 0;

    op.in.copy.target = to->id;
    must(store_run(&op), &op.err);
    for (uint32_t uid = 1; uid < end; uid++) {
        struct model_item *item = &from->items[uid];

        if (!item->there || !uidset_has(&uids, uid))
            continue;
        assert_int_equal(op.out.copy.first + count, to->uid_next);
        to->items[to->uid_next] = *item;
        to->items[to->uid_next++].modseq = op.modseq;
        to->modseq = op.modseq;
        count++;
        if (op.kind == OP_MOVE) {
            item->there = false;
            item->modseq = op.modseq;
            from->modseq = op.modseq;
        }
    }
    assert_int_equal(uidset_size(&op.out.copy.source), count);
    uidset_release(&op.out.copy.source);
    uidset_release(&uids);
}

/* ---- comparing ---- */

static void check_content(struct model *model, struct store_read *read,
                          const struct store_item *item, uint64_t number)
{
    struct store_content *content;
    char text[64], got[64];
    size_t length = text_of(number, text);
    size_t count;
    struct err err;

    (void)model;
    must(store_content_open(read, item, &content, &err), &err);
    must(store_content_read(content, 0, got, sizeof(got), &count, &err), &err);
    assert_int_equal(count, length);
    assert_memory_equal(got, text, length);
    store_content_close(&content);
}

static void check_counts(struct store_read *read, const struct model_folder *folder)
{
    struct store_folder got;
    uint32_t messages = 0, unseen = 0, deleted = 0;

    for (uint32_t uid = 1; uid < folder->uid_next; uid++) {
        const struct model_item *item = &folder->items[uid];

        messages += item->there;
        unseen += item->there && (item->system & FLAG_SEEN) == 0;
        deleted += item->there && (item->system & FLAG_DELETED) != 0;
    }
    assert_int_equal(store_folder_get(read, folder->id, &got, NULL), ERR_NONE);
    assert_int_equal(got.messages, messages);
    assert_int_equal(got.unseen, unseen);
    assert_int_equal(got.deleted, deleted);
    assert_int_equal(got.uid_next, folder->uid_next);
    assert_int_equal(got.highest_modseq, folder->modseq);
}

static void check_items(struct model *model, struct store_read *read,
                        const struct model_folder *folder)
{
    static struct store_item items[UIDS];
    size_t count;
    size_t at = 0;

    assert_int_equal(store_item_scan(read, folder->id, 1, UINT32_MAX, 0, items, UIDS, &count, NULL),
                     ERR_NONE);
    for (uint32_t uid = 1; uid < folder->uid_next; uid++) {
        const struct model_item *item = &folder->items[uid];

        if (!item->there)
            continue;
        assert_true(at < count);
        assert_int_equal(items[at].uid, uid);
        assert_int_equal(items[at].flags.system, item->system);
        assert_int_equal(items[at].email_id, item->number);
        assert_int_equal(items[at].modseq, item->modseq);
        if (uid % 7 == 0)
            check_content(model, read, &items[at], item->number);
        at++;
    }
    assert_int_equal(at, count);
}

/* What changed, and what went, since a random moment. */
static void check_changes(struct model *model, struct store_read *read,
                          const struct model_folder *folder)
{
    static struct store_item items[UIDS];
    uint64_t since = folder->modseq == 0 ? 0 : pick(model, (unsigned)folder->modseq + 1);
    struct uidset gone = {0};
    size_t count;
    size_t at = 0;
    bool complete;

    if (since == 0)
        return;
    assert_int_equal(
        store_item_scan(read, folder->id, 1, UINT32_MAX, since, items, UIDS, &count, NULL),
        ERR_NONE);
    assert_int_equal(store_vanished(read, folder->id, since, &gone, &complete, NULL), ERR_NONE);
    assert_true(complete);
    for (uint32_t uid = 1; uid < folder->uid_next; uid++) {
        const struct model_item *item = &folder->items[uid];

        assert_int_equal(uidset_has(&gone, uid), !item->there && item->modseq > since);
        if (item->there && item->modseq > since)
            assert_int_equal(items[at++].uid, uid);
    }
    assert_int_equal(at, count);
    uidset_release(&gone);
}

static void check_usage(struct model *model, struct store_read *read)
{
    struct store_usage usage;
    uint64_t messages = 0, bytes = 0;
    char text[64];

    for (unsigned n = 0; n < FOLDERS; n++) {
        for (uint32_t uid = 1; uid < model->folders[n].uid_next; uid++) {
            if (!model->folders[n].items[uid].there)
                continue;
            messages++;
            bytes += text_of(model->folders[n].items[uid].number, text);
        }
    }
    assert_int_equal(store_usage(read, &usage, NULL), ERR_NONE);
    assert_int_equal(usage.messages, messages);
    assert_int_equal(usage.bytes, bytes);
}

static void check(struct model *model)
{
    struct store_read *read = read_begin(model->fixture);

    for (unsigned n = 0; n < FOLDERS; n++) {
        check_counts(read, &model->folders[n]);
        check_items(model, read, &model->folders[n]);
        check_changes(model, read, &model->folders[n]);
    }
    check_usage(model, read);
    store_read_end(&read);
}

static bool has_room(const struct model *model)
{
    for (unsigned n = 0; n < FOLDERS; n++)
        if (model->folders[n].uid_next > UIDS - 40)
            return false;
    return true;
}

static void one_round(struct model *model, int round)
{
    unsigned dice = pick(model, 10);

    if (dice < 5)
        do_append(model);
    else if (dice < 7)
        do_flags(model);
    else if (dice < 8)
        do_expunge(model);
    else if (has_room(model))
        do_copy(model);
    if (round % CHECK_EVERY == 0)
        check(model);
    if (round % 400 == 399)
        fixture_reopen(model->fixture);
}

static void the_store_agrees_with_a_plain_model(void **state)
{
    static struct model model;
    char name[16];

    memset(&model, 0, sizeof(model));
    model.fixture = *state;
    model.seed = 20261124;
    for (unsigned n = 0; n < FOLDERS; n++) {
        struct model_folder *folder = &model.folders[n];

        snprintf(name, sizeof(name), "F%u", n);
        folder->id =
            n == 0 ? STORE_INBOX_FOLDER : make_folder(model.fixture, STORE_ROOT_FOLDER, name);
        folder->uid_next = 1;
        folder->modseq = folder_now(model.fixture, folder->id).highest_modseq;
    }
    for (int round = 0; round < ROUNDS; round++)
        one_round(&model, round);
    check(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_store_agrees_with_a_plain_model, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
