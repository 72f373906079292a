#include "cas-proxy/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cas-proxy/capabilities.h"
#include "cas-proxy/limits.h"
#include "common/base64.h"
#include "common/log.h"
#include "common/mem.h"

#define HOPS_MOST 2
#define NAME_MAX_BYTES 512 /* no account has a longer name; such a one is not asked about */
#define TEXT_MAX_BYTES 200

static void ask_back(struct login *login, struct back *back);
static void on_route(struct route_query *query, const struct route_result *result);

void login_init(struct login *login, struct client *client, const char *goodbye,
                const char *stopping,
                void (*refused)(struct client *client, Link__Refused__Code code, const char *text),
                void (*challenged)(struct client *client, const char *challenge))
{
    *login = (struct login){.client = client, .refused = refused, .challenged = challenged};
    login->relay.goodbye = goodbye;
    login->relay.stopping = stopping;
    login->query.done = on_route;
    login->query.context = login;
}

static uint64_t now_seconds(const struct login *login)
{
    return loop_now(login->client->home->loop) / 1000;
}

static void forget_credentials(struct login *login)
{
    sasl_reset(&login->sasl);
    free(login->name);
    login->name = NULL;
}

/* A back end's words go to the client as they are: no line ends, no 8-bit bytes, no "]" that could end
   a response code. */
static void clean(char text[TEXT_MAX_BYTES], const char *from)
{
    snprintf(text, TEXT_MAX_BYTES, "%s", from);
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7F || *at == '[' || *at == ']')
            *at = '?';
    }
}

static const char *usual_text(Link__Refused__Code code)
{
    switch (code) {
    case LINK__REFUSED__CODE__AUTHENTICATION_FAILED:
        return "wrong user or password";
    case LINK__REFUSED__CODE__AUTHORIZATION_FAILED:
        return "not allowed to log in as that user";
    case LINK__REFUSED__CODE__EXPIRED:
        return "the password or the account has expired";
    case LINK__REFUSED__CODE__DISABLED:
        return "this service is switched off for this account";
    case LINK__REFUSED__CODE__IN_USE:
        return "the mailbox is in use by another session";
    case LINK__REFUSED__CODE__LIMIT:
        return "too many sessions";
    case LINK__REFUSED__CODE__INVALID:
        return "malformed credentials";
    default:
        return "the mail server is not available now, please try again later";
    }
}

static bool counts_as_failed(Link__Refused__Code code)
{
    return code == LINK__REFUSED__CODE__AUTHENTICATION_FAILED ||
           code == LINK__REFUSED__CODE__AUTHORIZATION_FAILED;
}

static void count_failed(struct login *login)
{
    struct client *client = login->client;

    login->failures++;
    if (!client->trusted)
        limits_failed(client->home->front->limits, &client->peer, now_seconds(login));
}

/* why is for the log, where it says more than text. */
static void refuse(struct login *login, Link__Refused__Code code, const char *text, const char *why)
{
    struct client *client = login->client;
    char host[NET_TEXT_MAX];
    char words[TEXT_MAX_BYTES];

    if (code == LINK__REFUSED__CODE__AUTHENTICATION_FAILED || text == NULL || *text == '\0')
        text = usual_text(code); /* the first says the same whatever was wrong */
    clean(words, text);
    log_notice(client->who, "login refused for %s from %s%s: %s", login->name,
               net_host(&client->peer, host), client_is_secured(client) ? " (TLS)" : "",
               why != NULL ? why : words);
    if (counts_as_failed(code))
        count_failed(login);
    forget_credentials(login);
    login->stage = LOGIN_OFF;
    login->refused(client, code, words);
}

static void unavailable(struct login *login, const char *why)
{
    refuse(login, LINK__REFUSED__CODE__UNAVAILABLE, NULL, why);
}

static void on_route(struct route_query *query, const struct route_result *result)
{
    struct login *login = query->context;

    if (result->answer == ROUTE_TEMPORARY)
        unavailable(login, result->text);
    else if (result->answer == ROUTE_NONE && sasl_is_of_back(login->sasl.mechanism))
        ask_back(login,
                 &login->client->home->backs[0]); /* its salt for nobody is always the same */
    else
        ask_back(login, result->back);
}

static void find_back(struct login *login)
{
    struct client *client = login->client;

    login->stage = LOGIN_ROUTES;
    client_set_timeout(client, client->settings->login_timeout);
    route_locate(client->home->route, &login->query, login->name, client->protocol->back_service);
}

