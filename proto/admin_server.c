#include "proto/admin_server.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/conn.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/net.h"
#include "common/pool.h"
#include "proto/admin_call.h"
#include "proto/admin_table.h"
#include "proto/admin_wire.h"

#define THREADS 12             /* migrations take hours, and `status` still wants an answer */
#define WAITING_MAX 64         /* commands that run or wait for a thread */
#define REQUEST_SECONDS 10     /* for a command to arrive */
#define READER_SECONDS 600     /* for somebody to read the answer on: a pager may be in between */
#define ANSWER_SIZE (16 << 10) /* rows are collected up to this size */

struct admin_server {
    struct loop *loop;
    const struct admin_host *host;
    struct listener *listener;
    struct pool *pool;
    char *path;
    pthread_mutex_t mutex; /* of the list and the count */
    struct served *first;
    unsigned count;
};

/* One command being served. */
struct served {
    struct pool_job job;
    struct admin_server *server;
    int socket;
    unsigned uid;
    struct served *next, *previous;
};

/* Collects rows and sends them in lots. */
struct sending_sink {
    struct admin_sink base;
    int socket;
    struct arena arena;
    Admin__Answer answer;
    size_t room, size;
};

static enum err_code flush(struct sending_sink *sink, struct err *err)
{
    enum err_code code = admin_wire_send(sink->socket, &sink->answer.base, -1, err);

    admin__answer__init(&sink->answer);
    arena_reset(&sink->arena);
    sink->room = sink->size = 0;
    return code;
}

/* A copy of the row in the sink's own memory, through its packed form. */
static Admin__Row *copy_row(struct sending_sink *sink, const Admin__Row *row)
{
    size_t size = admin__row__get_packed_size(row);
    uint8_t *bytes = arena_alloc(&sink->arena, size + 1);

    admin__row__pack(row, bytes);
    sink->size += size;
    return admin_wire_unpack(&admin__row__descriptor, &sink->arena, bytes, size);
}

static enum err_code send_row(struct admin_sink *base, const Admin__Row *row, struct err *err)
{
    struct sending_sink *sink = (struct sending_sink *)base;

    if (admin__row__get_packed_size(row) > ADMIN_ANSWER_MAX - ANSWER_SIZE)
        return err_set(err, ERR_LIMIT, "a row of the answer is too long");
    if (sink->answer.n_rows == sink->room) {
        size_t room = sink->room == 0 ? 64 : 2 * sink->room;
        Admin__Row **grown = arena_array(&sink->arena, room, sizeof(Admin__Row *));

        if (sink->room > 0)
            memcpy(grown, sink->answer.rows, sink->room * sizeof(Admin__Row *));
        sink->answer.rows = grown;
        sink->room = room;
    }
    sink->answer.rows[sink->answer.n_rows++] = copy_row(sink, row);
    return sink->size >= ANSWER_SIZE ? flush(sink, err) : ERR_NONE;
}

/* Sent at once, with the rows before it. A client that has gone is met by the next row. */
static void send_progress(struct admin_sink *base, const char *text)
{
    struct sending_sink *sink = (struct sending_sink *)base;

    sink->answer.progress = arena_string(&sink->arena, text);
    flush(sink, NULL);
}

/* The socket is hung up by the other side's end, and by cut_off(). */
static bool is_wanted(struct admin_sink *base)
{
    struct pollfd poll_for = {.fd = ((struct sending_sink *)base)->socket};

    return poll(&poll_for, 1, 0) <= 0 || (poll_for.revents & (POLLHUP | POLLERR)) == 0;
}

static const struct admin_command *find_command(const struct admin_server *server,
                                                const Admin__Request *request, Admin__End *end)
{
    const struct admin_command *command =
        admin_table_find(server->host->program, request->noun, request->verb);

    if (command != NULL && command->where != ADMIN_LOCAL && request->n_names >= command->least &&
        request->n_names <= command->most)
        return command;
    end->code = ERR_INVALID;
    end->text = (char *)(uintptr_t) "the running daemon does not know this command";
    end->hint = (char *)(uintptr_t) "it is probably of another version: restart it";
    return NULL;
}

static void log_end(const struct served *served, const Admin__Request *request,
                    const Admin__End *end)
{
    log_notice("admin", "%s %s%s%s by uid %u: %s%s%s", request->noun, request->verb,
               request->n_names > 0 ? " " : "", request->n_names > 0 ? request->names[0] : "",
               served->uid, end->code == ERR_NONE ? "done" : err_word((enum err_code)end->code),
               end->code == ERR_NONE ? "" : ": ", end->code == ERR_NONE ? "" : end->text);
}

static void answer_request(struct served *served, const Admin__Request *request, int file)
{
    struct sending_sink sink = {
        .base.row = send_row,
        .base.wanted = is_wanted,
        .base.progress = send_progress,
        .socket = served->socket,
        .answer = ADMIN__ANSWER__INIT,
    };
    struct arena arena = {0};
    Admin__End end = ADMIN__END__INIT;
    const struct admin_command *command = find_command(served->server, request, &end);

    if (command != NULL)
        admin_call_run(served->server->host, command, request, file, &sink.base, &arena, &end);
    sink.answer.end = &end;
    if (command == NULL || (command->traits & ADMIN_CHANGES) != 0)
        log_end(served, request, &end);
    flush(&sink, NULL);
    arena_reset(&arena);
}

