/* A back end for tests of the front's LMTP service: a link server on the front's own loop that claims
   the addresses of one domain and takes mail for them as it is told. */
#ifndef UNIT_FRONT_FAKE_BACK_H
#define UNIT_FRONT_FAKE_BACK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/str.h"
#include "proto/link.h"

struct fake_back {
    /* How it behaves. */
    const char *name; /* also the domain whose addresses it claims */
    char address[96];
    const char *result;   /* for each recipient, after the content */
    bool breaks;          /* closes the session at the first content */
    bool stalls;          /* takes no content and says nothing more */
    bool refuses_session; /* at Open */
    bool gives_away; /* claims moved@one at the first question only, and has no such user then */
    bool takes_over; /* claims moved@one from the second question on */

    /* What it has heard. */
    struct buf commands; /* all but BDAT, each with its line end */
    struct buf content;
    unsigned sessions; /* that are open */
    unsigned opened;   /* in all */
    unsigned asked_for_moved;

    struct loop *loop;
    struct link_self self;
    struct listener *listener;
    struct link *link;
};

struct fake_session {
    struct fake_back *back;
    struct link_session *session;
    struct buf in;
    size_t left; /* of the chunk */
    bool last;
    bool in_chunk;
    unsigned recipients;
};

static inline void fake_say(struct fake_session *fake, const char *text)
{
    link_session_data(fake->session, text, strlen(text));
}

static inline void fake_end(struct fake_session *fake)
{
    fake->back->sessions--;
    buf_release(&fake->in);
    free(fake);
}

static inline void fake_end_chunk(struct fake_session *fake)
{
    fake->in_chunk = false;
    if (!fake->last)
        fake_say(fake, "250 2.0.0 go on\r\n");
    for (; fake->last && fake->recipients > 0; fake->recipients--) {
        fake_say(fake, fake->back->result);
        fake_say(fake, "\r\n");
    }
}

static inline void fake_command(struct fake_session *fake, const char *line)
{
    char word[8] = "";

    if (sscanf(line, "BDAT %zu %7s", &fake->left, word) >= 1) {
        fake->last = strcmp(word, "LAST") == 0;
        fake->in_chunk = true;
        return;
    }
    buf_printf(&fake->back->commands, "%s\n", line);
    if (strncmp(line, "RCPT TO:<full", 13) == 0) {
        fake_say(fake, "552 5.2.2 mailbox is full\r\n");
        return;
    }
    if (fake->back->gives_away && strstr(line, "moved") != NULL) {
        fake_say(fake, "550 5.1.1 no such user here\r\n");
        return;
    }
    if (strncmp(line, "RCPT", 4) == 0)
        fake->recipients++;
    fake_say(fake,
             strncmp(line, "LHLO", 4) == 0 ? "250-fake\r\n250 CHUNKING\r\n" : "250 2.0.0 ok\r\n");
}

/* False when there is nothing more to do with what has come. */
static inline bool fake_step(struct fake_session *fake)
{
    size_t length = buf_length(&fake->in);
    const char *end;
    char line[1024];

    if (fake->in_chunk) {
        if (length > fake->left)
            length = fake->left;
        if (length > 0) {
            buf_append(&fake->back->content, buf_bytes(&fake->in), length);
            buf_consume(&fake->in, length);
            link_session_consumed(fake->session, length);
        }
        fake->left -= length;
        if (fake->left > 0)
            return false;
        fake_end_chunk(fake);
        return true;
    }
    end = length == 0 ? NULL : memchr(buf_bytes(&fake->in), '\n', length);
    if (end == NULL)
        return false;
    length = (size_t)(end - (const char *)buf_bytes(&fake->in)) + 1;
    assert_true(length < sizeof(line));
    memcpy(line, buf_bytes(&fake->in), length);
    line[length - (length > 1 && line[length - 2] == '\r' ? 2 : 1)] = '\0';
    buf_consume(&fake->in, length);
    link_session_consumed(fake->session, length);
    fake_command(fake, line);
    return true;
}

static inline void fake_on_data(void *context, const uint8_t *bytes, size_t length)
{
    struct fake_session *fake = context;

    buf_append(&fake->in, bytes, length);
    for (;;) {
        if (fake->in_chunk && fake->back->breaks) {
            link_session_close(fake->session, LINK__CLOSE__REASON__INTERNAL, "broken");
            fake_end(fake);
            return;
        }
        if ((fake->in_chunk && fake->back->stalls) || !fake_step(fake))
            return;
    }
}

