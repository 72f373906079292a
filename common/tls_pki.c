#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/mem.h"
#include "common/random.h"
#include "common/tls_engine.h"

#define PATH_SIZE 4096
#define FILE_MOST ((size_t)512 << 10)
#define NAME_MAX_BYTES 64 /* of a common name, RFC 5280 appendix A.1 */

static const struct {
    const char *name;
    bool is_server, is_client;
} roles[] = {
    [PKI_FRONT] = {"front",  false, true },
    [PKI_BACK] = {"back",   true,  false},
    [PKI_SERVER] = {"server", true,  false},
    [PKI_CLIENT] = {"client", false, true },
};

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

static enum err_code check_name(const char *name, struct err *err)
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

void pki_make_serial(uint8_t serial[PKI_SERIAL_SIZE])
{
    random_bytes(serial, PKI_SERIAL_SIZE);
    serial[0] = (uint8_t)((serial[0] & 0x7F) | 0x40); /* positive, and without leading zeros */
}

/* The file with the NUL that parsers want. */
static enum err_code read_pem(struct buf *pem, const char *path, struct err *err)
{
    enum err_code code = file_read(pem, path, FILE_MOST, err);

    if (code == ERR_NONE)
        buf_byte(pem, '\0');
    return code;
}

static void wipe(struct buf *secret)
{
    mem_wipe(secret->memory, secret->size);
    buf_release(secret);
}

/* The key before the certificate, so that there is never a certificate without its key. */
static enum err_code store(const char *folder, const char *file, const struct buf *key,
                           const struct buf *certificate, struct err *err)
{
    char path[PATH_SIZE];
    enum err_code code = path_of(path, folder, file, ".key", err);

    if (code == ERR_NONE)
        code = file_write(path, buf_bytes(key), buf_length(key), 0600, err);
    if (code == ERR_NONE)
        code = path_of(path, folder, file, ".crt", err);
    if (code == ERR_NONE)
        code = file_write(path, buf_bytes(certificate), buf_length(certificate), 0644, err);
    return code;
}

static enum err_code make(enum tls_engine engine, const struct pki_job *job, const char *folder,
                          const char *file, struct err *err)
{
    struct buf key = {0}, certificate = {0};
    enum err_code code = tls_engine_ops(engine)->pki_make(job, &key, &certificate, err);

    if (code == ERR_NONE)
        code = store(folder, file, &key, &certificate, err);
    wipe(&key);
    buf_release(&certificate);
    return code;
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

enum err_code pki_init(enum tls_engine engine, const char *folder, const char *name, unsigned days,
                       struct err *err)
{
    const struct pki_job job = {.common_name = name, .unit = "ca", .is_ca = true, .days = days};
    enum err_code code;

    if ((code = check_name(name, err)) != ERR_NONE ||
        (code = refuse_existing(folder, "ca", err)) != ERR_NONE ||
        (code = file_make_folders(folder, 0755, err)) != ERR_NONE)
        return code;
    return make(engine, &job, folder, "ca", err);
}

/* ---- issuing ---- */

static enum err_code check_request(const struct pki_request *request, struct err *err)
{
    unsigned char bytes[16];

    if (check_name(request->name, err) != ERR_NONE || check_name(request->file, err) != ERR_NONE)
        return err->code;
    if (strcmp(request->file, "ca") == 0)
        return err_set(err, ERR_INVALID, "ca is the name of the CA's own files");
    for (size_t i = 0; i < request->host_count; i++) {
        if (check_name(request->hosts[i], err) != ERR_NONE)
            return err->code;
    }
    for (size_t i = 0; i < request->address_count; i++) {
        const char *address = request->addresses[i];

        if (inet_pton(AF_INET, address, bytes) != 1 && inet_pton(AF_INET6, address, bytes) != 1)
            return err_set(err, ERR_INVALID, "\"%s\" is no IP address", address);
    }
    return ERR_NONE;
}

static enum err_code issue(enum tls_engine engine, const char *folder,
                           const struct pki_request *request, struct buf *key,
                           struct buf *certificate, struct err *err)
{
    const struct pki_job job = {
        .common_name = request->name,
        .unit = roles[request->role].name,
        .is_server = roles[request->role].is_server,
        .is_client = roles[request->role].is_client,
        .names = request,
        .days = request->days,
        .ca_key = key,
        .ca_certificate = certificate,
    };
    char path[PATH_SIZE];
    enum err_code code = path_of(path, folder, "ca", ".key", err);

    if (code == ERR_NONE)
        code = read_pem(key, path, err);
    if (code == ERR_NONE)
        code = path_of(path, folder, "ca", ".crt", err);
    if (code == ERR_NONE)
        code = read_pem(certificate, path, err);
    return code == ERR_NONE ? make(engine, &job, folder, request->file, err) : code;
}

enum err_code pki_issue(enum tls_engine engine, const char *folder,
                        const struct pki_request *request, struct err *err)
{
    struct buf key = {0}, certificate = {0};
    struct err reason = {0};
    enum err_code code;

    err = err == NULL ? &reason : err;
    if ((code = check_request(request, err)) != ERR_NONE)
        return code;
    if (!request->replace && (code = refuse_existing(folder, request->file, err)) != ERR_NONE)
        return code;
    code = issue(engine, folder, request, &key, &certificate, err);
    wipe(&key);
    buf_release(&certificate);
    return code;
}

enum err_code pki_read(enum tls_engine engine, const char *path, struct pki_facts *facts,
                       struct err *err)
{
    struct buf pem = {0};
    enum err_code code = read_pem(&pem, path, err);

    *facts = (struct pki_facts){0};
    if (code == ERR_NONE)
        code = tls_engine_ops(engine)->pki_read(&pem, path, facts, err);
    buf_release(&pem);
    return code;
}
