/* Backups of a store under load, what is in them, and what clients see after a restore. */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#include "mailbox-backend/store/backup_private.h"
#include "tests/unit/store/fixture.h"

#define INBOX STORE_INBOX_FOLDER

struct backups {
    struct fixture *fixture;
    char folder[64];
    struct backup_facts facts;
};

static int setup(void **state)
{
    struct backups *backups = calloc(1, sizeof(*backups));

    backups->fixture = fixture_make();
    fixture_open(backups->fixture);
    strcpy(backups->folder, "/tmp/backup-test-XXXXXX");
    assert_non_null(mkdtemp(backups->folder));
    *state = backups;
    return 0;
}

static int teardown(void **state)
{
    struct backups *backups = *state;
    void *fixture = backups->fixture;
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", backups->folder);
    assert_int_equal(system(command), 0);
    free(backups);
    return fixture_teardown(&fixture);
}

static void back_up(struct backups *backups)
{
    const struct backup_options options = {0};
    struct err err;

    must(backup_run(backups->fixture->store, backups->folder, &options, &backups->facts, &err),
         &err);
}

static enum err_code count_problem(void *context, const char *problem, struct err *err)
{
    (void)context;
    (void)problem;
    (void)err;
    return ERR_NONE;
}

static uint64_t findings(struct backups *backups)
{
    struct backup_check check = {.found = count_problem};
    struct err err;

    must(backup_verify(backups->folder, backups->facts.name, &check, &err), &err);
    return check.findings;
}

/* Puts the fixture's store in the place of what the backup holds. */
static void restore(struct backups *backups, bool new_uid_validity)
{
    struct fixture *fixture = backups->fixture;
    char path[96], directory[96], command[128];
    const struct backup_target target = {.store = path,
                                         .directory = directory,
                                         .map_size = 1u << 30,
                                         .new_uid_validity = new_uid_validity};
    struct backup_facts facts;
    struct err err;

    fixture_close(fixture);
    snprintf(command, sizeof(command), "rm -rf %s", fixture->folder);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof(path), "%s", fixture->folder);
    snprintf(directory, sizeof(directory), "%s/directory", backups->folder);
    must(backup_restore(backups->folder, backups->facts.name, &target, &facts, &err), &err);
    fixture_open(fixture);
}

static void a_restored_store_has_what_the_backup_saw(void **state)
{
    struct backups *backups = *state;
    struct fixture *fixture = backups->fixture;
    size_t length = 3u << 20;
    uint8_t *large = malloc(length);
    uint32_t uid, text;

    for (size_t i = 0; i < length; i++)
        large[i] = (uint8_t)(i * i >> 7);
    uid = append_bytes(fixture, INBOX, large, length);
    text = append_text(fixture, INBOX, "before");
    back_up(backups);
    append_text(fixture, INBOX, "after");
    assert_int_equal(findings(backups), 0);
    restore(backups, false);
    assert_int_equal(folder_now(fixture, INBOX).messages, 2);
    assert_content(fixture, INBOX, uid, large, length);
    assert_content(fixture, INBOX, text, "before", 6);
    free(large);
}

static void numbers_jump_at_a_restore(void **state)
{
    struct backups *backups = *state;
    struct fixture *fixture = backups->fixture;
    uint32_t kept = append_text(fixture, INBOX, "kept"), lost;
    struct store_folder before, after;
    struct store_item item, later;
    struct uidset gone = {0};
    struct store_read *read;
    bool complete;

    back_up(backups);
    lost = append_text(fixture, INBOX, "lost");
    assert_int_equal(item_now(fixture, INBOX, lost, &later), ERR_NONE);
    before = folder_now(fixture, INBOX);
    restore(backups, false);
    after = folder_now(fixture, INBOX);
    assert_int_equal(after.uid_validity, before.uid_validity);
    assert_true(after.uid_next > before.uid_next);
    assert_true(after.highest_modseq > before.highest_modseq);
    assert_int_equal(item_now(fixture, INBOX, lost, &item), ERR_NOT_FOUND);
    assert_int_equal(item_now(fixture, INBOX, kept, &item), ERR_NONE);
    assert_true(item.modseq > before.highest_modseq);
    read = read_begin(fixture);
    assert_int_equal(store_vanished(read, INBOX, before.highest_modseq, &gone, &complete, NULL),
                     ERR_NONE);
    store_read_end(&read);
    assert_false(complete);
    uidset_release(&gone);
    lost = append_text(fixture, INBOX, "new");
    assert_true(lost >= before.uid_next);
    assert_int_equal(item_now(fixture, INBOX, lost, &item), ERR_NONE);
    assert_true(item.item_id > later.item_id);
}

