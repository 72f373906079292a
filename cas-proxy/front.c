#include "cas-proxy/front.h"

#include <stddef.h>
#include <string.h>

bool front_has(const struct net_range *ranges, size_t count, const struct net_address *address)
{
    for (size_t i = 0; i < count; i++) {
        if (net_range_has(&ranges[i], address))
            return true;
    }
    return false;
}

struct back *front_back(struct front_loop *home, const char *name)
{
    for (size_t i = 0; i < home->back_count; i++) {
        if (strcmp(home->backs[i].name, name) == 0)
            return &home->backs[i];
    }
    return NULL;
}

struct errand {
    struct loop_task task;
    struct front_loop *home;
    void (*run)(struct front_loop *home, void *context);
    void *context;
    uv_sem_t done;
};

static void do_errand(struct loop_task *task)
{
    struct errand *errand = (struct errand *)((char *)task - offsetof(struct errand, task));

    errand->run(errand->home, errand->context);
    uv_sem_post(&errand->done);
}

void front_on_loops(struct front *front, void (*run)(struct front_loop *home, void *context),
                    void *context)
{
    struct errand errand = {.task.run = do_errand, .run = run, .context = context};

    uv_sem_init(&errand.done, 0);
    for (unsigned i = 0; i < front->loop_count; i++) {
        errand.home = &front->loops[i];
        loop_post(errand.home->loop, &errand.task);
        uv_sem_wait(&errand.done);
    }
    uv_sem_destroy(&errand.done);
}
