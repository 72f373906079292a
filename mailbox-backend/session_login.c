/* From Open to a running engine: the proof on the hashing pool, then the engine's open on a worker; on the loop where
   neither takes long. */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "mailbox-backend/session_private.h"
#include "mailbox-backend/session_registry.h"

/* What only a login needs. The job and the pool's worker use it while session->working. */
struct login {
    struct session *session;
    struct pool_job job;
    struct proof *proof;
    struct buf message; /* the client's; wiped after each step */
    bool has_message;
    bool wants_response; /* a challenge is with the client */
    struct buf challenge;
    enum proof_result result;
    struct account account; /* in the session's arena; the session's once proven */
    struct err err;         /* of the engine's open */
    enum err_code opened;
};

static void wipe(struct buf *buf)
{
    if (buf->size != 0)
        mem_wipe(buf->memory, buf->size);
    buf_release(buf);
}

void session_login_free(struct session *session)
{
    struct login *login = session->login;

    if (login == NULL)
        return;
    session->login = NULL;
    if (login->proof != NULL)
        proof_destroy(&login->proof);
    wipe(&login->message);
    wipe(&login->challenge);
    free(login);
}

static void submit(struct login *login, struct pool *pool, void (*run)(struct pool_job *),
                   void (*done)(struct pool_job *))
{
    login->job.run = run;
    login->job.done = done;
    login->job.loop = login->session->home->loop;
    login->session->working = true;
    pool_submit(pool, &login->job);
}

static struct login *login_of(struct pool_job *job)
{
    return (struct login *)(void *)((char *)job - offsetof(struct login, job));
}

/* ---- the engine's open ---- */

void session_set_refusal(struct session *session, Link__Refused__Code code)
{
    session->refusal = code;
}

static Link__Refused__Code refusal_of(const struct session *session, enum err_code code)
{
    if (session->refusal != LINK__REFUSED__CODE__CODE_UNSET)
        return session->refusal;
    switch (code) {
    case ERR_DENIED:
        return LINK__REFUSED__CODE__DISABLED;
    case ERR_EXISTS:
        return LINK__REFUSED__CODE__IN_USE;
    case ERR_LIMIT:
        return LINK__REFUSED__CODE__LIMIT;
    case ERR_INVALID:
        return LINK__REFUSED__CODE__INVALID;
    default:
        return LINK__REFUSED__CODE__UNAVAILABLE;
    }
}

static enum err_code check_account(struct session *session, const struct store_guid *guid,
                                   struct err *err)
{
    struct arena arena = {0};
    bool acts = memcmp(guid, &session->account.guid, sizeof(*guid)) != 0;
    struct account now;
    enum err_code code = directory_find_guid(session->backend->directory, guid, &arena, &now, err);
    bool allowed = code == ERR_NONE && now.enabled &&
                   (acts ? now.may_impersonate : (now.services & session->entry->service) != 0);

    if (code == ERR_NOT_FOUND || (code == ERR_NONE && !allowed))
        code = err_set(err, ERR_DENIED, "the account or this service of it is disabled");
    if (code == ERR_NONE && !acts && now.generation != session->account.generation)
        code = err_set(err, ERR_UNAVAILABLE, "the account has just been changed, try again");
    arena_reset(&arena);
    return code;
}

/* The account, or who acts as it, may have been disabled, or what it was proven by may have been revoked,
   between the proof and the moment from which orders to stop find this session. */
static enum err_code check_still_allowed(struct session *session, struct err *err)
{
    enum err_code code;

    if (!session->has_account)
        return ERR_NONE;
    code = check_account(session, &session->account.guid, err);
    if (code != ERR_NONE || memcmp(&session->account.proven_by, &session->account.guid,
                                   sizeof(session->account.guid)) == 0)
        return code;
    return check_account(session, &session->account.proven_by, err);
}

static void open_engine(struct pool_job *job)
{
    struct login *login = login_of(job);
    struct session *session = login->session;

    login->opened = check_still_allowed(session, &login->err);
    if (login->opened == ERR_NONE)
        login->opened = session->engine->open(session, session->open, &session->state, &login->err);
    if (login->opened != ERR_NONE)
        session->state = NULL;
}

/* What it was opened by, where that is not the user's own password. */
static const char *proven_by(const struct session *session, const char **kind)
{
    *kind = "";
    if (session->has_account && session->account.app_password != NULL) {
        *kind = ", application password ";
        return session->account.app_password;
    }
    if (strcmp(session->open->mechanism, "EXTERNAL") == 0) {
        *kind = ", certificate SHA-256 ";
        return session->open->client->certificate_fingerprint;
    }
    return "";
}

static void log_opened(const struct session *session)
{
    const Link__Client *client = session->open->client;
    const char *kind, *credential = proven_by(session, &kind);

    log_info(session->who, "session opened, client %s%s%s%s%s%s%s", client->address,
             client->secured ? ", " : "", client->secured ? client->tls_version : "",
             session->open->mechanism[0] != '\0' ? ", " : "", session->open->mechanism, kind,
             credential);
}

static void begin(struct session *session)
{
    log_opened(session);
    link_session_opened(session->peer, session->has_account ? session->account.name : "");
    session_login_free(session);
    session->phase = SESSION_RUNNING;
    buf_move(&session->sending, &session->output);
    session->command_ended = session_now();
    session_run(session);
    session_timer_update(session);
    session_flush(session);
}

