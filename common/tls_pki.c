#include "common/tls_pki.h"

#include <mbedtls/ecp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/mem.h"
#include "common/random.h"
#include "common/str.h"
#include "common/tls_mbedtls_compat.h"
#include "common/tls_pki_mbedtls.h"

#define PATH_SIZE 4096
#define SERIAL_SIZE 16
#define NAME_MAX_BYTES 64 /* of a common name, RFC 5280 appendix A.1 */
#define CLOCK_SKEW 300    /* seconds that other machines' clocks may be behind */

static const struct {
    const char *name;
    bool is_server, is_client;
} roles[] = {
    [PKI_FRONT] = {"front",  false, true },
    [PKI_BACK] = {"back",   true,  false},
    [PKI_SERVER] = {"server", true,  false},
    [PKI_CLIENT] = {"client", false, true },
};

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

enum err_code pki_role_parse(const char *text, enum pki_role *role, struct err *err)
{
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (strcmp(text, roles[i].name) == 0) {
            *role = (enum pki_role)i;
            return ERR_NONE;
        }
    }
    return err_set(err, ERR_INVALID, "a role is front, back, server or client");
}

static enum err_code path_of(char path[PATH_SIZE], const char *folder, const char *file,
                             const char *ending, struct err *err)
{
    int length = snprintf(path, PATH_SIZE, "%s/%s%s", folder, file, ending);

    if (length < 0 || length >= PATH_SIZE)
        return err_set(err, ERR_LIMIT, "the path of %s is too long", file);
    return ERR_NONE;
}

enum err_code tls_pki_check_name(const char *name, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789.-_*";
    size_t length = strlen(name);

    if (length == 0 || length > NAME_MAX_BYTES || strspn(name, allowed) != length || name[0] == '.')
        return err_set(err, ERR_INVALID,
                       "\"%s\" is no name for a certificate: letters, digits, \".\", \"-\", "
                       "\"_\", \"*\", at most %d",
                       name, NAME_MAX_BYTES);
    return ERR_NONE;
}

static enum err_code make_key(mbedtls_pk_context *key, struct err *err)
{
    int status = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));

    if (status == 0)
        status =
            mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*key), fill_random, NULL);
    return status == 0 ? ERR_NONE : tls_mbedtls_err(err, ERR_INTERNAL, status, "making a key");
}

/* ---- writing ---- */

