/* As much of IMAP, LMTP and POP3 as a benchmark speaks. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"
#include "tests/bench/client_parts.h"

/* The size of the literal that the line ends with, or 0. */
static size_t literal_size(const char *line, size_t size)
{
    size_t digits = size - 1;

    if (size < 3 || line[size - 1] != '}')
        return 0;
    while (digits > 0 && isdigit((unsigned char)line[digits - 1]))
        digits--;
    return digits > 0 && line[digits - 1] == '{' ? strtoul(line + digits, NULL, 10) : 0;
}

static bool read_tagged(struct client *client, const char *tag)
{
    size_t tag_size = strlen(tag), size;
    const char *line;

    while (client_line(client, &line, &size)) {
        size_t literal = literal_size(line, size);

        if (literal > 0) {
            if (!client_skip(client, literal))
                break;
            continue;
        }
        if (size <= tag_size || memcmp(line, tag, tag_size) != 0)
            continue;
        if (size >= tag_size + 2 && memcmp(line + tag_size, "OK", 2) == 0)
            return true;
        fprintf(stderr, "IMAP: %.*s\n", (int)size, line);
        return false;
    }
    fprintf(stderr, "IMAP: the connection ended\n");
    return false;
}

bool imap_command(struct client *client, const char *format, ...)
{
    char line[1024], tag[16];
    int tag_size = snprintf(tag, sizeof(tag), "t%u ", client->next_tag++), size;
    va_list arguments;

    memcpy(line, tag, (size_t)tag_size);
    va_start(arguments, format);
    size = vsnprintf(line + tag_size, sizeof(line) - 20, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof(line) - 20)
        return false;
    size += tag_size;
    memcpy(line + size, "\r\n", 2);
    return client_write(client, line, (size_t)size + 2) && read_tagged(client, tag);
}

bool imap_append(struct client *client, const char *folder, const char *message, size_t size)
{
    char line[256], tag[16];
    int length;

    snprintf(tag, sizeof(tag), "t%u ", client->next_tag++);
    length = snprintf(line, sizeof(line), "%sAPPEND %s {%zu+}\r\n", tag, folder, size);
    return length > 0 && (size_t)length < sizeof(line) &&
           client_write(client, line, (size_t)length) && client_write(client, message, size + 2) &&
           read_tagged(client, tag);
}

struct client *imap_open(const struct options *options, const char *user)
{
    struct client *client = client_open(options, options->port, options->tls);

    if (client != NULL && (!line_command(client, "* OK", NULL) ||
                           !imap_command(client, "LOGIN %s %s", user, options->password)))
        client_close(&client);
    return client;
}

bool line_command(struct client *client, const char *expected, const char *format, ...)
{
    char text[512];
    const char *line;
    size_t size;
    va_list arguments;

    if (format != NULL) {
        va_start(arguments, format);
        int length = vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        if (length < 0 || (size_t)length >= sizeof(text) ||
            !client_write(client, text, (size_t)length))
            return false;
    }
    do {
        if (!client_line(client, &line, &size)) {
            fprintf(stderr, "the connection ended before '%s'\n", expected);
            return false;
        }
    } while (size > 3 && isdigit((unsigned char)line[0]) && line[3] == '-');
    if (size >= strlen(expected) && memcmp(line, expected, strlen(expected)) == 0)
        return true;
    fprintf(stderr, "expected '%s', got: %.*s\n", expected, (int)size, line);
    return false;
}

struct client *lmtp_open(const struct options *options, int port)
{
    struct client *client = client_open(options, port, false);

    if (client != NULL && (!line_command(client, "220", NULL) ||
                           !line_command(client, "250", "LHLO bench.example.org\r\n")))
        client_close(&client);
    return client;
}

bool lmtp_deliver(struct client *client, const struct options *options, const char *user,
                  const char *message, size_t size)
{
    return line_command(client, "250", "MAIL FROM:<sender@example.org>\r\n") &&
           line_command(client, "250", "RCPT TO:<%s@%s>\r\n", user, options->domain) &&
           line_command(client, "354", "DATA\r\n") && client_write(client, message, size) &&
           line_command(client, "250", ".\r\n");
}
