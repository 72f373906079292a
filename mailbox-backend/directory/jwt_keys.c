#include "mailbox-backend/directory/jwt_keys.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/log.h"
#include "common/mem.h"

#define FILE_MOST ((size_t)1 << 20)
#define KEYS_MOST 100

struct key {
    cjose_jwk_t *jwk;
    char *algorithm; /* that it is for; NULL: whatever its kind can */
};

struct set {
    struct key *keys;
    size_t count;
};

struct jwt_keys {
    pthread_rwlock_t lock; /* of all below */
    const char *path;
    bool is_read;      /* the file, well or not */
    struct stat facts; /* of it then; all 0: it was not there */
    struct set set;
};

/* ---- sets ---- */

static void release(struct set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        cjose_jwk_release(set->keys[i].jwk);
        free(set->keys[i].algorithm);
    }
    free(set->keys);
    *set = (struct set){0};
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* Only public keys for signatures. A secret one ("oct") would let whoever knows it be anybody. */
static bool is_wanted(const json_t *object)
{
    const char *kind = text_of(object, "kty"), *use = text_of(object, "use");

    return kind != NULL && (strcmp(kind, "RSA") == 0 || strcmp(kind, "EC") == 0) &&
           (use == NULL || strcmp(use, "sig") == 0);
}

/* What this library cannot read (a curve of tomorrow) is passed over. */
static void add(struct set *set, json_t *object)
{
    const char *algorithm = text_of(object, "alg");
    cjose_err error;
    cjose_jwk_t *jwk = is_wanted(object) ? cjose_jwk_import_json(object, &error) : NULL;

    if (jwk == NULL)
        return;
    set->keys[set->count].jwk = jwk;
    set->keys[set->count++].algorithm = algorithm == NULL ? NULL : mem_string(algorithm);
}

static enum err_code parse(struct set *set, const struct buf *text, const char *path,
                           struct err *err)
{
    json_error_t error;
    json_t *whole =
        json_loadb((const char *)buf_bytes(text), buf_length(text), JSON_REJECT_DUPLICATES, &error);
    const json_t *list = json_object_get(whole, "keys");
    size_t count = json_array_size(list);

    *set = (struct set){0};
    if (whole != NULL && count <= KEYS_MOST) {
        set->keys = mem_array(count + 1, sizeof(*set->keys));
        for (size_t i = 0; i < count; i++)
            add(set, json_array_get(list, i));
    }
    json_decref(whole);
    if (set->count > 0)
        return ERR_NONE;
    release(set);
    return err_set(err, ERR_INVALID, "%s: no key set (RFC 7517) with public keys for signatures",
                   path);
}

static enum err_code load(struct set *set, const char *path, struct err *err)
{
    struct buf text = {0};
    enum err_code code = file_read(&text, path, FILE_MOST, err);

    if (code == ERR_NONE)
        code = parse(set, &text, path, err);
    buf_release(&text);
    return code;
}

/* ---- the file ---- */

struct jwt_keys *jwt_keys_create(const char *path)
{
    struct jwt_keys *keys = mem_alloc(sizeof(*keys));

    keys->path = path;
    pthread_rwlock_init(&keys->lock, NULL);
    return keys;
}

void jwt_keys_destroy(struct jwt_keys **keys)
{
    if (*keys == NULL)
        return;
    release(&(*keys)->set);
    pthread_rwlock_destroy(&(*keys)->lock);
    free(*keys);
    *keys = NULL;
}

static bool is_as_read(const struct jwt_keys *keys, const struct stat *now)
{
    const struct stat *then = &keys->facts;

    return keys->is_read && then->st_ino == now->st_ino && then->st_dev == now->st_dev &&
           then->st_size == now->st_size && then->st_ctim.tv_sec == now->st_ctim.tv_sec &&
           then->st_ctim.tv_nsec == now->st_ctim.tv_nsec;
}

static void read_again(struct jwt_keys *keys, const struct stat *now)
{
    struct set set;
    struct err err;

    pthread_rwlock_wrlock(&keys->lock);
    if (!is_as_read(keys, now)) {
        keys->is_read = true;
        keys->facts = *now; /* a bad file is complained of once */
        if (load(&set, keys->path, &err) == ERR_NONE) {
            release(&keys->set);
            keys->set = set;
            log_notice(NULL, "keys of the tokens' issuer read from %s: %zu", keys->path, set.count);
        } else {
            log_error(NULL, "[oauth] keys: %s%s", err.text,
                      keys->set.count > 0 ? "; the keys stay as they were" : "");
        }
    }
    pthread_rwlock_unlock(&keys->lock);
}

void jwt_keys_refresh(struct jwt_keys *keys)
{
    struct stat now = {0};
    bool same;

    stat(keys->path, &now); /* one that is gone is another one */
    pthread_rwlock_rdlock(&keys->lock);
    same = is_as_read(keys, &now);
    pthread_rwlock_unlock(&keys->lock);
    if (!same)
        read_again(keys, &now);
}

/* ---- verifying ---- */

/* RS and PS want RSA, ES wants EC: cjose holds a key of another kind, or on another curve, to be wrong. */
static bool may_have_signed(const struct key *key, const char *algorithm, const char *key_id)
{
    const char *own = cjose_jwk_get_kid(key->jwk, NULL);

    if (key->algorithm != NULL && strcmp(key->algorithm, algorithm) != 0)
        return false;
    return key_id == NULL || (own != NULL && strcmp(own, key_id) == 0);
}

static enum err_code verify(const struct set *set, cjose_jws_t *token, const char *algorithm,
                            const char *key_id, struct err *err)
{
    cjose_err error;
    bool tried = false;

    if (set->count == 0)
        return err_set(err, ERR_UNAVAILABLE, "there are no keys of the issuer");
    for (size_t i = 0; i < set->count; i++) {
        if (!may_have_signed(&set->keys[i], algorithm, key_id))
            continue;
        tried = true;
        if (cjose_jws_verify(token, set->keys[i].jwk, &error))
            return ERR_NONE;
    }
    return err_set(err, ERR_DENIED,
                   tried ? "the signature is wrong" : "no key of the issuer's fits");
}

enum err_code jwt_keys_verify(struct jwt_keys *keys, cjose_jws_t *token, const char *algorithm,
                              const char *key_id, struct err *err)
{
    enum err_code code;

    jwt_keys_refresh(keys);
    pthread_rwlock_rdlock(&keys->lock);
    code = verify(&keys->set, token, algorithm, key_id, err);
    pthread_rwlock_unlock(&keys->lock);
    return code;
}
