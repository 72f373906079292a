/* An index that is lost is made again: from its copy and the records after it, and without a copy. */
#include "tests/unit/store/fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/buf.h"
#include "common/crc32c.h"
#include "mailbox-backend/store/copier.h"
#include "mailbox-backend/store/maintain.h"
#include "mailbox-backend/store/rebuild.h"

#define MAILBOXES 3u
#define STEPS 400u

/* ---- what is visible ---- */

static void put_flags(struct buf *out, struct store_read *read, uint32_t folder,
                      const struct store_flags *flags)
{
    static char names[STORE_KEYWORDS_MAX][STORE_KEYWORD_NAME_MAX + 1];
    unsigned count;
    struct err err;

    must(store_keyword_list(read, folder, names, &count, &err), &err);
    buf_printf(out, " flags %x", (unsigned)flags->system);
    for (char letter = 'a'; letter <= 'h'; letter++) /* in an order of its own */
        for (unsigned bit = 0; bit < count; bit++)
            if ((flags->keywords[bit / 64] >> bit % 64 & 1) != 0 && names[bit][0] == letter)
                buf_printf(out, " %s", names[bit]);
}

static uint32_t crc_of(struct store_read *read, const struct store_item *item)
{
    static uint8_t bytes[1 << 16];
    struct store_content *content;
    uint64_t at = 0;
    uint32_t crc = 0;
    size_t got;
    struct err err;

    must(store_content_open(read, item, &content, &err), &err);
    do {
        must(store_content_read(content, at, bytes, sizeof(bytes), &got, &err), &err);
        crc = crc32c(crc, bytes, got);
        at += got;
    } while (got > 0);
    store_content_close(&content);
    return crc;
}

static void put_properties(struct buf *out, struct store_read *read, uint32_t folder,
                           uint64_t item_id)
{
    char name[256] = "";
    uint8_t value[STORE_PROPERTY_MAX];
    size_t length;

    while (store_property_next(read, folder, item_id, "", name, name, sizeof(name), NULL) ==
           ERR_NONE) {
        struct err err;

        must(store_property_get(read, folder, item_id, name, value, sizeof(value), &length, &err),
             &err);
        buf_printf(out, "    %s=%.*s\n", name, (int)length, (const char *)value);
    }
}

static void put_item(struct buf *out, struct store_read *read, uint32_t folder,
                     const struct store_item *item, bool identity)
{
    if (identity)
        buf_printf(out, "  uid %u item %llu saved %lld", item->uid,
                   (unsigned long long)item->item_id, (long long)item->save_date);
    else
        buf_printf(out, "  item");
    put_flags(out, read, folder, &item->flags);
    buf_printf(out, " size %llu header %u %d date %lld %d email %llx thread %llx crc %x\n",
               (unsigned long long)item->size, item->header_size, item->no_final_newline,
               (long long)item->internal_date, item->zone, (unsigned long long)item->email_id,
               (unsigned long long)item->thread_id, crc_of(read, item));
    put_properties(out, read, folder, item->item_id);
}

static void put_folder(struct buf *out, struct store_read *read, const struct store_folder *folder,
                       bool identity)
{
    struct store_item items[64];
    uint32_t first = 1;
    size_t count;

    buf_printf(out, "folder %s", folder->name);
    if (identity)
        buf_printf(out, " id %u in %u use %d validity %u", folder->id, folder->parent, folder->use,
                   folder->uid_validity);
    buf_printf(out, " messages %u unseen %u deleted %u bytes %llu\n", folder->messages,
               folder->unseen, folder->deleted, (unsigned long long)folder->bytes);
    put_properties(out, read, folder->id, 0);
    do {
        struct err err;

        must(store_item_scan(read, folder->id, first, UINT32_MAX - 1, 0, items, 64, &count, &err),
             &err);
        for (size_t i = 0; i < count; i++)
            put_item(out, read, folder->id, &items[i], identity);
        if (count > 0)
            first = items[count - 1].uid + 1;
    } while (count == 64);
}

