/* A whole POP3 session that reads the first 20 messages of the worker's user and leaves them there. */
#include "tests/bench/bench.h"

enum { MESSAGES = 20 };

static bool read_lines(struct client *client)
{
    const char *line;
    size_t size;

    while (client_line(client, &line, &size))
        if (size == 1 && line[0] == '.')
            return true;
    return false;
}

static bool read_maildrop(struct client *client, const char *user, const char *password)
{
    if (!line_command(client, "+OK", NULL) || !line_command(client, "+OK", "USER %s\r\n", user) ||
        !line_command(client, "+OK", "PASS %s\r\n", password) ||
        !line_command(client, "+OK", "STAT\r\n") || !line_command(client, "+OK", "UIDL\r\n") ||
        !read_lines(client))
        return false;
    for (int i = 1; i <= MESSAGES; i++)
        if (!line_command(client, "+OK", "RETR %d\r\n", i) || !read_lines(client))
            return false;
    return line_command(client, "+OK", "QUIT\r\n");
}

static bool step(struct worker *worker)
{
    const struct options *options = worker->options;
    char name[32];
    bool done = false;

    user_name(worker, 0, name);
    worker->client = client_open(options, options->port, options->tls);
    if (worker->client != NULL) {
        done = read_maildrop(worker->client, name, options->password);
        worker->octets += client_octets(worker->client);
    }
    client_close(&worker->client);
    return done;
}

const struct operation operation_pop3 = {
    "pop3", "POP3 session: log in, STAT, UIDL, RETR of 20 messages, QUIT", NULL, step};
