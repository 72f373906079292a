#include <mbedtls/oid.h>
#include <string.h>

#include "common/str.h"
#include "common/tls_mbedtls.h"

/* The peer's certificate when there is one and it was found good; else NULL. With TLS_PEER_OPTIONAL
   a session goes on with a bad one, as if there were none. */
static const mbedtls_x509_crt *verified(const struct tls_session *session)
{
    if (session->state == TLS_HANDSHAKE || session->context->peer == TLS_PEER_NONE ||
        mbedtls_ssl_get_verify_result(mbedtls_ssl_of(session)) != 0)
        return NULL;
    return mbedtls_ssl_get_peer_cert(mbedtls_ssl_of(session));
}

/* Copies text that is whole, printable ASCII; anything else becomes "", and so names nobody. */
static void copy_plain(char *to, size_t room, const mbedtls_x509_buf *from)
{
    to[0] = '\0';
    if (from->len >= room)
        return;
    for (size_t i = 0; i < from->len; i++) {
        if (from->p[i] < 0x20 || from->p[i] > 0x7E)
            return;
    }
    memcpy(to, from->p, from->len);
    to[from->len] = '\0';
}

static void copy_attribute(char *to, size_t room, const mbedtls_x509_name *subject, const char *oid,
                           size_t oid_length)
{
    to[0] = '\0';
    for (; subject != NULL; subject = subject->next) {
        if (subject->oid.len == oid_length && memcmp(subject->oid.p, oid, oid_length) == 0) {
            copy_plain(to, room, &subject->val);
            return;
        }
    }
}

static void copy_email(char *to, size_t room, const mbedtls_x509_crt *certificate)
{
    const mbedtls_x509_sequence *name;

    for (name = &certificate->subject_alt_names; name != NULL && to[0] == '\0'; name = name->next) {
        if ((name->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) == MBEDTLS_X509_SAN_RFC822_NAME &&
            name->buf.p != NULL)
            copy_plain(to, room, &name->buf);
    }
}

static void write_fingerprint(char to[2 * 32 + 1], const mbedtls_x509_crt *certificate)
{
    uint8_t digest[HASH_SIZE_MAX];

    tls_mbedtls_digest(HASH_SHA256, str_n(certificate->raw.p, certificate->raw.len), digest);
    tls_write_hex(to, digest, hash_size(HASH_SHA256));
}

bool tls_mbedtls_peer(const struct tls_session *session, struct tls_peer_facts *facts)
{
    const mbedtls_x509_crt *certificate = verified(session);

    if (certificate == NULL)
        return false;
    copy_attribute(facts->common_name, sizeof(facts->common_name), &certificate->subject,
                   MBEDTLS_OID_AT_CN, MBEDTLS_OID_SIZE(MBEDTLS_OID_AT_CN));
    copy_attribute(facts->unit, sizeof(facts->unit), &certificate->subject, MBEDTLS_OID_AT_ORG_UNIT,
                   MBEDTLS_OID_SIZE(MBEDTLS_OID_AT_ORG_UNIT));
    if (mbedtls_x509_dn_gets(facts->subject, sizeof(facts->subject), &certificate->subject) < 0)
        facts->subject[0] = '\0';
    copy_email(facts->email, sizeof(facts->email), certificate);
    write_fingerprint(facts->fingerprint, certificate);
    return true;
}

bool tls_mbedtls_peer_has_name(const struct tls_session *session, const char *dns_name)
{
    const mbedtls_x509_crt *certificate = verified(session);
    const mbedtls_x509_sequence *name;

    if (certificate == NULL)
        return false;
    for (name = &certificate->subject_alt_names; name != NULL; name = name->next) {
        if ((name->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) == MBEDTLS_X509_SAN_DNS_NAME &&
            name->buf.p != NULL &&
            str_equal_nocase(str_n(name->buf.p, name->buf.len), str_of(dns_name)))
            return true;
    }
    return false;
}
