#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "common/mem.h"
#include "common/tls_engine.h"
#include "common/tls_key_file.h"

#define FILE_MOST ((size_t)1 << 20)

/* ---- contexts ---- */

/* The bytes of a PEM file with the NUL that parsers want. */
static enum err_code read_pem(struct buf *pem, const char *path, struct err *err)
{
    enum err_code code = file_read(pem, path, FILE_MOST, err);

    if (code == ERR_NONE)
        buf_byte(pem, 0);
    return code;
}

/* A key is for its owner. Debian's ssl-cert group (root's key, readable by a group) is fine as well:
   that is how a key is shared with daemons that are not root. */
enum err_code tls_check_key_mode(const char *path, struct err *err)
{
    struct stat facts;
    mode_t open_to;

    if (stat(path, &facts) != 0)
        return err_errno(err, errno, "%s", path);
    open_to = facts.st_mode & (facts.st_uid == 0 ? S_IWGRP | S_IRWXO : S_IRWXG | S_IRWXO);
    if (open_to != 0)
        return err_set(err, ERR_DENIED,
                       "%s: the key is open to others (mode %04o); allowed is 0600, or 0640 when "
                       "root owns it",
                       path, (unsigned)facts.st_mode & 07777);
    return ERR_NONE;
}

static enum err_code read_own(struct tls_pem *pem, const struct tls_settings *settings,
                              struct err *err)
{
    enum err_code code;

    if (settings->key_file == NULL)
        return err_set(err, ERR_INVALID, "%s: a key file must be given with it",
                       settings->certificate_file);
    code = read_pem(&pem->certificates, settings->certificate_file, err);
    if (code == ERR_NONE)
        code = tls_check_key_mode(settings->key_file, err);
    if (code == ERR_NONE)
        code = read_pem(&pem->key, settings->key_file, err);
    return code;
}

static enum err_code read_files(struct tls_pem *pem, const struct tls_settings *settings,
                                struct err *err)
{
    enum err_code code = ERR_NONE;

    if (settings->certificate_file != NULL)
        code = read_own(pem, settings, err);
    else if (settings->role == TLS_SERVER)
        code = err_set(err, ERR_INVALID, "a TLS server needs a certificate");
    if (code == ERR_NONE && settings->ca_file != NULL)
        code = read_pem(&pem->authorities, settings->ca_file, err);
    else if (code == ERR_NONE && settings->peer != TLS_PEER_NONE)
        code = err_set(err, ERR_INVALID, "checking the peer's certificate needs a CA file");
    return code;
}

enum err_code tls_context_create(struct tls_context **where, const struct tls_settings *settings,
                                 struct err *err)
{
    struct tls_pem pem = {0};
    enum err_code code;

    *where = NULL;
    if (tls_engine_check(settings->engine, err) != ERR_NONE)
        return err->code;
    code = read_files(&pem, settings, err);
    if (code == ERR_NONE)
        code = tls_engine_ops(settings->engine)->context_create(where, settings, &pem, err);
    buf_release(&pem.certificates);
    mem_wipe(pem.key.memory, pem.key.size);
    buf_release(&pem.key);
    buf_release(&pem.authorities);
    return code;
}

void tls_context_begin(struct tls_context *context, const struct tls_engine_ops *ops,
                       const struct tls_settings *settings)
{
    context->ops = ops;
    atomic_init(&context->references, 1);
    context->role = settings->role;
    context->peer = settings->peer;
    if (settings->tickets == NULL || settings->role != TLS_SERVER ||
        settings->peer != TLS_PEER_NONE)
        return;
    context->tickets = tls_ticket_keys_ref(settings->tickets);
    snprintf(context->binding, sizeof(context->binding), "%s %s", ops->library(),
             settings->service);
}

struct tls_context *tls_context_ref(struct tls_context *context)
{
    atomic_fetch_add(&context->references, 1);
    return context;
}

void tls_context_unref(struct tls_context **where)
{
    struct tls_context *context = *where;

    *where = NULL;
    if (context == NULL || atomic_fetch_sub(&context->references, 1) != 1)
        return;
    tls_ticket_keys_unref(&context->tickets);
    context->ops->context_destroy(context);
}

/* ---- sessions ---- */

struct tls_session *tls_session_create(struct tls_context *context,
                                       const struct tls_options *options)
{
    static const struct tls_options none;

    return context->ops->session_create(context, options == NULL ? &none : options);
}

