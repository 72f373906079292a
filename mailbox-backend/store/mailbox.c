#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/store/mount.h"

static struct store_mailbox **bucket_of(struct store *store, const struct store_guid *guid)
{
    uint32_t hash;

    memcpy(&hash, guid->bytes + 12, sizeof(hash)); /* GUIDs are random */
    return &store->mailboxes[hash % MAILBOX_BUCKETS];
}

/* With the store's lock held. */
static struct store_mailbox *find_object(struct store *store, const struct store_guid *guid)
{
    struct store_mailbox *mailbox = *bucket_of(store, guid);

    while (mailbox != NULL && memcmp(&mailbox->guid, guid, sizeof(*guid)) != 0)
        mailbox = mailbox->next;
    return mailbox;
}

struct store_mailbox *mailbox_known(struct store *store, const struct store_guid *guid)
{
    struct store_mailbox *mailbox;

    pthread_mutex_lock(&store->lock);
    mailbox = find_object(store, guid);
    pthread_mutex_unlock(&store->lock);
    return mailbox;
}

static struct store_mailbox *new_object(struct database *database, const struct store_guid *guid,
                                        uint32_t number)
{
    struct store_mailbox *mailbox = mem_alloc(sizeof(*mailbox));

    atomic_init(&mailbox->references, 1);
    mailbox->store = database->store;
    mailbox->database = database;
    mailbox->number = number;
    mailbox->guid = *guid;
    pthread_mutex_init(&mailbox->lock, NULL);
    return mailbox;
}

static void free_object(struct store_mailbox *mailbox)
{
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox->recents);
    free(mailbox);
}

/* Makes the object known, or takes the one that another thread has made known. NULL: since there were so
   many removals a mailbox was removed, which may be this one. */
static struct store_mailbox *publish(struct store_mailbox *made, uint64_t removals)
{
    struct store *store = made->store;
    struct store_mailbox *known;

    pthread_mutex_lock(&store->lock);
    known = find_object(store, &made->guid);
    if (known == NULL && store->removals == removals) {
        struct store_mailbox **bucket = bucket_of(store, &made->guid);

        made->next = *bucket;
        *bucket = known = made;
    } else if (known != NULL) {
        store_mailbox_ref(known);
    }
    pthread_mutex_unlock(&store->lock);
    if (known != made)
        free_object(made);
    return known;
}

static enum err_code look_up(struct database *database, const struct store_guid *guid,
                             uint32_t *number, struct err *err)
{
    struct key key = key_guid(guid->bytes);
    struct tx tx = {NULL, 0};
    struct bytes row;
    enum err_code code = index_read_begin(database->index, &tx.txn, err);

    if (code != ERR_NONE)
        return code;
    code = tx_get(&tx, TABLE_GUID, &key, &row, err);
    if (code == ERR_NONE && row.length != 4)
        code = tx_bad_row(&tx, TABLE_GUID, err);
    if (code == ERR_NONE)
        *number = get_u32(row.data);
    index_read_end(&tx.txn);
    return code;
}

enum err_code mailbox_open_copy(struct database *copy, const struct store_guid *guid,
                                struct store_mailbox **mailbox, struct err *err)
{
    uint32_t number;
    enum err_code code = look_up(copy, guid, &number, err);

    if (code == ERR_NONE)
        *mailbox = new_object(copy, guid, number);
    return code;
}

void mailbox_close_copy(struct store_mailbox **mailbox)
{
    if (*mailbox != NULL)
        free_object(*mailbox);
    *mailbox = NULL;
}

/* The database that has it, and its number there. ERR_NOT_FOUND only when every database that there is
   has said so. */
static enum err_code find_row(struct store *store, const struct store_guid *guid,
                              struct database **database, uint32_t *number, struct err *err)
{
    struct err why, worst;

    err_set(&worst, ERR_NOT_FOUND, "there is no such mailbox");
    for (unsigned i = 0; i < store->database_count; i++) {
        enum err_code code = store_mounted(store, i, database, &why);

        if (code == ERR_NONE)
            code = look_up(*database, guid, number, &why);
        if (code == ERR_NONE)
            return ERR_NONE;
        if (code != ERR_NOT_FOUND)
            worst = why; /* it may be there */
    }
    if (err != NULL)
        *err = worst;
    return worst.code;
}