static int set_serial(mbedtls_x509write_cert *writer)
{
    uint8_t serial[SERIAL_SIZE];
    int status;

    random_bytes(serial, sizeof(serial));
    serial[0] = (uint8_t)((serial[0] & 0x7F) | 0x40); /* positive, and without leading zeros */
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
    time_t from = time(NULL) - CLOCK_SKEW, to = time(NULL) + (time_t)days * 86400;
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

/* Signs and stores the certificate, with its key before it, so that there is never a certificate
   without its key. */
static enum err_code store(mbedtls_x509write_cert *writer, mbedtls_pk_context *key,
                           const char *folder, const char *file, struct err *err)
{
    char path[PATH_SIZE];
    unsigned char pem[PEM_SIZE];
    int status = mbedtls_pk_write_key_pem(key, pem, sizeof(pem));
    enum err_code code;

    if (status != 0)
        return tls_mbedtls_err(err, ERR_INTERNAL, status, "writing the key");
    code = path_of(path, folder, file, ".key", err);
    if (code == ERR_NONE)
        code = file_write(path, pem, strlen((char *)pem), 0600, err);
    mem_wipe(pem, sizeof(pem));
    if (code != ERR_NONE)
        return code;
    status = mbedtls_x509write_crt_pem(writer, pem, sizeof(pem), fill_random, NULL);
    if (status != 0)
        return tls_mbedtls_err(err, ERR_INTERNAL, status, "signing");
    code = path_of(path, folder, file, ".crt", err);
    return code == ERR_NONE ? file_write(path, pem, strlen((char *)pem), 0644, err) : code;
}

static enum err_code refuse_existing(const char *folder, const char *file, struct err *err)
{
    static const char *const endings[] = {".crt", ".key"};
    char path[PATH_SIZE];

    for (size_t i = 0; i < 2; i++) {
        enum err_code code = path_of(path, folder, file, endings[i], err);

        if (code != ERR_NONE)
            return code;
        if (access(path, F_OK) == 0)
            return err_set(err, ERR_EXISTS, "%s exists", path);
    }
    return ERR_NONE;
}

static enum err_code write_authority(const char *folder, const char *name, unsigned days,
                                     mbedtls_pk_context *key, struct err *err)
{
    mbedtls_x509write_cert writer;
    char subject[NAME_MAX_BYTES + 16];
    enum err_code code;
    int status;

    snprintf(subject, sizeof(subject), "CN=%s,OU=ca", name);
    code = begin(&writer, key, key, subject, subject, days, err);
    if (code == ERR_NONE) {
        status = mbedtls_x509write_crt_set_basic_constraints(&writer, 1, 0);
        if (status == 0)
            status = mbedtls_x509write_crt_set_key_usage(&writer, MBEDTLS_X509_KU_KEY_CERT_SIGN |
                                                                      MBEDTLS_X509_KU_CRL_SIGN);
        code = status == 0 ? store(&writer, key, folder, "ca", err)
                           : tls_mbedtls_err(err, ERR_INTERNAL, status, "the CA");
    }
    mbedtls_x509write_crt_free(&writer);
    return code;
}

enum err_code pki_init(const char *folder, const char *name, unsigned days, struct err *err)
{
    mbedtls_pk_context key;
    enum err_code code;

    if ((code = tls_pki_check_name(name, err)) != ERR_NONE ||
        (code = refuse_existing(folder, "ca", err)) != ERR_NONE ||
        (code = file_make_folders(folder, 0755, err)) != ERR_NONE)
        return code;
    if (!compat_start())
        return err_set(err, ERR_INTERNAL, "the TLS library does not start");
    mbedtls_pk_init(&key);
    code = make_key(&key, err);
    if (code == ERR_NONE)
        code = write_authority(folder, name, days, &key, err);
    mbedtls_pk_free(&key);
    return code;
}

/* ---- issuing ---- */

static enum err_code parse_key(mbedtls_pk_context *key, const char *path, struct err *err)
{
    struct buf pem = {0};
    enum err_code code = file_read(&pem, path, PEM_SIZE, err);
    int status;

    if (code != ERR_NONE)
        return code;
    buf_byte(&pem, '\0');
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    status =
        mbedtls_pk_parse_key(key, buf_bytes(&pem), buf_length(&pem), NULL, 0, fill_random, NULL);
#else
    status = mbedtls_pk_parse_key(key, buf_bytes(&pem), buf_length(&pem), NULL, 0);
#endif
    mem_wipe(pem.memory, pem.size);
    buf_release(&pem);
    return status == 0 ? ERR_NONE : tls_mbedtls_err(err, ERR_INVALID, status, path);
}

static enum err_code open_authority(struct authority *authority, const char *folder,
                                    struct err *err)
{
    char path[PATH_SIZE];
    enum err_code code = path_of(path, folder, "ca", ".key", err);

    if (code == ERR_NONE)
        code = parse_key(&authority->key, path, err);
    if (code == ERR_NONE)
        code = path_of(path, folder, "ca", ".crt", err);
    if (code == ERR_NONE)
        code = tls_pki_parse(&authority->certificate, path, err);
    return code;
}

static enum err_code write_leaf(const struct authority *authority, const char *folder,
                                const struct pki_request *request, mbedtls_pk_context *key,
                                struct err *err)
{
    mbedtls_x509write_cert writer;
    char subject[NAME_MAX_BYTES + 16], issuer[512];
    enum err_code code;
    int status;

    if (mbedtls_x509_dn_gets(issuer, sizeof(issuer), &authority->certificate.subject) < 0)
        return err_set(err, ERR_INVALID, "the CA's name is too long");
    snprintf(subject, sizeof(subject), "CN=%s,OU=%s", request->name, roles[request->role].name);
    code = begin(&writer, key, (mbedtls_pk_context *)(uintptr_t)&authority->key, subject, issuer,
                 request->days, err);
    if (code == ERR_NONE) {
        if ((status = mbedtls_x509write_crt_set_basic_constraints(&writer, 0, -1)) == 0 &&
            (status = mbedtls_x509write_crt_set_key_usage(&writer,
                                                          MBEDTLS_X509_KU_DIGITAL_SIGNATURE)) == 0)
            status = tls_pki_put_usage(&writer, roles[request->role].is_server,
                                       roles[request->role].is_client);
        code = status == 0 ? tls_pki_put_names(&writer, request, err)
                           : tls_mbedtls_err(err, ERR_INTERNAL, status, subject);
    }
    if (code == ERR_NONE)
        code = store(&writer, key, folder, request->file, err);
    mbedtls_x509write_crt_free(&writer);
    return code;
}

enum err_code pki_issue(const char *folder, const struct pki_request *request, struct err *err)
{
    struct authority authority;
    mbedtls_pk_context key;
    enum err_code code;

    if ((code = tls_pki_check_name(request->name, err)) != ERR_NONE ||
        (code = tls_pki_check_name(request->file, err)) != ERR_NONE)
        return code;
    if (strcmp(request->file, "ca") == 0)
        return err_set(err, ERR_INVALID, "ca is the name of the CA's own files");
    if (!request->replace && (code = refuse_existing(folder, request->file, err)) != ERR_NONE)
        return code;
    if (!compat_start())
        return err_set(err, ERR_INTERNAL, "the TLS library does not start");
    mbedtls_pk_init(&key);
    mbedtls_pk_init(&authority.key);
    mbedtls_x509_crt_init(&authority.certificate);
    if ((code = open_authority(&authority, folder, err)) == ERR_NONE &&
        (code = make_key(&key, err)) == ERR_NONE)
        code = write_leaf(&authority, folder, request, &key, err);
    mbedtls_x509_crt_free(&authority.certificate);
    mbedtls_pk_free(&authority.key);
    mbedtls_pk_free(&key);
    return code;
}
