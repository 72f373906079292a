/* What has changed at the source since the last run. The rule: a message whose flags here are still those
   that were brought follows the source; one that somebody has changed here is left alone. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/mailbox/keyword.h"
#include "mailbox-backend/migrate_private.h"

#define LOT 32 /* messages of one commit */

/* The source's new flags of a message. */
struct change {
    uint32_t source, here;
    uint64_t before, now; /* marks: as last brought, as they are at the source */
    struct import_marks marks;
    const char *keywords[IMPORT_KEYWORDS_MAX];
    char origin[IMPORT_SOURCE_SIZE];
    struct uidset uids;
    struct store_op flags, property;
};

struct delta {
    struct migrate *migrate;
    size_t count;
    struct keyword_list keywords; /* of the folder here */
    struct change changes[LOT];
};

/* ---- flags here ---- */

static uint64_t mark_of(const struct delta *delta, const struct store_item *item)
{
    uint64_t mark = migrate_mark(item->flags.system);

    for (unsigned bit = 0; bit < delta->keywords.count; bit++) {
        if (keyword_is_set(&item->flags, bit))
            mark = migrate_mark_keyword(mark, delta->keywords.names[bit]);
    }
    return mark;
}

static void make_property(struct delta *delta, struct change *change, uint64_t item_id)
{
    const struct migrate *migrate = delta->migrate;
    const struct migrate_origin origin = {migrate->folder->key, change->source, change->now};

    migrate_origin_print(&origin, change->origin, sizeof(change->origin));
    change->property = (struct store_op){
        .kind = OP_PROPERTY_SET,
        .mailbox = migrate->request->mailbox,
        .folder = migrate->state.folder,
    };
    change->property.in.property.item_id = item_id;
    change->property.in.property.property =
        (struct store_property){IMPORT_SOURCE_PROPERTY, change->origin, strlen(change->origin)};
}

static void make_flags(struct delta *delta, struct change *change, uint64_t modseq)
{
    for (unsigned i = 0; i < change->marks.keyword_count; i++)
        change->keywords[i] = change->marks.keywords[i];
    uidset_release(&change->uids);
    uidset_add(&change->uids, change->here);
    change->flags = (struct store_op){
        .kind = OP_FLAGS,
        .mailbox = delta->migrate->request->mailbox,
        .folder = delta->migrate->state.folder,
        .uids = &change->uids,
    };
    change->flags.in.flags.mode = FLAGS_REPLACE;
    change->flags.in.flags.system = change->marks.flags;
    change->flags.in.flags.keywords =
        (struct store_keyword_names){change->keywords, change->marks.keyword_count};
    change->flags.in.flags.unchanged_since = modseq;
}

/* Appends the operations that the change needs. */
static void decide(struct delta *delta, struct change *change, const struct store_item *item,
                   struct store_op **ops, size_t *count)
{
    uint64_t here = mark_of(delta, item);

    if (here != change->before && here != change->now) {
        delta->migrate->result->kept++;
        return;
    }
    if (here != change->now) {
        make_flags(delta, change, item->modseq);
        ops[(*count)++] = &change->flags;
        delta->migrate->row.flags++;
    }
    make_property(delta, change, item->item_id);
    ops[(*count)++] = &change->property;
}

static enum err_code end_flags(struct delta *delta, struct store_op *op, struct err *err)
{
    const struct change *change =
        (const struct change *)(const void *)((char *)op - offsetof(struct change, flags));

    uidset_release(&op->out.flags.changed);
    uidset_release(&op->out.flags.refused);
    if (op->err.code != ERR_LIMIT) /* too many keywords: the message stays as it is */
        return op->err.code;
    delta->migrate->row.flags--;
    return migrate_report(delta->migrate, change->source, op->err.text, err);
}

static enum err_code end_ops(struct delta *delta, struct store_op **ops, size_t count,
                             struct err *err)
{
    enum err_code code = ERR_NONE;

    if (count > 0)
        store_run_all(ops, count);
    for (size_t i = 0; i < count; i++) {
        enum err_code failed =
            ops[i]->kind == OP_FLAGS ? end_flags(delta, ops[i], err) : ops[i]->err.code;

        if (failed != ERR_NONE && failed != ERR_NOT_FOUND && code == ERR_NONE)
            code = err_set(err, failed, "%s", ops[i]->err.text);
    }
    return code;
}

/* Applies what was collected. */
static enum err_code apply(struct delta *delta, struct err *err)
{
    struct store_op *ops[2 * LOT];
    struct store_read *read;
    size_t count = 0;
    enum err_code code;

    if (delta->count == 0)
        return ERR_NONE;
    code = store_read_begin(delta->migrate->request->mailbox, &read, err);
    if (code != ERR_NONE)
        return code;
    code = keyword_list_read(&delta->keywords, read, delta->migrate->state.folder, NULL, err);
    for (size_t i = 0; i < delta->count && code == ERR_NONE; i++) {
        struct change *change = &delta->changes[i];
        struct store_item item;

        if (store_item_get(read, delta->migrate->state.folder, change->here, &item, NULL) ==
            ERR_NONE)
            decide(delta, change, &item, ops, &count);
    }
    store_read_end(&read);
    delta->count = 0;
    return code == ERR_NONE ? end_ops(delta, ops, count, err) : code;
}

