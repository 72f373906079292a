/* The connection to the source, and what is asked there of a folder. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mailbox-backend/migrate_private.h"

#define FAILURES_MOST 9 /* one after another; the pauses add up to about four minutes */
#define PAUSE_MOST 60u  /* seconds */

/* ---- connecting anew ---- */

static bool is_wanted(const struct migrate *migrate)
{
    const struct migrate_request *request = migrate->request;

    return request->wanted == NULL || request->wanted(request->context);
}

/* The first time at once: many servers close connections that have done much. */
static void wait_before(const struct migrate *migrate)
{
    unsigned seconds = migrate->failures < 2 ? 0 : 1u << (migrate->failures - 2);

    seconds = seconds < PAUSE_MOST ? seconds : PAUSE_MOST;
    for (; seconds > 0 && is_wanted(migrate); seconds--)
        sleep(1);
}

void migrate_disconnect(struct migrate *migrate)
{
    if (migrate->client != NULL)
        migrate->past_octets += imap_client_octets(migrate->client);
    imap_client_close(&migrate->client);
    migrate->selected = NULL;
}

enum err_code migrate_reconnect(struct migrate *migrate, struct err *err)
{
    enum err_code code;

    migrate_disconnect(migrate);
    do {
        if (!is_wanted(migrate))
            return err_set(err, ERR_UNAVAILABLE, "broken off; run it again to go on");
        if (++migrate->failures > FAILURES_MOST) {
            err->code = ERR_UNAVAILABLE; /* also where it is the login that is refused now */
            return err_prefix(err, "given up, run it again to go on");
        }
        wait_before(migrate);
        code = imap_client_open(&migrate->client, &migrate->request->source, err);
    } while (code != ERR_NONE);
    migrate->result->reconnected++;
    return ERR_NONE;
}

enum err_code migrate_try(struct migrate *migrate,
                          enum err_code (*step)(struct migrate *migrate, struct err *err),
                          struct err *err)
{
    for (;;) {
        enum err_code code = step(migrate, err);

        if (code == ERR_NONE || migrate->is_own_fault || !imap_client_is_broken(migrate->client))
            return code;
        code = migrate_reconnect(migrate, err);
        if (code != ERR_NONE)
            return code;
    }
}

/* ---- a folder's figures ---- */

struct figures {
    uint64_t exists, uid_validity, uid_next, modseq;
};

static enum err_code note_figure(void *context, const struct imap_event *event, struct err *err)
{
    struct figures *figures = context;

    (void)err;
    if (event->kind == IMAP_EXISTS)
        figures->exists = event->number;
    else if (event->kind == IMAP_UIDVALIDITY)
        figures->uid_validity = event->number;
    else if (event->kind == IMAP_UIDNEXT)
        figures->uid_next = event->number;
    else if (event->kind == IMAP_HIGHESTMODSEQ)
        figures->modseq = event->number;
    return ERR_NONE;
}

static bool has_condstore(const struct migrate *migrate)
{
    return (imap_client_capabilities(migrate->client) & IMAP_CAN_CONDSTORE) != 0;
}

/* What the first selection of a run said counts: what changes after it, the next run brings. */
static enum err_code keep_figures(struct migrate *migrate, const struct figures *figures,
                                  struct err *err)
{
    if (figures->uid_validity == 0 || figures->uid_validity > UINT32_MAX)
        return err_set(err, ERR_DENIED, "the other server gives no UIDVALIDITY");
    if (migrate->uid_validity != 0 && migrate->uid_validity != figures->uid_validity)
        return err_set(err, ERR_DENIED, "the folder was made anew at the source meanwhile");
    if (migrate->uid_validity == 0) {
        migrate->exists = (uint32_t)figures->exists;
        migrate->uid_validity = (uint32_t)figures->uid_validity;
        migrate->uid_next = figures->uid_next <= UINT32_MAX ? (uint32_t)figures->uid_next : 0;
        migrate->modseq = has_condstore(migrate) ? figures->modseq : 0;
    }
    migrate->selected = migrate->folder;
    return ERR_NONE;
}

enum err_code migrate_select(struct migrate *migrate, struct err *err)
{
    struct figures figures = {0};
    const struct imap_listener listener = {note_figure, &figures};
    enum err_code code;

    if (migrate->selected == migrate->folder)
        return ERR_NONE;
    migrate->selected = NULL;
    imap_client_begin(migrate->client, "EXAMINE ");
    imap_client_put_string(migrate->client, str_of(migrate->folder->name));
    imap_client_put(migrate->client, "%s", has_condstore(migrate) ? " (CONDSTORE)" : "");
    code = imap_client_finish(migrate->client, &listener, err);
    return code == ERR_NONE ? keep_figures(migrate, &figures, err) : code;
}

