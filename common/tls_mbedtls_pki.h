/* What the files of tls_pki.h over mbedTLS share. */
#ifndef COMMON_TLS_MBEDTLS_PKI_H
#define COMMON_TLS_MBEDTLS_PKI_H

#include <mbedtls/x509_crt.h>

#include "common/tls_mbedtls.h"

/* Certificates of a PEM text with its NUL; path is for the error's text. */
enum err_code tls_pki_parse(mbedtls_x509_crt *certificate, const struct buf *pem, const char *path,
                            struct err *err);

/* The extended key usage; a status of mbedTLS. */
int tls_pki_put_usage(mbedtls_x509write_cert *writer, bool is_server, bool is_client);

/* The subject alternative names: those that TLS compares. */
enum err_code tls_pki_put_names(mbedtls_x509write_cert *writer, const struct pki_request *request,
                                struct err *err);

#endif
