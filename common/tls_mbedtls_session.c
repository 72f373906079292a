#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/tls_mbedtls_compat.h"

static int give(void *context, const unsigned char *bytes, size_t length)
{
    struct tls_session *session = context;

    if (session->cipher_out == NULL)
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    buf_append(session->cipher_out, bytes, length);
    return (int)length;
}

static int take(void *context, unsigned char *bytes, size_t room)
{
    struct tls_session *session = context;
    size_t have = session->cipher_in == NULL ? 0 : buf_length(session->cipher_in);

    if (have == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    have = have < room ? have : room;
    memcpy(bytes, buf_bytes(session->cipher_in), have);
    buf_consume(session->cipher_in, have);
    return (int)have;
}

/* mbedTLS hands over its ssl context only, which is a member of the session. */
int tls_mbedtls_on_server_name(void *unused, mbedtls_ssl_context *ssl, const unsigned char *name,
                               size_t length)
{
    char *session = (char *)ssl - offsetof(struct mbedtls_session, ssl);

    (void)unused;
    tls_note_server_name((struct tls_session *)(void *)session, name, length);
    return 0;
}

static void fail(struct tls_session *session, int status, const char *what)
{
    struct err err;

    tls_mbedtls_err(&err, ERR_UNAVAILABLE, status, what);
    tls_fail(session, err.code, "%s", err.text);
}

struct tls_session *tls_mbedtls_session_create(struct tls_context *context,
                                               const struct tls_options *options)
{
    struct mbedtls_session *session = mem_alloc(sizeof(*session));
    int status;

    tls_session_begin(&session->base, context);
    mbedtls_ssl_init(&session->ssl);
    status = mbedtls_ssl_setup(
        &session->ssl, tls_mbedtls_config((struct mbedtls_context *)context, options->alpn));
    if (status == 0 && context->role == TLS_CLIENT) /* 3.6 wants to be told NULL too */
        status = mbedtls_ssl_set_hostname(&session->ssl, options->server_name);
    if (status != 0)
        fail(&session->base, status, "TLS session");
    mbedtls_ssl_set_bio(&session->ssl, session, give, take, NULL);
    return &session->base;
}

void tls_mbedtls_session_destroy(struct tls_session *session)
{
    mbedtls_ssl_free(mbedtls_ssl_of(session));
    free(session);
}

static bool is_waiting(int status)
{
    return status == MBEDTLS_ERR_SSL_WANT_READ || status == MBEDTLS_ERR_SSL_WANT_WRITE ||
           compat_is_passing(status);
}

/* Says what is wrong with the peer's certificate. */
static void explain(struct tls_session *session)
{
    char reason[160] = "not accepted";
    uint32_t flags = mbedtls_ssl_get_verify_result(mbedtls_ssl_of(session));
    char *line;

    mbedtls_x509_crt_verify_info(reason, sizeof(reason), "", flags);
    while ((line = strpbrk(reason, "\r\n")) != NULL)
        *line = line[1] == '\0' ? '\0' : ';';
    tls_fail(session, ERR_DENIED, "TLS handshake: the peer's certificate: %s", reason);
}

/* A client's certificate in a server's place, or the other way round, has an error code of its own,
   which does not say so. */
static bool is_about_usage(struct tls_session *session)
{
    uint32_t flags = mbedtls_ssl_get_verify_result(mbedtls_ssl_of(session));

    return flags != UINT32_MAX &&
           (flags & (MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE)) != 0;
}

static void fail_handshake(struct tls_session *session, int status)
{
    fail(session, status, "TLS handshake");
    if (status == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED || is_about_usage(session)) {
        explain(session);
    } else if (status == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE) {
        session->error->code = ERR_DENIED;
        mbedtls_ssl_send_alert_message(
            mbedtls_ssl_of(session), MBEDTLS_SSL_ALERT_LEVEL_FATAL,
            MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE); /* 2.28 says nothing */
    }
}

void tls_mbedtls_shake_hands(struct tls_session *session)
{
    int status = mbedtls_ssl_handshake(mbedtls_ssl_of(session));

    if (status == 0)
        session->state = TLS_OPEN;
    else if (status == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        session->state = TLS_CLOSED;
    else if (!is_waiting(status))
        fail_handshake(session, status);
}

void tls_mbedtls_decrypt(struct tls_session *session, struct buf *plain_in, size_t limit)
{
    while (buf_length(plain_in) < limit) {
        size_t room = limit - buf_length(plain_in);
        int got;

        if (buf_length(session->cipher_in) == 0 &&
            !mbedtls_ssl_check_pending(mbedtls_ssl_of(session)))
            return;
        room = room < TLS_RECORD ? room : TLS_RECORD;
        got = mbedtls_ssl_read(mbedtls_ssl_of(session), buf_reserve(plain_in, room), room);
        if (got > 0) {
            buf_commit(plain_in, (size_t)got);
        } else if (got == 0 || got == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
            session->state = TLS_CLOSED;
            return;
        } else if (compat_is_passing(got)) {
            continue;
        } else {
            if (!is_waiting(got))
                fail(session, got, "TLS");
            return;
        }
    }
}

/* Encrypts record by record. mbedTLS writes each out at once: give() never says "later" here. */
void tls_mbedtls_encrypt(struct tls_session *session, struct buf *plain_out, size_t share)
{
    while (share > 0) {
        int taken = mbedtls_ssl_write(mbedtls_ssl_of(session), buf_bytes(plain_out), share);

        if (taken <= 0) {
            if (!is_waiting(taken))
                fail(session, taken, "TLS");
            return;
        }
        buf_consume(plain_out, (size_t)taken);
        share -= (size_t)taken;
    }
}

void tls_mbedtls_finish(struct tls_session *session)
{
    mbedtls_ssl_close_notify(mbedtls_ssl_of(session));
}
