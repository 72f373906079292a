/* A command that is carried out again and again, until SIGINT or SIGTERM (`--follow`). */
#ifndef PROTO_ADMIN_FOLLOW_H
#define PROTO_ADMIN_FOLLOW_H

#include "proto/admin_args.h"
#include "proto/admin_client.h"

struct admin_follow {
    unsigned seconds; /* between two beginnings; 0: once only */
    /* Carries it out; gives the exit code, whose reason it has told. */
    int (*once)(void *context);
    bool (*daemon_is_up)(void *context);
    void *context;
};

/* The seconds that the command line asks for: 0 without --follow. ERR_INVALID. */
enum err_code admin_follow_seconds(const struct admin_args *args, unsigned *seconds,
                                   struct err *err);

/* A first try that fails ends it, but for a daemon that is away: that is waited for, as is one that is
   started anew later. Returns the exit code. */
int admin_follow(const struct admin_follow *follow);

/* While the daemon is asked: the signal closes this socket, so that the daemon breaks the command off.
   -1: no more. */
void admin_follow_socket(int socket);

/* True from the signal on. */
bool admin_follow_is_over(void);

#endif