static void a_new_uid_validity_can_be_asked_for(void **state)
{
    struct backups *backups = *state;
    struct fixture *fixture = backups->fixture;
    uint32_t before = folder_now(fixture, INBOX).uid_validity;

    back_up(backups);
    restore(backups, true);
    assert_true(folder_now(fixture, INBOX).uid_validity > before);
}

static void a_restored_store_takes_mail_and_is_backed_up_anew(void **state)
{
    struct backups *backups = *state;
    struct fixture *fixture = backups->fixture;
    uint32_t first = append_text(fixture, INBOX, "first"), second;

    back_up(backups);
    append_text(fixture, INBOX, "another life");
    back_up(backups);
    assert_int_equal(findings(backups), 0);
    restore(backups, false);
    second = append_text(fixture, INBOX, "second");
    back_up(backups);
    assert_int_equal(findings(backups), 0);
    restore(backups, false);
    assert_content(fixture, INBOX, first, "first", 5);
    assert_content(fixture, INBOX, second, "second", 6);
    assert_int_equal(folder_now(fixture, INBOX).messages, 3);
}

static void a_second_backup_copies_only_what_was_appended(void **state)
{
    struct backups *backups = *state;
    struct fixture *fixture = backups->fixture;
    size_t length = 4u << 20;
    uint32_t *noise = malloc(length);
    char first[BACKUP_NAME_SIZE];

    for (size_t i = 0; i < length / 4; i++)
        noise[i] = (uint32_t)(i * 2654435761u ^ i << 7);
    append_bytes(fixture, INBOX, noise, length / 2);
    append_bytes(fixture, INBOX, noise + 1, length / 2);
    back_up(backups);
    assert_true(backups->facts.copied >= length / 2);
    strcpy(first, backups->facts.name);
    append_text(fixture, INBOX, "a little more");
    back_up(backups);
    assert_true(backups->facts.copied < length / 4);
    assert_int_equal(findings(backups), 0);
    strcpy(backups->facts.name, first); /* sharing has not spoilt the first */
    assert_int_equal(findings(backups), 0);
    free(noise);
}

/* A draft has room in a segment, and writes it after the backup: the next one must have it. */
static void room_that_is_written_later_is_copied_later(void **state)
{
    struct backups *backups = *state;
    struct fixture *fixture = backups->fixture;
    size_t length = 2u << 20;
    uint8_t *bytes = malloc(length);
    struct store_draft *draft;
    struct store_op op;
    struct err err;

    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(i * i * i >> 11);
    must(store_draft_create(fixture->store, 0, length, &draft, &err), &err);
    must(store_draft_append(draft, bytes, length - 5, &err), &err);
    append_text(fixture, INBOX, "in between");
    back_up(backups);
    must(store_draft_append(draft, bytes + length - 5, 5, &err), &err);
    must(store_draft_finish(draft, &err), &err);
    op = append_op(fixture, INBOX, draft);
    must(store_run(&op), &op.err);
    store_draft_unref(&draft);
    back_up(backups);
    assert_int_equal(findings(backups), 0);
    restore(backups, false);
    assert_content(fixture, INBOX, op.out.append.uid, bytes, length);
    free(bytes);
}

struct load {
    struct fixture *fixture;
    atomic_uint acknowledged;
    atomic_bool stop;
};

static void *append_for_a_while(void *argument)
{
    struct load *load = argument;

    while (!atomic_load(&load->stop)) {
        char text[32];
        unsigned n = atomic_load(&load->acknowledged) + 1;

        snprintf(text, sizeof(text), "message %u", n);
        append_text(load->fixture, INBOX, text);
        atomic_store(&load->acknowledged, n);
    }
    return NULL;
}

