/* Messages out of the backup's segments into a folder, in lots of one commit each. */
#include <string.h>

#include "mailbox-backend/mailbox/uidl.h"
#include "mailbox-backend/restore_private.h"

#define CHUNK 65536u
#define PROPERTIES_MOST 16u /* of one item */
#define IMPORT_SOURCE "import/source"

/* What is read of one message in a snapshot of the backup. */
struct taken {
    struct store_item item;
    struct store_content *content;
    uint8_t summary[STORE_SUMMARY_MAX];
    size_t summary_length;
    struct store_property properties[PROPERTIES_MOST + 1];
    unsigned property_count;
};

/* ---- taking one out of the backup ---- */

/* What tells where a message came from is of use where it was only. */
static bool goes_along(const struct restoring *restoring, const char *name)
{
    return restoring->request->into == NULL ||
           (strcmp(name, UIDL_PROPERTY) != 0 && strcmp(name, IMPORT_SOURCE) != 0);
}

static void take_properties(const struct restoring *restoring, struct store_read *read,
                            struct arena *arena, struct taken *taken)
{
    uint64_t id = taken->item.item_id;
    char name[256] = "", next[256];
    uint8_t value[STORE_PROPERTY_MAX];
    size_t length;

    while (taken->property_count < PROPERTIES_MOST &&
           store_property_next(read, 0, id, "", name, next, sizeof(next), NULL) == ERR_NONE) {
        strcpy(name, next);
        if (goes_along(restoring, name) &&
            store_property_get(read, 0, id, name, value, sizeof(value), &length, NULL) == ERR_NONE)
            taken->properties[taken->property_count++] = (struct store_property){
                arena_string(arena, name), arena_copy(arena, value, length), length};
    }
}

/* A POP3 client that has the message need not fetch it again. */
static void take_uidl(const struct restoring *restoring, struct store_read *read,
                      struct arena *arena, struct taken *taken)
{
    char id[UIDL_MAX + 1];

    if (!restoring->is_inbox || uidl_kept(read, &taken->item, id))
        return;
    uidl_of(read, store_mailbox_guid(restoring->request->from), &taken->item, id);
    taken->properties[taken->property_count++] =
        (struct store_property){UIDL_PROPERTY, arena_string(arena, id), strlen(id)};
}

static enum err_code take(const struct restoring *restoring, uint32_t uid, struct arena *arena,
                          struct taken *taken, struct err *err)
{
    struct store_read *read;
    enum err_code code = store_read_begin(restoring->request->from, &read, err);

    if (code != ERR_NONE)
        return code;
    code = store_item_get(read, restoring->from, uid, &taken->item, err);
    if (code == ERR_NONE)
        code = store_content_open(read, &taken->item, &taken->content, err);
    if (code == ERR_NONE) {
        if (store_summary_get(read, restoring->from, uid, taken->summary, &taken->summary_length,
                              NULL) != ERR_NONE)
            taken->summary_length = 0; /* it is made anew where it is needed */
        take_properties(restoring, read, arena, taken);
        take_uidl(restoring, read, arena, taken);
    }
    store_read_end(&read);
    return code;
}

static enum err_code copy_content(struct store_content *content, struct store_draft *draft,
                                  struct err *err)
{
    uint8_t bytes[CHUNK];
    uint64_t at = 0;
    size_t got = 1;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && got > 0) {
        code = store_content_read(content, at, bytes, sizeof(bytes), &got, err);
        if (code == ERR_NONE && got > 0)
            code = store_draft_append(draft, bytes, got, err);
        at += got;
    }
    return code == ERR_NONE ? store_draft_finish(draft, err) : code;
}

/* ---- one operation ---- */

static void name_keywords(const struct restoring *restoring, const uint64_t bits[2],
                          struct arena *arena, struct store_keyword_names *keywords)
{
    const char **names = arena_array(arena, STORE_KEYWORDS_MAX, sizeof(*names));

    keywords->names = names;
    keywords->count = 0;
    for (unsigned bit = 0; bit < restoring->keyword_count; bit++) {
        if ((bits[bit / 64] >> bit % 64 & 1) != 0 && restoring->keywords[bit][0] != '\0')
            names[keywords->count++] = restoring->keywords[bit];
    }
}

