#include <mbedtls/ecp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "common/random.h"
#include "common/tls_mbedtls_compat.h"
#include "common/tls_mbedtls_pki.h"

#define PEM_SIZE 8192 /* bytes of one key or certificate */
#define SUBJECT_SIZE 512

/* A key and what signs with it. */
struct authority {
    mbedtls_pk_context key;
    mbedtls_x509_crt certificate;
};

static int fill_random(void *context, unsigned char *out, size_t length)
{
    (void)context;
    random_bytes(out, length);
    return 0;
}

static enum err_code make_key(mbedtls_pk_context *key, struct err *err)
{
    int status = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));

    if (status == 0)
        status =
            mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), fill_random, NULL);
    return status == 0 ? ERR_NONE : tls_mbedtls_err(err, ERR_INTERNAL, status, "making a key");
}

static int set_serial(mbedtls_x509write_cert *writer)
{
    uint8_t serial[PKI_SERIAL_SIZE];
    int status;

    pki_make_serial(serial);
#if MBEDTLS_VERSION_NUMBER >= 0x03040000
    status = mbedtls_x509write_crt_set_serial_raw(writer, serial, sizeof(serial));
#else
    mbedtls_mpi number;

    mbedtls_mpi_init(&number);
    status = mbedtls_mpi_read_binary(&number, serial, sizeof(serial));
    if (status == 0)
        status = mbedtls_x509write_crt_set_serial(writer, &number);
    mbedtls_mpi_free(&number);
#endif
    return status;
}

static int set_validity(mbedtls_x509write_cert *writer, unsigned days)
{
    time_t from = time(NULL) - PKI_CLOCK_SKEW, to = time(NULL) + (time_t)days * 86400;
    struct tm parts;
    char begin[16], end[16];

    strftime(begin, sizeof(begin), "%Y%m%d%H%M%S", gmtime_r(&from, &parts));
    strftime(end, sizeof(end), "%Y%m%d%H%M%S", gmtime_r(&to, &parts));
    return mbedtls_x509write_crt_set_validity(writer, begin, end);
}

