/* What the files of tls_pki.h share. */
#ifndef COMMON_TLS_PKI_MBEDTLS_H
#define COMMON_TLS_PKI_MBEDTLS_H

#include <mbedtls/x509_crt.h>

#include "common/tls_mbedtls.h"
#include "common/tls_pki.h"

#define PEM_SIZE 8192 /* bytes of one key or certificate */

/* Reads a file of certificates. */
enum err_code tls_pki_parse(mbedtls_x509_crt *certificate, const char *path, struct err *err);

/* What may stand in a name without quoting, in a certificate and in a file's name. */
enum err_code tls_pki_check_name(const char *name, struct err *err);

/* The extended key usage; a status of mbedTLS. */
int tls_pki_put_usage(mbedtls_x509write_cert *writer, bool is_server, bool is_client);

/* The subject alternative names: those that TLS compares. */
enum err_code tls_pki_put_names(mbedtls_x509write_cert *writer, const struct pki_request *request,
                                struct err *err);

#endif