/* ---- STATUS: how much there is to do ---- */

static bool is_as_it_was(const struct figures *figures, const struct migrate_state *state)
{
    return state->folder != 0 && figures->modseq != 0 && figures->modseq == state->modseq &&
           figures->uid_validity == state->uid_validity && figures->uid_next == state->uid_next &&
           figures->exists == state->messages && uidset_is_empty(&state->refused);
}

enum err_code migrate_survey(struct migrate *migrate, struct err *err)
{
    struct migrate_folder *folder = migrate->folder;
    struct figures figures = {0};
    const struct imap_listener listener = {note_figure, &figures};
    struct migrate_state state;
    enum err_code code;

    imap_client_begin(migrate->client, "STATUS ");
    imap_client_put_string(migrate->client, str_of(folder->name));
    imap_client_put(migrate->client, " (MESSAGES UIDNEXT UIDVALIDITY%s)",
                    has_condstore(migrate) ? " HIGHESTMODSEQ" : "");
    code = imap_client_finish(migrate->client, &listener, err);
    if (code != ERR_NONE) /* EXAMINE will tell what is wrong */
        return imap_client_is_broken(migrate->client) ? code : ERR_NONE;
    migrate->failures = 0;
    code = migrate_load_state(migrate, folder->key, &state, err);
    migrate->is_own_fault |= code != ERR_NONE;
    folder->is_unchanged = is_as_it_was(&figures, &state);
    if (figures.uid_next > state.uid_next && !folder->is_unchanged)
        migrate->all += figures.exists > state.messages ? figures.exists - state.messages : 0;
    uidset_release(&state.refused);
    return code;
}

/* ---- SEARCH ---- */

/* Keeps no more than is refused afterwards. */
static enum err_code note_found(void *context, const struct imap_event *event, struct err *err)
{
    struct uidset *found = context;

    (void)err;
    if (event->kind == IMAP_FOUND && found->count <= MIGRATE_MESSAGES_MAX)
        uidset_add_range(found, (uint32_t)event->number, (uint32_t)event->last);
    return ERR_NONE;
}

enum err_code migrate_search(struct migrate *migrate, struct err *err)
{
    const struct imap_listener listener = {note_found, &migrate->present};
    bool is_short = (imap_client_capabilities(migrate->client) & IMAP_CAN_ESEARCH) != 0;
    enum err_code code = migrate_select(migrate, err);

    if (code != ERR_NONE)
        return code;
    uidset_release(&migrate->present);
    imap_client_begin(migrate->client, "UID SEARCH%s ALL", is_short ? " RETURN (ALL)" : "");
    code = imap_client_finish(migrate->client, &listener, err);
    if (code == ERR_NONE && uidset_size(&migrate->present) > MIGRATE_MESSAGES_MAX)
        code = err_set(err, ERR_DENIED, "the other server lists more than %u messages",
                       MIGRATE_MESSAGES_MAX);
    return code;
}

/* A server that cannot tell says no: then it shows when the messages come. A step. */
static enum err_code ask_large(struct migrate *migrate, struct err *err)
{
    const struct imap_listener listener = {note_found, &migrate->large};
    enum err_code code = migrate_select(migrate, err);

    if (code != ERR_NONE)
        return code;
    uidset_release(&migrate->large);
    imap_client_begin(migrate->client, "UID SEARCH LARGER %llu",
                      (unsigned long long)migrate->request->size_limit);
    code = imap_client_finish(migrate->client, &listener, err);
    return imap_client_is_broken(migrate->client) ? code : ERR_NONE;
}

enum err_code migrate_refuse_large(struct migrate *migrate, struct uidset *todo, struct err *err)
{
    struct uidset large = {0};
    char problem[100];
    enum err_code code = uidset_is_empty(todo) ? ERR_NONE : migrate_try(migrate, ask_large, err);

    uidset_add_common(&large, todo, &migrate->large);
    uidset_release(&migrate->large);
    uidset_subtract(todo, &large);
    snprintf(problem, sizeof(problem), "the other server says that it is larger than %llu bytes",
             (unsigned long long)migrate->request->size_limit);
    for (uint32_t uid = uidset_first(&large); uid != 0 && code == ERR_NONE;
         uid = uid == UINT32_MAX ? 0 : uidset_next(&large, uid + 1))
        code = migrate_refuse(migrate, uid, problem, err);
    uidset_release(&large);
    return code;
}
