#include "mailbox-backend/mailbox/grants.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"

#define FEW 256u

/* In the order of to, then of from; each once. to is zeros for anyone. */
struct grant {
    struct store_guid to, from;
};

struct grant_list {
    struct grant *at;
    size_t count, room;
};

struct grants {
    struct store *store;
    pthread_mutex_t change_lock; /* one list is changed at a time */
    pthread_mutex_t lock;        /* of what follows */
    pthread_cond_t loaded;
    bool is_known, is_loading;
    bool again; /* a list was changed while they were read */
    struct grant_list list;
};

static const struct store_guid anyone;

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct grant));
}

static void add(struct grant_list *list, const struct grant *grant)
{
    if (list->count == list->room) {
        list->room = list->room == 0 ? 64 : 2 * list->room;
        list->at = mem_grow(list->at, list->room, sizeof(*list->at));
    }
    list->at[list->count++] = *grant;
}

static void add_acl(struct grant_list *list, const struct acl *acl, const struct store_guid *from)
{
    for (unsigned i = 0; i < acl->count; i++) {
        const struct acl_entry *entry = &acl->entries[i];
        const struct grant grant = {entry->is_anyone ? anyone : entry->guid, *from};

        if (!entry->is_negative)
            add(list, &grant);
    }
}

static void put_in_order(struct grant_list *list)
{
    size_t kept = 0;

    if (list->count > 1)
        qsort(list->at, list->count, sizeof(*list->at), compare);
    for (size_t i = 0; i < list->count; i++) {
        if (kept == 0 || compare(&list->at[kept - 1], &list->at[i]) != 0)
            list->at[kept++] = list->at[i];
    }
    list->count = kept;
}

static void release(struct grant_list *list)
{
    free(list->at);
    *list = (struct grant_list){0};
}

/* ---- all lists ---- */

/* A database that is not mounted has nothing that could be seen now. */
static enum err_code load_database(const struct grants *grants, unsigned database,
                                   struct grant_list *list, struct err *err)
{
    struct store_holder holder = {0};
    uint8_t value[ACL_VALUE_MAX];
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE) {
        struct acl acl;
        size_t length;

        code = store_holder_next(grants->store, database, ACL_PROPERTY, &holder, value,
                                 sizeof(value), &length, err);
        if (code == ERR_NONE && length > 0 && acl_unpack(value, length, &acl, NULL) == ERR_NONE)
            add_acl(list, &acl, &holder.guid);
    }
    return code;
}

static void load_all(const struct grants *grants, struct grant_list *list)
{
    struct store_status status;
    struct err err;

    store_status(grants->store, &status);
    for (unsigned i = 0; i < status.databases; i++) {
        if (load_database(grants, i, list, &err) != ERR_NOT_FOUND)
            log_warning(NULL, "the access control lists of database %u cannot be read: %s", i + 1,
                        err.text);
    }
    put_in_order(list);
}

/* With the lock held. */
static void ensure_known(struct grants *grants)
{
    while (grants->is_loading)
        pthread_cond_wait(&grants->loaded, &grants->lock);
    if (grants->is_known)
        return;
    grants->is_loading = true;
    do {
        struct grant_list list = {0};

        grants->again = false;
        pthread_mutex_unlock(&grants->lock);
        load_all(grants, &list);
        pthread_mutex_lock(&grants->lock);
        release(&grants->list);
        grants->list = list;
    } while (grants->again);
    grants->is_loading = false;
    grants->is_known = true;
    pthread_cond_broadcast(&grants->loaded);
}

bool grants_are_few(struct grants *grants)
{
    bool few;

    pthread_mutex_lock(&grants->lock);
    few = grants->is_known && grants->list.count <= FEW;
    pthread_mutex_unlock(&grants->lock);
    return few;
}

/* ---- asking ---- */

/* The first grant behind (to, from). */
static const struct grant *find_behind(const struct grant_list *list, const struct store_guid *to,
                                       const struct store_guid *from)
{
    const struct grant sought = {*to, *from};
    size_t low = 0;
    size_t high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(&list->at[middle], &sought) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == list->count || memcmp(&list->at[low].to, to, sizeof(*to)) != 0)
        return NULL;
    return &list->at[low];
}

static bool next_owner(const struct grant_list *list, const struct store_guid *user,
                       struct store_guid *owner)
{
    const struct grant *own = find_behind(list, user, owner);
    const struct grant *all = find_behind(list, &anyone, owner);

    if (own == NULL && all == NULL)
        return false;
    if (own == NULL || (all != NULL && memcmp(&all->from, &own->from, sizeof(all->from)) < 0))
        own = all;
    *owner = own->from;
    return true;
}