/* Uids count from 1, so message n has uid n. */
static void a_backup_under_load_has_all_that_was_acknowledged_before(void **state)
{
    struct backups *backups = *state;
    struct fixture *fixture = backups->fixture;
    struct load load = {.fixture = fixture};
    unsigned before, after;
    pthread_t thread;
    uint32_t messages;

    assert_int_equal(pthread_create(&thread, NULL, append_for_a_while, &load), 0);
    for (unsigned round = 0; round < 3; round++) {
        unsigned until = atomic_load(&load.acknowledged) + 50;

        while (atomic_load(&load.acknowledged) < until)
            usleep(1000);
        before = atomic_load(&load.acknowledged);
        back_up(backups);
        after = atomic_load(&load.acknowledged);
    }
    atomic_store(&load.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(findings(backups), 0);
    restore(backups, false);
    messages = folder_now(fixture, INBOX).messages;
    assert_in_range(messages, before, after + 1);
    for (uint32_t n = 1; n <= messages; n++) {
        char text[32];

        snprintf(text, sizeof(text), "message %u", n);
        assert_content(fixture, INBOX, n, text, strlen(text));
    }
}

/* Inverts one byte in the middle of each file of the folder whose name begins so. */
static void damage(const char *folder, const char *begin, long at)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        char path[700];
        FILE *file;
        int byte;

        if (strncmp(entry->d_name, begin, strlen(begin)) != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        file = fopen(path, "r+");
        assert_non_null(file);
        fseek(file, at, SEEK_SET);
        byte = fgetc(file);
        fseek(file, at, SEEK_SET);
        fputc(~byte & 0xFF, file);
        fclose(file);
    }
    closedir(dir);
}

/* The folder of the segments. */
static void find_segments(const struct backups *backups, char path[400])
{
    DIR *dir = opendir(backups->folder);
    struct dirent *entry;

    path[0] = '\0';
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, "db1-", 4) == 0)
            snprintf(path, 400, "%s/%s", backups->folder, entry->d_name);
    }
    closedir(dir);
    assert_true(path[0] != '\0');
}

/* Where the first segment has these bytes. */
static long offset_of(const char *folder, const char *text)
{
    char path[500];
    static char bytes[1 << 16];
    const char *found;
    FILE *file;
    size_t length;

    snprintf(path, sizeof(path), "%s/segment-00000001-1", folder);
    file = fopen(path, "r");
    assert_non_null(file);
    length = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    found = memmem(bytes, length, text, strlen(text));
    assert_non_null(found);
    return found - bytes;
}

static void damage_in_a_message_is_found(void **state)
{
    struct backups *backups = *state;
    char path[400], away[500];
    long at;

    append_text(backups->fixture, INBOX, "a message that is going to be damaged");
    back_up(backups);
    find_segments(backups, path);
    at = offset_of(path, "going to be");
    damage(path, "segment-", at);
    assert_int_equal(findings(backups), 2); /* the file's checksum, and the piece's */
    damage(path, "segment-", at);
    assert_int_equal(findings(backups), 0);
    snprintf(away, sizeof(away), "%s-away", path);
    assert_int_equal(rename(path, away), 0);
    assert_int_equal(findings(backups), 2);
}

static void damage_in_the_index_or_the_manifest_is_found(void **state)
{
    struct backups *backups = *state;
    char path[200];

    append_text(backups->fixture, INBOX, "a message");
    back_up(backups);
    snprintf(path, sizeof(path), "%s/%s", backups->folder, backups->facts.name);
    damage(path, "db1.index", 5000);
    assert_int_equal(findings(backups), 1);
    damage(path, "db1.index", 5000);
    assert_int_equal(findings(backups), 0);
    damage(path, "manifest", 30);
    assert_int_equal(findings(backups), 1);
}

static void a_restore_replaces_nothing(void **state)
{
    struct backups *backups = *state;
    char directory[96];
    const struct backup_target target = {
        .store = backups->fixture->folder, .directory = directory, .map_size = 1u << 30};
    struct backup_facts facts;
    struct err err;

    back_up(backups);
    snprintf(directory, sizeof(directory), "%s/directory", backups->folder);
    assert_int_equal(backup_restore(backups->folder, backups->facts.name, &target, &facts, &err),
                     ERR_EXISTS);
}