/* What was found in the index is looked for again when a mailbox was removed meanwhile: an object of one
   that is gone would stand in the way of the next with its GUID. */
static enum err_code find(struct store *store, const struct store_guid *guid,
                          struct store_mailbox **mailbox, struct err *err)
{
    struct database *database;
    uint64_t removals;
    uint32_t number = 0;
    enum err_code code = ERR_NONE;

    *mailbox = NULL;
    while (code == ERR_NONE && *mailbox == NULL) {
        pthread_mutex_lock(&store->lock);
        removals = store->removals;
        *mailbox = find_object(store, guid);
        if (*mailbox != NULL)
            store_mailbox_ref(*mailbox);
        pthread_mutex_unlock(&store->lock);
        if (*mailbox == NULL)
            code = find_row(store, guid, &database, &number, err);
        if (*mailbox == NULL && code == ERR_NONE)
            /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): find_row() has set both */
            *mailbox = publish(new_object(database, guid, number), removals);
    }
    return code;
}

static struct database *emptiest(struct store *store)
{
    struct database *best = NULL;
    uint64_t fewest = UINT64_MAX;

    for (unsigned i = 0; i < store->database_count; i++) {
        struct database *database;
        struct index_size size;

        if (store_mounted(store, i, &database, NULL) == ERR_NONE &&
            index_measure(database->index, &size, NULL) == ERR_NONE && size.guids < fewest) {
            fewest = size.guids;
            best = database;
        }
    }
    return best;
}

static enum err_code create(struct store *store, const struct store_guid *guid,
                            struct store_mailbox **mailbox, struct err *err)
{
    struct store_op op = {.kind = OP_MAILBOX_CREATE};
    struct database *home = emptiest(store);
    struct store_mailbox *made;

    if (home == NULL)
        return err_set(err, ERR_UNAVAILABLE, "no database can take a new mailbox now");
    made = op.mailbox = new_object(home, guid, 0);
    if (store_run(&op) != ERR_NONE && err != NULL)
        *err = op.err;
    free_object(made);
    return op.err.code == ERR_NONE ? find(store, guid, mailbox, err) : op.err.code;
}

enum err_code store_mailbox_open(struct store *store, const struct store_guid *guid, bool make,
                                 struct store_mailbox **mailbox, bool *created, struct err *err)
{
    enum err_code code = find(store, guid, mailbox, err);

    if (created != NULL)
        *created = false;
    if (code != ERR_NOT_FOUND || !make)
        return code;
    pthread_mutex_lock(&store->create_lock);
    code = find(store, guid, mailbox, err);
    if (code == ERR_NOT_FOUND) {
        code = create(store, guid, mailbox, err);
        if (created != NULL)
            *created = code == ERR_NONE;
    }
    pthread_mutex_unlock(&store->create_lock);
    return code;
}

struct store_mailbox *store_mailbox_ref(struct store_mailbox *mailbox)
{
    atomic_fetch_add(&mailbox->references, 1);
    return mailbox;
}

void store_mailbox_unref(struct store_mailbox **mailbox)
{
    if (*mailbox != NULL)
        atomic_fetch_sub(&(*mailbox)->references, 1);
    *mailbox = NULL;
}

const struct store_guid *store_mailbox_guid(const struct store_mailbox *mailbox)
{
    return &mailbox->guid;
}

unsigned store_mailbox_database(const struct store_mailbox *mailbox)
{
    return mailbox->database->number;
}

void mailbox_forget(struct store_mailbox *mailbox)
{
    struct store *store = mailbox->store;
    struct store_mailbox **at;

    pthread_mutex_lock(&store->lock);
    store->removals++;
    for (at = bucket_of(store, &mailbox->guid); *at != NULL; at = &(*at)->next) {
        if (*at == mailbox) {
            *at = mailbox->next;
            mailbox->next = store->removed;
            store->removed = mailbox;
            break;
        }
    }
    pthread_mutex_unlock(&store->lock);
}

static void release_list(struct store_mailbox *mailbox)
{
    while (mailbox != NULL) {
        struct store_mailbox *next = mailbox->next;

        free_object(mailbox);
        mailbox = next;
    }
}

void mailboxes_release(struct store *store)
{
    for (unsigned i = 0; i < MAILBOX_BUCKETS; i++)
        release_list(store->mailboxes[i]);
    release_list(store->removed);
}
