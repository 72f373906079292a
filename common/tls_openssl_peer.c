#include <openssl/x509v3.h>
#include <string.h>

#include "common/tls_openssl.h"

/* The peer's certificate when there is one and it was found good; else NULL. With TLS_PEER_OPTIONAL
   a session goes on with a bad one, as if there were none. */
static X509 *verified(const struct tls_session *session)
{
    const struct openssl_session *own = (const struct openssl_session *)session;

    if (session->state == TLS_HANDSHAKE || session->context->peer == TLS_PEER_NONE ||
        own->has_bad_peer || SSL_get_verify_result(own->ssl) != X509_V_OK)
        return NULL;
    return SSL_get0_peer_certificate(own->ssl);
}

/* Copies text that is whole, printable ASCII; anything else becomes "", and so names nobody. */
static void copy_plain(char *to, size_t room, const ASN1_STRING *from)
{
    const unsigned char *bytes = ASN1_STRING_get0_data(from);
    size_t length = (size_t)ASN1_STRING_length(from);

    to[0] = '\0';
    if (length >= room)
        return;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] < 0x20 || bytes[i] > 0x7E)
            return;
    }
    memcpy(to, bytes, length);
    to[length] = '\0';
}

static void copy_attribute(char *to, size_t room, const X509_NAME *subject, int nid)
{
    int at = X509_NAME_get_index_by_NID(subject, nid, -1);

    to[0] = '\0';
    if (at >= 0)
        copy_plain(to, room, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

/* "O=Example, OU=back, CN=back1", in the certificate's order; what is not ASCII is escaped. */
static void write_subject(char *to, size_t room, const X509_NAME *subject)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int length = X509_NAME_print_ex(bio, subject, 0,
                                    ASN1_STRFLGS_RFC2253 | ASN1_STRFLGS_ESC_QUOTE |
                                        XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN);

    to[0] = '\0';
    if (length > 0 && (size_t)length < room)
        to[BIO_read(bio, to, length)] = '\0';
    BIO_free(bio);
}

static void copy_email(char *to, size_t room, const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && to[0] == '\0'; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_EMAIL)
            copy_plain(to, room, name->d.rfc822Name);
    }
    GENERAL_NAMES_free(names);
}

static void write_fingerprint(char to[2 * 32 + 1], const X509 *certificate)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    if (X509_digest(certificate, EVP_sha256(), digest, &length) == 1)
        tls_write_hex(to, digest, length);
}

bool tls_openssl_peer(const struct tls_session *session, struct tls_peer_facts *facts)
{
    X509 *certificate = verified(session);
    const X509_NAME *subject;

    if (certificate == NULL)
        return false;
    subject = X509_get_subject_name(certificate);
    copy_attribute(facts->common_name, sizeof(facts->common_name), subject, NID_commonName);
    copy_attribute(facts->unit, sizeof(facts->unit), subject, NID_organizationalUnitName);
    write_subject(facts->subject, sizeof(facts->subject), subject);
    copy_email(facts->email, sizeof(facts->email), certificate);
    write_fingerprint(facts->fingerprint, certificate);
    return true;
}

bool tls_openssl_peer_has_name(const struct tls_session *session, const char *dns_name)
{
    X509 *certificate = verified(session);
    GENERAL_NAMES *names;
    bool found = false;

    if (certificate == NULL)
        return false;
    names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_DNS)
            found = str_equal_nocase(str_n(ASN1_STRING_get0_data(name->d.dNSName),
                                           (size_t)ASN1_STRING_length(name->d.dNSName)),
                                     str_of(dns_name));
    }
    GENERAL_NAMES_free(names);
    return found;
}
