#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/bench/store/bench_store.h"

#define BATCH_MOST 256u
#define LATENCIES 4000000u

void must(enum err_code code, const struct err *err)
{
    if (code == ERR_NONE)
        return;
    fprintf(stderr, "%s: %s\n", err_word(code), err->text);
    exit(1);
}

void bench_open(struct bench *bench)
{
    struct store_guid guid = {{1}};
    struct store_settings settings = {
        .folder = bench->path,
        .databases = 1,
        .map_size = UINT64_C(64) << 30,
        .max_readers = 16,
        .message_size_limit = 128u << 20,
        .content_budget = 256u << 20,
        .compress = true,
    };
    struct err err;

    snprintf(bench->path, sizeof(bench->path), "%s/bench-store", bench->options->folder);
    mkdir(bench->path, 0700);
    must(store_open(&bench->store, &settings, &err), &err);
    must(store_mailbox_open(bench->store, &guid, true, &bench->mailbox, NULL, &err), &err);
}

void bench_close(struct bench *bench)
{
    store_mailbox_unref(&bench->mailbox);
    store_close(&bench->store);
}

void bench_remove(struct bench *bench)
{
    char command[320];

    bench_close(bench);
    snprintf(command, sizeof(command), "rm -rf '%s'", bench->path);
    if (system(command) != 0)
        exit(1);
}

/* Bytes that do not compress: the disk gets all of them. */
static void make_message(uint64_t number, uint64_t words[MESSAGE / 8])
{
    uint64_t x = number * UINT64_C(0x9E3779B97F4A7C15) + 1;

    for (size_t i = 0; i < MESSAGE / 8; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        words[i] = x;
    }
}

static struct store_draft *make_draft(struct bench *bench, const void *bytes, size_t length)
{
    struct store_draft *draft;
    struct err err;

    must(store_draft_create(bench->store, 0, length, &draft, &err), &err);
    must(store_draft_append(draft, bytes, length, &err), &err);
    must(store_draft_finish(draft, &err), &err);
    return draft;
}

static void append_op(struct bench *bench, struct store_op *op, struct store_draft *draft)
{
    *op = (struct store_op){
        .kind = OP_APPEND, .mailbox = bench->mailbox, .folder = STORE_INBOX_FOLDER};
    op->in.append.draft = draft;
    op->in.append.internal_date = 1700000000;
    op->in.append.email_id = ++bench->made;
}

/* Gives the time from submission to the last answer. */
static double one_batch(struct bench *bench, unsigned batch)
{
    static uint64_t words[MESSAGE / 8];
    struct store_op ops[BATCH_MOST];
    struct store_op *list[BATCH_MOST];
    double begin;

    for (unsigned i = 0; i < batch; i++) {
        make_message(bench->made, words);
        append_op(bench, &ops[i], make_draft(bench, words, sizeof(words)));
        list[i] = &ops[i];
    }
    begin = now();
    store_run_all(list, batch);
    begin = now() - begin;
    for (unsigned i = 0; i < batch; i++) {
        must(ops[i].err.code, &ops[i].err);
        store_draft_unref(&ops[i].in.append.draft);
    }
    return begin;
}

static int compare(const void *a, const void *b)
{
    const float *left = a, *right = b;

    return *left < *right ? -1 : *left > *right;
}

struct delivered deliver(struct bench *bench, unsigned batch, double seconds, uint64_t messages)
{
    static float latencies[LATENCIES];
    struct delivered result = {.written = disk_written(bench->options)};
    size_t count = 0;
    double begin = now();

    while ((messages == 0 ? result.seconds < seconds : result.messages < messages) &&
           count < LATENCIES) {
        latencies[count++] = (float)one_batch(bench, batch);
        result.messages += batch;
        result.seconds = now() - begin;
    }
    result.written = disk_written(bench->options) - result.written;
    qsort(latencies, count, sizeof(*latencies), compare);
    result.p50 = (double)latencies[count / 2];
    result.p99 = (double)latencies[count * 99 / 100];
    return result;
}

void deliver_short(struct bench *bench, uint32_t count)
{
    static struct store_op ops[BATCH_MOST];
    struct store_op *list[BATCH_MOST];
    uint8_t summary[600]; /* about what a message of a mailing list has */
    struct store_draft *draft = make_draft(bench, "short", 5);

    memset(summary, 's', sizeof(summary));
    for (uint32_t done = 0; done < count; done += BATCH_MOST) {
        for (unsigned i = 0; i < BATCH_MOST; i++) {
            append_op(bench, &ops[i], draft);
            ops[i].in.append.summary = summary;
            ops[i].in.append.summary_length = sizeof(summary);
            list[i] = &ops[i];
        }
        store_run_all(list, BATCH_MOST);
        for (unsigned i = 0; i < BATCH_MOST; i++)
            must(ops[i].err.code, &ops[i].err);
    }
    store_draft_unref(&draft);
}
