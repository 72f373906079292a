/* Orders to end sessions, from any thread to every loop. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/session_private.h"

struct order {
    struct loop_task task;
    struct loop *loop;
    const struct engine_entry *entry; /* NULL: all services */
    bool of_account;
    struct store_guid account;
    unsigned services_left;
    Link__Close__Reason reason;
    const char *text;
};

static bool is_same(const struct store_guid *a, const struct store_guid *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* Whoever acts as another may have lost just that right, so any change of theirs counts. */
static bool concerns_account(const struct order *order, const struct session *session)
{
    const struct account *account = &session->account;

    if (is_same(&account->guid, &order->account))
        return (order->services_left & (unsigned)session->entry->service) == 0;
    return is_same(&account->proven_by, &order->account);
}

static bool concerns(const struct order *order, const struct session *session)
{
    if (order->entry != NULL && order->entry != session->entry)
        return false;
    return !order->of_account || (session->has_account && concerns_account(order, session));
}

static void carry_out(struct loop_task *task)
{
    struct order *order = (struct order *)task;
    struct session *session = TAILQ_FIRST(&session_home_of(order->loop)->all);

    while (session != NULL) {
        struct session *next = TAILQ_NEXT(session, in_all); /* a stop may free the session */

        if (concerns(order, session))
            session_stop(session, order->reason, order->text);
        session = next;
    }
    free(order);
}

void sessions_stop(struct backend *backend, const struct session_choice *choice,
                   Link__Close__Reason reason, const char *text)
{
    for (unsigned i = 0; i < backend->loop_count; i++) {
        struct order *order = mem_alloc(sizeof(*order));

        order->task.run = carry_out;
        order->loop = backend->loops[i];
        order->entry = choice->entry;
        order->of_account = choice->account != NULL;
        if (order->of_account)
            order->account = *choice->account;
        order->services_left = choice->services_left;
        order->reason = reason;
        order->text = text;
        loop_post(order->loop, &order->task);
    }
}

size_t sessions_on_loop(struct loop *loop)
{
    return session_home_of(loop)->count;
}
