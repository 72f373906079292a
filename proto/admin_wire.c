#include "proto/admin_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/mem.h"

#define LENGTH_SIZE 4

static enum err_code gone(struct err *err, int error)
{
    if (error == EAGAIN || error == EWOULDBLOCK)
        return err_set(err, ERR_UNAVAILABLE, "the other side of the control socket is silent");
    return err_set(err, ERR_UNAVAILABLE, "the other side of the control socket is gone");
}

/* The file goes with the first bytes. */
static ssize_t send_some(int socket, const uint8_t *bytes, size_t length, int file)
{
    struct iovec part = {(void *)(uintptr_t)bytes, length};
    char space[CMSG_SPACE(sizeof(int))] __attribute__((aligned(sizeof(size_t)))) = {0};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

    if (file >= 0) {
        struct cmsghdr *control;

        header.msg_control = space;
        header.msg_controllen = sizeof(space);
        control = CMSG_FIRSTHDR(&header);
        control->cmsg_level = SOL_SOCKET;
        control->cmsg_type = SCM_RIGHTS;
        control->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(control), &file, sizeof(int));
    }
    return sendmsg(socket, &header, MSG_NOSIGNAL);
}

static enum err_code send_all(int socket, const struct buf *buf, int file, struct err *err)
{
    const uint8_t *bytes = buf_bytes(buf);
    size_t left = buf_length(buf);

    while (left > 0) {
        ssize_t sent = send_some(socket, bytes, left, file);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return gone(err, errno);
        bytes += sent;
        left -= (size_t)sent;
        file = -1;
    }
    return ERR_NONE;
}

enum err_code admin_wire_send(int socket, const ProtobufCMessage *message, int file,
                              struct err *err)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    struct buf buf = {0};
    enum err_code code;

    for (int shift = 24; shift >= 0; shift -= 8)
        buf_byte(&buf, (uint8_t)(size >> shift));
    protobuf_c_message_pack(message, buf_reserve(&buf, size));
    buf_commit(&buf, size);
    code = send_all(socket, &buf, file, err);
    mem_wipe(buf.memory, buf.size); /* it may hold a password */
    buf_release(&buf);
    return code;
}

/* Keeps the first descriptor that came, when one is wanted; closes the others. */
static void take_files(struct msghdr *header, int *file)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL;
         control = CMSG_NXTHDR(header, control)) {
        size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < count; i++) {
            int came;

            memcpy(&came, CMSG_DATA(control) + i * sizeof(int), sizeof(int));
            if (file != NULL && *file < 0)
                *file = came;
            else
                close(came);
        }
    }
}

static ssize_t receive_some(int socket, uint8_t *bytes, size_t length, int *file)
{
    struct iovec part = {bytes, length};
    char space[CMSG_SPACE(4 * sizeof(int))] __attribute__((aligned(sizeof(size_t))));
    struct msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = space,
        .msg_controllen = sizeof(space),
    };
    ssize_t got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);

    if (got >= 0)
        take_files(&header, file);
    return got;
}

static enum err_code receive_all(int socket, uint8_t *bytes, size_t length, int *file,
                                 struct err *err)
{
    while (length > 0) {
        ssize_t got = receive_some(socket, bytes, length, file);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return gone(err, got < 0 ? errno : 0);
        bytes += got;
        length -= (size_t)got;
    }
    return ERR_NONE;
}

static void *take(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void keep(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer; /* the arena ends all at once */
}

void *admin_wire_unpack(const ProtobufCMessageDescriptor *type, struct arena *arena,
                        const uint8_t *bytes, size_t length)
{
    ProtobufCAllocator allocator = {take, keep, arena};

    return protobuf_c_message_unpack(type, &allocator, length, bytes);
}

enum err_code admin_wire_receive(int socket, size_t most, const ProtobufCMessageDescriptor *type,
                                 struct arena *arena, ProtobufCMessage **message, int *file,
                                 struct err *err)
{
    uint8_t head[LENGTH_SIZE], *body;
    size_t length;
    enum err_code code;

    if (file != NULL)
        *file = -1;
    code = receive_all(socket, head, sizeof(head), file, err);
    if (code != ERR_NONE)
        return code;
    length = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (length > most)
        return err_set(err, ERR_INVALID, "a message on the control socket is too long");
    body = arena_alloc(arena, length + 1);
    code = receive_all(socket, body, length, file, err);
    if (code == ERR_NONE) {
        *message = admin_wire_unpack(type, arena, body, length);
        if (*message == NULL)
            code = err_set(err, ERR_INVALID, "a message on the control socket is malformed");
    }
    mem_wipe(body, length);
    return code;
}
