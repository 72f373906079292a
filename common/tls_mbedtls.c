#include "common/tls_mbedtls.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "common/mem.h"
#include "common/random.h"
#include "common/tls_mbedtls_compat.h"

#define FILE_MOST ((size_t)1 << 20)

enum err_code tls_mbedtls_err(struct err *err, enum err_code code, int status, const char *what)
{
    char text[120] = "";

    mbedtls_strerror(status, text, sizeof(text));
    return err_set(err, code, "%s: %s (-0x%04x)", what, text, (unsigned)-status);
}

const char *tls_library(void)
{
    return MBEDTLS_VERSION_STRING_FULL;
}

/* getrandom() instead of the sources that mbedTLS looks for itself, so that a sandbox without
   /dev/urandom is no trouble. */
static int seed(void *unused, unsigned char *bytes, size_t length)
{
    (void)unused;
    random_bytes(bytes, length);
    return 0;
}

/* The bytes of a PEM file with the NUL that the parsers want. */
static enum err_code read_pem(struct buf *pem, const char *path, struct err *err)
{
    enum err_code code = file_read(pem, path, FILE_MOST, err);

    if (code == ERR_NONE)
        buf_byte(pem, 0);
    return code;
}

/* Certificates that a later mbedTLS adds to a file and this one cannot read are an error too: half
   a chain would fail at some clients only. */
static enum err_code read_certificates(mbedtls_x509_crt *chain, const char *path, struct err *err)
{
    struct buf pem = {0};
    enum err_code code = read_pem(&pem, path, err);
    int status = 0;

    if (code == ERR_NONE)
        status = mbedtls_x509_crt_parse(chain, buf_bytes(&pem), buf_length(&pem));
    if (status < 0)
        code = tls_mbedtls_err(err, ERR_INVALID, status, path);
    else if (status > 0)
        code = err_set(err, ERR_INVALID, "%s: %d of its certificates cannot be read", path, status);
    buf_release(&pem);
    return code;
}

/* A key is for its owner. Debian's ssl-cert group (root's key, readable by a group) is fine as well:
   that is how a key is shared with daemons that are not root. */
static enum err_code check_key_mode(const char *path, struct err *err)
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

static enum err_code read_key(struct tls_context *context, const char *path, struct err *err)
{
    struct buf pem = {0};
    enum err_code code = check_key_mode(path, err);
    int status = 0;

    if (code == ERR_NONE)
        code = read_pem(&pem, path, err);
    if (code == ERR_NONE)
        status =
            compat_parse_key(&context->key, buf_bytes(&pem), buf_length(&pem), &context->random);
    if (status != 0)
        code = tls_mbedtls_err(err, ERR_INVALID, status, path);
    mem_wipe(pem.memory, pem.size);
    buf_release(&pem);
    return code;
}

/* An elliptic curve of mbedTLS 2.28 computes a table when it is first used, without a lock. Using
   each shared key once, before threads do, makes it read-only from then on. The signature is well
   formed (r = s = 1) and wrong. */
static void warm_up(mbedtls_pk_context *key)
{
    static const unsigned char signature[] = {0x30, 6, 2, 1, 1, 2, 1, 1};
    static const unsigned char hash[32] = {42};

    if (mbedtls_pk_can_do(key, MBEDTLS_PK_ECDSA))
        (void)mbedtls_pk_verify(key, MBEDTLS_MD_SHA256, hash, sizeof(hash), signature,
                                sizeof(signature));
}

static enum err_code read_own(struct tls_context *context, const struct tls_settings *settings,
                              struct err *err)
{
    enum err_code code;

    if (settings->key_file == NULL)
        return err_set(err, ERR_INVALID, "%s: a key file must be given with it",
                       settings->certificate_file);
    code = read_certificates(&context->certificate, settings->certificate_file, err);
    if (code == ERR_NONE)
        code = read_key(context, settings->key_file, err);
    if (code != ERR_NONE)
        return code;
    if (compat_check_pair(&context->certificate.pk, &context->key, &context->random) != 0)
        return err_set(err, ERR_INVALID, "%s: the key does not fit the certificate in %s",
                       settings->key_file, settings->certificate_file);
    warm_up(&context->key);
    context->has_certificate = true;
    return ERR_NONE;
}

static enum err_code read_authorities(struct tls_context *context, const char *path,
                                      struct err *err)
{
    enum err_code code = read_certificates(&context->authorities, path, err);

    if (code != ERR_NONE)
        return code;
    for (mbedtls_x509_crt *at = &context->authorities; at != NULL; at = at->next)
        warm_up(&at->pk);
    return ERR_NONE;
}

static enum err_code read_files(struct tls_context *context, const struct tls_settings *settings,
                                struct err *err)
{
    enum err_code code = ERR_NONE;

    if (settings->certificate_file != NULL)
        code = read_own(context, settings, err);
    else if (settings->role == TLS_SERVER)
        code = err_set(err, ERR_INVALID, "a TLS server needs a certificate");
    if (code == ERR_NONE && settings->ca_file != NULL)
        code = read_authorities(context, settings->ca_file, err);
    else if (code == ERR_NONE && settings->peer != TLS_PEER_NONE)
        code = err_set(err, ERR_INVALID, "checking the peer's certificate needs a CA file");
    return code;
}

static struct tls_context *create(const struct tls_settings *settings)
{
    struct tls_context *context = mem_alloc(sizeof(*context));

    atomic_init(&context->references, 1);
    context->role = settings->role;
    context->peer = settings->peer;
    mbedtls_x509_crt_init(&context->certificate);
    mbedtls_x509_crt_init(&context->authorities);
    mbedtls_pk_init(&context->key);
    mbedtls_ctr_drbg_init(&context->random);
    pthread_mutex_init(&context->lock, NULL);
    return context;
}

enum err_code tls_context_create(struct tls_context **where, const struct tls_settings *settings,
                                 struct err *err)
{
    struct tls_context *context;
    enum err_code code;
    int status;

    *where = NULL;
    if (!compat_start())
        return err_set(err, ERR_UNAVAILABLE, "%s cannot be started", tls_library());
    context = create(settings);
    status = mbedtls_ctr_drbg_seed(&context->random, seed, NULL, NULL, 0);
    if (status != 0)
        code = tls_mbedtls_err(err, ERR_UNAVAILABLE, status, "random numbers for TLS");
    else
        code = read_files(context, settings, err);
    if (code == ERR_NONE)
        *where = context;
    else
        tls_context_unref(&context);
    return code;
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
    tls_mbedtls_free_variants(context);
    mbedtls_x509_crt_free(&context->certificate);
    mbedtls_x509_crt_free(&context->authorities);
    mbedtls_pk_free(&context->key);
    mbedtls_ctr_drbg_free(&context->random);
    pthread_mutex_destroy(&context->lock);
    free(context);
}
