/* One command being carried out: what the handler's functions of proto/admin.h work on. */
#ifndef PROTO_ADMIN_CALL_H
#define PROTO_ADMIN_CALL_H

#include <time.h>

#include "proto/admin.h"
#include "proto/admin.pb-c.h"

/* Where rows go: to the control socket, or straight to the terminal. Embed it. */
struct admin_sink {
    /* ERR_UNAVAILABLE when nobody reads any more. */
    enum err_code (*row)(struct admin_sink *sink, const Admin__Row *row, struct err *err);
    /* False when nobody waits for the answer any more. NULL: somebody always does. */
    bool (*wanted)(struct admin_sink *sink);
    /* A sentence on how far the command is. */
    void (*progress)(struct admin_sink *sink, const char *text);
};

struct admin_call {
    const struct admin_host *host;
    const struct admin_command *command;
    const Admin__Request *request;
    int file;
    struct admin_sink *sink;
    struct arena arena;     /* until the command ends */
    struct arena row_arena; /* until the row is sent */
    Admin__Row row;
    size_t room; /* fields there is room for */
    char said[400];
    char hint[400];
    struct timespec told; /* when progress was told last */
    bool findings;
};

/* Runs the handler of command and fills *end, whose texts are from arena. */
void admin_call_run(const struct admin_host *host, const struct admin_command *command,
                    const Admin__Request *request, int file, struct admin_sink *sink,
                    struct arena *arena, Admin__End *end);

#endif
