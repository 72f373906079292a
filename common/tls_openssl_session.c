#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/tls_openssl.h"

/* ---- what OpenSSL asks and tells ---- */

static struct openssl_session *session_of(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

/* RFC 7301 section 3.2: a client that offers none of ours is refused. */
static int choose_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_length,
                       const unsigned char *offered, unsigned length, void *unused)
{
    const char *const *name = session_of(ssl)->alpn;

    (void)unused;
    if (name == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    for (; *name != NULL; name++) {
        struct str ours = str_of(*name);

        for (unsigned at = 0; at < length; at += 1u + offered[at]) {
            if (str_equal(ours, str_n(offered + at + 1, offered[at]))) {
                *chosen = offered + at + 1;
                *chosen_length = offered[at];
                return SSL_TLSEXT_ERR_OK;
            }
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int note_server_name(SSL *ssl, int *alert, void *unused)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    (void)unused;
    if (name == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    tls_note_server_name(&session_of(ssl)->base, name, strlen(name));
    return SSL_TLSEXT_ERR_OK;
}

/* For TLS_PEER_OPTIONAL: a bad certificate counts as none. */
static int pass_over(int is_good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());

    if (!is_good)
        session_of(ssl)->has_bad_peer = true;
    return 1;
}

/* OpenSSL answers each attempt to renegotiate by a warning, for ever; a client has no reason for one. */
static void on_event(const SSL *ssl, int where, int value)
{
    if (where == SSL_CB_WRITE_ALERT && (value & 0xFF) == SSL_AD_NO_RENEGOTIATION)
        session_of(ssl)->is_renegotiating = true;
}

void tls_openssl_set_callbacks(struct openssl_context *context)
{
    static const int modes[] = {
        [TLS_PEER_NONE] = SSL_VERIFY_NONE,
        [TLS_PEER_OPTIONAL] = SSL_VERIFY_PEER,
        [TLS_PEER_REQUIRED] = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    };
    enum tls_peer peer = context->base.peer;

    SSL_CTX_set_verify(context->ssl, modes[peer], peer == TLS_PEER_OPTIONAL ? pass_over : NULL);
    SSL_CTX_set_info_callback(context->ssl, on_event);
    if (context->base.role == TLS_SERVER) {
        SSL_CTX_set_alpn_select_cb(context->ssl, choose_alpn, NULL);
        SSL_CTX_set_tlsext_servername_callback(context->ssl, note_server_name);
    }
}

/* ---- sessions ---- */

/* The list in the form of the extension: each name behind its length. */
static bool offer_alpn(SSL *ssl, const char *const *names)
{
    struct buf list = {0};
    bool good;

    for (; *names != NULL; names++) {
        buf_byte(&list, (uint8_t)strlen(*names));
        buf_text(&list, *names);
    }
    good = SSL_set_alpn_protos(ssl, buf_bytes(&list), (unsigned)buf_length(&list)) == 0;
    buf_release(&list);
    return good;
}

static bool set_up_client(SSL *ssl, const struct tls_options *options)
{
    const char *name = options->server_name;

    SSL_set_connect_state(ssl);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (name != NULL && (SSL_set_tlsext_host_name(ssl, name) != 1 || SSL_set1_host(ssl, name) != 1))
        return false;
    return options->alpn == NULL || offer_alpn(ssl, options->alpn);
}

static bool set_up(struct openssl_session *session, const struct tls_options *options)
{
    BIO *bio;

    if (session->ssl == NULL)
        return false;
    SSL_set_app_data(session->ssl, session);
    bio = tls_openssl_bio(&session->base);
    SSL_set_bio(session->ssl, bio, bio);
    if (session->base.context->role == TLS_CLIENT)
        return set_up_client(session->ssl, options);
    SSL_set_accept_state(session->ssl);
    return true;
}

static void fail(struct tls_session *session, const char *what)
{
    struct err err;

    tls_openssl_err(&err, ERR_UNAVAILABLE, what);
    tls_fail(session, err.code, "%s", err.text);
}

struct tls_session *tls_openssl_session_create(struct tls_context *context,
                                               const struct tls_options *options)
{
    struct openssl_session *session = mem_alloc(sizeof(*session));

    ERR_clear_error();
    tls_session_begin(&session->base, context);
    session->alpn = options->alpn;
    session->ssl = SSL_new(((struct openssl_context *)context)->ssl);
    if (!set_up(session, options))
        fail(&session->base, "TLS session");
    return &session->base;
}

void tls_openssl_session_destroy(struct tls_session *session)
{
    SSL_free(openssl_ssl_of(session));
    free(session);
}

/* ---- bytes ---- */

/* Sorts out why OpenSSL did not do what it was asked to. */
static void stop(struct tls_session *session, int status, const char *what)
{
    SSL *ssl = openssl_ssl_of(session);

    switch (SSL_get_error(ssl, status)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return;
    case SSL_ERROR_ZERO_RETURN:
        session->state = TLS_CLOSED;
        return;
    default:
        fail(session, what);
    }
}

static void explain(struct tls_session *session, int reason)
{
    long result = SSL_get_verify_result(openssl_ssl_of(session));

    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        tls_fail(session, ERR_DENIED, "TLS handshake: the peer's certificate: %s",
                 X509_verify_cert_error_string(result));
    else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
        session->error->code = ERR_DENIED;
}

void tls_openssl_shake_hands(struct tls_session *session)
{
    int status, reason;

    ERR_clear_error();
    status = SSL_do_handshake(openssl_ssl_of(session));
    if (status == 1) {
        session->state = TLS_OPEN;
        return;
    }
    reason = ERR_GET_REASON(ERR_peek_error());
    stop(session, status, "TLS handshake");
    if (session->state == TLS_FAILED)
        explain(session, reason);
}

void tls_openssl_decrypt(struct tls_session *session, struct buf *plain_in, size_t limit)
{
    struct openssl_session *own = (struct openssl_session *)session;

    ERR_clear_error();
    while (buf_length(plain_in) < limit &&
           (buf_length(session->cipher_in) > 0 || SSL_pending(own->ssl) > 0)) {
        size_t room = limit - buf_length(plain_in), got;
        int status;

        room = room < TLS_RECORD ? room : TLS_RECORD;
        status = SSL_read_ex(own->ssl, buf_reserve(plain_in, room), room, &got);
        if (status != 1) {
            stop(session, status, "TLS");
            break;
        }
        buf_commit(plain_in, got);
    }
    if (own->is_renegotiating)
        tls_fail(session, ERR_UNAVAILABLE, "TLS: the peer wants to renegotiate");
}

/* Record by record, each written out at once: give() never says "later" here. */
void tls_openssl_encrypt(struct tls_session *session, struct buf *plain_out, size_t share)
{
    ERR_clear_error();
    while (share > 0) {
        size_t taken;
        int status = SSL_write_ex(openssl_ssl_of(session), buf_bytes(plain_out), share, &taken);

        if (status != 1) {
            stop(session, status, "TLS");
            return;
        }
        buf_consume(plain_out, taken);
        share -= taken;
    }
}

void tls_openssl_finish(struct tls_session *session)
{
    ERR_clear_error();
    SSL_shutdown(openssl_ssl_of(session));
    ERR_clear_error();
}
