#include "proto/admin_remote.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/admin_wire.h"

enum err_code admin_remote_connect(const char *path, int *out, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int error;

    if (strlen(path) >= sizeof(address.sun_path))
        return err_set(err, ERR_INVALID, "%s is too long for a socket's path", path);
    strcpy(address.sun_path, path);
    *out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*out < 0)
        return err_errno(err, errno, "socket");
    if (connect(*out, (struct sockaddr *)&address, sizeof(address)) == 0)
        return ERR_NONE;
    error = errno;
    close(*out);
    *out = -1;
    if (error == EACCES || error == EPERM)
        return err_set(err, ERR_DENIED, "the control socket %s may not be opened by this user",
                       path);
    return err_set(err, ERR_UNAVAILABLE, "no daemon answers on %s: %s", path, strerror(error));
}

static enum err_code pass_rows(const Admin__Answer *answer, struct admin_sink *sink,
                               struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < answer->n_rows && code == ERR_NONE; i++)
        code = sink->row(sink, answer->rows[i], err);
    return code;
}

static void keep_end(Admin__End *end, const Admin__End *from, struct arena *arena)
{
    admin__end__init(end);
    end->code = from->code;
    end->findings = from->findings;
    end->text = arena_string(arena, from->text);
    end->hint = arena_string(arena, from->hint);
}

enum err_code admin_remote_run(int socket, const Admin__Request *request, int file,
                               struct admin_sink *sink, struct arena *arena, Admin__End *end,
                               struct err *err)
{
    enum err_code code = admin_wire_send(socket, &request->base, file, err);
    bool is_over = false;

    while (code == ERR_NONE && !is_over) {
        struct arena passing = {0};
        ProtobufCMessage *message;

        code = admin_wire_receive(socket, ADMIN_ANSWER_MAX, &admin__answer__descriptor, &passing,
                                  &message, NULL, err);
        if (code == ERR_NONE) {
            Admin__Answer *answer = (Admin__Answer *)message;

            code = pass_rows(answer, sink, err);
            if (sink->progress != NULL && answer->progress[0] != '\0')
                sink->progress(sink, answer->progress);
            is_over = answer->end != NULL;
            if (is_over)
                keep_end(end, answer->end, arena);
        }
        arena_reset(&passing);
    }
    return code;
}