static void put_folders(struct buf *out, struct store_read *read, uint32_t parent, bool identity)
{
    struct store_folder folder = {0};

    while (store_folder_next(read, parent, folder.name, &folder, NULL) == ERR_NONE) {
        put_folder(out, read, &folder, identity);
        put_folders(out, read, folder.id, identity);
    }
}

struct gone {
    uint64_t item_id;
    uint32_t crc;
    char name[STORE_NAME_MAX + 1];
};

static int by_item(const void *a, const void *b)
{
    const struct gone *x = a, *y = b;

    return (x->item_id > y->item_id) - (x->item_id < y->item_id);
}

/* Not in their order: those of a deleted folder are put aside a little later than the records say. */
static void put_recoverable(struct buf *out, struct store_read *read)
{
    static struct gone all[4096];
    struct store_recoverable entry = {0};
    size_t count = 0;

    while (store_recoverable_next(read, &entry, NULL) == ERR_NONE && count < 4096) {
        all[count] = (struct gone){entry.id.item_id, crc_of(read, &entry.item), ""};
        strcpy(all[count++].name, entry.name);
    }
    qsort(all, count, sizeof(all[0]), by_item);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "  recoverable %llu of %s crc %x\n", (unsigned long long)all[i].item_id,
                   all[i].name, all[i].crc);
}

/* identity: with everything by which clients know things again. */
static char *dump(struct store *store, bool identity)
{
    struct buf out = {0};
    char *text;

    for (unsigned n = 1; n <= MAILBOXES; n++) {
        struct store_guid guid = guid_of(n);
        struct store_mailbox *mailbox;
        struct store_usage usage;
        struct store_read *read;
        struct err err;

        if (store_mailbox_open(store, &guid, false, &mailbox, NULL, &err) != ERR_NONE)
            continue;
        must(store_read_begin(mailbox, &read, &err), &err);
        must(store_usage(read, &usage, &err), &err);
        buf_printf(&out, "mailbox %u: %llu in %llu\n", n, (unsigned long long)usage.bytes,
                   (unsigned long long)usage.messages);
        put_properties(&out, read, 0, 0);
        put_folders(&out, read, STORE_ROOT_FOLDER, identity);
        if (identity)
            put_recoverable(&out, read);
        store_read_end(&read);
        store_mailbox_unref(&mailbox);
    }
    text = strndup((const char *)buf_bytes(&out), buf_length(&out));
    buf_release(&out);
    return text;
}

static void assert_same(const char *before, const char *after)
{
    if (strcmp(before, after) != 0) {
        FILE *file = fopen("/tmp/rebuild-before.txt", "w");

        fputs(before, file);
        fclose(file);
        file = fopen("/tmp/rebuild-after.txt", "w");
        fputs(after, file);
        fclose(file);
    }
    assert_true(strcmp(before, after) == 0);
}

static enum err_code print_finding(void *context, const struct maintain_finding *finding,
                                   struct err *err)
{
    (void)context, (void)err;
    print_error("%s\n", finding->problem);
    return ERR_NONE;
}

static void assert_sound(struct store *store)
{
    const struct check_options options = {.content = true, .share = 100, .found = print_finding};
    struct check_result result;
    struct err err;

    must(store_check(store, 0, &options, &result, &err), &err);
    assert_int_equal(result.findings, 0);
}

/* ---- a random history ---- */

static uint32_t seed;

static uint32_t random_to(uint32_t most)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % most;
}

static void run(struct store_op *op)
{
    store_run(op); /* it may well have nothing to do, or be refused */
}

static uint32_t some_folder(struct store_mailbox *mailbox)
{
    struct store_folder folder;
    struct store_read *read;
    uint32_t id;
    struct err err;

    must(store_read_begin(mailbox, &read, &err), &err);
    for (unsigned tries = 0; tries < 50; tries++) {
        id = STORE_INBOX_FOLDER + random_to(12);
        if (store_folder_get(read, id, &folder, NULL) == ERR_NONE)
            break;
        id = STORE_INBOX_FOLDER;
    }
    store_read_end(&read);
    return id;
}

