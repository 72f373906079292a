/* The store alone against the disk that it is on: what the parts of the program share. */
#ifndef TESTS_BENCH_STORE_H
#define TESTS_BENCH_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "mailbox-backend/store/store.h"

struct options {
    const char *folder; /* on the disk to be measured; what the program makes in it is removed */
    const char *device; /* block device of that disk, when nobody else writes to it; or NULL */
    uint64_t churn;     /* bytes */
    uint32_t items;     /* of the folder that is scanned */
    double seconds;     /* that a rate is measured for */
};

struct bench {
    const struct options *options;
    char path[300];
    struct store *store;
    struct store_mailbox *mailbox;
    uint64_t made; /* messages so far */
    bool missed;   /* a target */
};

/* ---- disk.c ---- */

double now(void); /* seconds */

/* F: how often a second 10 KB can be overwritten in place and synced, in options.folder. */
double disk_rate(const struct options *options);

/* Bytes written so far: to the device, or, without one, by this process. */
uint64_t disk_written(const struct options *options);

/* ---- deliver.c ---- */

#define MESSAGE 10240u

/* The store in a folder of its own; ends the program when something fails. */
void bench_open(struct bench *bench);
void bench_close(struct bench *bench);
void bench_remove(struct bench *bench); /* closes it first */
void must(enum err_code code, const struct err *err);

struct delivered {
    uint64_t messages;
    double seconds;
    double p50, p99; /* seconds from a batch's submission to its answer */
    uint64_t written;
};

/* Delivers messages of MESSAGE bytes in batches, for so long or so many. */
struct delivered deliver(struct bench *bench, unsigned batch, double seconds, uint64_t messages);

/* Delivers so many short ones with a summary, in large batches. */
void deliver_short(struct bench *bench, uint32_t count);

/* ---- main.c ---- */

/* A row of the table. at_most: value has to be at most target, else at least. */
void row(struct bench *bench, const char *what, bool at_most, double target, double value,
         const char *unit);

/* ---- the measurements ---- */

void measure_delivery(struct bench *bench);
void measure_churn(struct bench *bench);
void measure_scans(struct bench *bench);
void measure_flag_change(struct bench *bench);
void measure_open(struct bench *bench);

#endif
