/* Extensions of certificates, written in DER by hand: mbedTLS 2.28 has no functions for these. */
#include <arpa/inet.h>
#include <mbedtls/oid.h>
#include <string.h>

#include "common/buf.h"
#include "common/tls_mbedtls_pki.h"

#define DER_SEQUENCE 0x30
#define DER_OID 0x06
#define DER_DNS_NAME 0x82   /* [2] of GeneralName, RFC 5280 section 4.2.1.6 */
#define DER_IP_ADDRESS 0x87 /* [7] */

static void put_der(struct buf *out, uint8_t tag, const void *data, size_t length)
{
    buf_byte(out, tag);
    if (length >= 0x80)
        buf_byte(out, length > 0xFF ? 0x82 : 0x81);
    if (length > 0xFF)
        buf_byte(out, (uint8_t)(length >> 8));
    buf_byte(out, (uint8_t)length);
    buf_append(out, data, length);
}

static int put_extension(mbedtls_x509write_cert *writer, const char *oid, size_t oid_length,
                         const struct buf *items)
{
    struct buf whole = {0};
    int status;

    put_der(&whole, DER_SEQUENCE, buf_bytes(items), buf_length(items));
    status = mbedtls_x509write_crt_set_extension(writer, oid, oid_length, 0, buf_bytes(&whole),
                                                 buf_length(&whole));
    buf_release(&whole);
    return status;
}

int tls_pki_put_usage(mbedtls_x509write_cert *writer, bool is_server, bool is_client)
{
    struct buf items = {0};
    int status;

    if (is_server)
        put_der(&items, DER_OID, MBEDTLS_OID_SERVER_AUTH,
                MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH));
    if (is_client)
        put_der(&items, DER_OID, MBEDTLS_OID_CLIENT_AUTH,
                MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH));
    status = put_extension(writer, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                           MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), &items);
    buf_release(&items);
    return status;
}

static void put_address(struct buf *items, const char *text)
{
    unsigned char bytes[16];

    if (inet_pton(AF_INET, text, bytes) == 1)
        put_der(items, DER_IP_ADDRESS, bytes, 4);
    else if (inet_pton(AF_INET6, text, bytes) == 1)
        put_der(items, DER_IP_ADDRESS, bytes, 16);
}

enum err_code tls_pki_put_names(mbedtls_x509write_cert *writer, const struct pki_request *request,
                                struct err *err)
{
    struct buf items = {0};
    int status;

    put_der(&items, DER_DNS_NAME, request->name, strlen(request->name));
    for (size_t i = 0; i < request->host_count; i++) {
        if (strcmp(request->hosts[i], request->name) != 0)
            put_der(&items, DER_DNS_NAME, request->hosts[i], strlen(request->hosts[i]));
    }
    for (size_t i = 0; i < request->address_count; i++)
        put_address(&items, request->addresses[i]);
    status = put_extension(writer, MBEDTLS_OID_SUBJECT_ALT_NAME,
                           MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), &items);
    buf_release(&items);
    return status == 0 ? ERR_NONE : tls_mbedtls_err(err, ERR_INTERNAL, status, "names");
}
