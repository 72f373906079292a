/* Measures the store alone against the target table of docs/performance.md. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tests/bench/store/bench_store.h"

void row(struct bench *bench, const char *what, bool at_most, double target, double value,
         const char *unit)
{
    bool met = at_most ? value <= target : value >= target;

    printf("| %s | %s %g | %.3g %s | %.2f | %s |\n", what, at_most ? "≤" : "≥", target, value, unit,
           at_most ? target / value : value / target, met ? "met" : "missed");
    fflush(stdout);
    bench->missed = bench->missed || !met;
}

static int usage(void)
{
    fputs("usage: bench-store [--device=NAME] [--churn=GB] [--items=N] [--seconds=S] FOLDER\n"
          "  --device   block device (loop0) of FOLDER's disk, if nothing else writes to it;\n"
          "             else bytes written are those of the process (/proc/self/io)\n"
          "  --churn    how much is delivered before half of it goes (6)\n"
          "  --items    of the folder that is scanned (500000)\n"
          "  --seconds  that a rate is measured for (5)\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"device",  required_argument, NULL, 'd'},
        {"churn",   required_argument, NULL, 'c'},
        {"items",   required_argument, NULL, 'i'},
        {"seconds", required_argument, NULL, 's'},
        {NULL,      0,                 NULL, 0  }
    };
    struct options options = {.churn = UINT64_C(6000000000), .items = 500000, .seconds = 5};
    struct bench bench = {.options = &options};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'd')
            options.device = optarg;
        else if (option == 'c')
            options.churn = (uint64_t)(strtod(optarg, NULL) * 1e9);
        else if (option == 'i')
            options.items = (uint32_t)strtoul(optarg, NULL, 10);
        else if (option == 's')
            options.seconds = strtod(optarg, NULL);
        else
            return usage();
    }
    if (optind + 1 != argc || options.items == 0 || options.seconds <= 0)
        return usage();
    options.folder = argv[optind];
    printf("| measured | target | value | of the target | |\n|---|---|---|---|---|\n");
    measure_delivery(&bench);
    measure_scans(&bench);
    measure_flag_change(&bench);
    measure_open(&bench);
    measure_churn(&bench);
    return bench.missed;
}
