#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/store/bench_store.h"

#define AREA (16u << 20) /* that is overwritten */

double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fill(int fd)
{
    static uint8_t bytes[1u << 20];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    for (unsigned at = 0; at < AREA; at += sizeof(bytes))
        if (pwrite(fd, bytes, sizeof(bytes), at) != (ssize_t)sizeof(bytes))
            exit(1);
    fsync(fd);
}

double disk_rate(const struct options *options)
{
    static uint8_t bytes[MESSAGE];
    char path[320];
    uint64_t count = 0;
    double begin, seconds;
    int fd;

    snprintf(path, sizeof(path), "%s/bench-store-rate", options->folder);
    fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0600);
    if (fd < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    fill(fd);
    begin = now();
    do {
        memset(bytes, (int)count, sizeof(bytes));
        if (pwrite(fd, bytes, sizeof(bytes), (off_t)(count * MESSAGE % (AREA - MESSAGE))) < 0 ||
            fdatasync(fd) != 0)
            exit(1);
        count++;
        seconds = now() - begin;
    } while (seconds < options->seconds);
    close(fd);
    unlink(path);
    return (double)count / seconds;
}

static uint64_t written_to_device(const char *device)
{
    char path[100];
    uint64_t sectors = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/sys/block/%s/stat", device);
    file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%*u %*u %*u %*u %*u %*u %" SCNu64, &sectors) != 1) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(1);
    }
    fclose(file);
    return sectors * 512;
}

uint64_t disk_written(const struct options *options)
{
    char line[100];
    uint64_t bytes = 0;
    FILE *file;

    if (options->device != NULL) {
        sync();
        return written_to_device(options->device);
    }
    file = fopen("/proc/self/io", "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        sscanf(line, "write_bytes: %" SCNu64, &bytes);
    if (file != NULL)
        fclose(file);
    return bytes;
}
