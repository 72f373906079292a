/* One client connection, in clear or with TLS, read by lines. */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;
struct options;

/* Makes the TLS context that all clients share. Certificates are not checked: what is measured is
   the server. most_1_2 keeps to TLS 1.2, so that servers with different libraries do the same work. */
bool client_set_up(bool most_1_2);

/* Connects to options->host; NULL after a failure. */
struct client *client_open(const struct options *options, int port, bool tls);
void client_close(struct client **client);

/* Octets read so far. */
uint64_t client_octets(const struct client *client);

bool client_write(struct client *client, const void *data, size_t size);

/* Gives the next line without its line end, good until the next call; *line is not terminated. */
bool client_line(struct client *client, const char **line, size_t *size);

/* Reads over size octets: a literal. */
bool client_skip(struct client *client, size_t size);

/* IMAP: sends a command with a tag of its own and reads up to its tagged answer; true when that is OK. */
bool imap_command(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* IMAP: connects, reads the greeting and logs in. */
struct client *imap_open(const struct options *options, const char *user);

/* IMAP: APPEND of a message; behind its size octets the buffer must hold CRLF, the command's end.
   Sends it as a non-synchronizing literal (RFC 7888). */
bool imap_append(struct client *client, const char *folder, const char *message, size_t size);

/* LMTP: connects, reads the greeting and says LHLO. */
struct client *lmtp_open(const struct options *options, int port);

/* LMTP: one message of size octets to user; true when the server has answered 250 for it. */
bool lmtp_deliver(struct client *client, const struct options *options, const char *user,
                  const char *message, size_t size);

/* Sends a formatted line, reads one answer (in LMTP of any number of lines) and checks that it
   begins with expected. format NULL: sends nothing. */
bool line_command(struct client *client, const char *expected, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