static inline void fake_on_closed(void *context, Link__Close__Reason reason, const char *text)
{
    (void)reason;
    (void)text;
    fake_end(context);
}

static inline void fake_on_open(void *context, struct link *link, struct link_session *session,
                                const Link__Open *open)
{
    static const struct link_session_events events = {.data = fake_on_data,
                                                      .closed = fake_on_closed};
    struct fake_session *fake;

    (void)link;
    assert_string_equal(open->service, "lmtpbe");
    if (((struct fake_back *)context)->refuses_session) {
        link_session_refuse(session, LINK__REFUSED__CODE__UNAVAILABLE, "not now", 0);
        return;
    }
    fake = mem_alloc(sizeof(*fake));
    fake->back = context;
    fake->session = session;
    fake->back->sessions++;
    fake->back->opened++;
    link_session_attach(session, &events, fake);
    link_session_opened(session, "");
    fake_say(fake, "220 fake LMTP\r\n");
}

static inline bool fake_claims(struct fake_back *back, const char *address)
{
    const char *domain = strchr(address, '@');

    if (strcmp(address, "moved@one") == 0) {
        back->asked_for_moved++;
        return back->gives_away ? back->asked_for_moved == 1
                                : back->takes_over && back->asked_for_moved > 1;
    }
    return domain != NULL && strcmp(domain + 1, back->name) == 0 &&
           strncmp(address, "nobody", 6) != 0;
}

static inline void fake_on_resolve(void *context, struct link *link, const Link__Resolve *resolve)
{
    Link__Resolved resolved = LINK__RESOLVED__INIT;
    uint8_t account[16] = {1};
    bool claims = fake_claims(context, resolve->address);

    resolved.request = resolve->request;
    resolved.answer = claims ? LINK__LOCATION__ANSWER__CLAIM : LINK__LOCATION__ANSWER__NONE;
    resolved.epoch = 1;
    resolved.account.data = account;
    resolved.account.len = claims ? sizeof(account) : 0;
    link_answer_resolved(link, &resolved);
}

static inline void fake_on_up(void *context, struct link *link)
{
    (void)context;
    (void)link;
}

static inline void fake_on_down(void *context, struct link *link, const struct err *why)
{
    (void)link;
    (void)why;
    ((struct fake_back *)context)->link = NULL;
}

static inline void fake_services(void *context, struct arena *arena, Link__Hello *hello)
{
    Link__Service *service = arena_alloc(arena, sizeof(*service));

    (void)context;
    link__service__init(service);
    service->name = arena_string(arena, "lmtpbe");
    hello->services = arena_array(arena, 1, sizeof(*hello->services));
    hello->services[0] = service;
    hello->n_services = 1;
}

static inline void fake_on_accept(struct listener *listener, int fd, const struct net_address *peer,
                                  void *context)
{
    static const struct link_events events = {
        .up = fake_on_up, .down = fake_on_down, .open = fake_on_open, .resolve = fake_on_resolve};
    struct fake_back *back = context;

    (void)listener;
    (void)peer;
    back->link = link_server(back->loop, fd, NULL, &back->self, &events, back);
}

/* Listens on back->address, a unix socket. On the loop's thread, as fake_stop(). */
static inline void fake_start(struct fake_back *back, struct loop *loop)
{
    struct net_address address;
    struct err err;
    int fd;

    back->loop = loop;
    if (back->result == NULL)
        back->result = "250 2.0.0 delivered";
    back->self = (struct link_self){.role = LINK__HELLO__ROLE__BACK,
                                    .name = back->name,
                                    .software = "fake",
                                    .services = fake_services};
    assert_int_equal(net_parse(&address, back->address, &err), ERR_NONE);
    assert_int_equal(net_listen(&fd, &address, false, 0600, &err), ERR_NONE);
    back->listener = listener_open(loop, fd, fake_on_accept, back);
}

static inline void fake_stop(struct fake_back *back)
{
    if (back->link != NULL)
        link_destroy(&back->link);
    listener_close(back->listener);
    buf_release(&back->commands);
    buf_release(&back->content);
}

#endif
