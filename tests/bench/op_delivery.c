/* Messages on their way in: APPEND, LMTP, and what an idle client hears of it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/message.h"

enum {
    PAUSE = 20000 /* microseconds between two deliveries to an idle client */
};

static size_t next_message(struct worker *worker)
{
    return message_make(worker->message, (size_t)worker->options->size,
                        (unsigned long)worker->number * 1000000 + (unsigned long)worker->steps,
                        worker->options->dense);
}

static bool append_open(struct worker *worker)
{
    char name[32];

    user_name(worker, 0, name);
    worker->client = imap_open(worker->options, name);
    return worker->client != NULL;
}

static bool append(struct worker *worker)
{
    size_t size = next_message(worker);

    worker->octets += size;
    memcpy(worker->message + size, "\r\n", 2);
    return imap_append(worker->client, worker->options->folder, worker->message, size);
}

static bool lmtp_connect(struct worker *worker)
{
    worker->client = lmtp_open(worker->options, worker->options->port);
    return worker->client != NULL;
}

static bool lmtp(struct worker *worker)
{
    size_t size = next_message(worker);
    char name[32];

    user_name(worker, worker->steps, name);
    worker->octets += size;
    return lmtp_deliver(worker->client, worker->options, name, worker->message, size);
}

static bool idle_open(struct worker *worker)
{
    const struct options *options = worker->options;

    if (!append_open(worker) || !imap_command(worker->client, "SELECT %s", options->folder) ||
        !line_command(worker->client, "+", "idle IDLE\r\n"))
        return false;
    worker->sender = lmtp_open(options, options->lmtp_port);
    return worker->sender != NULL;
}

static bool wait_for_exists(struct client *client)
{
    const char *line;
    size_t size;

    while (client_line(client, &line, &size))
        if (size > 6 && memcmp(line + size - 6, "EXISTS", 6) == 0)
            return true;
    return false;
}

static bool idle(struct worker *worker)
{
    size_t size;
    char name[32];
    double delivered;

    usleep(PAUSE);
    size = next_message(worker);
    user_name(worker, 0, name);
    if (!lmtp_deliver(worker->sender, worker->options, name, worker->message, size))
        return false;
    delivered = now();
    if (!wait_for_exists(worker->client))
        return false;
    worker->latency = now() - delivered;
    return true;
}

const struct operation operation_append = {"append", "APPEND of one message to --folder",
                                           append_open, append};
const struct operation operation_lmtp = {"lmtp", "delivery of one message to the next user",
                                         lmtp_connect, lmtp};
const struct operation operation_idle = {
    "idle", "a client in IDLE: from the 250 of a delivery at --lmtp-port to EXISTS", idle_open,
    idle};
