#include "common/net.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/net_proc.h"

/* True when somebody answers at a unix socket's path. */
static bool is_answered(const struct net_address *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool answered;

    if (fd < 0)
        return true;
    /* EAGAIN: alive, with a full queue */
    answered = connect(fd, &address->at.any, address->length) == 0 || errno == EAGAIN;
    close(fd);
    return answered;
}

static enum err_code taken(const struct net_address *address, struct err *err)
{
    char text[NET_TEXT_MAX];
    char owner[NET_TEXT_MAX];

    net_text(address, text);
    net_owner(address, owner);
    if (owner[0] == '\0')
        return err_set(err, ERR_EXISTS, "%s is taken by another process", text);
    return err_set(err, ERR_EXISTS, "%s is taken by %s", text, owner);
}

static enum err_code clear_path(const struct net_address *address, struct err *err)
{
    const char *path = address->at.local.sun_path;
    struct stat facts;

    if (lstat(path, &facts) != 0)
        return errno == ENOENT ? ERR_NONE : err_errno(err, errno, "unix:%s", path);
    if (!S_ISSOCK(facts.st_mode))
        return err_set(err, ERR_EXISTS, "unix:%s: a file that is no socket is in the way", path);
    if (is_answered(address))
        return taken(address, err);
    if (unlink(path) != 0)
        return err_errno(err, errno, "unix:%s: cannot remove the stale socket", path);
    return ERR_NONE;
}

static void set_options(int fd, const struct net_address *address, bool reuse_port)
{
    int on = 1;
    int only = !address->both;

    if (address->at.any.sa_family == AF_UNIX)
        return;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* what is accepted inherits it */
    if (reuse_port)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    if (address->at.any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
}

static enum err_code bind_and_listen(int fd, const struct net_address *address, unsigned mode,
                                     struct err *err)
{
    bool local = address->at.any.sa_family == AF_UNIX;
    char text[NET_TEXT_MAX];

    if (local && mode != 0) /* before it can be seen; bind() takes the umask's bits off this */
        fchmod(fd, (mode_t)mode);
    if (bind(fd, &address->at.any, address->length) != 0) {
        if (errno == EADDRINUSE)
            return taken(address, err);
        return err_errno(err, errno, "%s", net_text(address, text));
    }
    if (local && mode != 0 && chmod(address->at.local.sun_path, (mode_t)mode) != 0)
        return err_errno(err, errno, "%s", net_text(address, text));
    if (listen(fd, SOMAXCONN) != 0) {
        if (errno == EADDRINUSE)
            return taken(address, err);
        return err_errno(err, errno, "%s", net_text(address, text));
    }
    return ERR_NONE;
}

/* "*" on a machine without IPv6 is all of IPv4. */
static int open_socket(struct net_address *address)
{
    int fd = socket(address->at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 && errno == EAFNOSUPPORT && address->both) {
        in_port_t port = address->at.in6.sin6_port;

        memset(&address->at, 0, sizeof(address->at));
        address->at.in4.sin_family = AF_INET;
        address->at.in4.sin_port = port;
        address->length = sizeof(address->at.in4);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    return fd;
}

enum err_code net_listen(int *where, const struct net_address *wanted, bool reuse_port,
                         unsigned mode, struct err *err)
{
    struct net_address address = *wanted;
    char text[NET_TEXT_MAX];
    enum err_code code = ERR_NONE;
    int fd;

    *where = -1;
    if (address.at.any.sa_family == AF_UNIX)
        code = clear_path(&address, err);
    else if (reuse_port && net_port(&address) != 0 && net_proc_shared(&address))
        code = taken(&address, err); /* the kernel would let a second daemon share the port */
    if (code != ERR_NONE)
        return code;
    fd = open_socket(&address);
    if (fd < 0)
        return err_errno(err, errno, "%s", net_text(&address, text));
    set_options(fd, &address, reuse_port);
    code = bind_and_listen(fd, &address, mode, err);
    if (code != ERR_NONE)
        close(fd);
    else
        *where = fd;
    return code;
}
