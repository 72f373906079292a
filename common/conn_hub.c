#include <stdlib.h>

#include "common/conn_inside.h"
#include "common/log.h"
#include "common/mem.h"

static const char hub_key;

/* Everything that a conn does at the end of a turn. */
static void look_at(struct conn *conn)
{
    if (conn_is_live(conn) && conn->error != NULL)
        conn_fail(conn, conn->error); /* it could not even be opened */
    if (conn_is_live(conn) && conn->tls != NULL)
        conn_tls_read(conn, &conn->wire_in);
    conn_send(conn);
    if (conn->is_closed)
        return;
    conn_update_reading(conn);
    buf_release_idle(&conn->input);
    buf_release_idle(&conn->wire_in);
    buf_release_idle(&conn->output);
    buf_release_idle(&conn->wire_out);
}

/* Handshakes are long, so they have a share of each turn; sessions that stand wait for no more than
   that, however many clients come at once. */
static void shake_hands(struct conn_hub *hub)
{
    hub->handshake_time = 0;
    while (hub->handshake_time < CONN_HANDSHAKE_SHARE && !TAILQ_EMPTY(&hub->shaking)) {
        struct conn *conn = TAILQ_FIRST(&hub->shaking);

        TAILQ_REMOVE(&hub->shaking, conn, in_shaking);
        conn->is_shaking = false;
        look_at(conn);
    }
    if (!TAILQ_EMPTY(&hub->shaking))
        loop_again(hub->loop);
}

static void on_turn(struct loop_turn *turn)
{
    struct conn_hub *hub =
        (struct conn_hub *)(void *)((char *)turn - offsetof(struct conn_hub, turn));

    hub->number++;
    log_flush(); /* whoever reads an answer finds its line */
    /* What becomes ready meanwhile waits for the next turn, so that others get theirs. */
    for (size_t left = hub->ready_count; left > 0 && !TAILQ_EMPTY(&hub->ready); left--) {
        struct conn *conn = TAILQ_FIRST(&hub->ready);

        TAILQ_REMOVE(&hub->ready, conn, in_ready);
        hub->ready_count--;
        conn->is_ready = false;
        look_at(conn);
    }
    shake_hands(hub);
}

static void free_when_empty(struct conn_hub *hub)
{
    if (hub->ended && hub->conn_count == 0)
        free(hub);
}

static void on_loop_end(struct loop_local *local)
{
    struct conn_hub *hub = (struct conn_hub *)local;

    while (!TAILQ_EMPTY(&hub->finishing))
        conn_close(TAILQ_FIRST(&hub->finishing));
    loop_turn_remove(hub->loop, &hub->turn);
    hub->ended = true;
    free_when_empty(hub);
}

struct conn_hub *conn_hub_of(struct loop *loop)
{
    struct conn_hub *hub = (struct conn_hub *)loop_local(loop, &hub_key);

    if (hub == NULL) {
        hub = mem_alloc(sizeof(*hub));
        hub->local = (struct loop_local){&hub_key, on_loop_end, NULL};
        hub->turn.run = on_turn;
        hub->loop = loop;
        TAILQ_INIT(&hub->ready);
        TAILQ_INIT(&hub->shaking);
        TAILQ_INIT(&hub->finishing);
        loop_local_add(loop, &hub->local);
        loop_turn_add(loop, &hub->turn);
    }
    return hub;
}

void conn_hub_let_go(struct conn_hub *hub)
{
    hub->conn_count--;
    free_when_empty(hub);
}

void conn_ready(struct conn *conn)
{
    struct conn_hub *hub = conn->hub;

    if (conn->is_ready || conn->is_closed)
        return;
    conn->is_ready = true;
    hub->ready_count++;
    TAILQ_INSERT_TAIL(&hub->ready, conn, in_ready);
    loop_again(hub->loop);
}

void conn_shake_later(struct conn *conn)
{
    if (conn->is_shaking)
        return;
    conn->is_shaking = true;
    TAILQ_INSERT_TAIL(&conn->hub->shaking, conn, in_shaking);
    loop_again(conn->hub->loop);
}

void conn_forget(struct conn *conn)
{
    struct conn_hub *hub = conn->hub;

    if (conn->is_shaking) {
        TAILQ_REMOVE(&hub->shaking, conn, in_shaking);
        conn->is_shaking = false;
    }
    if (conn->is_ready) {
        TAILQ_REMOVE(&hub->ready, conn, in_ready);
        hub->ready_count--;
        conn->is_ready = false;
    }
    if (conn->is_finishing) {
        TAILQ_REMOVE(&hub->finishing, conn, in_finishing);
        hub->finishing_count--;
    }
}
