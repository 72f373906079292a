#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/tls_openssl.h"

static void copy_attribute(char *to, size_t room, const X509_NAME *name, int nid)
{
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    const ASN1_STRING *value;

    if (at < 0)
        return;
    value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    snprintf(to, room, "%.*s", ASN1_STRING_length(value),
             (const char *)ASN1_STRING_get0_data(value));
}

static int64_t unix_time(const ASN1_TIME *time)
{
    struct tm parts;

    return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

static void add_name(struct pki_facts *facts, const GENERAL_NAME *name)
{
    size_t used = strlen(facts->names), room = sizeof(facts->names) - used;
    const char *comma = used == 0 ? "" : ", ";
    char address[INET6_ADDRSTRLEN];
    int kind;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &kind);

    if (kind == GEN_DNS)
        snprintf(facts->names + used, room, "%s%.*s", comma, ASN1_STRING_length(value),
                 (const char *)ASN1_STRING_get0_data(value));
    if (kind == GEN_IPADD && (ASN1_STRING_length(value) == 4 || ASN1_STRING_length(value) == 16) &&
        inet_ntop(ASN1_STRING_length(value) == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(value),
                  address, sizeof(address)) != NULL)
        snprintf(facts->names + used, room, "%s%s", comma, address);
}

static void add_names(struct pki_facts *facts, const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        add_name(facts, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
}

static void copy_serial(struct pki_facts *facts, const ASN1_INTEGER *serial)
{
    const unsigned char *bytes = ASN1_STRING_get0_data(serial);

    for (size_t i = 0; i < (size_t)ASN1_STRING_length(serial) && 2 * i + 2 < sizeof(facts->serial);
         i++)
        snprintf(facts->serial + 2 * i, 3, "%02x", bytes[i]);
}

static void read_facts(struct pki_facts *facts, const X509 *certificate)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    const X509_NAME *issuer = X509_get_issuer_name(certificate);

    copy_attribute(facts->common_name, sizeof(facts->common_name), subject, NID_commonName);
    copy_attribute(facts->unit, sizeof(facts->unit), subject, NID_organizationalUnitName);
    copy_attribute(facts->issuer, sizeof(facts->issuer), issuer, NID_commonName);
    copy_serial(facts, X509_get0_serialNumber(certificate));
    add_names(facts, certificate);
    facts->not_before = unix_time(X509_get0_notBefore(certificate));
    facts->not_after = unix_time(X509_get0_notAfter(certificate));
}

enum err_code tls_openssl_pki_read(const struct buf *pem, const char *path, struct pki_facts *facts,
                                   struct err *err)
{
    BIO *bio = BIO_new_mem_buf(buf_bytes(pem), (int)buf_length(pem) - 1);
    X509 *certificate;

    ERR_clear_error();
    certificate = tls_openssl_next(bio);
    BIO_free(bio);
    if (certificate == NULL)
        return tls_openssl_err(err, ERR_INVALID, path);
    read_facts(facts, certificate);
    X509_free(certificate);
    return ERR_NONE;
}
