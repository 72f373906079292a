#include "common/tls_ticket.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "common/random.h"
#include "common/tls_hash.h"
#include "common/tls_ticket_file.h"

struct tls_ticket_keys {
    atomic_uint references;
    char *path; /* NULL: the keys are our own */
    uint64_t lifetime;
    pthread_mutex_t lock; /* of the ring */
    struct ticket_ring ring;
};

enum err_code tls_ticket_keys_create(struct tls_ticket_keys **where, const char *path,
                                     uint64_t lifetime, struct err *err)
{
    struct tls_ticket_keys *keys = mem_alloc(sizeof(*keys));
    enum err_code code = ERR_NONE;

    atomic_init(&keys->references, 1);
    keys->path = mem_string(path);
    keys->lifetime = lifetime;
    pthread_mutex_init(&keys->lock, NULL);
    if (path == NULL)
        ticket_ring_add(&keys->ring, time(NULL), 0);
    else
        code = ticket_ring_read(&keys->ring, path, err);
    *where = keys;
    if (code != ERR_NONE)
        tls_ticket_keys_unref(where);
    return code;
}

struct tls_ticket_keys *tls_ticket_keys_ref(struct tls_ticket_keys *keys)
{
    atomic_fetch_add(&keys->references, 1);
    return keys;
}

void tls_ticket_keys_unref(struct tls_ticket_keys **where)
{
    struct tls_ticket_keys *keys = *where;

    *where = NULL;
    if (keys == NULL || atomic_fetch_sub(&keys->references, 1) != 1)
        return;
    pthread_mutex_destroy(&keys->lock);
    mem_wipe(&keys->ring, sizeof(keys->ring));
    free(keys->path);
    free(keys);
}

enum err_code tls_ticket_keys_reload(struct tls_ticket_keys *keys, struct err *err)
{
    struct ticket_ring ring = {0};
    enum err_code code;

    if (keys->path == NULL)
        return ERR_NONE;
    code = ticket_ring_read(&ring, keys->path, err);
    if (code == ERR_NONE) {
        pthread_mutex_lock(&keys->lock);
        keys->ring = ring;
        pthread_mutex_unlock(&keys->lock);
    }
    mem_wipe(&ring, sizeof(ring));
    return code;
}

uint64_t tls_ticket_keys_lifetime(const struct tls_ticket_keys *keys)
{
    return keys->lifetime;
}

int64_t tls_ticket_keys_age(struct tls_ticket_keys *keys)
{
    int64_t made;

    pthread_mutex_lock(&keys->lock);
    made = keys->ring.keys[0].made;
    pthread_mutex_unlock(&keys->lock);
    return keys->path == NULL ? 0 : time(NULL) - made;
}

/* ---- one key ---- */

static void derive(const struct ticket_secret *secret, const char *purpose, const char *binding,
                   uint8_t out[TLS_TICKET_SECRET])
{
    char text[200];
    int length = snprintf(text, sizeof(text), "ticket 1 %s %s", purpose, binding);

    assert(length > 0 && (size_t)length < sizeof(text));
    hash_mac(HASH_SHA256, str_n(secret->secret, sizeof(secret->secret)), str_of(text), out);
}

static void fill(struct tls_ticket_key *key, const struct ticket_secret *secret,
                 const char *binding, bool is_newest)
{
    memcpy(key->id, secret->id, sizeof(key->id));
    derive(secret, "seal", binding, key->seal);
    derive(secret, "mac", binding, key->mac);
    key->is_newest = is_newest;
}

void tls_ticket_keys_newest(struct tls_ticket_keys *keys, const char *binding,
                            struct tls_ticket_key *key)
{
    int64_t now = time(NULL);
    struct ticket_secret secret;

    pthread_mutex_lock(&keys->lock);
    if (keys->path == NULL && now - keys->ring.keys[0].made >= TLS_TICKET_ROTATION)
        ticket_ring_add(&keys->ring, now, keys->lifetime);
    secret = keys->ring.keys[0];
    pthread_mutex_unlock(&keys->lock);
    fill(key, &secret, binding, true);
    mem_wipe(&secret, sizeof(secret));
}

bool tls_ticket_keys_find(struct tls_ticket_keys *keys, const char *binding,
                          const uint8_t id[TLS_TICKET_ID], struct tls_ticket_key *key)
{
    struct ticket_secret secret;
    size_t at = 0;
    bool found;

    pthread_mutex_lock(&keys->lock);
    while (at < keys->ring.count && memcmp(keys->ring.keys[at].id, id, TLS_TICKET_ID) != 0)
        at++;
    found = at < keys->ring.count;
    if (found)
        secret = keys->ring.keys[at];
    pthread_mutex_unlock(&keys->lock);
    if (found) {
        fill(key, &secret, binding, at == 0);
        mem_wipe(&secret, sizeof(secret));
    }
    return found;
}