/* What every certificate has. */
static enum err_code begin(mbedtls_x509write_cert *writer, mbedtls_pk_context *subject_key,
                           mbedtls_pk_context *issuer_key, const char *subject, const char *issuer,
                           unsigned days, struct err *err)
{
    int status;

    mbedtls_x509write_crt_init(writer);
    mbedtls_x509write_crt_set_version(writer, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(writer, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(writer, subject_key);
    mbedtls_x509write_crt_set_issuer_key(writer, issuer_key);
    if ((status = mbedtls_x509write_crt_set_subject_name(writer, subject)) == 0 &&
        (status = mbedtls_x509write_crt_set_issuer_name(writer, issuer)) == 0 &&
        (status = set_serial(writer)) == 0 && (status = set_validity(writer, days)) == 0 &&
        (status = mbedtls_x509write_crt_set_subject_key_identifier(writer)) == 0)
        status = mbedtls_x509write_crt_set_authority_key_identifier(writer);
    return status == 0 ? ERR_NONE : tls_mbedtls_err(err, ERR_INVALID, status, subject);
}

static int put_usage(mbedtls_x509write_cert *writer, const struct pki_job *job)
{
    int status =
        mbedtls_x509write_crt_set_basic_constraints(writer, job->is_ca, job->is_ca ? 0 : -1);

    if (status == 0)
        status = mbedtls_x509write_crt_set_key_usage(
            writer, job->is_ca ? MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN
                               : MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    if (status == 0 && !job->is_ca)
        status = tls_pki_put_usage(writer, job->is_server, job->is_client);
    return status;
}

/* Both in PEM. */
static enum err_code store(mbedtls_x509write_cert *writer, mbedtls_pk_context *key,
                           struct buf *key_out, struct buf *certificate_out, struct err *err)
{
    unsigned char pem[PEM_SIZE];
    int status = mbedtls_pk_write_key_pem(key, pem, sizeof(pem));

    if (status != 0)
        return tls_mbedtls_err(err, ERR_INTERNAL, status, "writing the key");
    buf_text(key_out, (char *)pem);
    mem_wipe(pem, sizeof(pem));
    status = mbedtls_x509write_crt_pem(writer, pem, sizeof(pem), fill_random, NULL);
    if (status != 0)
        return tls_mbedtls_err(err, ERR_INTERNAL, status, "signing");
    buf_text(certificate_out, (char *)pem);
    return ERR_NONE;
}

static enum err_code parse_key(mbedtls_pk_context *key, const struct buf *pem, struct err *err)
{
    int status;

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    status = mbedtls_pk_parse_key(key, buf_bytes(pem), buf_length(pem), NULL, 0, fill_random, NULL);
#else
    status = mbedtls_pk_parse_key(key, buf_bytes(pem), buf_length(pem), NULL, 0);
#endif
    return status == 0 ? ERR_NONE : tls_mbedtls_err(err, ERR_INVALID, status, "the CA's key");
}

/* The CA's key and name; of a CA that signs itself, those of the new one. */
static enum err_code open_authority(struct authority *authority, const struct pki_job *job,
                                    char issuer[SUBJECT_SIZE], struct err *err)
{
    enum err_code code = parse_key(&authority->key, job->ca_key, err);

    if (code == ERR_NONE)
        code = tls_pki_parse(&authority->certificate, job->ca_certificate, "the CA", err);
    if (code == ERR_NONE &&
        mbedtls_x509_dn_gets(issuer, SUBJECT_SIZE, &authority->certificate.subject) < 0)
        code = err_set(err, ERR_INVALID, "the CA's name is too long");
    return code;
}

static enum err_code write(const struct pki_job *job, mbedtls_pk_context *key,
                           struct authority *authority, struct buf *key_out,
                           struct buf *certificate_out, struct err *err)
{
    char subject[SUBJECT_SIZE], issuer[SUBJECT_SIZE];
    mbedtls_pk_context *signer = job->ca_key == NULL ? key : &authority->key;
    mbedtls_x509write_cert writer;
    enum err_code code = ERR_NONE;
    int status;

    snprintf(subject, sizeof(subject), "CN=%s,OU=%s", job->common_name, job->unit);
    if (job->ca_key == NULL)
        snprintf(issuer, sizeof(issuer), "%s", subject);
    else
        code = open_authority(authority, job, issuer, err);
    if (code != ERR_NONE)
        return code;
    code = begin(&writer, key, signer, subject, issuer, job->days, err);
    if (code == ERR_NONE && (status = put_usage(&writer, job)) != 0)
        code = tls_mbedtls_err(err, ERR_INTERNAL, status, subject);
    if (code == ERR_NONE && job->names != NULL)
        code = tls_pki_put_names(&writer, job->names, err);
    if (code == ERR_NONE)
        code = store(&writer, key, key_out, certificate_out, err);
    mbedtls_x509write_crt_free(&writer);
    return code;
}

enum err_code tls_mbedtls_pki_make(const struct pki_job *job, struct buf *key_out,
                                   struct buf *certificate_out, struct err *err)
{
    struct authority authority;
    mbedtls_pk_context key;
    enum err_code code;

    if (!compat_start())
        return err_set(err, ERR_INTERNAL, "the TLS library does not start");
    mbedtls_pk_init(&key);
    mbedtls_pk_init(&authority.key);
    mbedtls_x509_crt_init(&authority.certificate);
    code = make_key(&key, err);
    if (code == ERR_NONE)
        code = write(job, &key, &authority, key_out, certificate_out, err);
    mbedtls_x509_crt_free(&authority.certificate);
    mbedtls_pk_free(&authority.key);
    mbedtls_pk_free(&key);
    return code;
}
