/* RCPT: first whose back end it is, then what that one says. */
#include <string.h>

#include "cas-proxy/lmtp_session.h"

#define NOT_HERE "550 5.1.1"

static struct lmtp_leg *leg_for(struct lmtp *lmtp, struct back *back)
{
    struct lmtp_leg *leg;

    for (leg = lmtp->legs; leg != NULL; leg = leg->next)
        if (leg->back == back)
            return leg;
    leg = leg_open(lmtp, back);
    if (leg != NULL) {
        leg->next = lmtp->legs;
        lmtp->legs = leg;
    }
    return leg;
}

static void on_route(struct route_query *query, const struct route_result *result)
{
    struct lmtp *lmtp = query->context;
    struct lmtp_recipient *recipient = lmtp->current;

    lmtp->phase = LMTP_ASK;
    if (result->answer == ROUTE_FOUND)
        recipient->leg = leg_for(lmtp, result->back);
    if (recipient->leg != NULL)
        leg_ask(recipient->leg, recipient);
    else
        recipient->answer =
            result->answer == ROUTE_NONE ? NOT_HERE " no such user here" : LMTP_UNAVAILABLE;
    lmtp_run(lmtp);
}

static void find_back_end(struct lmtp *lmtp)
{
    lmtp->phase = LMTP_ROUTE;
    lmtp->query.done = on_route;
    lmtp->query.context = lmtp;
    route_resolve(lmtp->client->home->route, &lmtp->query, lmtp->current->address);
}

/* A recipient before it is accepted: its memory is the transaction's all the same. */
static void ask(struct lmtp *lmtp, const char *address)
{
    lmtp->asked++;
    lmtp->current = arena_alloc(&lmtp->arena, sizeof(*lmtp->current));
    lmtp->current->address = arena_string(&lmtp->arena, address);
    find_back_end(lmtp);
}

void lmtp_do_rcpt(struct lmtp *lmtp, struct str argument)
{
    const struct front_settings *settings = lmtp->client->home->front->settings;
    char address[LMTP_ADDRESS_MAX + 1];
    enum lmtp_fault fault = lmtp_rcpt(argument, lmtp->mail.utf8, address);

    if (fault != LMTP_FINE)
        lmtp_say_fault(lmtp, lmtp_fault_reply(fault));
    else if (lmtp->asked >= settings->lmtp.max_recipients)
        lmtp_say(lmtp, "452 4.5.3 too many recipients");
    else
        ask(lmtp, address);
}

/* What the route remembered may be old: the user can have moved to another back end. Only when all have
   been asked again is there no such user. */
static bool may_have_moved(const struct lmtp_recipient *recipient)
{
    return recipient->leg != NULL && !recipient->asked_again &&
           strncmp(recipient->answer, NOT_HERE, strlen(NOT_HERE)) == 0;
}

static void ask_again(struct lmtp *lmtp)
{
    struct lmtp_recipient *recipient = lmtp->current;

    recipient->asked_again = true;
    recipient->leg = NULL;
    recipient->answer = NULL;
    route_forget_address(lmtp->client->home->route, recipient->address);
    find_back_end(lmtp);
}

static void tell(struct lmtp *lmtp)
{
    struct lmtp_recipient *recipient = lmtp->current;

    lmtp_say(lmtp, recipient->answer);
    lmtp->current = NULL;
    lmtp->phase = LMTP_COMMAND;
    if (!recipient->accepted)
        return;
    *lmtp->recipient_end = recipient;
    lmtp->recipient_end = &recipient->next;
    lmtp->recipient_count++;
}

bool lmtp_recipient_step(struct lmtp *lmtp)
{
    if (lmtp->current->answer == NULL)
        return false;
    if (may_have_moved(lmtp->current))
        ask_again(lmtp);
    else
        tell(lmtp);
    return true;
}