static const char *const words[] = {"alpha", "beta", "gamma", "delta", "epsilon"};

static struct store_draft *some_draft(struct fixture *fixture)
{
    size_t length = random_to(20) == 0 ? 300000 + random_to(1500000) : 20 + random_to(9000);
    uint8_t *bytes = malloc(length);
    struct store_draft *draft;

    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(random_to(2) == 0 ? 'x' : random_to(256));
    draft = draft_of(fixture, bytes, length);
    free(bytes);
    return draft;
}

static void some_append(struct fixture *fixture, struct store_mailbox *mailbox)
{
    const char *name = words[random_to(5)];
    const struct store_property property = {"/private/comment", "a remark", 8};
    struct store_draft *draft = some_draft(fixture);
    struct store_op op = append_op(fixture, some_folder(mailbox), draft);

    op.mailbox = mailbox;
    op.in.append.flags.system = random_to(32);
    op.in.append.keywords = (struct store_keyword_names){&name, random_to(2)};
    op.in.append.header_size = 10;
    op.in.append.least_uid = random_to(10) == 0 ? random_to(500) : 0;
    op.in.append.email_id = seed;
    op.in.append.thread_id = seed ^ 7;
    op.in.append.properties = &property;
    op.in.append.property_count = random_to(4) == 0;
    run(&op);
    if (random_to(4) == 0) { /* another who gets it */
        op.folder = some_folder(mailbox);
        run(&op);
    }
    store_draft_unref(&draft);
}

static void some_uids_op(struct store_mailbox *mailbox, enum store_op_kind kind)
{
    const char *names[2] = {words[random_to(5)], words[random_to(5)]};
    uint32_t first = 1 + random_to(60);
    struct uidset uids = set_of(first, first + random_to(12));
    struct store_op op = {
        .kind = kind, .mailbox = mailbox, .folder = some_folder(mailbox), .uids = &uids};

    if (kind == OP_FLAGS) {
        op.in.flags.mode = (enum store_flags_mode)random_to(3);
        op.in.flags.system = random_to(32);
        op.in.flags.unchanged_since = UINT64_MAX;
        op.in.flags.keywords = (struct store_keyword_names){names, random_to(3)};
    } else if (kind == OP_COPY || kind == OP_MOVE) {
        op.in.copy.target = some_folder(mailbox);
    }
    run(&op);
    if (kind == OP_FLAGS) {
        uidset_release(&op.out.flags.changed);
        uidset_release(&op.out.flags.refused);
    } else if (kind == OP_EXPUNGE) {
        uidset_release(&op.out.expunge.removed);
    } else {
        uidset_release(&op.out.copy.source);
    }
    uidset_release(&uids);
}

static void some_folder_op(struct store_mailbox *mailbox)
{
    struct store_op op = {.mailbox = mailbox, .folder = some_folder(mailbox)};
    char name[16];

    snprintf(name, sizeof(name), "Folder %u", random_to(20));
    switch (random_to(6)) {
    case 0:
        op.kind = OP_FOLDER_RENAME;
        op.in.rename.parent = random_to(2) == 0 ? STORE_ROOT_FOLDER : some_folder(mailbox);
        op.in.rename.name = name;
        break;
    case 1:
        op.kind = OP_FOLDER_DELETE;
        break;
    case 2:
        op.kind = OP_FOLDER_ADOPT;
        op.in.adopt.uid_validity = 1000000 + random_to(1000000);
        op.in.adopt.uid_next = 1 + random_to(100);
        break;
    default:
        op.kind = OP_FOLDER_CREATE;
        op.in.create.parent = random_to(2) == 0 ? STORE_ROOT_FOLDER : some_folder(mailbox);
        op.in.create.name = name;
        op.in.create.use = random_to(4) == 0 ? USE_ARCHIVE : USE_NONE;
        op.in.create.class = CLASS_MAIL;
    }
    run(&op);
}