static void fill(const struct restoring *restoring, struct restore_item *item,
                 const struct taken *taken)
{
    const struct restore_request *request = restoring->request;
    struct store_op *op = &item->op;
    struct arena *arena = &item->arena;

    *op = (struct store_op){.kind = OP_APPEND, .mailbox = request->to, .folder = restoring->to};
    op->in.append.draft = item->draft;
    op->in.append.flags.system = taken->item.flags.system;
    if (!request->flags) /* else the client's next EXPUNGE takes it again */
        op->in.append.flags.system &= ~(uint32_t)FLAG_DELETED;
    name_keywords(restoring, taken->item.flags.keywords, arena, &op->in.append.keywords);
    op->in.append.internal_date = taken->item.internal_date;
    op->in.append.zone = taken->item.zone;
    op->in.append.header_size = taken->item.header_size;
    op->in.append.no_final_newline = taken->item.no_final_newline;
    op->in.append.email_id = taken->item.email_id;
    op->in.append.thread_id = taken->item.thread_id;
    op->in.append.summary = arena_copy(arena, taken->summary, taken->summary_length);
    op->in.append.summary_length = taken->summary_length;
    op->in.append.properties = (struct store_property *)arena_copy(
        arena, taken->properties, taken->property_count * sizeof(taken->properties[0]));
    op->in.append.property_count = taken->property_count;
    op->in.append.quota_bytes = request->quota_bytes;
    op->in.append.quota_messages = request->quota_messages;
}

static enum err_code prepare(struct restoring *restoring, struct restore_item *item,
                             struct err *err)
{
    const struct restore_request *request = restoring->request;
    struct taken taken = {0};
    enum err_code code = take(restoring, item->uid, &item->arena, &taken, err);

    if (code == ERR_NONE)
        code = store_draft_create(request->store, store_mailbox_database(request->to),
                                  taken.item.size, &item->draft, err);
    if (code == ERR_NONE)
        code = copy_content(taken.content, item->draft, err);
    store_content_close(&taken.content);
    if (code == ERR_NONE) {
        fill(restoring, item, &taken);
        restoring->lot_bytes += taken.item.size;
    }
    return code;
}

/* ---- lots ---- */

static void drop(struct restore_item *item)
{
    store_draft_unref(&item->draft);
    arena_reset(&item->arena);
}

/* The message's own fault: another may do. */
static bool is_own_fault(enum err_code code)
{
    return code == ERR_CORRUPT || code == ERR_NOT_FOUND || code == ERR_LIMIT || code == ERR_INVALID;
}

static enum err_code note_failure(struct restoring *restoring, uint32_t uid,
                                  const struct err *problem, struct err *err)
{
    const struct restore_request *request = restoring->request;

    if (!is_own_fault(problem->code))
        return err_set(err, problem->code, "%s", problem->text);
    restoring->folder.counts.failed++;
    return request->failed(request->context, restoring->folder.from, uid, problem->text, err);
}

static enum err_code settle(struct restoring *restoring, const struct restore_item *item,
                            struct err *err)
{
    const struct store_op *op = &item->op;

    if (op->err.code == ERR_NONE) {
        restoring->folder.counts.restored++;
        return ERR_NONE;
    }
    if (op->over_quota) {
        restoring->result->over_quota = true;
        return err_set(err, ERR_LIMIT, "%s", op->err.text);
    }
    if (op->err.code == ERR_NOT_FOUND)
        return err_set(err, ERR_UNAVAILABLE, "the folder was deleted meanwhile");
    return note_failure(restoring, item->uid, &op->err, err);
}

static enum err_code flush(struct restoring *restoring, struct err *err)
{
    struct store_op *ops[RESTORE_LOT];
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < restoring->count; i++)
        ops[i] = &restoring->lot[i].op;
    if (restoring->count > 0)
        store_run_all(ops, restoring->count);
    for (size_t i = 0; i < restoring->count; i++) {
        struct err other; /* the first problem is told, what did work is counted */
        enum err_code done = settle(restoring, &restoring->lot[i], code == ERR_NONE ? err : &other);

        if (code == ERR_NONE)
            code = done;
        drop(&restoring->lot[i]);
    }
    restoring->count = 0;
    restoring->lot_bytes = 0;
    return code;
}

static enum err_code put_one(struct restoring *restoring, uint32_t uid, struct err *err)
{
    struct restore_item *item = &restoring->lot[restoring->count];
    struct err problem;
    enum err_code code;

    item->uid = uid;
    code = prepare(restoring, item, &problem);
    if (code != ERR_NONE) {
        drop(item);
        return note_failure(restoring, uid, &problem, err);
    }
    restoring->count++;
    if (restoring->count == RESTORE_LOT || restoring->lot_bytes >= RESTORE_LOT_BYTES)
        return flush(restoring, err);
    return ERR_NONE;
}

enum err_code restore_put(struct restoring *restoring, const uint32_t *uids, size_t count,
                          struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < count && code == ERR_NONE; i++) {
        code = restore_go_on(restoring->request, err);
        if (code == ERR_NONE)
            code = put_one(restoring, uids[i], err);
    }
    if (code == ERR_NONE)
        return flush(restoring, err);
    while (restoring->count > 0)
        drop(&restoring->lot[--restoring->count]);
    return code;
}

/* ---- flags ---- */

