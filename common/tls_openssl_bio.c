#include <openssl/bio.h>
#include <pthread.h>
#include <string.h>

#include "common/tls_openssl.h"

static BIO_METHOD *method;

static int give(BIO *bio, const char *bytes, int length)
{
    struct tls_session *session = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (session->cipher_out == NULL) {
        BIO_set_retry_write(bio);
        return -1;
    }
    buf_append(session->cipher_out, bytes, (size_t)length);
    return length;
}

static int take(BIO *bio, char *bytes, int room)
{
    struct tls_session *session = BIO_get_data(bio);
    size_t have = session->cipher_in == NULL ? 0 : buf_length(session->cipher_in);

    BIO_clear_retry_flags(bio);
    if (have == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    have = have < (size_t)room ? have : (size_t)room;
    memcpy(bytes, buf_bytes(session->cipher_in), have);
    buf_consume(session->cipher_in, have);
    return (int)have;
}

/* Nothing is held back, so flushing succeeds; nothing else is known. */
static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int begin(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "buffers of a session");
    BIO_meth_set_write(method, give);
    BIO_meth_set_read(method, take);
    BIO_meth_set_ctrl(method, control);
    BIO_meth_set_create(method, begin);
}

BIO *tls_openssl_bio(struct tls_session *session)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    BIO *bio;

    pthread_once(&once, make_method);
    bio = BIO_new(method);
    BIO_set_data(bio, session);
    return bio;
}
