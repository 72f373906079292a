#include "tests/bench/histogram.h"

#include <math.h>

static unsigned bucket_of(double nanoseconds)
{
    double place = nanoseconds < 1 ? 0 : log2(nanoseconds) * HISTOGRAM_STEPS;

    return place >= HISTOGRAM_SIZE ? HISTOGRAM_SIZE - 1 : (unsigned)place;
}

void histogram_add(struct histogram *histogram, double seconds)
{
    histogram->buckets[bucket_of(seconds * 1e9)]++;
    histogram->total++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    for (unsigned i = 0; i < HISTOGRAM_SIZE; i++)
        into->buckets[i] += from->buckets[i];
    into->total += from->total;
}

double histogram_quantile(const struct histogram *histogram, double part)
{
    uint64_t wanted = (uint64_t)ceil(part * (double)histogram->total), seen = 0;

    if (histogram->total == 0)
        return 0;
    for (unsigned i = 0; i < HISTOGRAM_SIZE; i++) {
        seen += histogram->buckets[i];
        if (seen >= wanted && seen > 0)
            return exp2((i + 0.5) / HISTOGRAM_STEPS) * 1e-9;
    }
    return 0;
}
