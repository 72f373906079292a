/* What the files of tls_pki.h share. */
#ifndef COMMON_TLS_PKI_MBEDTLS_H
#define COMMON_TLS_PKI_MBEDTLS_H

#include "common/tls_mbedtls.h"

#define PEM_SIZE 8192 /* bytes of one key or certificate */

/* Reads a file of certificates. */
enum err_code tls_pki_parse(mbedtls_x509_crt *certificate, const char *path, struct err *err);

#endif
