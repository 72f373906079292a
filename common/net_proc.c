#include "common/net_proc.h"

#include <ctype.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_LISTEN 0x0A
#define MOST_SOCKETS 64

/* The inodes of the sockets that listen on one address. */
struct sockets {
    unsigned long inodes[MOST_SOCKETS];
    size_t count;
};

static void add(struct sockets *sockets, unsigned long inode)
{
    if (sockets->count < MOST_SOCKETS)
        sockets->inodes[sockets->count++] = inode;
}

/* Both as /proc/net/tcp writes them: 32-bit words of the machine's own order, in hexadecimal. */
static bool is_any(const char *host)
{
    return strspn(host, "0") == strlen(host);
}

static void host_words(const struct net_address *address, char text[33])
{
    uint32_t words[4];

    if (address->at.any.sa_family == AF_INET) {
        snprintf(text, 33, "%08X", address->at.in4.sin_addr.s_addr);
        return;
    }
    memcpy(words, &address->at.in6.sin6_addr, sizeof(words));
    snprintf(text, 33, "%08X%08X%08X%08X", words[0], words[1], words[2], words[3]);
}

static void find_tcp(struct sockets *sockets, const char *file, const struct net_address *address)
{
    FILE *table = fopen(file, "re");
    char line[512];
    char wanted[33];

    if (table == NULL)
        return;
    host_words(address, wanted);
    while (fgets(line, sizeof(line), table) != NULL) {
        char host[33];
        unsigned port;
        unsigned state;
        unsigned long inode;

        if (sscanf(line, " %*d: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*s %*s %lu", host,
                   &port, &state, &inode) != 4 ||
            state != STATE_LISTEN || port != net_port(address))
            continue;
        if (is_any(host) || is_any(wanted) || strcmp(host, wanted) == 0)
            add(sockets, inode);
    }
    fclose(table);
}

static void find_local(struct sockets *sockets, const char *path)
{
    FILE *table = fopen("/proc/net/unix", "re");
    char line[512];

    if (table == NULL)
        return;
    while (fgets(line, sizeof(line), table) != NULL) {
        unsigned flags;
        unsigned long inode;
        int used = 0;

        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%*x: %*x %*x %x %*x %*x %lu %n", &flags, &inode, &used) == 2 &&
            (flags & 0x10000) != 0 && strcmp(line + used, path) == 0) /* __SO_ACCEPTCON */
            add(sockets, inode);
    }
    fclose(table);
}

/* Sockets of the address's own family, and for "*" those of both. */
static void find(struct sockets *sockets, const struct net_address *address)
{
    sockets->count = 0;
    if (address->at.any.sa_family == AF_UNIX)
        find_local(sockets, address->at.local.sun_path);
    if (address->at.any.sa_family == AF_INET || address->both)
        find_tcp(sockets, "/proc/net/tcp", address);
    if (address->at.any.sa_family == AF_INET6)
        find_tcp(sockets, "/proc/net/tcp6", address);
}

/* How many of the sockets the process has; each is counted once. */
static size_t held_by(const char *pid, const struct sockets *sockets)
{
    char path[300];
    size_t held = 0;
    struct dirent *entry;
    DIR *folder;

    snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    folder = opendir(path);
    if (folder == NULL)
        return 0;
    while ((entry = readdir(folder)) != NULL) {
        char target[64];
        unsigned long inode;
        ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);

        if (length < 0)
            continue;
        target[length] = '\0';
        if (sscanf(target, "socket:[%lu]", &inode) != 1)
            continue;
        for (size_t i = 0; i < sockets->count; i++)
            held += sockets->inodes[i] == inode;
    }
    closedir(folder);
    return held;
}

bool net_proc_shared(const struct net_address *address)
{
    struct sockets sockets;

    find(&sockets, address);
    return sockets.count > held_by("self", &sockets);
}

static void name_process(const char *pid, char text[NET_TEXT_MAX])
{
    char path[300];
    char name[64] = "process";
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%s/comm", pid);
    file = fopen(path, "re");
    if (file != NULL) {
        if (fgets(name, sizeof(name), file) != NULL)
            name[strcspn(name, "\n")] = '\0';
        fclose(file);
    }
    snprintf(text, NET_TEXT_MAX, "%s[%.20s]", name, pid);
}

void net_owner(const struct net_address *address, char text[NET_TEXT_MAX])
{
    struct sockets sockets;
    struct dirent *entry;
    DIR *processes;

    text[0] = '\0';
    find(&sockets, address);
    if (sockets.count == 0 && address->at.any.sa_family == AF_INET) {
        /* an IPv6 socket on all addresses that takes IPv4 too may be the one */
        struct net_address all = {.at.in6 = {.sin6_family = AF_INET6}};

        all.at.in6.sin6_port = address->at.in4.sin_port;
        find(&sockets, &all);
    }
    processes = sockets.count == 0 ? NULL : opendir("/proc");
    if (processes == NULL)
        return;
    while (text[0] == '\0' && (entry = readdir(processes)) != NULL) {
        if (isdigit((unsigned char)entry->d_name[0]) && held_by(entry->d_name, &sockets) > 0)
            name_process(entry->d_name, text);
    }
    closedir(processes);
}