enum err_code grants_next(struct grants *grants, const struct store_guid *user,
                          struct store_guid *owner, struct err *err)
{
    bool found;

    pthread_mutex_lock(&grants->lock);
    ensure_known(grants);
    do {
        found = next_owner(&grants->list, user, owner);
    } while (found && memcmp(owner, user, sizeof(*owner)) == 0);
    pthread_mutex_unlock(&grants->lock);
    return found ? ERR_NONE : err_set(err, ERR_NOT_FOUND, "nobody else");
}

/* ---- changes ---- */

static enum err_code read_mailbox(struct store_mailbox *mailbox, struct grant_list *list,
                                  struct err *err)
{
    struct store_folder folder = {0};
    struct store_read *read;
    enum err_code code = store_read_begin(mailbox, &read, err);

    if (code != ERR_NONE)
        return code == ERR_NOT_FOUND ? ERR_NONE : code;
    while ((code = store_folder_after(read, folder.id, &folder, err)) == ERR_NONE) {
        struct acl acl;

        if (acl_read(read, folder.id, &acl, NULL) == ERR_NONE)
            add_acl(list, &acl, store_mailbox_guid(mailbox));
    }
    store_read_end(&read);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* What the owner gave before goes, what they give now comes. Both are in order: loops wait for the lock meanwhile. */
static void replace(struct grant_list *list, const struct store_guid *owner,
                    const struct grant_list *given)
{
    struct grant_list merged = {0};
    size_t next = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct grant *old = &list->at[i];

        if (memcmp(&old->from, owner, sizeof(*owner)) == 0)
            continue;
        while (next < given->count && compare(&given->at[next], old) < 0)
            add(&merged, &given->at[next++]);
        add(&merged, old);
    }
    while (next < given->count)
        add(&merged, &given->at[next++]);
    release(list);
    *list = merged;
}

static void note_change(struct grants *grants, struct store_mailbox *mailbox)
{
    struct grant_list given = {0};
    enum err_code code = read_mailbox(mailbox, &given, NULL);

    put_in_order(&given);
    pthread_mutex_lock(&grants->lock);
    grants->again = grants->is_loading;
    if (code != ERR_NONE)
        grants->is_known = false;
    else if (grants->is_known)
        replace(&grants->list, store_mailbox_guid(mailbox), &given);
    pthread_mutex_unlock(&grants->lock);
    release(&given);
}

static enum err_code change_list(struct store_mailbox *mailbox, uint32_t folder,
                                 const struct acl_entry *what, enum acl_change change,
                                 struct err *err)
{
    struct store_op op = {.kind = OP_PROPERTY_SET, .mailbox = mailbox, .folder = folder};
    struct arena arena = {0};
    struct store_read *read;
    struct acl acl;
    enum err_code code = store_read_begin(mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = acl_read(read, folder, &acl, err);
    store_read_end(&read);
    if (code == ERR_NONE)
        code = acl_change(&acl, what, change, err);
    if (code != ERR_NONE)
        return code;
    acl_property(&arena, &acl, &op.in.property.property);
    code = store_run(&op);
    arena_reset(&arena);
    return code == ERR_NONE ? code : err_set(err, code, "%s", op.err.text);
}

enum err_code grants_change(struct grants *grants, struct store_mailbox *mailbox, uint32_t folder,
                            const struct acl_entry *what, enum acl_change change, struct err *err)
{
    enum err_code code;

    pthread_mutex_lock(&grants->change_lock);
    code = change_list(mailbox, folder, what, change, err);
    note_change(grants, mailbox);
    pthread_mutex_unlock(&grants->change_lock);
    return code;
}

void grants_forget(struct grants *grants)
{
    pthread_mutex_lock(&grants->lock);
    grants->again = grants->is_loading;
    grants->is_known = false;
    pthread_mutex_unlock(&grants->lock);
}

struct grants *grants_create(struct store *store)
{
    struct grants *grants = mem_alloc(sizeof(*grants));

    grants->store = store;
    pthread_mutex_init(&grants->change_lock, NULL);
    pthread_mutex_init(&grants->lock, NULL);
    pthread_cond_init(&grants->loaded, NULL);
    return grants;
}

void grants_destroy(struct grants **grants)
{
    if (*grants == NULL)
        return;
    release(&(*grants)->list);
    pthread_cond_destroy(&(*grants)->loaded);
    pthread_mutex_destroy(&(*grants)->lock);
    pthread_mutex_destroy(&(*grants)->change_lock);
    free(*grants);
    *grants = NULL;
}
