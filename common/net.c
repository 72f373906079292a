#include "common/net.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/str.h"

static enum err_code parse_local(struct net_address *address, const char *path, struct err *err)
{
    size_t length = strlen(path);

    if (path[0] != '/')
        return err_set(err, ERR_INVALID, "\"unix:%s\": the path must begin with /", path);
    if (length >= sizeof(address->at.local.sun_path))
        return err_set(err, ERR_INVALID, "\"unix:%s\": a socket's path may have %zu bytes at most",
                       path, sizeof(address->at.local.sun_path) - 1);
    address->at.local.sun_family = AF_UNIX;
    memcpy(address->at.local.sun_path, path, length + 1);
    address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    return ERR_NONE;
}

static void set_in4(struct net_address *address, struct in_addr host, unsigned port)
{
    address->at.in4 = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr = host, .sin_port = htons((uint16_t)port)};
    address->length = sizeof(address->at.in4);
}

static void set_in6(struct net_address *address, struct in6_addr host, unsigned port)
{
    address->at.in6 = (struct sockaddr_in6){
        .sin6_family = AF_INET6, .sin6_addr = host, .sin6_port = htons((uint16_t)port)};
    address->length = sizeof(address->at.in6);
}

/* host is "*", "127.0.0.1" or "[::1]". */
static bool parse_host(struct net_address *address, const char *host, unsigned port)
{
    size_t length = strlen(host);
    struct in_addr in4;
    struct in6_addr in6;

    if (strcmp(host, "*") == 0) {
        set_in6(address, in6addr_any, port);
        address->both = true;
    } else if (inet_pton(AF_INET, host, &in4) == 1) {
        set_in4(address, in4, port);
    } else if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
        char inner[INET6_ADDRSTRLEN];

        if (length - 2 >= sizeof(inner))
            return false;
        memcpy(inner, host + 1, length - 2);
        inner[length - 2] = '\0';
        if (inet_pton(AF_INET6, inner, &in6) != 1)
            return false;
        set_in6(address, in6, port);
    } else {
        return false;
    }
    return true;
}

enum err_code net_parse(struct net_address *address, const char *text, struct err *err)
{
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN + 2];
    uint64_t port;

    memset(address, 0, sizeof(*address));
    if (strncmp(text, "unix:", 5) == 0)
        return parse_local(address, text + 5, err);
    if (colon == NULL || (size_t)(colon - text) >= sizeof(host) ||
        !str_number(str_of(colon + 1), 65535, &port))
        return err_set(err, ERR_INVALID,
                       "\"%s\" is not an address with a port, such as 127.0.0.1:143, [::1]:143, "
                       "*:143 or unix:/path",
                       text);
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    if (!parse_host(address, host, (unsigned)port))
        return err_set(err, ERR_INVALID,
                       "\"%s\" is not an IP address: allowed are 127.0.0.1, [::1] or * before the "
                       "port (names are not looked up)",
                       host);
    return ERR_NONE;
}

/* The IPv4 address within an IPv4-mapped one, or NULL. */
static const struct in_addr *mapped(const struct net_address *address)
{
    if (address->at.any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&address->at.in6.sin6_addr))
        return NULL;
    return (const struct in_addr *)(const void *)&address->at.in6.sin6_addr.s6_addr[12];
}

const char *net_host(const struct net_address *address, char text[NET_TEXT_MAX])
{
    const struct in_addr *in4 = mapped(address);

    if (address->at.any.sa_family == AF_INET)
        in4 = &address->at.in4.sin_addr;
    if (in4 != NULL)
        inet_ntop(AF_INET, in4, text, NET_TEXT_MAX);
    else if (address->at.any.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &address->at.in6.sin6_addr, text, NET_TEXT_MAX);
    else
        strcpy(text, "unix");
    return text;
}

unsigned net_port(const struct net_address *address)
{
    switch (address->at.any.sa_family) {
    case AF_INET:
        return ntohs(address->at.in4.sin_port);
    case AF_INET6:
        return ntohs(address->at.in6.sin6_port);
    default:
        return 0;
    }
}

const char *net_text(const struct net_address *address, char text[NET_TEXT_MAX])
{
    char host[NET_TEXT_MAX];

    if (address->both) {
        snprintf(text, NET_TEXT_MAX, "*:%u", net_port(address));
        return text;
    }
    net_host(address, host);
    if (address->at.any.sa_family == AF_INET || mapped(address) != NULL)
        snprintf(text, NET_TEXT_MAX, "%.46s:%u", host, net_port(address));
    else if (address->at.any.sa_family == AF_INET6)
        snprintf(text, NET_TEXT_MAX, "[%.46s]:%u", host, net_port(address));
    else if (address->length > offsetof(struct sockaddr_un, sun_path) &&
             address->at.local.sun_path[0] != '\0')
        snprintf(text, NET_TEXT_MAX, "unix:%.108s", address->at.local.sun_path);
    else
        strcpy(text, "unix");
    return text;
}

enum err_code net_range_parse(struct net_range *range, const char *text, struct err *err)
{
    const char *slash = strchr(text, '/');
    size_t length = slash == NULL ? strlen(text) : (size_t)(slash - text);
    char host[INET6_ADDRSTRLEN] = "";
    uint64_t bits;
    unsigned most;

    memset(range, 0, sizeof(*range));
    if (strcmp(text, "unix") == 0) {
        range->family = AF_UNIX;
        return ERR_NONE;
    }
    if (length < sizeof(host))
        memcpy(host, text, length);
    if (inet_pton(AF_INET, host, range->bytes) == 1)
        range->family = AF_INET;
    else if (inet_pton(AF_INET6, host, range->bytes) == 1)
        range->family = AF_INET6;
    else
        return err_set(err, ERR_INVALID,
                       "\"%s\" is not a network, such as 192.0.2.0/24, 2001:db8::/32 or unix",
                       text);
    bits = most = range->family == AF_INET ? 32 : 128;
    if (slash != NULL && !str_number(str_of(slash + 1), most, &bits))
        return err_set(err, ERR_INVALID, "\"%s\": allowed behind the slash is 0 to %u", text, most);
    range->bits = (unsigned)bits;
    return ERR_NONE;
}

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned rest = bits % 8;

    if (memcmp(a, b, bits / 8) != 0)
        return false;
    return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

bool net_range_has(const struct net_range *range, const struct net_address *address)
{
    const struct in_addr *in4 = mapped(address);
    int family = in4 != NULL ? AF_INET : address->at.any.sa_family;

    if (family != range->family)
        return false;
    switch (family) {
    case AF_INET:
        if (in4 == NULL)
            in4 = &address->at.in4.sin_addr;
        return same_bits((const unsigned char *)in4, range->bytes, range->bits);
    case AF_INET6:
        return same_bits(address->at.in6.sin6_addr.s6_addr, range->bytes, range->bits);
    default:
        return family == AF_UNIX;
    }
}

void net_peer_of(int fd, struct net_address *address)
{
    memset(address, 0, sizeof(*address));
    address->length = sizeof(address->at);
    if (getpeername(fd, &address->at.any, &address->length) != 0)
        address->length = 0; /* it has gone already: reading will tell */
}

void net_local_of(int fd, struct net_address *address)
{
    memset(address, 0, sizeof(*address));
    address->length = sizeof(address->at);
    if (getsockname(fd, &address->at.any, &address->length) != 0)
        address->length = 0;
}
