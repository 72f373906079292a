#include <arpa/inet.h>
#include <mbedtls/oid.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/tls_mbedtls_pki.h"

enum err_code tls_pki_parse(mbedtls_x509_crt *certificate, const struct buf *pem, const char *path,
                            struct err *err)
{
    int status = mbedtls_x509_crt_parse(certificate, buf_bytes(pem), buf_length(pem));

    return status == 0 ? ERR_NONE : tls_mbedtls_err(err, ERR_INVALID, status, path);
}

static void copy_attribute(char *to, size_t room, const mbedtls_x509_name *name, const char *oid,
                           size_t oid_length)
{
    for (; name != NULL; name = name->next) {
        if (name->oid.len == oid_length && memcmp(name->oid.p, oid, oid_length) == 0) {
            snprintf(to, room, "%.*s", (int)name->val.len, (const char *)name->val.p);
            return;
        }
    }
}

static int64_t unix_time(const mbedtls_x509_time *time)
{
    struct tm parts = {
        .tm_year = time->year - 1900,
        .tm_mon = time->mon - 1,
        .tm_mday = time->day,
        .tm_hour = time->hour,
        .tm_min = time->min,
        .tm_sec = time->sec,
    };

    return timegm(&parts);
}

static void add_name(struct pki_facts *facts, const mbedtls_x509_buf *name)
{
    size_t used = strlen(facts->names), room = sizeof(facts->names) - used;
    const char *comma = used == 0 ? "" : ", ";
    int kind = name->tag & MBEDTLS_ASN1_TAG_VALUE_MASK;
    char address[INET6_ADDRSTRLEN];

    if (kind == MBEDTLS_X509_SAN_DNS_NAME)
        snprintf(facts->names + used, room, "%s%.*s", comma, (int)name->len, (const char *)name->p);
    if (kind == MBEDTLS_X509_SAN_IP_ADDRESS && (name->len == 4 || name->len == 16) &&
        inet_ntop(name->len == 4 ? AF_INET : AF_INET6, name->p, address, sizeof(address)) != NULL)
        snprintf(facts->names + used, room, "%s%s", comma, address);
}

enum err_code tls_mbedtls_pki_read(const struct buf *pem, const char *path, struct pki_facts *facts,
                                   struct err *err)
{
    const mbedtls_x509_sequence *name;
    mbedtls_x509_crt certificate;
    enum err_code code;

    mbedtls_x509_crt_init(&certificate);
    code = tls_pki_parse(&certificate, pem, path, err);
    if (code == ERR_NONE) {
        copy_attribute(facts->common_name, sizeof(facts->common_name), &certificate.subject,
                       MBEDTLS_OID_AT_CN, MBEDTLS_OID_SIZE(MBEDTLS_OID_AT_CN));
        copy_attribute(facts->unit, sizeof(facts->unit), &certificate.subject,
                       MBEDTLS_OID_AT_ORG_UNIT, MBEDTLS_OID_SIZE(MBEDTLS_OID_AT_ORG_UNIT));
        copy_attribute(facts->issuer, sizeof(facts->issuer), &certificate.issuer, MBEDTLS_OID_AT_CN,
                       MBEDTLS_OID_SIZE(MBEDTLS_OID_AT_CN));
        for (size_t i = 0; i < certificate.serial.len && 2 * i + 2 < sizeof(facts->serial); i++)
            snprintf(facts->serial + 2 * i, 3, "%02x", certificate.serial.p[i]);
        for (name = &certificate.subject_alt_names; name != NULL; name = name->next)
            add_name(facts, &name->buf);
        facts->not_before = unix_time(&certificate.valid_from);
        facts->not_after = unix_time(&certificate.valid_to);
    }
    mbedtls_x509_crt_free(&certificate);
    return code;
}
