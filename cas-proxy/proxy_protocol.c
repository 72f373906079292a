#include "cas-proxy/proxy_protocol.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define LEAST 8 /* bytes: no header is shorter */
#define V1_MAX 107
#define V2_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2_SIGNATURE_LENGTH 12
#define V2_HEAD 16

static void set_in4(struct net_address *address, const void *host, const void *port)
{
    memset(address, 0, sizeof(*address));
    address->at.in4.sin_family = AF_INET;
    memcpy(&address->at.in4.sin_addr, host, 4);
    memcpy(&address->at.in4.sin_port, port, 2);
    address->length = sizeof(address->at.in4);
}

static void set_in6(struct net_address *address, const void *host, const void *port)
{
    memset(address, 0, sizeof(*address));
    address->at.in6.sin6_family = AF_INET6;
    memcpy(&address->at.in6.sin6_addr, host, 16);
    memcpy(&address->at.in6.sin6_port, port, 2);
    address->length = sizeof(address->at.in6);
}

static bool next_word(struct str *line, char *word, size_t size)
{
    const char *space = memchr(line->data, ' ', line->length);
    size_t length = space == NULL ? line->length : (size_t)(space - line->data);

    if (length == 0 || length >= size)
        return false;
    memcpy(word, line->data, length);
    word[length] = '\0';
    length += space != NULL;
    line->data += length;
    line->length -= length;
    return true;
}

static bool set_text(struct net_address *address, int family, const char *host, const char *port)
{
    unsigned char bytes[16];
    uint64_t number;
    uint16_t network;

    if (inet_pton(family, host, bytes) != 1 || !str_number(str_of(port), 65535, &number))
        return false;
    network = htons((uint16_t)number);
    if (family == AF_INET)
        set_in4(address, bytes, &network);
    else
        set_in6(address, bytes, &network);
    return true;
}

/* "PROXY TCP4 192.0.2.1 192.0.2.2 50000 143" */
static bool read_v1_line(struct str line, struct proxy_header *header)
{
    char family[16], source[64], destination[64], source_port[8], destination_port[8];
    int code;

    line.data += 6;
    line.length -= 6;
    if (!next_word(&line, family, sizeof(family)))
        return false;
    if (strcmp(family, "UNKNOWN") == 0)
        return true;
    if (strcmp(family, "TCP4") != 0 && strcmp(family, "TCP6") != 0)
        return false;
    code = family[3] == '4' ? AF_INET : AF_INET6;
    header->has_address = true;
    return next_word(&line, source, sizeof(source)) &&
           next_word(&line, destination, sizeof(destination)) &&
           next_word(&line, source_port, sizeof(source_port)) &&
           next_word(&line, destination_port, sizeof(destination_port)) && line.length == 0 &&
           set_text(&header->source, code, source, source_port) &&
           set_text(&header->destination, code, destination, destination_port);
}

static enum proxy_found read_v1(struct str input, struct proxy_header *header)
{
    const char *newline = memchr(input.data, '\n', input.length);
    struct str line = {input.data, 0};

    if (newline == NULL) {
        header->length = input.length < LEAST ? LEAST : input.length + 1;
        return input.length >= V1_MAX ? PROXY_BAD : PROXY_MORE;
    }
    header->length = (size_t)(newline + 1 - input.data);
    if (header->length > V1_MAX || header->length < 8 || newline[-1] != '\r')
        return PROXY_BAD;
    line.length = header->length - 2;
    return read_v1_line(line, header) ? PROXY_WHOLE : PROXY_BAD;
}

static enum proxy_found read_v2(struct str input, struct proxy_header *header)
{
    const unsigned char *bytes = (const unsigned char *)input.data;
    size_t length;

    header->length = V2_HEAD;
    if (input.length < V2_HEAD)
        return PROXY_MORE;
    length = (size_t)bytes[14] << 8 | bytes[15];
    header->length = V2_HEAD + length;
    if (bytes[12] >> 4 != 2 || (bytes[12] & 0x0F) > 1 || header->length > PROXY_HEADER_MAX)
        return PROXY_BAD;
    if (input.length < header->length)
        return PROXY_MORE;
    if ((bytes[12] & 0x0F) == 0) /* LOCAL: the balancer's own check */
        return PROXY_WHOLE;
    if (bytes[13] == 0x11 && length >= 12) {
        set_in4(&header->source, bytes + 16, bytes + 24);
        set_in4(&header->destination, bytes + 20, bytes + 26);
        header->has_address = true;
    } else if (bytes[13] == 0x21 && length >= 36) {
        set_in6(&header->source, bytes + 16, bytes + 48);
        set_in6(&header->destination, bytes + 32, bytes + 50);
        header->has_address = true;
    } else if (bytes[13] == 0x11 || bytes[13] == 0x21) {
        return PROXY_BAD;
    }
    return PROXY_WHOLE;
}

static bool begins_with(struct str input, const char *text, size_t length)
{
    return memcmp(input.data, text, input.length < length ? input.length : length) == 0;
}

enum proxy_found proxy_read(struct str input, struct proxy_header *header)
{
    *header = (struct proxy_header){.length = LEAST};
    if (input.length == 0)
        return PROXY_MORE;
    if (begins_with(input, "PROXY ", 6))
        return read_v1(input, header);
    if (begins_with(input, V2_SIGNATURE, V2_SIGNATURE_LENGTH))
        return read_v2(input, header);
    return PROXY_BAD;
}