/* The name by which the mailbox's back end is found; "" where the client leaves it to its token. */
static struct str name_of(const struct login *login, struct client_facts *room)
{
    struct str name = sasl_name(&login->sasl);
    const char *user = "";

    if (name.length > 0)
        return name;
    if (login->sasl.mechanism == SASL_EXTERNAL)
        capabilities_external(login->client, room, &user);
    return str_of(user);
}

void login_start(struct login *login, const struct login_extra *extra)
{
    struct client *client = login->client;
    struct client_facts room;
    struct str name = name_of(login, &room);
    unsigned delay = client->trusted ? 0
                                     : limits_delay(client->home->front->limits, &client->peer,
                                                    now_seconds(login));

    login->extra = extra;
    login->hops = 0;
    login->name =
        mem_string_n(name.data, name.length < NAME_MAX_BYTES ? name.length : NAME_MAX_BYTES);
    if (delay == 0) {
        find_back(login);
        return;
    }
    login->stage = LOGIN_WAITS;
    client_set_timeout(client, delay);
}

static Link__Pair **id_pairs(struct arena *arena, const struct login_extra *extra)
{
    Link__Pair **pairs = arena_array(arena, extra->id_count + 1, sizeof(*pairs));
    char *at = extra->id_count == 0
                   ? NULL
                   : arena_copy(arena, buf_bytes(extra->id), buf_length(extra->id));

    for (size_t i = 0; i < extra->id_count; i++) {
        pairs[i] = arena_alloc(arena, sizeof(**pairs));
        link__pair__init(pairs[i]);
        pairs[i]->key = at;
        pairs[i]->value = at + strlen(at) + 1;
        at = pairs[i]->value + strlen(pairs[i]->value) + 1;
    }
    return pairs;
}

static void fill_open(const struct login *login, struct arena *arena, Link__Open *open)
{
    const struct login_extra *extra = login->extra;

    open->service = (char *)login->client->protocol->back_service;
    open->mechanism = (char *)sasl_back_name(&login->sasl);
    open->initial_response.data = (uint8_t *)buf_bytes(&login->sasl.message);
    open->initial_response.len = buf_length(&login->sasl.message);
    open->has_initial_response = true;
    if (extra->tag != NULL)
        open->tag = (char *)extra->tag;
    open->id = id_pairs(arena, extra);
    open->n_id = extra->id_count;
    open->utf8 = extra->utf8;
    if (extra->language != NULL)
        open->language = (char *)extra->language;
    open->trace = login->client->trace;
    open->hops = login->hops;
}

/* ---- the session on the link, before and after it is opened ---- */

static void opened(struct login *login, const Link__Opened *message)
{
    struct client *client = login->client;
    char peer[NET_TEXT_MAX];

    client_set_user(client, message->user);
    log_info(client->who, "logged in from %s%s, on back end %s", net_text(&client->peer, peer),
             client_is_secured(client) ? " (TLS)" : "", login->back->name);
    forget_credentials(login);
    login->stage = LOGIN_RELAYS;
    relay_start(&login->relay, client, login->session);
}

static void follow(struct login *login, const Link__Redirect *redirect)
{
    route_forget_name(login->client->home->route, login->name);
    login->redirected = front_back(login->client->home, redirect->backend);
    if (login->redirected == NULL)
        log_warning(login->client->who,
                    "back end %s redirects %s to %s, which is not in the settings",
                    login->back->name, login->name, redirect->backend);
    else if (++login->hops > HOPS_MOST)
        login->redirected = NULL;
}

/* The session has ended, or is made to end; its pointer is not ours any more. */
static void let_go(struct login *login, bool close)
{
    struct link_session *session = login->session;

    login->session = NULL;
    if (close && session != NULL)
        link_session_close(session, LINK__CLOSE__REASON__CLIENT_GONE, "the login has ended");
}

static void challenged(struct login *login, const Link__Challenge *challenge)
{
    struct buf text = {0};

    login->stage = LOGIN_ANSWERS;
    client_set_timeout(login->client, login->client->settings->login_timeout);
    base64_encode(&text, challenge->data.data, challenge->data.len);
    buf_byte(&text, '\0');
    login->challenged(login->client, (const char *)buf_bytes(&text));
    buf_release(&text);
}

