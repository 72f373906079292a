/* One function for each part of the table in docs/performance.md. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/store/bench_store.h"

#define CHURN_BATCH 16u
#define SCAN_ROOM 1000u
#define SCANS 5u
#define FLAG_CHANGES 300u

static double per_message(const struct delivered *delivered)
{
    return (double)delivered->written / (double)(delivered->messages * MESSAGE);
}

void measure_delivery(struct bench *bench)
{
    static const struct {
        unsigned batch;
        double rate, written;
    } targets[] = {
        {1,  0.25, 5  },
        {16, 2,    2.8},
        {64, 4,    2.4},
    };
    char what[80];

    bench_open(bench);
    deliver(bench, 64, bench->options->seconds / 2, 0); /* the first segments are made */
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        double before = disk_rate(bench->options);
        struct delivered got = deliver(bench, targets[i].batch, bench->options->seconds * 2, 0);
        double rate = (before + disk_rate(bench->options)) / 2;

        snprintf(what, sizeof(what), "delivery in batches of %u (%.0f messages/s, F %.0f)",
                 targets[i].batch, (double)got.messages / got.seconds, rate);
        row(bench, what, false, targets[i].rate, (double)got.messages / got.seconds / rate, "F");
        if (targets[i].batch == 16)
            row(bench, "commit p50 at 16", true, 8, got.p50 * rate, "/F");
        snprintf(what, sizeof(what), "bytes written per byte delivered at %u", targets[i].batch);
        row(bench, what, true, targets[i].written, per_message(&got), "");
    }
    bench_remove(bench);
}

/* A random half of the inbox goes. */
static void delete_half(struct bench *bench)
{
    struct store_op op = {
        .kind = OP_EXPUNGE, .mailbox = bench->mailbox, .folder = STORE_INBOX_FOLDER};
    struct uidset half = {0};
    unsigned seed = 1;

    for (uint32_t uid = 1; uid <= bench->made; uid++)
        if (rand_r(&seed) % 2 == 0)
            uidset_add(&half, uid);
    op.uids = &half;
    must(store_run(&op), &op.err);
    uidset_release(&op.out.expunge.removed);
    uidset_release(&half);
}

void measure_churn(struct bench *bench)
{
    uint64_t messages = bench->options->churn / MESSAGE;
    struct delivered fresh, again;
    struct store_status status;
    double before, after, fresh_rate, again_rate;

    bench_open(bench);
    bench->made = 0;
    before = disk_rate(bench->options);
    fresh = deliver(bench, CHURN_BATCH, 0, messages);
    delete_half(bench);
    after = disk_rate(bench->options);
    again = deliver(bench, CHURN_BATCH, 0, messages / 2);
    store_status(bench->store, &status);
    fresh_rate = (double)fresh.messages / fresh.seconds;
    again_rate = (double)again.messages / again.seconds;
    printf(
        "churn of %.1f GB: fresh %.0f messages/s (F %.0f), p99 %.2f ms; refilled %.0f messages/s "
        "(F %.0f), p99 %.2f ms; %.0f MB compacted\n",
        (double)bench->options->churn / 1e9, fresh_rate, before, fresh.p99 * 1e3, again_rate, after,
        again.p99 * 1e3, (double)status.compacted_bytes / 1e6);
    row(bench, "rate after deleting a random half and refilling", false, 0.7,
        again_rate / fresh_rate, "of fresh");
    row(bench, "p99 then", true, 2, again.p99 / fresh.p99, "of fresh");
    row(bench, "segment files per live byte then", true, 1.7,
        (double)status.segment_bytes / (double)status.content_bytes, "");
    bench_remove(bench);
}

/* Seconds an item, the best of some: what disturbs only makes it slower. */
static double flag_scan(struct bench *bench)
{
    static struct store_item items[SCAN_ROOM];
    double best = 1;

    for (unsigned n = 0; n < SCANS; n++) {
        struct store_read *read;
        uint32_t first = 1;
        uint64_t total = 0;
        size_t count;
        struct err err;
        double begin = now();

        must(store_read_begin(bench->mailbox, &read, &err), &err);
        do {
            must(store_item_scan(read, STORE_INBOX_FOLDER, first, UINT32_MAX, 0, items, SCAN_ROOM,
                                 &count, &err),
                 &err);
            total += count;
            first = count == 0 ? first : items[count - 1].uid + 1;
        } while (count == SCAN_ROOM);
        store_read_end(&read);
        begin = (now() - begin) / (double)total;
        if (begin < best)
            best = begin;
    }
    return best;
}

static double envelope_scan(struct bench *bench, uint32_t items)
{
    uint8_t bytes[STORE_SUMMARY_MAX];
    double best = 1;

    for (unsigned n = 0; n < SCANS; n++) {
        struct store_read *read;
        size_t length;
        struct err err;
        double begin = now();

        must(store_read_begin(bench->mailbox, &read, &err), &err);
        for (uint32_t uid = 1; uid <= items; uid++)
            must(store_summary_get(read, STORE_INBOX_FOLDER, uid, bytes, &length, &err), &err);
        store_read_end(&read);
        begin = (now() - begin) / items;
        if (begin < best)
            best = begin;
    }
    return best;
}

void measure_scans(struct bench *bench)
{
    bench_open(bench);
    deliver_short(bench, bench->options->items);
    row(bench, "flag scan", true, 35, flag_scan(bench) * 1e9, "ns an item");
    row(bench, "ENVELOPE scan", true, 0.7, envelope_scan(bench, bench->options->items) * 1e6,
        "µs an item");
}

static void change_flag(struct bench *bench, uint32_t uid)
{
    struct uidset uids = {0};
    struct store_op op = {
        .kind = OP_FLAGS, .mailbox = bench->mailbox, .folder = STORE_INBOX_FOLDER, .uids = &uids};

    uidset_add(&uids, uid);
    op.in.flags.system = FLAG_SEEN;
    op.in.flags.unchanged_since = UINT64_MAX;
    must(store_run(&op), &op.err);
    uidset_release(&op.out.flags.changed);
    uidset_release(&uids);
}

/* In the folder that was scanned. */
void measure_flag_change(struct bench *bench)
{
    uint64_t before = disk_written(bench->options);

    for (uint32_t n = 0; n < FLAG_CHANGES; n++)
        change_flag(bench, 1 + n * 7919 % bench->options->items);
    row(bench, "one flag change", true, 32,
        (double)(disk_written(bench->options) - before) / FLAG_CHANGES / 1024, "KB written");
    bench_remove(bench);
}

/* A process delivers and is killed. */
static void leave_killed(struct bench *bench)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        bench_open(bench);
        deliver(bench, 16, bench->options->seconds * 2, 0);
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, &status, 0);
    if (!WIFSIGNALED(status))
        exit(1);
}

void measure_open(struct bench *bench)
{
    double begin;

    leave_killed(bench);
    begin = now();
    bench_open(bench);
    row(bench, "open after kill -9", true, 100, (now() - begin) * 1e3, "ms");
    bench_remove(bench);
}
