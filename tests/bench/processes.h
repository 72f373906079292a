/* The CPU that processes and their descendants use, from /proc. */
#ifndef BENCH_PROCESSES_H
#define BENCH_PROCESSES_H

/* The ids of the processes at the roots; their descendants count as well. */
struct processes {
    int roots[16];
    int count;
};

/* Seconds of CPU, user and system, of all of them, those of ended children included. */
double processes_cpu(const struct processes *processes);

#endif