static void some_property(struct store_mailbox *mailbox)
{
    struct store_op op = {.kind = OP_PROPERTY_SET, .mailbox = mailbox};
    char value[16];

    op.folder = random_to(2) == 0 ? 0 : some_folder(mailbox);
    snprintf(value, sizeof(value), "%u", random_to(1000));
    op.in.property.property =
        (struct store_property){random_to(2) == 0 ? "/a" : "/b", value, strlen(value)};
    if (random_to(4) == 0)
        op.in.property.property.length = 0;
    run(&op);
}

static void some_properties(struct store_mailbox *mailbox)
{
    struct store_op op = {.kind = OP_PROPERTIES_SET, .mailbox = mailbox};
    const struct store_property list[] = {
        {"/a", "",         random_to(2)},
        {"/c", "together", 8           },
        {"/d", "with it",  random_to(7)}
    };

    op.folder = random_to(2) == 0 ? 0 : some_folder(mailbox);
    op.in.properties.list = list;
    op.in.properties.count = 3;
    run(&op);
}

static void some_recovery(struct store_mailbox *mailbox, enum store_op_kind kind)
{
    struct store_recoverable entry = {0};
    struct store_recoverable_id ids[8];
    struct store_op op = {.kind = kind, .mailbox = mailbox, .folder = some_folder(mailbox)};
    struct store_read *read;
    struct err err;

    must(store_read_begin(mailbox, &read, &err), &err);
    op.in.recover.ids = ids;
    while (op.in.recover.count < 8 && store_recoverable_next(read, &entry, NULL) == ERR_NONE)
        if (random_to(3) == 0)
            ids[op.in.recover.count++] = entry.id;
    store_read_end(&read);
    run(&op);
}

static void some_step(struct fixture *fixture)
{
    struct store_guid guid = guid_of(1 + random_to(MAILBOXES));
    struct store_mailbox *mailbox;
    uint32_t what = random_to(100);
    struct err err;

    must(store_mailbox_open(fixture->store, &guid, true, &mailbox, NULL, &err), &err);
    if (what < 45) {
        some_append(fixture, mailbox);
    } else if (what < 60) {
        some_uids_op(mailbox, OP_FLAGS);
    } else if (what < 68) {
        some_uids_op(mailbox, OP_EXPUNGE);
    } else if (what < 74) {
        some_uids_op(mailbox, OP_COPY);
    } else if (what < 80) {
        some_uids_op(mailbox, OP_MOVE);
    } else if (what < 89) {
        some_folder_op(mailbox);
    } else if (what < 92) {
        some_property(mailbox);
    } else if (what < 94) {
        some_properties(mailbox);
    } else if (what < 97) {
        some_recovery(mailbox, OP_RECOVER);
    } else if (what < 99) {
        some_recovery(mailbox, OP_PURGE);
    } else if (guid.bytes[12] == MAILBOXES) {
        struct store_op op = {.kind = OP_MAILBOX_REMOVE, .mailbox = mailbox};

        run(&op);
    }
    store_mailbox_unref(&mailbox);
}

static void live(struct fixture *fixture, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        some_step(fixture);
        if (random_to(60) == 0)
            fixture_reopen(fixture);
    }
}

static void copy_index(struct fixture *fixture)
{
    struct err err;

    must(copier_copy(fixture->store->databases[0], &err), &err);
    fixture->settings.index_copy_interval = 3600; /* so that its records are kept */
    fixture_reopen(fixture);
}

/* ---- losing it ---- */

static void lose_index(struct fixture *fixture)
{
    char command[160];

    snprintf(command, sizeof(command), "rm %s/db1/index.mdb", fixture->folder);
    assert_int_equal(system(command), 0);
}

static void say(void *context, const char *line)
{
    (void)context;
    print_message("    %s\n", line);
}

static struct rebuild_result rebuild(struct fixture *fixture, bool without_copy,
                                     const struct store_guid *owner)
{
    const struct rebuild_options options = {
        .without_copy = without_copy, .owner = owner, .say = say};
    struct rebuild_result result;
    struct err err;

    must(store_rebuild(&fixture->settings, &options, &result, &err), &err);
    return result;
}

