#include "cas-proxy/limits.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/keyed_hash.h"
#include "common/mem.h"

#define CHAINS 4096
#define FAILURES_FREE 2 /* a mistyped password is not an attack */
#define FAILURES_MOST 32

/* Who counts as one: an IPv4 address, an IPv6 network of 64 bits (what one subscriber gets), all unix
   sockets together. */
struct key {
    uint8_t bytes[9];
};

struct entry {
    struct key key;
    struct entry *next;
    uint64_t connections[LIMITS_SERVICES];
    uint64_t failures;
    uint64_t since;              /* when the oldest failure began to be forgotten */
    struct entry *older, *newer; /* among those with failures */
};

struct limits {
    pthread_mutex_t mutex;
    struct limits_settings settings;
    struct entry *chains[CHAINS];
    uint64_t connections[LIMITS_SERVICES];
    struct entry *oldest, *newest;
    size_t failed_count;
};

struct limits *limits_create(const struct limits_settings *settings)
{
    struct limits *limits = mem_alloc(sizeof(*limits));

    limits->settings = *settings;
    pthread_mutex_init(&limits->mutex, NULL);
    return limits;
}

void limits_destroy(struct limits **limits)
{
    for (size_t i = 0; i < CHAINS; i++) {
        for (struct entry *entry = (*limits)->chains[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            free(entry);
        }
    }
    pthread_mutex_destroy(&(*limits)->mutex);
    free(*limits);
    *limits = NULL;
}

static struct key key_of(const struct net_address *address)
{
    struct key key = {{0}};

    if (address->at.any.sa_family == AF_INET) {
        key.bytes[0] = 4;
        memcpy(key.bytes + 1, &address->at.in4.sin_addr, 4);
    } else if (address->at.any.sa_family == AF_INET6) {
        const uint8_t *bytes = address->at.in6.sin6_addr.s6_addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED(&address->at.in6.sin6_addr);

        key.bytes[0] = mapped ? 4 : 6;
        memcpy(key.bytes + 1, mapped ? bytes + 12 : bytes, mapped ? 4 : 8);
    }
    return key;
}

/* The place that points to the key's entry, or to NULL at its chain's end. */
static struct entry **place_of(struct limits *limits, const struct key *key)
{
    struct entry **place = &limits->chains[keyed_hash(key, sizeof(*key)) % CHAINS];

    while (*place != NULL && memcmp(&(*place)->key, key, sizeof(*key)) != 0)
        place = &(*place)->next;
    return place;
}

static struct entry *entry_of(struct limits *limits, const struct net_address *address)
{
    struct key key = key_of(address);
    struct entry **place = place_of(limits, &key);

    if (*place == NULL) {
        *place = mem_alloc(sizeof(**place));
        (*place)->key = key;
    }
    return *place;
}

static void unlist_failed(struct limits *limits, struct entry *entry)
{
    *(entry->older != NULL ? &entry->older->newer : &limits->oldest) = entry->newer;
    *(entry->newer != NULL ? &entry->newer->older : &limits->newest) = entry->older;
    entry->older = entry->newer = NULL;
    limits->failed_count--;
}

static void list_failed(struct limits *limits, struct entry *entry)
{
    entry->older = limits->newest;
    *(limits->newest != NULL ? &limits->newest->newer : &limits->oldest) = entry;
    limits->newest = entry;
    limits->failed_count++;
}

static void free_if_unused(struct limits *limits, struct entry *entry)
{
    struct entry **place;

    for (size_t i = 0; i < LIMITS_SERVICES; i++) {
        if (entry->connections[i] > 0)
            return;
    }
    if (entry->failures > 0)
        return;
    place = place_of(limits, &entry->key);
    *place = entry->next;
    free(entry);
}

enum limits_verdict limits_enter(struct limits *limits, unsigned service,
                                 const struct net_address *address, uint64_t most,
                                 uint64_t most_address)
{
    enum limits_verdict verdict = LIMITS_FINE;
    struct entry *entry;

    pthread_mutex_lock(&limits->mutex);
    entry = entry_of(limits, address);
    if (limits->connections[service] >= most)
        verdict = LIMITS_TOO_MANY;
    else if (most_address > 0 && entry->connections[service] >= most_address)
        verdict = LIMITS_TOO_MANY_FROM_ADDRESS;
    if (verdict == LIMITS_FINE) {
        limits->connections[service]++;
        entry->connections[service]++;
    } else {
        free_if_unused(limits, entry);
    }
    pthread_mutex_unlock(&limits->mutex);
    return verdict;
}

void limits_leave(struct limits *limits, unsigned service, const struct net_address *address)
{
    struct entry *entry;

    pthread_mutex_lock(&limits->mutex);
    entry = entry_of(limits, address);
    limits->connections[service]--;
    entry->connections[service]--;
    free_if_unused(limits, entry);
    pthread_mutex_unlock(&limits->mutex);
}

uint64_t limits_count(struct limits *limits, unsigned service)
{
    uint64_t count;

    pthread_mutex_lock(&limits->mutex);
    count = limits->connections[service];
    pthread_mutex_unlock(&limits->mutex);
    return count;
}

static void forget_failures(struct limits *limits, struct entry *entry)
{
    if (entry->failures == 0)
        return;
    entry->failures = 0;
    unlist_failed(limits, entry);
}

/* One failure is forgotten for each span of memory that has passed. */
static void decay(struct limits *limits, struct entry *entry, uint64_t now)
{
    uint64_t spans = (now - entry->since) / limits->settings.memory;

    if (spans >= entry->failures) {
        forget_failures(limits, entry);
        return;
    }
    entry->failures -= spans;
    entry->since += spans * limits->settings.memory;
}

void limits_failed(struct limits *limits, const struct net_address *address, uint64_t now)
{
    struct entry *entry, *oldest;

    pthread_mutex_lock(&limits->mutex);
    entry = entry_of(limits, address);
    decay(limits, entry, now);
    if (entry->failures == 0)
        entry->since = now;
    else
        unlist_failed(limits, entry);
    list_failed(limits, entry);
    if (entry->failures < FAILURES_MOST)
        entry->failures++;
    oldest = limits->oldest;
    if (limits->failed_count > LIMITS_FAILED_MOST) {
        forget_failures(limits, oldest);
        free_if_unused(limits, oldest);
    }
    pthread_mutex_unlock(&limits->mutex);
}

static unsigned delay_for(const struct limits_settings *settings, uint64_t failures)
{
    uint64_t delay = settings->delay;

    if (failures <= FAILURES_FREE)
        return 0;
    for (uint64_t i = FAILURES_FREE + 1; i < failures && delay < settings->delay_most; i++)
        delay *= 2;
    return (unsigned)(delay < settings->delay_most ? delay : settings->delay_most);
}

unsigned limits_delay(struct limits *limits, const struct net_address *address, uint64_t now)
{
    struct key key = key_of(address);
    struct entry *entry;
    unsigned delay = 0;

    pthread_mutex_lock(&limits->mutex);
    entry = *place_of(limits, &key);
    if (entry != NULL && entry->failures > 0) {
        decay(limits, entry, now);
        delay = delay_for(&limits->settings, entry->failures);
        free_if_unused(limits, entry);
    }
    pthread_mutex_unlock(&limits->mutex);
    return delay;
}