void login_answer(struct login *login)
{
    Link__Response body = LINK__RESPONSE__INIT;
    Link__Frame frame = LINK__FRAME__INIT;

    body.data.data = (uint8_t *)buf_bytes(&login->sasl.message);
    body.data.len = buf_length(&login->sasl.message);
    frame.body_case = LINK__FRAME__BODY_RESPONSE;
    frame.response = &body;
    login->stage = LOGIN_ASKED;
    client_set_timeout(login->client, login->client->settings->login_timeout);
    link_session_send(login->session, &frame);
    sasl_wipe(&login->sasl.message);
}

/* Of these the back end's challenge is a refusal, which a client may end by cancelling (RFC 7628 section
   3.2.3); it counts all the same. */
void login_cancel(struct login *login)
{
    if (sasl_needs_tls(login->sasl.mechanism) && login->sasl.heard > 0)
        count_failed(login);
    let_go(login, true);
    forget_credentials(login);
    login->stage = LOGIN_OFF;
}

bool login_is_busy(const struct login *login)
{
    return login->stage != LOGIN_OFF && login->stage != LOGIN_ANSWERS;
}

static void on_message(void *context, const Link__Frame *frame)
{
    struct login *login = context;

    if (login->stage != LOGIN_ASKED && login->stage != LOGIN_ANSWERS)
        return;
    if (frame->body_case == LINK__FRAME__BODY_CHALLENGE && login->stage == LOGIN_ASKED &&
        sasl_is_of_back(login->sasl.mechanism)) {
        challenged(login, frame->challenge);
    } else if (frame->body_case == LINK__FRAME__BODY_OPENED && login->stage == LOGIN_ASKED) {
        opened(login, frame->opened);
    } else if (frame->body_case == LINK__FRAME__BODY_REDIRECT) {
        follow(login, frame->redirect); /* on_closed() comes next */
    } else if (frame->body_case == LINK__FRAME__BODY_REFUSED) {
        let_go(login, false);
        refuse(login, frame->refused->code, frame->refused->text, NULL);
    } else {
        let_go(login, true);
        unavailable(login, "the back end answers out of turn");
    }
}

static void on_data(void *context, const uint8_t *bytes, size_t length)
{
    struct login *login = context;

    if (login->stage == LOGIN_RELAYS)
        relay_data(&login->relay, bytes, length);
}

static void on_room(void *context)
{
    struct login *login = context;

    if (login->stage == LOGIN_RELAYS)
        relay_room(&login->relay);
}

static void on_closed(void *context, Link__Close__Reason reason, const char *text)
{
    struct login *login = context;
    struct back *redirected = login->redirected;

    if (login->stage == LOGIN_RELAYS) {
        login->session = NULL;
        relay_closed(&login->relay, reason, text);
    } else if (login->session != NULL) {
        let_go(login, false);
        login->redirected = NULL;
        if (redirected != NULL)
            ask_back(login, redirected);
        else
            unavailable(login, "the back end has ended the session before it was opened");
    }
}

static const struct link_session_events events = {
    .message = on_message,
    .data = on_data,
    .room = on_room,
    .closed = on_closed,
};

static void ask_back(struct login *login, struct back *back)
{
    Link__Open open = LINK__OPEN__INIT;
    Link__Client facts = LINK__CLIENT__INIT;
    struct client_facts room;
    struct arena arena = {0};

    login->stage = LOGIN_ASKED;
    login->back = back;
    client_fill(login->client, &facts, &room);
    if (capabilities_may_bind(login->client))
        client_fill_bindings(login->client, &facts, &room);
    fill_open(login, &arena, &open);
    open.client = &facts;
    login->session = link_open(back->link, &open, &events, login);
    arena_reset(&arena);
    if (login->session == NULL)
        unavailable(login, "the account's back end is down or takes no sessions");
}

void login_advance(struct login *login, enum client_event event)
{
    if (login->stage == LOGIN_RELAYS) {
        relay_advance(&login->relay, event);
    } else if (event == CLIENT_TIMEOUT && login->stage == LOGIN_WAITS) {
        find_back(login);
    } else if (event == CLIENT_TIMEOUT) {
        route_cancel(&login->query);
        let_go(login, true);
        unavailable(login, "the back end did not answer in time");
    }
}

void login_close(struct login *login)
{
    route_cancel(&login->query);
    if (login->stage == LOGIN_RELAYS)
        relay_close(&login->relay);
    else
        let_go(login, true);
    login->session = NULL;
    forget_credentials(login);
}

bool login_is_hopeless(const struct login *login)
{
    return login->failures >= login->client->home->front->settings->limits.max_failed_logins;
}
