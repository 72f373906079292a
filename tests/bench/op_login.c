/* A whole IMAP session: connect, LOGIN, SELECT, LOGOUT, each time the next user. */
#include "tests/bench/bench.h"

static bool step(struct worker *worker)
{
    const struct options *options = worker->options;
    char name[32];

    user_name(worker, worker->steps, name);
    worker->client = imap_open(options, name);
    return worker->client != NULL && imap_command(worker->client, "SELECT %s", options->folder) &&
           imap_command(worker->client, "LOGOUT");
}

static bool session(struct worker *worker)
{
    bool done = step(worker);

    client_close(&worker->client);
    return done;
}

const struct operation operation_login = {"login", "IMAP session: connect, LOGIN, SELECT, LOGOUT",
                                          NULL, session};