/* A new store, with segments of so many megabytes and so many seconds of recovery. */
static struct fixture *begin(void **state, uint32_t number, unsigned megabytes, unsigned recovery)
{
    struct fixture *fixture = *state;
    char command[192];

    fixture_close(fixture);
    snprintf(command, sizeof(command), "rm -r %s/db1 %s/databases", fixture->folder,
             fixture->folder);
    assert_int_equal(system(command), 0);
    fixture->settings.recovery_seconds = recovery;
    fixture->settings.segment_size = (uint64_t)megabytes << 20;
    fixture->settings.compress = megabytes > 1;
    fixture_open(fixture);
    seed = number;
    return fixture;
}

static void end_and_compare(struct fixture *fixture, char *before)
{
    struct rebuild_result result;
    char *after;

    fixture_close(fixture);
    lose_index(fixture);
    result = rebuild(fixture, false, NULL);
    assert_true(result.from_copy);
    assert_int_equal(result.gaps, 0);
    assert_int_equal(result.damaged, 0);
    assert_int_equal(result.unknown, 0);
    assert_int_equal(result.unreadable, 0);
    fixture_open(fixture);
    after = dump(fixture->store, true);
    assert_same(before, after);
    assert_sound(fixture->store);
    free(before);
    free(after);
}

static void a_random_history_after_the_copy_is_replayed_whole(void **state)
{
    for (uint32_t number = 1; number <= 3; number++) {
        struct fixture *fixture = begin(state, number, 16, 1000);

        live(fixture, STEPS / 2);
        copy_index(fixture);
        live(fixture, STEPS);
        end_and_compare(fixture, dump(fixture->store, true));
    }
}

/* Leaves a small message alone in its segment, and waits until it has been moved out of it. */
static void make_compaction(struct fixture *fixture)
{
    static char big[200000];
    struct store_status before, now;
    uint32_t uids[4];

    store_status(fixture->store, &before);
    append_text(fixture, STORE_INBOX_FOLDER, "From: a\r\n\r\nmoved\r\n");
    for (unsigned i = 0; i < 4; i++)
        uids[i] = append_bytes(fixture, STORE_INBOX_FOLDER, big, sizeof(big));
    for (unsigned i = 0; i < 4; i++)
        expunge(fixture, STORE_INBOX_FOLDER, uids[i], uids[i]);
    for (unsigned i = 0; i < 5; i++)
        append_bytes(fixture, STORE_INBOX_FOLDER, big, sizeof(big));
    for (unsigned i = 0; i < 1000; i++) {
        store_status(fixture->store, &now);
        if (now.compacted_bytes > before.compacted_bytes)
            break;
        usleep(20000);
    }
    assert_true(now.compacted_bytes > before.compacted_bytes);
}

/* Small segments: contents move, and segments are used again. */
static void what_compaction_moved_is_found(void **state)
{
    struct fixture *fixture = begin(state, 11, 1, 0);

    live(fixture, STEPS / 4);
    copy_index(fixture);
    for (unsigned round = 0; round < 3; round++) {
        live(fixture, STEPS / 8);
        make_compaction(fixture);
    }
    end_and_compare(fixture, dump(fixture->store, true));
}

/* More than are copied at once: the copy fills a claim. */
static void a_large_copy_is_replayed(void **state)
{
    struct fixture *fixture = begin(state, 12, 16, 1000);
    struct uidset uids = set_of(1, 20000);
    struct store_op op = {
        .kind = OP_COPY, .mailbox = fixture->mailbox, .folder = STORE_INBOX_FOLDER, .uids = &uids};

    append_many(fixture, STORE_INBOX_FOLDER, 10100);
    copy_index(fixture);
    op.mailbox = fixture->mailbox;
    op.in.copy.target = make_folder(fixture, STORE_ROOT_FOLDER, "Target");
    must(store_run(&op), &op.err);
    assert_int_equal(uidset_size(&op.out.copy.source), 10101);
    uidset_release(&op.out.copy.source);
    uidset_release(&uids);
    expunge(fixture, op.in.copy.target, 5, 10);
    append_text(fixture, op.in.copy.target, "one more");
    end_and_compare(fixture, dump(fixture->store, true));
}

