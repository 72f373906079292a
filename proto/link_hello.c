/* Hello: who is at the other end, and is it what its certificate or its uid says. */
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "proto/link_private.h"

enum err_code link_check_uid(struct link *link, struct err *err)
{
    unsigned uid;
    int pid;

    if (!conn_peer_uid(link->conn, &uid, &pid))
        return err_set(err, ERR_DENIED, "the kernel does not tell who is at the other end");
    if (uid == 0 || uid == geteuid())
        return ERR_NONE;
    for (size_t i = 0; i < link->self->uid_count; i++) {
        if (link->self->uids[i] == uid)
            return ERR_NONE;
    }
    return err_set(err, ERR_DENIED, "process %d of user id %u may not be at the other end", pid,
                   uid);
}

/* All bodies of this version. A peer with fewer is no peer of version 1: see check_bodies(). */
static void list_bodies(Link__Hello *hello, uint32_t bodies[FRAME_BODY_LAST])
{
    hello->bodies = bodies;
    for (uint32_t body = FRAME_BODY_FIRST; body <= FRAME_BODY_LAST; body++)
        bodies[hello->n_bodies++] = body;
}

void link_say_hello(struct link *link)
{
    Link__Hello hello = LINK__HELLO__INIT;
    Link__Frame frame = LINK__FRAME__INIT;
    uint32_t bodies[FRAME_BODY_LAST];
    struct arena arena = {0};

    hello.version_least = LINK_VERSION;
    hello.version_most = LINK_VERSION;
    hello.role = link->self->role;
    hello.name = (char *)link->self->name;
    hello.software = (char *)link->self->software;
    list_bodies(&hello, bodies);
    if (link->self->services != NULL)
        link->self->services(link->self->context, &arena, &hello);
    frame.body_case = LINK__FRAME__BODY_HELLO;
    frame.hello = &hello;
    link_send(link, &frame);
    arena_reset(&arena);
}

/* Version 1 stands for bodies 2 to 18; only those that come later are sent by list. */
static enum err_code check_bodies(const Link__Hello *hello, struct err *err)
{
    uint32_t known = 0;

    for (size_t i = 0; i < hello->n_bodies; i++) {
        if (hello->bodies[i] <= FRAME_BODY_LAST)
            known |= 1u << hello->bodies[i];
    }
    for (uint32_t body = FRAME_BODY_FIRST; body <= FRAME_BODY_LAST; body++) {
        if ((known & 1u << body) == 0)
            return err_set(err, ERR_INVALID, "its Hello does not list body %u", body);
    }
    return ERR_NONE;
}

static enum err_code check_words(const struct link *link, const Link__Hello *hello, struct err *err)
{
    Link__Hello__Role wanted = link->is_client ? LINK__HELLO__ROLE__BACK : LINK__HELLO__ROLE__FRONT;

    if (hello->version_least > LINK_VERSION || hello->version_most < LINK_VERSION)
        return err_set(err, ERR_INVALID, "it speaks versions %u to %u of the link, not %u",
                       hello->version_least, hello->version_most, LINK_VERSION);
    if (hello->role != wanted)
        return err_set(err, ERR_DENIED, "it is not a %s end", link->is_client ? "back" : "front");
    if (hello->name[0] == '\0' || strlen(hello->name) > LINK_NAME_MAX)
        return err_set(err, ERR_INVALID, "its name has no or more than %u bytes", LINK_NAME_MAX);
    if (link->expected_name != NULL && strcmp(hello->name, link->expected_name) != 0)
        return err_set(err, ERR_DENIED, "it says its name is %s, not %s", hello->name,
                       link->expected_name);
    return check_bodies(hello, err);
}

/* The certificate must say the same as the Hello: name as CN and as dNSName, role as OU. */
static enum err_code check_certificate(const struct link *link, const Link__Hello *hello,
                                       struct err *err)
{
    const struct tls_session *tls = conn_tls(link->conn);
    const char *unit = link->is_client ? "back" : "front";
    struct tls_peer_facts facts;

    if (tls == NULL)
        return ERR_NONE; /* a unix socket, or plain TCP in a test */
    if (!tls_session_peer(tls, &facts))
        return err_set(err, ERR_DENIED, "it has no certificate");
    if (strcmp(facts.common_name, hello->name) != 0 || !tls_session_peer_has_name(tls, hello->name))
        return err_set(err, ERR_DENIED, "the certificate (%s) is not for the name %s",
                       facts.subject, hello->name);
    if (strcmp(facts.unit, unit) != 0)
        return err_set(err, ERR_DENIED, "the certificate (%s) is not for a %s end (OU=%s)",
                       facts.subject, unit, unit);
    return ERR_NONE;
}

/* Later Hellos may change services, nothing else. */
static enum err_code check_renewed(const struct link *link, const Link__Hello *hello,
                                   struct err *err)
{
    if (!link->is_client)
        return err_set(err, ERR_INVALID, "a front said Hello twice");
    if (strcmp(link->peer->name, hello->name) != 0)
        return err_set(err, ERR_INVALID, "a second Hello has another name");
    return ERR_NONE;
}

static enum err_code check(const struct link *link, const Link__Hello *hello, struct err *err)
{
    if (check_words(link, hello, err) != ERR_NONE)
        return err->code;
    if (link->peer != NULL)
        return check_renewed(link, hello, err);
    return check_certificate(link, hello, err);
}

static void keep(struct link *link, Link__Frame *frame, struct arena *arena)
{
    arena_reset(&link->peer_arena);
    link->peer_arena = *arena;
    link->peer = frame->hello;
}

static void come_up(struct link *link)
{
    char text[NET_TEXT_MAX];

    link->state = LINK_UP;
    link->retry_ms = 0;
    link->last_failure[0] = '\0';
    snprintf(link->who, sizeof(link->who), "link[%llu] %s", (unsigned long long)link->number,
             link->peer->name);
    conn_set_timeout(link->conn, LINK_TICK_SECONDS);
    log_notice(link->who, "link is up, %s, %s", net_text(&link->address, text),
               link->peer->software);
}

enum err_code link_take_hello(struct link *link, const struct frame_view *view, struct err *err)
{
    struct arena arena = {0};
    Link__Frame *frame;

    if (frame_unpack(view, &arena, &frame, err) != ERR_NONE ||
        check(link, frame->hello, err) != ERR_NONE) {
        arena_reset(&arena);
        return err->code;
    }
    keep(link, frame, &arena);
    if (link->state != LINK_UP)
        come_up(link);
    if (link->events->up != NULL)
        link->events->up(link->context, link);
    return ERR_NONE;
}