void tls_session_begin(struct tls_session *session, struct tls_context *context)
{
    session->ops = context->ops;
    session->context = tls_context_ref(context);
}

void tls_session_destroy(struct tls_session **where)
{
    struct tls_session *session = *where;
    struct tls_context *context;

    if (session == NULL)
        return;
    context = session->context;
    free(session->error);
    free(session->server_name);
    session->ops->session_destroy(session);
    tls_context_unref(&context);
    *where = NULL;
}

void tls_fail(struct tls_session *session, enum err_code code, const char *format, ...)
{
    va_list args;

    if (session->error == NULL)
        session->error = mem_alloc(sizeof(*session->error));
    session->error->code = code;
    va_start(args, format);
    vsnprintf(session->error->text, sizeof(session->error->text), format, args);
    va_end(args);
    session->state = TLS_FAILED;
}

void tls_write_hex(char *to, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        snprintf(to + 2 * i, 3, "%02x", bytes[i]);
}

/* A name that is too long or holds a NUL is no host name and is not kept. */
void tls_note_server_name(struct tls_session *session, const void *name, size_t length)
{
    if (length > TLS_NAME_MAX || memchr(name, '\0', length) != NULL)
        return;
    free(session->server_name);
    session->server_name = mem_alloc(length + 1);
    memcpy(session->server_name, name, length);
}

/* Encrypts into memory that is taken once: growing it record by record would copy all of it. */
static void encrypt(struct tls_session *session, struct buf *plain_out, size_t share)
{
    if (share > buf_length(plain_out))
        share = buf_length(plain_out);
    if (share == 0)
        return;
    buf_reserve(session->cipher_out, share + (share / TLS_RECORD + 1) * TLS_RECORD_OVERHEAD);
    session->ops->encrypt(session, plain_out, share);
}

enum tls_state tls_session_advance(struct tls_session *session, struct buf *cipher_in,
                                   struct buf *plain_in, size_t plain_limit, struct buf *plain_out,
                                   size_t plain_share, struct buf *cipher_out)
{
    session->cipher_in = cipher_in;
    session->cipher_out = cipher_out;
    if (session->state == TLS_HANDSHAKE) {
        session->ops->shake_hands(session);
    } else {
        if (session->state == TLS_OPEN && cipher_in != NULL && plain_in != NULL)
            session->ops->decrypt(session, plain_in, plain_limit);
        if ((session->state == TLS_OPEN || session->state == TLS_CLOSED) && plain_out != NULL &&
            cipher_out != NULL)
            encrypt(session, plain_out, plain_share);
    }
    session->cipher_in = session->cipher_out = NULL;
    return session->state;
}

void tls_session_finish(struct tls_session *session, struct buf *cipher_out)
{
    if (session->state != TLS_OPEN && session->state != TLS_CLOSED)
        return;
    session->cipher_out = cipher_out;
    session->ops->finish(session);
    session->cipher_out = NULL;
}

const struct err *tls_session_error(const struct tls_session *session)
{
    assert(session->error != NULL);
    return session->error;
}

/* ---- facts ---- */

const char *tls_session_version(const struct tls_session *session)
{
    return session->ops->version(session);
}

const char *tls_session_cipher(const struct tls_session *session)
{
    return session->ops->cipher(session);
}

const char *tls_session_server_name(const struct tls_session *session)
{
    return session->server_name == NULL ? "" : session->server_name;
}

const char *tls_session_alpn(const struct tls_session *session)
{
    return session->ops->alpn(session);
}

const char *const tls_channel_binding_names[TLS_CHANNEL_BINDINGS] = {
    [TLS_EXPORTER] = "tls-exporter",
    [TLS_UNIQUE] = "tls-unique",
    [TLS_SERVER_END_POINT] = "tls-server-end-point",
};

size_t tls_session_channel_binding(const struct tls_session *session, enum tls_channel_binding kind,
                                   uint8_t out[TLS_CHANNEL_BINDING_MAX])
{
    return session->state == TLS_OPEN ? session->ops->channel_binding(session, kind, out) : 0;
}

bool tls_session_peer(const struct tls_session *session, struct tls_peer_facts *facts)
{
    memset(facts, 0, sizeof(*facts));
    return session->ops->peer(session, facts);
}

bool tls_session_peer_has_name(const struct tls_session *session, const char *dns_name)
{
    return session->ops->peer_has_name(session, dns_name);
}
