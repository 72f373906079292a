/* Operations on one open folder: FETCH, SEARCH, SELECT, UID STORE. */
#include <stdio.h>

#include "tests/bench/bench.h"

static bool log_in(struct worker *worker)
{
    char name[32];

    user_name(worker, 0, name);
    worker->client = imap_open(worker->options, name);
    return worker->client != NULL;
}

static bool open_folder(struct worker *worker)
{
    return log_in(worker) && imap_command(worker->client, "SELECT %s", worker->options->folder);
}

/* The next span messages of the folder, from the first again when it is through. */
static bool fetch(struct worker *worker)
{
    const struct options *options = worker->options;
    long parts = (options->messages + options->span - 1) / options->span;
    long first = worker->steps % parts * options->span + 1, last = first + options->span - 1;
    uint64_t before = client_octets(worker->client);
    bool done;

    if (last > options->messages)
        last = options->messages;
    done = imap_command(worker->client, "FETCH %ld:%ld (%s)", first, last, options->items);
    worker->octets += client_octets(worker->client) - before;
    return done;
}

static bool search(struct worker *worker)
{
    return imap_command(worker->client, "SEARCH %s", worker->options->key);
}

static bool select_folder(struct worker *worker)
{
    return imap_command(worker->client, "SELECT %s", worker->options->folder);
}

/* Sets and clears \Flagged by turns, so that each command changes something. */
static bool store(struct worker *worker)
{
    return imap_command(worker->client, "UID STORE 1 %cFLAGS (\\Flagged)",
                        worker->steps % 2 == 0 ? '+' : '-');
}

const struct operation operation_fetch = {"fetch", "FETCH of --items for --span messages at a time",
                                          open_folder, fetch};
const struct operation operation_search = {"search", "SEARCH of --key in an open folder",
                                           open_folder, search};
const struct operation operation_select = {
    "select", "SELECT of --folder, again and again in one session", log_in, select_folder};
const struct operation operation_store = {"store", "UID STORE of a flag of one message",
                                          open_folder, store};