static bool never(void *context)
{
    (void)context;
    return false;
}

static void a_backup_that_is_broken_off_leaves_none(void **state)
{
    struct backups *backups = *state;
    const struct backup_options options = {.wanted = never};
    struct backup_facts facts;

    append_text(backups->fixture, INBOX, "a message");
    assert_int_equal(backup_run(backups->fixture->store, backups->folder, &options, &facts, NULL),
                     ERR_UNAVAILABLE);
    assert_int_equal(backup_next(backups->folder, "", &facts, NULL), ERR_NOT_FOUND);
    back_up(backups);
    assert_int_equal(findings(backups), 0);
    assert_int_equal(backup_next(backups->folder, "", &facts, NULL), ERR_NONE);
    assert_true(facts.whole);
    assert_int_equal(facts.messages, 1);
}

/* ---- pruning ---- */

struct fates {
    enum backup_fate of[32];
    size_t count;
};

static enum err_code note_fate(void *context, const char *name, int64_t taken,
                               enum backup_fate fate, struct err *err)
{
    struct fates *fates = context;

    (void)name;
    (void)taken;
    (void)err;
    assert_true(fates->count < 32);
    fates->of[fates->count++] = fate;
    return ERR_NONE;
}

static struct fates prune(struct backups *backups, struct backup_pruning pruning)
{
    struct fates fates = {0};
    struct err err;

    pruning.told = note_fate;
    pruning.context = &fates;
    must(backup_prune(backups->folder, &pruning, &err), &err);
    return fates;
}

static unsigned backups_there(const struct backups *backups)
{
    struct backup_facts facts = {0};
    unsigned count = 0;

    while (backup_next(backups->folder, facts.name, &facts, NULL) == ERR_NONE)
        count++;
    return count;
}

static bool has_path(const struct backups *backups, const char *format, const char *name)
{
    char path[200], inner[100];

    snprintf(inner, sizeof(inner), format, name);
    snprintf(path, sizeof(path), "%s/%s", backups->folder, inner);
    return access(path, F_OK) == 0;
}

static void pruning_removes_a_backup_and_what_only_it_needed(void **state)
{
    struct backups *backups = *state;
    char before[400];
    struct fates fates;

    append_text(backups->fixture, INBOX, "a message");
    back_up(backups);
    find_segments(backups, before);
    restore(backups, false); /* a new life shares nothing with the former */
    append_text(backups->fixture, INBOX, "another");
    back_up(backups);
    back_up(backups);
    fates = prune(backups, (struct backup_pruning){.newest = 2, .dry_run = true});
    assert_int_equal(fates.of[0], BACKUP_GOES);
    assert_int_equal(backups_there(backups), 3);
    assert_int_equal(access(before, F_OK), 0);
    prune(backups, (struct backup_pruning){.newest = 2});
    assert_int_equal(backups_there(backups), 2);
    assert_int_not_equal(access(before, F_OK), 0);
    assert_int_equal(findings(backups), 0);
    prune(backups, (struct backup_pruning){.newest = 1});
    assert_int_equal(backups_there(backups), 1);
    assert_int_equal(findings(backups), 0);
    back_up(backups);
    assert_int_equal(findings(backups), 0);
    restore(backups, false);
    assert_int_equal(folder_now(backups->fixture, INBOX).messages, 2);
}

