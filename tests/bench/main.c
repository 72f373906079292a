/* mailbench OPERATION [options]: repeats one operation on many connections, and prints one line of
   JSON: rate, latencies, and the CPU that the server's processes and this program itself have used. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/bench/bench.h"
#include "tests/bench/message.h"
#include "tests/bench/processes.h"

static const struct operation *const operations[] = {
    &operation_login,  &operation_select, &operation_fetch, &operation_search, &operation_store,
    &operation_append, &operation_lmtp,   &operation_pop3,  &operation_idle,
};

enum { OPERATIONS = sizeof(operations) / sizeof(operations[0]) };

/* The run as all threads see it: warming up, counting, over. */
enum phase {
    PHASE_WARM_UP,
    PHASE_COUNT,
    PHASE_OVER,
};

struct run {
    struct options options;
    struct processes processes;
    const struct operation *operation;
    pthread_barrier_t opened; /* all workers and the main thread */
    pthread_barrier_t begin;
    _Atomic enum phase phase;
    atomic_int failures;
};

static struct run run;

double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void user_name(const struct worker *worker, long round, char name[32])
{
    long number = worker->number + round * worker->options->workers;

    snprintf(name, 32, "u%03ld", number % worker->options->users);
}

static bool over(const struct worker *worker)
{
    if (worker->options->count > 0)
        return worker->steps >= worker->options->count;
    return run.phase == PHASE_OVER;
}

/* An operation counts when it ends within the counted time, whenever it began: those cut off at one
   end make up for those cut off at the other, however long they take. */
static bool one_step(struct worker *worker)
{
    uint64_t octets = worker->octets;
    double start = now();

    worker->latency = -1;
    if (!run.operation->step(worker))
        return false;
    worker->steps++;
    if (run.phase != PHASE_COUNT)
        return true;
    worker->operations++;
    worker->counted_octets += worker->octets - octets;
    histogram_add(&worker->histogram, worker->latency >= 0 ? worker->latency : now() - start);
    return true;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    bool good = run.operation->open == NULL || run.operation->open(worker);

    pthread_barrier_wait(&run.opened);
    pthread_barrier_wait(&run.begin);
    while (good && !over(worker))
        good = one_step(worker);
    if (!good)
        run.failures++;
    client_close(&worker->client);
    client_close(&worker->sender);
    return NULL;
}

static double own_cpu(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
}

static void pause_for(double seconds)
{
    struct timespec time = {.tv_sec = (time_t)seconds};

    time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
    nanosleep(&time, NULL);
}

static struct worker *start_workers(pthread_t *threads)
{
    const struct options *options = &run.options;
    struct worker *workers = calloc((size_t)options->workers, sizeof(*workers));
    pthread_attr_t attributes;

    if (workers == NULL)
        abort();
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    for (int i = 0; i < options->workers; i++) {
        workers[i].options = options;
        workers[i].number = i;
        workers[i].message = malloc((size_t)options->size + MESSAGE_SLACK);
        if (workers[i].message == NULL ||
            pthread_create(&threads[i], &attributes, work, &workers[i]) != 0)
            abort();
    }
    pthread_attr_destroy(&attributes);
    return workers;
}

/* What was measured. */
struct sums {
    double seconds;
    double server_cpu;
    double own_cpu;
    long operations;
    uint64_t octets;
    struct histogram histogram;
};

static void join_workers(struct worker *workers, pthread_t *threads, struct sums *sums)
{
    for (int i = 0; i < run.options.workers; i++) {
        pthread_join(threads[i], NULL);
        sums->operations += workers[i].operations;
        sums->octets += workers[i].counted_octets;
        histogram_merge(&sums->histogram, &workers[i].histogram);
        free(workers[i].message);
    }
    free(workers);
}

/* Either for a time, after a warm-up, or until every worker has done its number from the first one on. */
static void measure(struct sums *sums)
{
    const struct options *options = &run.options;
    pthread_t *threads = calloc((size_t)options->workers, sizeof(*threads));
    struct worker *workers;
    bool timed = options->count == 0;
    double start;

    if (threads == NULL)
        abort();
    workers = start_workers(threads);
    pthread_barrier_wait(&run.opened);
    if (timed) {
        pthread_barrier_wait(&run.begin);
        pause_for(options->warm_up);
    }
    sums->server_cpu = -processes_cpu(&run.processes);
    sums->own_cpu = -own_cpu();
    start = now();
    run.phase = PHASE_COUNT;
    if (timed) {
        pause_for(options->seconds);
        run.phase = PHASE_OVER;
    } else {
        pthread_barrier_wait(&run.begin);
        join_workers(workers, threads, sums);
    }
    sums->seconds = now() - start;
    sums->server_cpu += processes_cpu(&run.processes);
    sums->own_cpu += own_cpu();
    if (timed)
        join_workers(workers, threads, sums);
    free(threads);
}

static void print_sums(const struct sums *sums)
{
    printf("{\"operation\": \"%s\", \"workers\": %d, \"seconds\": %.3f, \"operations\": %ld, "
           "\"failures\": %d, \"octets\": %llu, \"p50\": %.6f, \"p99\": %.6f, "
           "\"server_cpu\": %.3f, \"own_cpu\": %.3f}\n",
           run.operation->name, run.options.workers, sums->seconds, sums->operations, run.failures,
           (unsigned long long)sums->octets, histogram_quantile(&sums->histogram, 0.5),
           histogram_quantile(&sums->histogram, 0.99), sums->server_cpu, sums->own_cpu);
}

static int usage(void)
{
    fprintf(stderr, "usage: mailbench OPERATION [--OPTION[=VALUE]]...\nOperations:\n");
    for (int i = 0; i < OPERATIONS; i++)
        fprintf(stderr, "  %-12s %s\n", operations[i]->name, operations[i]->help);
    fprintf(stderr, "Options:\n");
    options_help();
    fprintf(stderr, "  --process    a server's process; its descendants' CPU counts as well\n");
    return 2;
}

static bool take_process(struct processes *processes, const char *value)
{
    if (processes->count == (int)(sizeof(processes->roots) / sizeof(processes->roots[0])))
        return false;
    processes->roots[processes->count++] = atoi(value);
    return true;
}

static bool parse(int argc, char **argv)
{
    static const char process[] = "--process=";

    options_default(&run.options);
    for (int i = 0; argc > 1 && i < OPERATIONS; i++)
        if (strcmp(operations[i]->name, argv[1]) == 0)
            run.operation = operations[i];
    for (int i = 2; i < argc; i++)
        if (strncmp(argv[i], process, strlen(process)) == 0
                ? !take_process(&run.processes, argv[i] + strlen(process))
                : !options_take(&run.options, argv[i]))
            return false;
    return run.operation != NULL && client_set_up(run.options.most_tls12);
}

int main(int argc, char **argv)
{
    static struct sums sums;

    signal(SIGPIPE, SIG_IGN);
    if (!parse(argc, argv))
        return usage();
    pthread_barrier_init(&run.opened, NULL, (unsigned)run.options.workers + 1);
    pthread_barrier_init(&run.begin, NULL, (unsigned)run.options.workers + 1);
    measure(&sums);
    print_sums(&sums);
    return run.failures == 0 ? 0 : 1;
}