static void set_timeout(int socket, int option, time_t seconds)
{
    struct timeval time = {.tv_sec = seconds};

    setsockopt(socket, SOL_SOCKET, option, &time, sizeof(time));
}

static void forget(struct served *served)
{
    struct admin_server *server = served->server;

    pthread_mutex_lock(&server->mutex);
    if (served->previous != NULL)
        served->previous->next = served->next;
    else
        server->first = served->next;
    if (served->next != NULL)
        served->next->previous = served->previous;
    server->count--;
    pthread_mutex_unlock(&server->mutex);
}

/* On a thread of the pool. */
static void serve(struct pool_job *job)
{
    struct served *served = (struct served *)((char *)job - offsetof(struct served, job));
    struct arena arena = {0};
    ProtobufCMessage *message;
    struct err err;
    int file = -1;

    set_timeout(served->socket, SO_RCVTIMEO, REQUEST_SECONDS);
    set_timeout(served->socket, SO_SNDTIMEO, READER_SECONDS);
    if (admin_wire_receive(served->socket, ADMIN_REQUEST_MAX, &admin__request__descriptor, &arena,
                           &message, &file, &err) == ERR_NONE) {
        Admin__Request *request = (Admin__Request *)message;

        answer_request(served, request, file);
        if (request->secret.len > 0)
            mem_wipe(request->secret.data, request->secret.len);
    } else {
        log_info("admin", "uid %u: %s", served->uid, err.text);
    }
    if (file >= 0)
        close(file);
    arena_reset(&arena);
    forget(served);
}

/* Back on the loop; the server may be gone by now. */
static void end_served(struct pool_job *job)
{
    struct served *served = (struct served *)((char *)job - offsetof(struct served, job));

    close(served->socket);
    free(served);
}

static bool may_administer(int socket, unsigned *uid)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);

    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return false;
    *uid = peer.uid;
    return peer.uid == 0 || peer.uid == geteuid();
}

static bool make_blocking(int socket)
{
    int flags = fcntl(socket, F_GETFL);

    return flags >= 0 && fcntl(socket, F_SETFL, flags & ~O_NONBLOCK) == 0;
}

static void remember(struct admin_server *server, struct served *served)
{
    pthread_mutex_lock(&server->mutex);
    served->next = server->first;
    if (server->first != NULL)
        server->first->previous = served;
    server->first = served;
    server->count++;
    pthread_mutex_unlock(&server->mutex);
}

static bool is_full(struct admin_server *server)
{
    bool full;

    pthread_mutex_lock(&server->mutex);
    full = server->count >= WAITING_MAX;
    pthread_mutex_unlock(&server->mutex);
    return full;
}

static void on_accept(struct listener *listener, int socket, const struct net_address *peer,
                      void *context)
{
    struct admin_server *server = context;
    struct served *served;
    unsigned uid = 0;

    (void)listener;
    (void)peer;
    if (!may_administer(socket, &uid) || is_full(server) || !make_blocking(socket)) {
        log_warning("admin", "uid %u is refused on the control socket", uid);
        close(socket);
        return;
    }
    served = mem_alloc(sizeof(*served));
    served->server = server;
    served->socket = socket;
    served->uid = uid;
    served->job.run = serve;
    served->job.done = end_served;
    served->job.loop = server->loop;
    remember(server, served);
    pool_submit(server->pool, &served->job);
}

static enum err_code listen_on(struct admin_server *server, struct err *err)
{
    struct net_address address;
    char *text = mem_alloc(strlen(server->path) + sizeof("unix:"));
    enum err_code code;
    int socket;

    strcpy(text, "unix:");
    strcat(text, server->path);
    code = net_parse(&address, text, err);
    free(text);
    if (code == ERR_NONE)
        code = net_listen(&socket, &address, false, 0600, err);
    if (code != ERR_NONE)
        return code;
    server->listener = listener_open(server->loop, socket, on_accept, server);
    return ERR_NONE;
}

enum err_code admin_server_open(struct admin_server **out, struct loop *loop,
                                const struct admin_host *host, struct err *err)
{
    struct admin_server *server = mem_alloc(sizeof(*server));
    enum err_code code;

    server->loop = loop;
    server->host = host;
    server->path = host->program->control(host->settings);
    pthread_mutex_init(&server->mutex, NULL);
    code = pool_create(&server->pool, "admin", THREADS, err);
    if (code == ERR_NONE)
        code = listen_on(server, err);
    if (code != ERR_NONE)
        admin_server_close(&server);
    *out = server;
    return code;
}

/* Handlers that write to a client find it gone, and end. */
static void cut_off(struct admin_server *server)
{
    pthread_mutex_lock(&server->mutex);
    for (struct served *served = server->first; served != NULL; served = served->next)
        shutdown(served->socket, SHUT_RDWR);
    pthread_mutex_unlock(&server->mutex);
}

void admin_server_close(struct admin_server **out)
{
    struct admin_server *server = *out;

    if (server == NULL)
        return;
    if (server->listener != NULL) {
        listener_close(server->listener);
        unlink(server->path);
    }
    cut_off(server);
    if (server->pool != NULL)
        pool_destroy(&server->pool);
    pthread_mutex_destroy(&server->mutex);
    free(server->path);
    free(server);
    *out = NULL;
}
