/* What an engine is: the functions behind tls.h, tls_hash.h and tls_pki.h, one set for each library.
   Only the files of those headers and their tests include this. */
#ifndef COMMON_TLS_ENGINE_H
#define COMMON_TLS_ENGINE_H

#include <stdatomic.h>

#include "common/tls.h"
#include "common/tls_hash.h"
#include "common/tls_pki.h"
#include "common/tls_ticket.h"

#define TLS_BINDING 128
#define TLS_NAME_MAX 255        /* bytes of a server name */
#define TLS_RECORD (16384u)     /* most plain text of one record, RFC 8446 section 5.1 */
#define TLS_RECORD_OVERHEAD 64u /* more than any suite adds to one */

/* The first member of an engine's own struct. */
struct tls_context {
    const struct tls_engine_ops *ops;
    atomic_uint references;
    enum tls_role role;
    enum tls_peer peer;
    struct tls_ticket_keys *tickets; /* NULL: no tickets */
    char binding[TLS_BINDING]; /* what tickets are good for: the engine, its version, the service */
};

/* The first member of an engine's own struct. */
struct tls_session {
    const struct tls_engine_ops *ops;
    struct tls_context *context;
    enum tls_state state;
    struct buf *cipher_in;  /* within a call only */
    struct buf *cipher_out; /* likewise */
    struct err *error;      /* after TLS_FAILED */
    char *server_name;      /* what the client asked for; NULL without it */
};

/* The files of a context, read. Each text ends with a NUL; a buffer is empty where there is no file. */
struct tls_pem {
    struct buf certificates, key, authorities;
};

#define PKI_SERIAL_SIZE 16
#define PKI_CLOCK_SKEW 300 /* seconds that other machines' clocks may be behind */

/* A serial number for a new certificate, big-endian. */
void pki_make_serial(uint8_t serial[PKI_SERIAL_SIZE]);

/* A certificate to be made, with its key. */
struct pki_job {
    const char *common_name, *unit;
    bool is_ca, is_server, is_client;
    const struct pki_request *names; /* of whom the alternative names are taken; NULL for a CA */
    unsigned days;
    const struct buf *ca_key, *ca_certificate; /* PEM with a NUL; NULL: it signs itself */
};

struct tls_engine_ops {
    const char *(*library)(void);

    enum err_code (*context_create)(struct tls_context **context,
                                    const struct tls_settings *settings, struct tls_pem *pem,
                                    struct err *err);
    void (*context_destroy)(struct tls_context *context);

    /* A session that cannot be made is in state TLS_FAILED. */
    struct tls_session *(*session_create)(struct tls_context *context,
                                          const struct tls_options *options);
    void (*session_destroy)(struct tls_session *session);
    void (*shake_hands)(struct tls_session *session);
    /* Decrypts until plain_in has limit bytes or nothing more is there. */
    void (*decrypt)(struct tls_session *session, struct buf *plain_in, size_t limit);
    /* Encrypts share bytes of plain_out, which has as many. */
    void (*encrypt)(struct tls_session *session, struct buf *plain_out, size_t share);
    void (*finish)(struct tls_session *session);

    const char *(*version)(const struct tls_session *session);
    const char *(*cipher)(const struct tls_session *session);
    const char *(*alpn)(const struct tls_session *session);
    size_t (*channel_binding)(const struct tls_session *session, enum tls_channel_binding kind,
                              uint8_t out[TLS_CHANNEL_BINDING_MAX]);
    bool (*peer)(const struct tls_session *session, struct tls_peer_facts *facts);
    bool (*peer_has_name)(const struct tls_session *session, const char *dns_name);

    void (*hash_digest)(enum hash_kind kind, struct str data, uint8_t *out);
    void (*hash_mac)(enum hash_kind kind, struct str key, struct str data, uint8_t *out);
    void (*hash_password)(enum hash_kind kind, struct str password, struct str salt,
                          unsigned iterations, uint8_t *out);

    /* Appends the key and the certificate in PEM. */
    enum err_code (*pki_make)(const struct pki_job *job, struct buf *key, struct buf *certificate,
                              struct err *err);
    /* pem has a NUL; path is for the error's text. */
    enum err_code (*pki_read)(const struct buf *pem, const char *path, struct pki_facts *facts,
                              struct err *err);
};

/* tls_engine.c, the only file that knows which are built in. NULL when this one is not. */
const struct tls_engine_ops *tls_engine_ops(enum tls_engine engine);
/* The one that hashes: OpenSSL's is many times as fast on processors that have instructions for it. */
const struct tls_engine_ops *tls_engine_hash(void);

extern const struct tls_engine_ops tls_mbedtls_ops;
extern const struct tls_engine_ops tls_openssl_ops;

/* tls.c, for the engines. */
void tls_context_begin(struct tls_context *context, const struct tls_engine_ops *ops,
                       const struct tls_settings *settings);
void tls_session_begin(struct tls_session *session, struct tls_context *context);
/* Marks the session as failed; the text is that of the engine's library. */
void tls_fail(struct tls_session *session, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Writes bytes as hexadecimal digits and a NUL. */
void tls_write_hex(char *to, const uint8_t *bytes, size_t length);
/* Notes the name that a client asks for, unless it cannot be a host's. */
void tls_note_server_name(struct tls_session *session, const void *name, size_t length);

#endif
