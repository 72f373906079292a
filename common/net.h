/* Addresses: written as in settings, and the sockets that listen on them. */
#ifndef COMMON_NET_H
#define COMMON_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/err.h"

#define NET_TEXT_MAX 128

struct net_address {
    socklen_t length;
    union {
        struct sockaddr any;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
        struct sockaddr_un local;
    } at;
    bool both; /* "*": an IPv6 socket that takes IPv4 as well */
};

/* "127.0.0.1:143", "[::1]:143", "*:143" (both families, one IPv6 socket without V6ONLY),
   "unix:/path/of/socket". Port 0 listens on a port that the kernel picks. No name look-ups. */
enum err_code net_parse(struct net_address *address, const char *text, struct err *err);

/* The text form of an address, as net_parse() takes it; "unix" for an unnamed local socket. */
const char *net_text(const struct net_address *address, char text[NET_TEXT_MAX]);

/* Only the IP address, without port or brackets, IPv4-mapped written as IPv4; "unix" for local. */
const char *net_host(const struct net_address *address, char text[NET_TEXT_MAX]);
unsigned net_port(const struct net_address *address); /* 0 for local */

/* A network: "192.0.2.0/24", "2001:db8::/32", a single address, "unix". */
struct net_range {
    int family; /* AF_INET, AF_INET6, AF_UNIX */
    unsigned bits;
    unsigned char bytes[16];
};
enum err_code net_range_parse(struct net_range *range, const char *text, struct err *err);
bool net_range_has(const struct net_range *range, const struct net_address *address);

/* A non-blocking, close-on-exec listening socket. reuse_port: several loops of this process may each
   have one on the same address. A stale unix socket file that nobody answers on is replaced; mode is the file's mode
   (0 for the umask's). ERR_EXISTS when the address is taken: the text names the process that has it
   where /proc tells. */
enum err_code net_listen(int *fd, const struct net_address *address, bool reuse_port, unsigned mode,
                         struct err *err);

/* The addresses of a connected socket; an unnamed local socket gives family AF_UNIX without a path. */
void net_peer_of(int fd, struct net_address *address);
void net_local_of(int fd, struct net_address *address);

/* The process ("name[pid]") that listens on a local TCP port or unix socket path, or "" when unknown. */
void net_owner(const struct net_address *address, char text[NET_TEXT_MAX]);

#endif