/* A backup of nothing, taken then. */
static void make_backup(struct backups *backups, int64_t taken)
{
    const struct backup_manifest manifest = {.taken = taken};
    char name[BACKUP_NAME_SIZE], path[200];
    time_t seconds = taken;
    struct tm tm;
    struct err err;

    gmtime_r(&seconds, &tm);
    strftime(name, sizeof(name), "%Y%m%dT%H%M%S.000Z", &tm);
    snprintf(path, sizeof(path), "%s/%s", backups->folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/%s/manifest", backups->folder, name);
    must(manifest_write(&manifest, path, &err), &err);
}

#define HOUR 3600
#define DAY (24 * HOUR)

static void of_each_day_and_week_the_last_backup_is_kept(void **state)
{
    struct backups *backups = *state;
    int64_t monday = 18414ll * DAY; /* 2020-06-01 */
    enum backup_fate want[] = {
        BACKUP_STAYS, /* Sunday: the last of its week, though not of the last two days */
        BACKUP_GOES,  /* Monday morning */
        BACKUP_GOES,  /* Monday evening */
        BACKUP_GOES,  /* Wednesday morning */
        BACKUP_STAYS, /* Wednesday evening */
        BACKUP_GOES,  /* Friday */
        BACKUP_STAYS, /* Friday, later */
        BACKUP_STAYS, /* today */
    };
    struct fates fates;

    back_up(backups); /* makes the lock; it is newer than all others */
    make_backup(backups, monday - HOUR);
    make_backup(backups, monday + 8 * HOUR);
    make_backup(backups, monday + 20 * HOUR);
    make_backup(backups, monday + 2 * DAY + 8 * HOUR);
    make_backup(backups, monday + 2 * DAY + 20 * HOUR);
    make_backup(backups, monday + 4 * DAY);
    make_backup(backups, monday + 4 * DAY + HOUR);
    fates = prune(backups, (struct backup_pruning){.newest = 1, .daily = 3, .weekly = 3});
    assert_int_equal(fates.count, sizeof(want) / sizeof(want[0]));
    for (size_t i = 0; i < fates.count; i++)
        assert_int_equal(fates.of[i], want[i]);
    assert_int_equal(backups_there(backups), 4);
}

static void a_backup_in_use_is_not_pruned(void **state)
{
    struct backups *backups = *state;
    char first[BACKUP_NAME_SIZE];
    struct fates fates;
    struct err err;
    int use;

    append_text(backups->fixture, INBOX, "a message");
    back_up(backups);
    strcpy(first, backups->facts.name);
    back_up(backups);
    must(backup_use(backups->folder, first, &use, &err), &err);
    fates = prune(backups, (struct backup_pruning){.newest = 1});
    assert_int_equal(fates.of[0], BACKUP_IN_USE);
    assert_int_equal(backups_there(backups), 2);
    strcpy(backups->facts.name, first);
    assert_int_equal(findings(backups), 0);
    close(use);
    prune(backups, (struct backup_pruning){.newest = 1});
    assert_int_equal(backups_there(backups), 1);
}

static void what_a_crash_left_is_removed(void **state)
{
    struct backups *backups = *state;
    char path[200];
    struct fates fates;

    back_up(backups);
    snprintf(path, sizeof(path), "%s/20200101T000000.000Z", backups->folder); /* broken off */
    assert_int_equal(mkdir(path, 0700), 0);
    fates = prune(backups, (struct backup_pruning){.newest = 9});
    assert_int_equal(fates.of[0], BACKUP_BROKEN_OFF);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    back_up(backups); /* removes it as well */
    assert_int_not_equal(access(path, F_OK), 0);
    make_backup(backups, DAY); /* its removal was cut short */
    snprintf(path, sizeof(path), "mv %s/19700102T000000.000Z %s/19700102T000000.000Z.going",
             backups->folder, backups->folder);
    assert_int_equal(system(path), 0);
    assert_int_equal(backups_there(backups), 2);
    prune(backups, (struct backup_pruning){.newest = 9});
    assert_false(has_path(backups, "%s.going", "19700102T000000.000Z"));
    assert_int_equal(findings(backups), 0);
}

static void a_damaged_manifest_keeps_every_segment(void **state)
{
    struct backups *backups = *state;
    struct fates fates = {0};
    struct backup_pruning pruning = {.newest = 1, .told = note_fate, .context = &fates};
    char path[200], segments[400];

    append_text(backups->fixture, INBOX, "a message");
    back_up(backups);
    find_segments(backups, segments);
    snprintf(path, sizeof(path), "%s/%s", backups->folder, backups->facts.name);
    restore(backups, false);
    back_up(backups);
    damage(path, "manifest", 30);
    assert_int_equal(backup_prune(backups->folder, &pruning, NULL), ERR_CORRUPT);
    assert_int_equal(fates.of[0], BACKUP_UNREADABLE);
    assert_int_equal(access(segments, F_OK), 0);
    damage(path, "manifest", 30);
    prune(backups, (struct backup_pruning){.newest = 1});
    assert_int_not_equal(access(segments, F_OK), 0);
}

static void a_folder_without_backups_is_not_pruned(void **state)
{
    struct backups *backups = *state;
    struct fates fates = {0};
    struct backup_pruning pruning = {.newest = 1, .told = note_fate, .context = &fates};

    assert_int_equal(backup_prune(backups->folder, &pruning, NULL), ERR_NOT_FOUND);
    assert_false(has_path(backups, "%s", "lock"));
}

/* ---- one mailbox ---- */

static void a_mailbox_is_read_as_the_backup_has_it(void **state)
{
    struct backups *backups = *state;
    struct fixture *fixture = backups->fixture;
    size_t length = 700u << 10;
    uint8_t *large = malloc(length), *read_back = malloc(length);
    struct backup_reader *reader;
    struct store_content *content;
    struct store_folder folder;
    struct store_read *read;
    struct store_item item;
    struct uidset uids = {0};
    struct err err;
    uint32_t uid;
    size_t got;

    for (size_t i = 0; i < length; i++)
        large[i] = (uint8_t)(i * i >> 7);
    append_text(fixture, INBOX, "before");
    uid = append_bytes(fixture, INBOX, large, length);
    back_up(backups);
    append_text(fixture, INBOX, "after");
    must(backup_reader_open(&reader, backups->folder, backups->facts.name,
                            store_mailbox_guid(fixture->mailbox), &err),
         &err);
    must(store_read_begin(backup_reader_mailbox(reader), &read, &err), &err);
    must(store_folder_get(read, INBOX, &folder, &err), &err);
    assert_int_equal(folder.messages, 2);
    must(store_uids(read, INBOX, 1, &uids, &err), &err);
    assert_int_equal(uidset_size(&uids), 2);
    must(store_item_get(read, INBOX, uid, &item, &err), &err);
    must(store_content_open(read, &item, &content, &err), &err);
    store_read_end(&read);
    must(store_content_read(content, 0, read_back, length, &got, &err), &err);
    assert_int_equal(got, length);
    assert_memory_equal(read_back, large, length);
    store_content_close(&content);
    backup_reader_close(&reader);
    uidset_release(&uids);
    free(large);
    free(read_back);
}

static void a_damaged_index_is_not_opened(void **state)
{
    struct backups *backups = *state;
    struct backup_reader *reader;
    struct store_guid other = {{9}};
    struct err err;
    char path[200];

    append_text(backups->fixture, INBOX, "a message");
    back_up(backups);
    assert_int_equal(
        backup_reader_open(&reader, backups->folder, backups->facts.name, &other, NULL),
        ERR_NOT_FOUND);
    snprintf(path, sizeof(path), "%s/%s", backups->folder, backups->facts.name);
    damage(path, "db1.index", 5000);
    assert_int_equal(backup_reader_open(&reader, backups->folder, backups->facts.name,
                                        store_mailbox_guid(backups->fixture->mailbox), &err),
                     ERR_CORRUPT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_restored_store_has_what_the_backup_saw),
        TEST(numbers_jump_at_a_restore),
        TEST(a_new_uid_validity_can_be_asked_for),
        TEST(a_restored_store_takes_mail_and_is_backed_up_anew),
        TEST(a_second_backup_copies_only_what_was_appended),
        TEST(room_that_is_written_later_is_copied_later),
        TEST(a_backup_under_load_has_all_that_was_acknowledged_before),
        TEST(damage_in_a_message_is_found),
        TEST(damage_in_the_index_or_the_manifest_is_found),
        TEST(a_restore_replaces_nothing),
        TEST(a_backup_that_is_broken_off_leaves_none),
        TEST(pruning_removes_a_backup_and_what_only_it_needed),
        TEST(of_each_day_and_week_the_last_backup_is_kept),
        TEST(a_backup_in_use_is_not_pruned),
        TEST(what_a_crash_left_is_removed),
        TEST(a_damaged_manifest_keeps_every_segment),
        TEST(a_folder_without_backups_is_not_pruned),
        TEST(a_mailbox_is_read_as_the_backup_has_it),
        TEST(a_damaged_index_is_not_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