static void engine_opened(struct pool_job *job)
{
    struct login *login = login_of(job);
    struct session *session = login->session;

    session->working = false;
    if (session->phase == SESSION_CLOSED)
        session_free_if_over(session);
    else if (login->opened != ERR_NONE)
        session_refuse(session, refusal_of(session, login->opened), login->err.text);
    else
        begin(session);
}

static void start_opening(struct session *session)
{
    const struct engine *engine = session->engine;

    session->phase = SESSION_OPENING;
    if (engine->opens_at_once != NULL && engine->opens_at_once(session)) {
        open_engine(&session->login->job);
        engine_opened(&session->login->job);
        return;
    }
    submit(session->login, session->backend->step_pool, open_engine, engine_opened);
}

/* ---- the proof ---- */

static void proven(struct session *session)
{
    const struct engine_entry *entry = session->entry;

    session->account = session->login->account;
    session->has_account = true;
    session_name(session);
    session->is_counted =
        session_registry_add(session->backend->registry, &session->account.guid, entry->service,
                             entry->max_sessions(session->backend->settings));
    if (session->is_counted)
        start_opening(session);
    else
        session_refuse(session, LINK__REFUSED__CODE__LIMIT, "too many sessions of this user");
}

static void challenge(struct session *session)
{
    struct login *login = session->login;
    Link__Challenge body = LINK__CHALLENGE__INIT;
    Link__Frame frame = LINK__FRAME__INIT;

    login->wants_response = true;
    body.data.data = (uint8_t *)buf_bytes(&login->challenge);
    body.data.len = buf_length(&login->challenge);
    frame.body_case = LINK__FRAME__BODY_CHALLENGE;
    frame.challenge = &body;
    link_session_send(session->peer, &frame);
    wipe(&login->challenge);
}

static const struct refusal {
    Link__Refused__Code code;
    const char *text;
} refusals[] = {
    [PROOF_WRONG] = {LINK__REFUSED__CODE__AUTHENTICATION_FAILED, "authentication failed"             },
    [PROOF_UNBOUND] = {LINK__REFUSED__CODE__AUTHENTICATION_FAILED,
                     "the channel binding is not that of this connection: is somebody between "
                       "the client and the front?"                                                   },
    [PROOF_DENIED] = {LINK__REFUSED__CODE__AUTHORIZATION_FAILED,  "may not act as that user"          },
    [PROOF_DISABLED] = {LINK__REFUSED__CODE__DISABLED,
                     "the account or this service of it is disabled"                                 },
    [PROOF_INVALID] = {LINK__REFUSED__CODE__INVALID,               "malformed authentication message"  },
    [PROOF_UNSUPPORTED] = {LINK__REFUSED__CODE__UNSUPPORTED,           "authentication mechanism not known"},
    [PROOF_UNAVAILABLE] = {LINK__REFUSED__CODE__UNAVAILABLE,
                     "the directory cannot answer now, try again later"                              },
};

static void conclude(struct login *login)
{
    struct session *session = login->session;

    wipe(&login->message);
    if (session->phase == SESSION_CLOSED)
        session_free_if_over(session);
    else if (login->result == PROOF_OK)
        proven(session);
    else if (login->result == PROOF_CHALLENGE)
        challenge(session);
    else
        session_refuse(session, refusals[login->result].code, refusals[login->result].text);
}

static struct str message_of(struct login *login)
{
    return str_n(buf_length(&login->message) == 0 ? (const uint8_t *)""
                                                  : buf_bytes(&login->message),
                 buf_length(&login->message));
}

static void prove(struct pool_job *job)
{
    struct login *login = login_of(job);
    struct str message = message_of(login);

    login->result = proof_step(login->proof, login->has_message ? &message : NULL,
                               &login->challenge, &login->session->arena, &login->account);
}

static void proof_done(struct pool_job *job)
{
    struct login *login = login_of(job);

    login->session->working = false;
    conclude(login);
}

static void step_proof(struct login *login)
{
    struct str message = message_of(login);

    if (login->has_message &&
        proof_step_at_once(login->proof, &message, &login->challenge, &login->session->arena,
                           &login->account, &login->result)) {
        conclude(login);
        return;
    }
    submit(login, login->session->backend->hash_pool, prove, proof_done);
}

void session_login_message(struct session *session, const Link__Frame *frame)
{
    struct login *login = session->login;

    if (session->phase != SESSION_PROVING || !login->wants_response ||
        frame->body_case != LINK__FRAME__BODY_RESPONSE) {
        session_close(session, LINK__CLOSE__REASON__PROTOCOL, "a response without a challenge");
        return;
    }
    login->wants_response = false;
    if (frame->response->cancelled) {
        session_refuse(session, LINK__REFUSED__CODE__CANCELLED, "authentication cancelled");
        return;
    }
    buf_append(&login->message, frame->response->data.data, frame->response->data.len);
    login->has_message = true;
    step_proof(login);
}

void session_login(struct session *session, const Link__Open *open)
{
    struct login *login = mem_alloc(sizeof(*login));

    login->session = session;
    session->login = login;
    if (session->entry->for_fronts) {
        start_opening(session);
        return;
    }
    login->proof = proof_create(session->backend->directory, open->mechanism,
                                session->entry->service, session->open->client);
    login->has_message = open->has_initial_response || open->initial_response.len != 0;
    buf_append(&login->message, open->initial_response.data, open->initial_response.len);
    session_timer_update(session);
    step_proof(login);
}
