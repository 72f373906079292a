#include "tests/bench/processes.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MOST = 8192, /* processes of the machine that are looked at */
    TRIES = 100  /* looks until one counts although processes have ended meanwhile */
};

struct process {
    int id;
    int parent;
    double cpu;
    bool ours;
};

/* Reads /proc/ID/stat: fields are counted behind the name, which may hold anything (proc(5)). */
static bool read_process(int id, struct process *process)
{
    char path[64], text[1024], *rest;
    unsigned long user, system;
    long user_children, system_children;
    FILE *file;
    size_t size;

    snprintf(path, sizeof(path), "/proc/%d/stat", id);
    file = fopen(path, "r");
    if (file == NULL)
        return false; /* it has just ended */
    size = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[size] = '\0';
    rest = strrchr(text, ')');
    if (rest == NULL ||
        sscanf(rest + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
               &process->parent, &user, &system, &user_children, &system_children) != 5)
        return false;
    process->id = id;
    process->cpu =
        ((double)user + (double)system + (double)user_children + (double)system_children) /
        (double)sysconf(_SC_CLK_TCK);
    process->ours = false;
    return true;
}

static int read_all(struct process *all)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    int count = 0;

    while (folder != NULL && count < MOST && (entry = readdir(folder)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]) &&
            read_process(atoi(entry->d_name), &all[count]))
            count++;
    if (folder != NULL)
        closedir(folder);
    return count;
}

/* Marks the children of what is marked; true when there were new ones. */
static bool mark_children(struct process *all, int count)
{
    bool more = false;

    for (int i = 0; i < count; i++)
        for (int j = 0; j < count && !all[i].ours; j++)
            if (all[j].ours && all[j].id == all[i].parent)
                more = all[i].ours = true;
    return more;
}

static int find_ours(const struct processes *processes, struct process *all)
{
    int count = read_all(all);

    for (int i = 0; i < count; i++)
        for (int j = 0; j < processes->count; j++)
            if (all[i].id == processes->roots[j])
                all[i].ours = true;
    while (mark_children(all, count))
        ;
    return count;
}

/* One look at all of them: their CPU, and who they were. */
struct look {
    double cpu;
    int count;
    long ids; /* added up */
};

static struct look look(const struct processes *processes)
{
    static struct process all[MOST];
    int count = find_ours(processes, all);
    struct look look = {0};

    for (int i = 0; i < count; i++) {
        if (!all[i].ours)
            continue;
        look.cpu += all[i].cpu;
        look.ids += all[i].id;
        look.count++;
    }
    return look;
}

static bool same(const struct look *one, const struct look *other)
{
    return one->count == other->count && one->ids == other->ids;
}

/* The CPU of a process that ends during a look may be missed or be counted twice, by itself and with
   its parent. So one is taken that finds the same processes as those before and after it. */
double processes_cpu(const struct processes *processes)
{
    struct look before = look(processes), now = look(processes), after = look(processes);

    for (int i = 0; i < TRIES && !(same(&before, &now) && same(&now, &after)); i++) {
        before = now;
        now = after;
        after = look(processes);
    }
    return now.cpu;
}