/* A process that ends in the middle: what it had not committed does not come back. */
static void live_and_die(struct fixture *fixture)
{
    pid_t child;
    int status;

    fixture_close(fixture);
    child = fork();
    if (child == 0) {
        struct store_op ops[20];

        fixture_open(fixture);
        live(fixture, 60);
        for (unsigned i = 0; i < 20; i++) {
            ops[i] = append_op(fixture, STORE_INBOX_FOLDER, some_draft(fixture));
            ops[i].done = fixture_ignore;
            store_submit(&ops[i]);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    fixture_open(fixture);
    some_append(fixture, fixture->mailbox);
}

static void records_of_killed_processes_count_as_the_index_had_them(void **state)
{
    struct fixture *fixture = begin(state, 13, 16, 1000);

    live(fixture, 50);
    copy_index(fixture);
    for (unsigned i = 0; i < 5; i++)
        live_and_die(fixture);
    end_and_compare(fixture, dump(fixture->store, true));
}

/* Spoils the last record of the segment. */
static void tear_tail(const struct fixture *fixture)
{
    static uint8_t bytes[16u << 20];
    char path[128];
    ssize_t length;
    int file;

    snprintf(path, sizeof(path), "%s/db1/segment-00000001", fixture->folder);
    file = open(path, O_RDWR);
    length = pread(file, bytes, sizeof(bytes), 0);
    while (length >= 32 && memcmp(bytes + length - 32, "MSR1", 4) != 0)
        length -= 32;
    assert_true(length >= 32);
    assert_int_equal(pwrite(file, "torn", 4, length), 4);
    close(file);
}

static void a_torn_tail_costs_the_last_batch_only(void **state)
{
    struct fixture *fixture = begin(state, 14, 16, 1000);
    struct rebuild_result result;
    uint32_t uid_next;
    char *before, *after;

    live(fixture, 20);
    copy_index(fixture);
    live(fixture, 40);
    before = dump(fixture->store, true);
    append_text(fixture, STORE_INBOX_FOLDER, "the last one");
    uid_next = folder_now(fixture, STORE_INBOX_FOLDER).uid_next;
    fixture_close(fixture);
    tear_tail(fixture);
    lose_index(fixture);
    result = rebuild(fixture, false, NULL);
    assert_true(result.damaged > 0);
    fixture_open(fixture);
    after = dump(fixture->store, true);
    assert_same(before, after);
    assert_sound(fixture->store);
    assert_true(folder_now(fixture, STORE_INBOX_FOLDER).uid_next > uid_next);
    free(before);
    free(after);
}

/* ---- without a copy ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of items, sorted; the text is used up. */
static char *items_of(char *text)
{
    static char *lines[20000];
    struct buf out = {0};
    size_t count = 0;
    char *save;

    for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
        if (strncmp(line, "  item", 6) == 0)
            lines[count++] = line;
    qsort(lines, count, sizeof(lines[0]), by_text);
    for (size_t i = 0; i < count; i++)
        buf_printf(&out, "%s\n", lines[i]);
    free(text);
    text = strndup((const char *)buf_bytes(&out), buf_length(&out));
    buf_release(&out);
    return text;
}

static void without_a_copy_messages_come_below_recovered(void **state)
{
    struct fixture *fixture = begin(state, 21, 16, 1000);
    struct rebuild_result result;
    struct store_folder folder;
    struct store_read *read;
    char *before, *after;
    uint32_t validity;
    struct err err;

    live(fixture, STEPS);
    before = items_of(dump(fixture->store, false));
    validity = folder_now(fixture, STORE_INBOX_FOLDER).uid_validity;
    fixture_close(fixture);
    lose_index(fixture);
    result = rebuild(fixture, true, NULL);
    assert_false(result.from_copy);
    assert_int_equal(result.gaps, 0);
    fixture_open(fixture);
    after = items_of(dump(fixture->store, false));
    assert_same(before, after);
    assert_sound(fixture->store);
    read = read_begin(fixture);
    must(store_folder_find(read, STORE_ROOT_FOLDER, str_of("Recovered"), &folder, &err), &err);
    must(store_folder_find(read, folder.id, str_of("INBOX"), &folder, &err), &err);
    assert_true(folder.messages > 0);
    assert_true(folder.uid_validity > validity);
    store_read_end(&read);
    assert_int_equal(folder_now(fixture, STORE_INBOX_FOLDER).messages, 0);
    assert_true(folder_now(fixture, STORE_INBOX_FOLDER).uid_validity > validity);
    free(before);
    free(after);
}

/* The first segment, with the records of who got what, is gone; compaction had moved its messages. */
static void messages_whose_records_are_gone_come_to_the_one_named(void **state)
{
    struct fixture *fixture = begin(state, 22, 1, 0);
    const struct rebuild_options options = {.without_copy = true};
    struct store_guid guid = guid_of(2);
    struct rebuild_result result;
    struct err err;

    make_compaction(fixture);
    fixture_close(fixture);
    lose_index(fixture);
    {
        char command[160];

        snprintf(command, sizeof(command), "rm %s/db1/segment-00000001", fixture->folder);
        assert_int_equal(system(command), 0);
    }
    assert_int_equal(store_rebuild(&fixture->settings, &options, &result, &err), ERR_INVALID);
    assert_true(result.without_owner > 0);
    {
        const struct rebuild_options given = {.without_copy = true, .owner = &guid};
        char command[192];

        /* another database that cannot be read may have the owner's mailbox */
        snprintf(command, sizeof(command), "mkdir %s/db7 && printf x > %s/db7/index.mdb",
                 fixture->folder, fixture->folder);
        assert_int_equal(system(command), 0);
        assert_int_equal(store_rebuild(&fixture->settings, &given, &result, &err), ERR_UNAVAILABLE);
        assert_non_null(strstr(err.text, "db7"));
        snprintf(command, sizeof(command), "rm -r %s/db7", fixture->folder);
        assert_int_equal(system(command), 0);
    }
    result = rebuild(fixture, true, &guid);
    assert_true(result.without_owner > 0);
    fixture_open(fixture);
    assert_sound(fixture->store);
}

static void a_lost_index_is_named_with_what_to_do(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    append_text(fixture, STORE_INBOX_FOLDER, "one");
    fixture_close(fixture);
    lose_index(fixture);
    assert_int_equal(store_open(&fixture->store, &fixture->settings, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.text, "database rebuild db1"));
}

static void without_a_copy_nothing_is_touched(void **state)
{
    struct fixture *fixture = *state;
    const struct rebuild_options options = {0};
    struct rebuild_result result;
    struct err err;

    append_text(fixture, STORE_INBOX_FOLDER, "one");
    assert_int_equal(store_rebuild(&fixture->settings, &options, &result, &err), ERR_EXISTS);
    fixture_close(fixture);
    assert_int_equal(store_rebuild(&fixture->settings, &options, &result, &err), ERR_NOT_FOUND);
    fixture_open(fixture);
    assert_content(fixture, STORE_INBOX_FOLDER, 1, "one", 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_random_history_after_the_copy_is_replayed_whole),
        TEST(what_compaction_moved_is_found),
        TEST(a_large_copy_is_replayed),
        TEST(records_of_killed_processes_count_as_the_index_had_them),
        TEST(a_torn_tail_costs_the_last_batch_only),
        TEST(without_a_copy_messages_come_below_recovered),
        TEST(messages_whose_records_are_gone_come_to_the_one_named),
        TEST(a_lost_index_is_named_with_what_to_do),
        TEST(without_a_copy_nothing_is_touched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
