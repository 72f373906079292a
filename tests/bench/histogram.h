/* Latencies in buckets of fixed number, each 9 % wide: what is read back is exact to 5 %. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS 8 /* buckets for each power of two nanoseconds */
#define HISTOGRAM_SIZE (64 * HISTOGRAM_STEPS)

struct histogram {
    uint64_t buckets[HISTOGRAM_SIZE];
    uint64_t total;
};

void histogram_add(struct histogram *histogram, double seconds);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* Seconds that the given part (0 to 1) of all values do not exceed; the middle of its bucket.
   0 when there are none. */
double histogram_quantile(const struct histogram *histogram, double part);

#endif
