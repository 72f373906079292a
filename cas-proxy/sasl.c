#include "cas-proxy/sasl.h"

#include <assert.h>
#include <string.h>

#include "common/base64.h"
#include "common/mem.h"
#include "proto/oauth_message.h"
#include "proto/scram_message.h"

static bool scram_user(struct str message, struct buf *name);
static bool external_user(struct str message, struct buf *name);
static bool oauthbearer_user(struct str message, struct buf *name);
static bool xoauth2_user(struct str message, struct buf *name);

static const struct {
    const char *name;
    const char *back_name;
    /* Of those that the back end does: appends whose mailbox the first message opens. False when it is
       malformed. */
    bool (*user)(struct str message, struct buf *name);
} mechanisms[] = {
    [SASL_PLAIN] = {"PLAIN",              "PLAIN",              NULL            },
    [SASL_LOGIN] = {"LOGIN",              "PLAIN",              NULL            },
    [SASL_SCRAM_SHA_1] = {"SCRAM-SHA-1",        "SCRAM-SHA-1",        scram_user      },
    [SASL_SCRAM_SHA_1_PLUS] = {"SCRAM-SHA-1-PLUS",   "SCRAM-SHA-1-PLUS",   scram_user      },
    [SASL_SCRAM_SHA_256] = {"SCRAM-SHA-256",      "SCRAM-SHA-256",      scram_user      },
    [SASL_EXTERNAL] = {"EXTERNAL",           "EXTERNAL",           external_user   },
    [SASL_SCRAM_SHA_256_PLUS] = {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256-PLUS", scram_user      },
    [SASL_OAUTHBEARER] = {"OAUTHBEARER",        "OAUTHBEARER",        oauthbearer_user},
    [SASL_XOAUTH2] = {"XOAUTH2",            "XOAUTH2",            xoauth2_user    },
};

bool sasl_find(struct str name, enum sasl_mechanism *mechanism)
{
    for (size_t i = 0; i < sizeof(mechanisms) / sizeof(*mechanisms); i++) {
        if (str_is_nocase(name, mechanisms[i].name)) {
            *mechanism = (enum sasl_mechanism)i;
            return true;
        }
    }
    return false;
}

const char *sasl_back_name(const struct sasl *sasl)
{
    return mechanisms[sasl->mechanism].back_name;
}

bool sasl_is_of_back(enum sasl_mechanism mechanism)
{
    return mechanisms[mechanism].user != NULL;
}

bool sasl_binds(enum sasl_mechanism mechanism)
{
    return mechanism == SASL_SCRAM_SHA_1_PLUS || mechanism == SASL_SCRAM_SHA_256_PLUS;
}

bool sasl_needs_tls(enum sasl_mechanism mechanism)
{
    return mechanism == SASL_OAUTHBEARER || mechanism == SASL_XOAUTH2;
}

void sasl_begin(struct sasl *sasl, enum sasl_mechanism mechanism)
{
    sasl_reset(sasl);
    sasl->mechanism = mechanism;
}

const char *sasl_challenge(const struct sasl *sasl)
{
    if (sasl->mechanism != SASL_LOGIN)
        return "";
    return sasl->heard == 0 ? "VXNlcm5hbWU6" /* Username: */ : "UGFzc3dvcmQ6"; /* Password: */
}

static struct str bytes_of(const struct buf *buf)
{
    return (struct str){(const char *)buf_bytes(buf), buf_length(buf)};
}

static bool has_nul(struct str text)
{
    return text.data != NULL && memchr(text.data, '\0', text.length) != NULL;
}

/* authzid NUL authcid NUL password, the last two not empty, no more NULs. */
static bool is_plain_message(struct str message)
{
    const char *end = message.data + message.length;
    const char *first = message.data == NULL ? NULL : memchr(message.data, '\0', message.length);
    const char *second = first == NULL ? NULL : memchr(first + 1, '\0', (size_t)(end - first - 1));

    return second != NULL && second > first + 1 && second + 1 < end &&
           memchr(second + 1, '\0', (size_t)(end - second - 1)) == NULL;
}

static enum sasl_step login_answer(struct sasl *sasl, const struct buf *answer)
{
    bool whole;

    if (sasl->heard++ == 0) {
        buf_append(&sasl->name, buf_bytes(answer), buf_length(answer));
        return buf_length(answer) > 0 ? SASL_MORE : SASL_BAD;
    }
    whole = sasl_plain(sasl, bytes_of(&sasl->name), bytes_of(answer));
    return whole ? SASL_DONE : SASL_BAD;
}

static bool scram_user(struct str message, struct buf *name)
{
    struct scram_first first;

    if (!scram_read_first(message, &first))
        return false;
    scram_name(first.identity.length > 0 ? first.identity : first.user, name);
    return true;
}

static bool external_user(struct str message, struct buf *name)
{
    if (has_nul(message))
        return false;
    buf_append(name, message.data, message.length);
    return true;
}

static bool oauthbearer_user(struct str message, struct buf *name)
{
    struct str token;

    return oauth_read_bearer(message, name, &token);
}

static bool xoauth2_user(struct str message, struct buf *name)
{
    struct str token;

    return oauth_read_xoauth2(message, name, &token);
}

/* The first one names the user; the others are the back end's to read. */
static enum sasl_step back_answer(struct sasl *sasl, struct buf *answer)
{
    if (sasl->heard++ == 0 && !mechanisms[sasl->mechanism].user(bytes_of(answer), &sasl->name))
        return SASL_BAD;
    sasl_wipe(&sasl->message);
    buf_move(&sasl->message, answer);
    return SASL_DONE;
}

enum sasl_step sasl_answer(struct sasl *sasl, struct str text, bool initial)
{
    struct buf answer = {0};
    enum sasl_step step = SASL_BAD;

    if (initial && str_is(text, "="))
        text.length = 0;
    buf_reserve(&answer, text.length + 4);
    if (base64_decode(&answer, text)) {
        if (sasl->mechanism == SASL_LOGIN) {
            step = login_answer(sasl, &answer);
        } else if (sasl_is_of_back(sasl->mechanism)) {
            step = back_answer(sasl, &answer);
        } else if (is_plain_message(bytes_of(&answer))) {
            buf_move(&sasl->message, &answer);
            step = SASL_DONE;
        }
    }
    sasl_wipe(&answer);
    return step;
}

bool sasl_plain(struct sasl *sasl, struct str name, struct str password)
{
    struct buf *message = &sasl->message;

    if (name.length == 0 || password.length == 0 || has_nul(name) || has_nul(password))
        return false;
    sasl_wipe(message);
    buf_reserve(message, name.length + password.length + 2);
    buf_byte(message, '\0');
    buf_append(message, name.data, name.length);
    buf_byte(message, '\0');
    buf_append(message, password.data, password.length);
    return true;
}

struct str sasl_name(const struct sasl *sasl)
{
    struct str message = bytes_of(sasl_is_of_back(sasl->mechanism) ? &sasl->name : &sasl->message);
    const char *nul = message.data == NULL ? NULL : memchr(message.data, '\0', message.length);

    if (sasl_is_of_back(sasl->mechanism))
        return message;
    assert(nul != NULL);
    return nul > message.data ? str_of(message.data) : str_of(nul + 1);
}

void sasl_reset(struct sasl *sasl)
{
    sasl_wipe(&sasl->name);
    sasl_wipe(&sasl->message);
    sasl->heard = 0;
}

void sasl_wipe(struct buf *buf)
{
    if (buf->memory != NULL)
        mem_wipe(buf->memory, buf->size);
    buf_release(buf);
}
