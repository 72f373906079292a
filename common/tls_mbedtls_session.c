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

/* mbedTLS hands over its ssl context only: it is the first member of the session. A name that is
   too long or holds a NUL is no host name and is not kept. */
int tls_mbedtls_on_server_name(void *unused, mbedtls_ssl_context *ssl, const unsigned char *name,
                               size_t length)
{
    struct tls_session *session = (struct tls_session *)(void *)ssl;

    (void)unused;
    if (length <= TLS_NAME_MAX && memchr(name, '\0', length) == NULL) {
        memcpy(session->server_name, name, length);
        session->server_name[length] = '\0';
    }
    return 0;
}

static void fail(struct tls_session *session, int status, const char *what)
{
    tls_mbedtls_err(&session->error, ERR_UNAVAILABLE, status, what);
    session->state = TLS_FAILED;
}

struct tls_session *tls_session_create(struct tls_context *context,
                                       const struct tls_options *options)
{
    struct tls_session *session = mem_alloc(sizeof(*session));
    const char *name = options == NULL ? NULL : options->server_name;
    int status;

    session->context = tls_context_ref(context);
    mbedtls_ssl_init(&session->ssl);
    status = mbedtls_ssl_setup(&session->ssl,
                               tls_mbedtls_config(context, options == NULL ? NULL : options->alpn));
    if (status == 0 && context->role == TLS_CLIENT)
        status = mbedtls_ssl_set_hostname(&session->ssl, name); /* 3.6 wants to be told NULL too */
    if (status != 0)
        fail(session, status, "TLS session");
    mbedtls_ssl_set_bio(&session->ssl, session, give, take, NULL);
    return session;
}

void tls_session_destroy(struct tls_session **where)
{
    struct tls_session *session = *where;

    if (session == NULL)
        return;
    mbedtls_ssl_free(&session->ssl);
    tls_context_unref(&session->context);
    free(session);
    *where = NULL;
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
    uint32_t flags = mbedtls_ssl_get_verify_result(&session->ssl);
    char *line;

    mbedtls_x509_crt_verify_info(reason, sizeof(reason), "", flags);
    while ((line = strpbrk(reason, "\r\n")) != NULL)
        *line = line[1] == '\0' ? '\0' : ';';
    err_set(&session->error, ERR_DENIED, "TLS handshake: the peer's certificate: %s", reason);
}

/* A client's certificate in a server's place, or the other way round, has an error code of its own,
   which does not say so. */
static bool is_about_usage(struct tls_session *session)
{
    uint32_t flags = mbedtls_ssl_get_verify_result(&session->ssl);

    return flags != UINT32_MAX &&
           (flags & (MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE)) != 0;
}

static void fail_handshake(struct tls_session *session, int status)
{
    fail(session, status, "TLS handshake");
    if (status == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED || is_about_usage(session)) {
        explain(session);
    } else if (status == MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE) {
        session->error.code = ERR_DENIED;
        mbedtls_ssl_send_alert_message(
            &session->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
            MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE); /* 2.28 says nothing */
    }
}

static void shake_hands(struct tls_session *session)
{
    int status = mbedtls_ssl_handshake(&session->ssl);

    if (status == 0)
        session->state = TLS_OPEN;
    else if (status == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
        session->state = TLS_CLOSED;
    else if (!is_waiting(status))
        fail_handshake(session, status);
}

#define RECORD ((size_t)16 << 10)

/* Decrypts until plain_in has limit bytes or nothing more is there. */
static void decrypt(struct tls_session *session, struct buf *plain_in, size_t limit)
{
    while (buf_length(plain_in) < limit) {
        size_t room = limit - buf_length(plain_in);
        int got;

        room = room < RECORD ? room : RECORD;
        got = mbedtls_ssl_read(&session->ssl, buf_reserve(plain_in, room), room);
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
static void encrypt(struct tls_session *session, struct buf *plain_out, size_t share)
{
    while (share > 0 && buf_length(plain_out) > 0) {
        size_t length = buf_length(plain_out);
        int taken;

        length = length < share ? length : share;
        taken = mbedtls_ssl_write(&session->ssl, buf_bytes(plain_out), length);
        if (taken <= 0) {
            if (!is_waiting(taken))
                fail(session, taken, "TLS");
            return;
        }
        buf_consume(plain_out, (size_t)taken);
        share -= (size_t)taken;
    }
}

enum tls_state tls_session_advance(struct tls_session *session, struct buf *cipher_in,
                                   struct buf *plain_in, size_t plain_limit, struct buf *plain_out,
                                   size_t plain_share, struct buf *cipher_out)
{
    session->cipher_in = cipher_in;
    session->cipher_out = cipher_out;
    if (session->state == TLS_HANDSHAKE) {
        shake_hands(session);
    } else {
        if (session->state == TLS_OPEN && cipher_in != NULL && plain_in != NULL)
            decrypt(session, plain_in, plain_limit);
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
    mbedtls_ssl_close_notify(&session->ssl);
    session->cipher_out = NULL;
}

const struct err *tls_session_error(const struct tls_session *session)
{
    return &session->error;
}

const char *tls_session_version(const struct tls_session *session)
{
    return mbedtls_ssl_get_version(&session->ssl);
}

const char *tls_session_cipher(const struct tls_session *session)
{
    return mbedtls_ssl_get_ciphersuite(&session->ssl);
}

const char *tls_session_server_name(const struct tls_session *session)
{
    return session->server_name;
}

const char *tls_session_alpn(const struct tls_session *session)
{
    return mbedtls_ssl_get_alpn_protocol(&session->ssl);
}