static enum err_code on_fetch(void *context, const struct imap_event *event, struct err *err)
{
    struct delta *delta = context;
    const struct imap_fetch *fetch = event->fetch;
    const struct migrate_known *known;
    struct change *change;
    enum err_code code = ERR_NONE;

    if (event->kind != IMAP_FETCH || !fetch->has_flags || fetch->uid == 0)
        return ERR_NONE;
    known = migrate_find_known(delta->migrate, fetch->uid);
    if (known == NULL || known->mark == migrate_fetch_mark(fetch))
        return ERR_NONE;
    change = &delta->changes[delta->count++];
    change->source = fetch->uid;
    change->here = known->here;
    change->before = known->mark;
    change->now = migrate_fetch_mark(fetch);
    migrate_fill_flags(fetch, &change->marks);
    if (delta->count == LOT)
        code = apply(delta, err);
    delta->migrate->is_own_fault |= code != ERR_NONE;
    return code;
}

/* May be run twice: what was applied is then compared with what it has become. */
static enum err_code ask_flags(struct migrate *migrate, struct err *err)
{
    struct delta *delta = mem_alloc(sizeof(*delta));
    const struct imap_listener listener = {on_fetch, delta};
    enum err_code code = migrate_select(migrate, err);

    delta->migrate = migrate;
    if (code == ERR_NONE) {
        imap_client_begin(migrate->client, "UID FETCH 1:%u (UID FLAGS)",
                          migrate->known[migrate->known_count - 1].source);
        if (migrate->modseq != 0 && migrate->state.modseq != 0)
            imap_client_put(migrate->client, " (CHANGEDSINCE %llu)",
                            (unsigned long long)migrate->state.modseq);
        code = imap_client_finish(migrate->client, &listener, err);
    }
    if (code == ERR_NONE) {
        code = apply(delta, err);
        migrate->is_own_fault |= code != ERR_NONE;
    }
    for (size_t i = 0; i < LOT; i++)
        uidset_release(&delta->changes[i].uids);
    keyword_list_release(&delta->keywords);
    free(delta);
    return code;
}

enum err_code migrate_flags(struct migrate *migrate, struct err *err)
{
    if (migrate->known_count == 0 ||
        (migrate->modseq != 0 && migrate->modseq == migrate->state.modseq))
        return ERR_NONE;
    return migrate_try(migrate, ask_flags, err);
}

/* ---- expunged at the source ---- */

static enum err_code remove_uids(struct migrate *migrate, const struct uidset *uids,
                                 struct err *err)
{
    struct store_op op = {
        .kind = OP_EXPUNGE,
        .mailbox = migrate->request->mailbox,
        .folder = migrate->state.folder,
        .uids = uids,
    };
    enum err_code code;

    if (uidset_is_empty(uids))
        return ERR_NONE;
    code = store_run(&op);
    migrate->row.removed += uidset_size(&op.out.expunge.removed);
    uidset_release(&op.out.expunge.removed);
    return code == ERR_NONE ? code : err_set(err, code, "%s", op.err.text);
}

/* Of some that are gone at the source, those that nobody has changed here. */
static enum err_code remove_some(struct delta *delta, const struct migrate_known *known,
                                 size_t count, struct err *err)
{
    struct migrate *migrate = delta->migrate;
    struct uidset untouched = {0};
    struct store_read *read;
    enum err_code code = store_read_begin(migrate->request->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = keyword_list_read(&delta->keywords, read, migrate->state.folder, NULL, err);
    for (size_t i = 0; i < count && code == ERR_NONE; i++) {
        struct store_item item;

        if (uidset_has(&migrate->present, known[i].source) ||
            store_item_get(read, migrate->state.folder, known[i].here, &item, NULL) != ERR_NONE)
            continue;
        if (mark_of(delta, &item) == known[i].mark)
            uidset_add(&untouched, item.uid);
        else
            migrate->result->kept++;
    }
    store_read_end(&read);
    if (code == ERR_NONE)
        code = remove_uids(migrate, &untouched, err);
    uidset_release(&untouched);
    return code;
}

enum err_code migrate_expunge(struct migrate *migrate, struct err *err)
{
    struct delta *delta = mem_alloc(sizeof(*delta));
    enum err_code code = ERR_NONE;

    delta->migrate = migrate;
    for (size_t i = 0; i < migrate->known_count && code == ERR_NONE; i += LOT) {
        size_t left = migrate->known_count - i;

        code = remove_some(delta, &migrate->known[i], left < LOT ? left : LOT, err);
    }
    keyword_list_release(&delta->keywords);
    free(delta);
    return code;
}
