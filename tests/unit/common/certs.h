/* Certificates for tests, made once by openssl(1) in a folder of the test's own. */
#ifndef TESTS_UNIT_COMMON_CERTS_H
#define TESTS_UNIT_COMMON_CERTS_H

#include "tests/unit/common/unit.h"

#include "tests/unit/common/engines.h"

/* ca: signs server (EC), rsa and client. other-ca has signed nothing of these. */
static const char certs_script[] =
    "set -e; cd '%s'; exec >log 2>&1; umask 077\n"
    "ec='-newkey ec -pkeyopt ec_paramgen_curve:P-256'\n"
    "for ca in ca other-ca; do\n"
    "  openssl req -x509 $ec -nodes -keyout $ca.key -out $ca.pem -days 30 -subj /CN=$ca\n"
    "done\n"
    "issue() { # name, key options, subject, alternative names\n"
    "  openssl req -new $2 -nodes -keyout $1.key -out $1.csr -subj \"$3\"\n"
    "  printf 'subjectAltName=%%s\\n' \"$4\" >$1.ext\n"
    "  openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30"
    " -extfile $1.ext -out $1.pem\n"
    "}\n"
    "issue server \"$ec\" /OU=front/CN=mail.example DNS:mail.example,DNS:imap.example\n"
    "issue rsa '-newkey rsa:2048' /CN=mail.example DNS:mail.example\n"
    "issue client \"$ec\" /O=Example/OU=back/CN=back1 DNS:back1,DNS:back1.example\n";

static char certs_folder[64];

static inline int certs_begin(void **state)
{
    char command[sizeof(certs_script) + sizeof(certs_folder)];

    (void)state;
    folder_begin(certs_folder);
    snprintf(command, sizeof(command), certs_script, certs_folder);
    return system(command);
}

static inline int certs_end(void **state)
{
    (void)state;
    folder_end(certs_folder);
    return 0;
}

/* name is "server", "rsa", "client" or NULL for none; ca is "ca", "other-ca" or NULL. */
static inline enum err_code certs_try(struct tls_context **context, enum tls_role role,
                                      const char *name, const char *ca, enum tls_peer peer,
                                      struct err *err)
{
    char certificate[128];
    char key[128];
    char authority[128];
    struct tls_settings settings = {.engine = engine, .role = role, .peer = peer};

    snprintf(certificate, sizeof(certificate), "%s/%s.pem", certs_folder, name == NULL ? "" : name);
    snprintf(key, sizeof(key), "%s/%s.key", certs_folder, name == NULL ? "" : name);
    snprintf(authority, sizeof(authority), "%s/%s.pem", certs_folder, ca == NULL ? "" : ca);
    if (name != NULL) {
        settings.certificate_file = certificate;
        settings.key_file = key;
    }
    if (ca != NULL)
        settings.ca_file = authority;
    return tls_context_create(context, &settings, err);
}

static inline struct tls_context *certs_context(enum tls_role role, const char *name,
                                                const char *ca, enum tls_peer peer)
{
    struct tls_context *context;
    struct err err = {0};

    if (certs_try(&context, role, name, ca, peer, &err) != ERR_NONE)
        fail_msg("%s", err.text);
    return context;
}

#endif