/* Both sides of a pair, and the names of the folder's keywords. */
static enum err_code read_items(struct store_mailbox *mailbox, uint32_t folder,
                                const uint32_t *uids, size_t count, struct store_item *items,
                                restore_keywords names, unsigned *name_count, struct err *err)
{
    struct store_read *read;
    enum err_code code = store_read_begin(mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = store_keyword_list(read, folder, names, name_count, err);
    for (size_t i = 0; i < count && code == ERR_NONE; i++) {
        code = store_item_get(read, folder, uids[i], &items[i], err);
        if (code == ERR_NOT_FOUND) { /* gone meanwhile */
            items[i].uid = 0;
            code = ERR_NONE;
        }
    }
    store_read_end(&read);
    return code;
}

static bool has_name(const struct store_keyword_names *keywords, const char *name)
{
    for (unsigned i = 0; i < keywords->count; i++) {
        if (str_equal_nocase(str_of(keywords->names[i]), str_of(name)))
            return true;
    }
    return false;
}

/* Whether an item has these flags and no others. */
static bool is_alike(const struct store_op *op, const struct store_item *now,
                     const restore_keywords names, unsigned name_count)
{
    unsigned found = 0;

    for (unsigned bit = 0; bit < name_count; bit++) {
        if ((now->flags.keywords[bit / 64] >> bit % 64 & 1) == 0)
            continue;
        if (!has_name(&op->in.flags.keywords, names[bit]))
            return false;
        found++;
    }
    return now->flags.system == op->in.flags.system && found == op->in.flags.keywords.count;
}

/* One lot: the operations that are needed. */
struct reflag {
    struct restoring *restoring;
    struct arena arena;
    struct store_op ops[RESTORE_LOT];
    struct uidset uids[RESTORE_LOT];
    size_t count;
    struct store_item then[RESTORE_LOT], now[RESTORE_LOT];
    restore_keywords names; /* of the folder now */
    unsigned name_count;
};

static enum err_code reflag_read(struct reflag *reflag, const struct uid_pair *pairs, size_t count,
                                 struct err *err)
{
    const struct restoring *restoring = reflag->restoring;
    uint32_t from[RESTORE_LOT], to[RESTORE_LOT];
    enum err_code code;

    for (size_t i = 0; i < count; i++) {
        from[i] = pairs[i].from;
        to[i] = pairs[i].to;
    }
    code = read_items(restoring->request->from, restoring->from, from, count, reflag->then,
                      reflag->names, &reflag->name_count, err);
    return code == ERR_NONE ? read_items(restoring->request->to, restoring->to, to, count,
                                         reflag->now, reflag->names, &reflag->name_count, err)
                            : code;
}

static void reflag_one(struct reflag *reflag, const struct store_item *then,
                       const struct store_item *now)
{
    struct store_op *op = &reflag->ops[reflag->count];

    *op = (struct store_op){.kind = OP_FLAGS,
                            .mailbox = reflag->restoring->request->to,
                            .folder = reflag->restoring->to};
    op->in.flags.mode = FLAGS_REPLACE;
    op->in.flags.system = then->flags.system;
    op->in.flags.unchanged_since = UINT64_MAX;
    name_keywords(reflag->restoring, then->flags.keywords, &reflag->arena, &op->in.flags.keywords);
    if (is_alike(op, now, reflag->names, reflag->name_count))
        return;
    uidset_add(&reflag->uids[reflag->count], now->uid);
    op->uids = &reflag->uids[reflag->count++];
}

static enum err_code reflag_run(struct reflag *reflag, struct err *err)
{
    struct restoring *restoring = reflag->restoring;
    struct store_op *ops[RESTORE_LOT];
    const size_t count = reflag->count;
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < count; i++)
        ops[i] = &reflag->ops[i];
    if (count > 0 && !restoring->request->dry_run)
        store_run_all(ops, count);
    for (size_t i = 0; i < count; i++) {
        if (code == ERR_NONE && ops[i]->err.code != ERR_NONE)
            code = err_set(err, ops[i]->err.code, "%s", ops[i]->err.text);
        restoring->folder.counts.flags += ops[i]->err.code == ERR_NONE;
        uidset_release(&ops[i]->out.flags.changed);
        uidset_release(&ops[i]->out.flags.refused);
        uidset_release(&reflag->uids[i]);
    }
    return code;
}

enum err_code restore_flags(struct restoring *restoring, const struct uid_pair *pairs, size_t count,
                            struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t at = 0; at < count && code == ERR_NONE; at += RESTORE_LOT) {
        size_t lot = count - at < RESTORE_LOT ? count - at : RESTORE_LOT;
        struct reflag reflag = {.restoring = restoring};

        code = restore_go_on(restoring->request, err);
        if (code == ERR_NONE)
            code = reflag_read(&reflag, pairs + at, lot, err);
        for (size_t i = 0; i < lot && code == ERR_NONE; i++) {
            if (reflag.then[i].uid != 0 && reflag.now[i].uid != 0)
                reflag_one(&reflag, &reflag.then[i], &reflag.now[i]);
        }
        if (code == ERR_NONE)
            code = reflag_run(&reflag, err);
        arena_reset(&reflag.arena);
    }
    return code;
}
