#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "common/tls_openssl.h"

/* One certificate in the making. The signer is the CA, or for a CA itself. */
struct making {
    const struct pki_job *job;
    X509 *certificate, *signer;
    EVP_PKEY *key, *signer_key;
};

static BIO *text_of(const struct buf *pem)
{
    return BIO_new_mem_buf(buf_bytes(pem), (int)buf_length(pem) - 1); /* without the NUL */
}

static bool open_authority(struct making *making)
{
    BIO *key, *certificate;

    if (making->job->ca_key == NULL) {
        making->signer = making->certificate;
        making->signer_key = making->key;
        return X509_up_ref(making->signer) == 1 && EVP_PKEY_up_ref(making->signer_key) == 1;
    }
    key = text_of(making->job->ca_key);
    certificate = text_of(making->job->ca_certificate);
    making->signer_key = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    making->signer = tls_openssl_next(certificate);
    BIO_free(key);
    BIO_free(certificate);
    return making->signer_key != NULL && making->signer != NULL;
}

static bool set_serial(X509 *certificate)
{
    uint8_t serial[PKI_SERIAL_SIZE];
    BIGNUM *number;
    bool good;

    pki_make_serial(serial);
    number = BN_bin2bn(serial, sizeof(serial), NULL);
    good = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return good;
}

static bool set_subject(X509 *certificate, const struct pki_job *job)
{
    X509_NAME *name = X509_get_subject_name(certificate);

    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                      (const unsigned char *)job->common_name, -1, -1, 0) == 1 &&
           X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (const unsigned char *)job->unit,
                                      -1, -1, 0) == 1;
}

static bool set_basics(struct making *making)
{
    X509 *certificate = making->certificate;
    time_t from = time(NULL) - PKI_CLOCK_SKEW;
    time_t to = time(NULL) + (time_t)making->job->days * 86400;

    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           ASN1_TIME_set(X509_getm_notBefore(certificate), from) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), to) != NULL &&
           set_subject(certificate, making->job) &&
           X509_set_issuer_name(certificate, X509_get_subject_name(making->signer)) == 1 &&
           X509_set_pubkey(certificate, making->key) == 1;
}

static bool add(struct making *making, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;
    bool good;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, making->signer, making->certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    good = extension != NULL && X509_add_ext(making->certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

/* The names hold nothing that the text form of the extension would take for more: pki_issue() has
   checked them. */
static bool add_names(struct making *making, const struct pki_request *names)
{
    struct buf text = {0};
    bool good;

    buf_printf(&text, "DNS:%s", names->name);
    for (size_t i = 0; i < names->host_count; i++) {
        if (!str_is(str_of(names->hosts[i]), names->name))
            buf_printf(&text, ",DNS:%s", names->hosts[i]);
    }
    for (size_t i = 0; i < names->address_count; i++)
        buf_printf(&text, ",IP:%s", names->addresses[i]);
    buf_byte(&text, '\0');
    good = add(making, NID_subject_alt_name, (const char *)buf_bytes(&text));
    buf_release(&text);
    return good;
}

static bool add_extensions(struct making *making)
{
    const struct pki_job *job = making->job;

    if (!add(making, NID_subject_key_identifier, "hash") ||
        !add(making, NID_authority_key_identifier, "keyid:always"))
        return false;
    if (job->is_ca)
        return add(making, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
               add(making, NID_key_usage, "critical,keyCertSign,cRLSign");
    return add(making, NID_basic_constraints, "CA:FALSE") &&
           add(making, NID_key_usage, "critical,digitalSignature") &&
           (!job->is_server || add(making, NID_ext_key_usage, "serverAuth")) &&
           (!job->is_client || add(making, NID_ext_key_usage, "clientAuth")) &&
           (job->names == NULL || add_names(making, job->names));
}

static bool make(struct making *making)
{
    making->key = EVP_EC_gen("P-256");
    making->certificate = X509_new();
    return making->key != NULL && making->certificate != NULL && open_authority(making) &&
           set_basics(making) && add_extensions(making) &&
           X509_sign(making->certificate, making->signer_key, EVP_sha256()) > 0;
}

/* What bio holds, which is freed. */
static void drain(BIO *bio, struct buf *out)
{
    char *bytes;
    long length = BIO_get_mem_data(bio, &bytes);

    buf_append(out, bytes, (size_t)length);
    BIO_free(bio);
}

static bool store(const struct making *making, struct buf *key, struct buf *certificate)
{
    BIO *text = BIO_new(BIO_s_secmem());
    bool good =
        PEM_write_bio_PrivateKey_traditional(text, making->key, NULL, NULL, 0, NULL, NULL) == 1;

    drain(text, key);
    text = BIO_new(BIO_s_mem());
    good = good && PEM_write_bio_X509(text, making->certificate) == 1;
    drain(text, certificate);
    return good;
}

enum err_code tls_openssl_pki_make(const struct pki_job *job, struct buf *key,
                                   struct buf *certificate, struct err *err)
{
    struct making making = {.job = job};
    bool good;

    ERR_clear_error();
    good = make(&making) && store(&making, key, certificate);
    X509_free(making.certificate);
    X509_free(making.signer);
    EVP_PKEY_free(making.key);
    EVP_PKEY_free(making.signer_key);
    return good ? ERR_NONE : tls_openssl_err(err, ERR_INVALID, job->common_name);
}
