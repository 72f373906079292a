#include "tests/unit/store/model_store.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailbox-backend/store/maintain.h"

#define PROPERTY "/shared/model"
#define WAIT_MS 20000 /* for the slices in which a deleted folder's items become recoverable */

static struct store_guid guid_of(unsigned n)
{
    return (struct store_guid){
        {0xD0, (uint8_t)n}
    };
}

/* Says why, and gives false. */
static bool differs(struct model_store *store, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool differs(struct model_store *store, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(store->why, sizeof(store->why), format, arguments);
    va_end(arguments);
    return false;
}

#define DIFFERS(...) differs(store, __VA_ARGS__)

/* Returns from the function when two numbers differ. */
#define SAME(what, got, wanted)                                                                    \
    do {                                                                                           \
        if ((uint64_t)(got) != (uint64_t)(wanted))                                                 \
            return DIFFERS("%s: %s is %" PRIu64 ", not %" PRIu64, where, what, (uint64_t)(got),    \
                           (uint64_t)(wanted));                                                    \
    } while (0)

static uint8_t message[MODEL_MESSAGE_MOST]; /* the one at hand */

/* ---- opening ---- */

bool model_store_open(struct model_store *store)
{
    struct err err;

    if (store_open(&store->store, &store->settings, &err) != ERR_NONE)
        return DIFFERS("open: %s", err.text);
    for (unsigned n = 0; n < MODEL_MAILBOXES; n++) {
        struct store_guid guid = guid_of(n);
        enum err_code code =
            store_mailbox_open(store->store, &guid, false, &store->mailboxes[n], NULL, &err);

        if (code == ERR_NOT_FOUND)
            store->mailboxes[n] = NULL;
        else if (code != ERR_NONE)
            return DIFFERS("open a mailbox: %s", err.text);
    }
    return true;
}

void model_store_close(struct model_store *store)
{
    for (unsigned n = 0; n < MODEL_MAILBOXES; n++)
        if (store->mailboxes[n] != NULL)
            store_mailbox_unref(&store->mailboxes[n]);
    store_close(&store->store);
}

/* ---- doing ---- */

/* What one action needs while it runs. */
struct running {
    struct store_op op;
    const char *keywords[MODEL_KEYWORDS];
    struct store_property property;
    char value[16];
    uint8_t summary[100];
    struct store_recoverable_id ids[MODEL_RECOVERED];
};

static size_t summary_of(uint64_t number, uint8_t summary[100])
{
    size_t length = (size_t)(number % 100);

    memset(summary, (int)(number % 251), length);
    return length;
}

static uint32_t header_of(uint64_t number)
{
    return (uint32_t)(number % (model_message_size(number) + 1));
}

static bool lacks_newline(uint64_t number)
{
    return number % 3 == 0 && model_message_size(number) > 0;
}

static struct store_keyword_names keywords_of(struct running *running, uint32_t bits)
{
    struct store_keyword_names names = {running->keywords, 0};

    for (unsigned i = 0; i < MODEL_KEYWORDS; i++)
        if ((bits >> i & 1) != 0)
            running->keywords[names.count++] = model_keywords[i];
    return names;
}

static void set_property(struct running *running, uint32_t value)
{
    running->property.name = PROPERTY;
    running->property.value = running->value;
    running->property.length =
        value == 0 ? 0
                   : (size_t)snprintf(running->value, sizeof(running->value), "%" PRIu32, value);
}

static bool make_draft(struct model_store *store, uint64_t number, struct store_draft **draft)
{
    struct err err;
    size_t length = model_message(number, message);
    const uint8_t *bytes = message;
    enum err_code code = store_draft_create(store->store, 0, length, draft, &err);

    if (code == ERR_NONE)
        code = store_draft_append(*draft, bytes, length / 3, &err);
    if (code == ERR_NONE)
        code = store_draft_append(*draft, bytes + length / 3, length - length / 3, &err);
    if (code == ERR_NONE)
        code = store_draft_finish(*draft, &err);
    return code == ERR_NONE || DIFFERS("draft: %s", err.text);
}

static bool prepare_append(struct model_store *store, const struct model_turn *turn, unsigned at,
                           struct running *all)
{
    const struct model_action *action = &turn->actions[at];
    struct running *running = &all[at];
    struct store_op *op = &running->op;

    for (unsigned i = 0; i < at && op->in.append.draft == NULL; i++)
        if (all[i].op.kind == OP_APPEND && turn->actions[i].number == action->number)
            op->in.append.draft = store_draft_ref(all[i].op.in.append.draft);
    if (op->in.append.draft == NULL && !make_draft(store, action->number, &op->in.append.draft))
        return false;
    op->in.append.flags.system = action->system;
    op->in.append.keywords = keywords_of(running, action->keywords);
    op->in.append.internal_date = (int64_t)action->number * 7;
    op->in.append.email_id = action->number;
    op->in.append.thread_id = ~action->number;
    op->in.append.header_size = header_of(action->number);
    op->in.append.no_final_newline = lacks_newline(action->number);
    op->in.append.least_uid = action->least_uid;
    op->in.append.quota_bytes = action->tight_quota ? 1 : 0;
    op->in.append.summary = running->summary;
    op->in.append.summary_length = summary_of(action->number, running->summary);
    set_property(running, action->value);
    op->in.append.properties = &running->property;
    op->in.append.property_count = action->value != 0;
    return true;
}

/* When the items with these ids expire, which makes up their names. Slices may still bring some. */
static bool find_recoverable(struct model_store *store, const struct model_action *action,
                             struct running *running)
{
    for (unsigned waited = 0; waited < WAIT_MS; waited++) {
        struct store_recoverable entry = {0};
        struct store_read *read;
        size_t found = 0;

        if (store_read_begin(store->mailboxes[action->mailbox], &read, NULL) != ERR_NONE)
            return DIFFERS("recoverable: no snapshot");
        while (store_recoverable_next(read, &entry, NULL) == ERR_NONE)
            for (size_t i = 0; i < action->item_count; i++)
                if (action->item_ids[i] == entry.id.item_id) {
                    running->ids[i] = entry.id;
                    found++;
                }
        store_read_end(&read);
        if (found == action->item_count)
            return true;
        usleep(1000);
    }
    return DIFFERS("mailbox %u: not all that was expunged is recoverable", action->mailbox);
}

static bool prepare(struct model_store *store, const struct model_turn *turn, unsigned at,
                    struct running *all)
{
    const struct model_action *action = &turn->actions[at];
    struct running *running = &all[at];
    struct store_op *op = &running->op;

    op->kind = action->kind;
    op->mailbox = store->mailboxes[action->mailbox];
    op->folder = action->folder;
    op->uids = &action->uids;
    switch (action->kind) {
    case OP_APPEND:
        return prepare_append(store, turn, at, all);
    case OP_FLAGS:
        op->in.flags.mode = action->mode;
        op->in.flags.system = action->system;
        op->in.flags.keywords = keywords_of(running, action->keywords);
        op->in.flags.unchanged_since = action->unchanged_since;
        return true;
    case OP_EXPUNGE:
        op->in.expunge.only_deleted = action->only_deleted;
        return true;
    case OP_COPY:
    case OP_MOVE:
        op->in.copy.target = action->target;
        op->in.copy.quota_bytes = action->kind == OP_COPY && action->tight_quota ? 1 : 0;
        return true;
    case OP_FOLDER_CREATE:
        op->in.create.parent = action->target;
        op->in.create.name = action->name;
        op->in.create.class = CLASS_MAIL;
        return true;
    case OP_FOLDER_RENAME:
        op->in.rename.parent = action->target;
        op->in.rename.name = action->name;
        return true;
    case OP_PROPERTY_SET:
        set_property(running, action->value);
        op->in.property.item_id = action->item_id;
        op->in.property.property = running->property;
        return true;
    case OP_RECOVER:
    case OP_PURGE:
        op->in.recover.ids = running->ids;
        op->in.recover.count = action->item_count;
        return find_recoverable(store, action, running);
    default:
        return true;
    }
}

static bool is_same_set(const struct uidset *a, const struct uidset *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->ranges, b->ranges, a->count * sizeof(*a->ranges)) == 0);
}

static bool check_result(struct model_store *store, const struct model_turn *turn, unsigned at,
                         const struct store_op *op)
{
    const struct model_action *action = &turn->actions[at];
    char where[80];

    snprintf(where, sizeof(where), "action %u of kind %d on mailbox %u folder %" PRIu32, at,
             (int)action->kind, action->mailbox, action->folder);
    if (op->err.code != action->expected.code)
        return DIFFERS("%s: %s (%s), not %s", where, err_word(op->err.code), op->err.text,
                       err_word(action->expected.code));
    if (op->err.code != ERR_NONE)
        return true;
    if (action->kind != OP_PURGE && action->kind != OP_MAILBOX_REMOVE)
        SAME("the modseq", op->modseq, action->expected.modseq);
    switch (action->kind) {
    case OP_APPEND:
        SAME("the uid", op->out.append.uid, action->expected.uid);
        SAME("the item id", op->out.append.item_id, action->expected.item_id);
        return true;
    case OP_FLAGS:
        if (!is_same_set(&op->out.flags.refused, &action->expected.refused))
            return DIFFERS("%s: others were refused", where);
        return is_same_set(&op->out.flags.changed, &action->expected.uids) ||
               DIFFERS("%s: others were changed", where);
    case OP_EXPUNGE:
        return is_same_set(&op->out.expunge.removed, &action->expected.uids) ||
               DIFFERS("%s: others were removed", where);
    case OP_COPY:
    case OP_MOVE:
        SAME("the first uid", op->out.copy.first, action->expected.uid);
        return is_same_set(&op->out.copy.source, &action->expected.uids) ||
               DIFFERS("%s: others were taken", where);
    case OP_FOLDER_CREATE:
        SAME("the folder", op->out.create.folder, action->expected.folder);
        return true;
    case OP_RECOVER:
    case OP_PURGE:
        SAME("the count", op->out.recover.count, action->expected.count);
        return true;
    default:
        return true;
    }
}

static void finish(struct store_op *op)
{
    if (op->kind == OP_APPEND) {
        if (op->in.append.draft != NULL)
            store_draft_unref(&op->in.append.draft);
    } else if (op->kind == OP_FLAGS) {
        uidset_release(&op->out.flags.changed);
        uidset_release(&op->out.flags.refused);
    } else if (op->kind == OP_EXPUNGE) {
        uidset_release(&op->out.expunge.removed);
    } else if (op->kind == OP_COPY || op->kind == OP_MOVE) {
        uidset_release(&op->out.copy.source);
    }
}

static bool create_mailbox(struct model_store *store, const struct model_action *action)
{
    struct store_guid guid = guid_of(action->mailbox);
    bool created = false;
    struct err err;

    if (store_mailbox_open(store->store, &guid, true, &store->mailboxes[action->mailbox], &created,
                           &err) != ERR_NONE)
        return DIFFERS("create mailbox %u: %s", action->mailbox, err.text);
    return created || DIFFERS("mailbox %u was there already", action->mailbox);
}

static void all_done(struct store_op *op)
{
    (void)op;
}

/* Waits for all: with all_or_none through an operation of its own behind them, which changes nothing. */
static void submit(struct store_op **list, unsigned count, bool all_or_none)
{
    struct store_op last = {
        .kind = OP_FOLDER_DELETE, .mailbox = list[0]->mailbox, .folder = STORE_ROOT_FOLDER};

    if (!all_or_none) {
        store_run_all(list, count);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        list[i]->done = all_done;
    store_submit_all(list, count, true);
    store_run(&last);
}

bool model_store_run(struct model_store *store, const struct model_turn *turn,
                     uint32_t uid_validities[MODEL_ACTIONS])
{
    struct running *all = calloc(turn->count, sizeof(*all));
    struct store_op *list[MODEL_ACTIONS];
    bool good = true;

    if (turn->actions[0].kind == OP_MAILBOX_CREATE) {
        free(all);
        return create_mailbox(store, &turn->actions[0]);
    }
    for (unsigned i = 0; i < turn->count && good; i++) {
        list[i] = &all[i].op;
        good = prepare(store, turn, i, all);
    }
    if (good)
        submit(list, turn->count, turn->all_or_none);
    for (unsigned i = 0; i < turn->count; i++) {
        good = good && check_result(store, turn, i, &all[i].op);
        uid_validities[i] =
            all[i].op.kind == OP_FOLDER_CREATE ? all[i].op.out.create.uid_validity : 0;
        finish(&all[i].op);
    }
    if (turn->actions[0].kind == OP_MAILBOX_REMOVE)
        store_mailbox_unref(&store->mailboxes[turn->actions[0].mailbox]);
    free(all);
    return good;
}

/* ---- comparing ---- */

struct comparison {
    struct model_store *store;
    const struct model_mailbox *mailbox;
    struct store_read *read;
    const char *where;
    uint64_t dice;
    bool deep;
};

static bool compare_content(struct comparison *comparison, const struct store_item *item,
                            uint64_t number)
{
    struct model_store *store = comparison->store;
    struct store_content *content;
    struct err err;
    static uint8_t bytes[MODEL_MESSAGE_MOST + 1];
    size_t length = model_message(number, message);
    size_t got = 0, part = 1;
    bool good;

    if (store_content_open(comparison->read, item, &content, &err) != ERR_NONE)
        return DIFFERS("%s uid %" PRIu32 ": content: %s", comparison->where, item->uid, err.text);
    while (part > 0 && got <= length &&
           store_content_read(content, got, bytes + got, length + 1 - got, &part, &err) == ERR_NONE)
        got += part;
    good = (got == length && memcmp(bytes, message, length) == 0) ||
           DIFFERS("%s uid %" PRIu32 ": the content of message %" PRIu64 " differs",
                   comparison->where, item->uid, number);
    store_content_close(&content);
    return good;
}

static bool compare_property(struct comparison *comparison, uint32_t folder, uint64_t item_id,
                             uint32_t wanted)
{
    struct model_store *store = comparison->store;
    uint8_t bytes[16] = "";
    size_t length = 0;
    enum err_code code = store_property_get(comparison->read, folder, item_id, PROPERTY, bytes,
                                            sizeof(bytes) - 1, &length, NULL);
    const char *where = comparison->where;

    SAME("the property's code", code, wanted == 0 ? ERR_NOT_FOUND : ERR_NONE);
    if (wanted != 0)
        SAME("the property", strtoul((char *)bytes, NULL, 10), wanted);
    return true;
}

static bool compare_summary(struct comparison *comparison, uint32_t folder, uint32_t uid,
                            uint64_t number)
{
    struct model_store *store = comparison->store;
    uint8_t got[STORE_SUMMARY_MAX], wanted[100];
    size_t length = 0;
    size_t wanted_length = summary_of(number, wanted);
    enum err_code code = store_summary_get(comparison->read, folder, uid, got, &length, NULL);

    /* A recovered item has none: it is made again when it is asked for. */
    return (code == ERR_NOT_FOUND) ||
           (code == ERR_NONE && length == wanted_length && memcmp(got, wanted, length) == 0) ||
           DIFFERS("%s uid %" PRIu32 ": the summary differs", comparison->where, uid);
}

static bool compare_item(struct comparison *comparison, uint32_t folder,
                         const struct store_item *item, const struct model_item *wanted,
                         uint32_t keywords)
{
    struct model_store *store = comparison->store;
    char where[120];

    snprintf(where, sizeof(where), "%s uid %" PRIu32, comparison->where, wanted->uid);
    SAME("the uid", item->uid, wanted->uid);
    SAME("the message", item->email_id, wanted->number);
    SAME("flags", item->flags.system, wanted->system);
    SAME("keywords", keywords, wanted->keywords);
    SAME("the modseq", item->modseq, wanted->modseq);
    SAME("the item id", item->item_id, wanted->item_id);
    SAME("the size", item->size, model_message_size(wanted->number));
    SAME("the thread", item->thread_id, ~wanted->number);
    SAME("the header's size", item->header_size, header_of(wanted->number));
    SAME("the final newline", item->no_final_newline, lacks_newline(wanted->number));
    SAME("the date", item->internal_date, wanted->number * 7);
    if (!comparison->deep)
        return true;
    if (wanted->number % 4 == comparison->dice % 4 &&
        !compare_content(comparison, item, wanted->number))
        return false;
    return compare_property(comparison, folder, item->item_id, wanted->property) &&
           compare_summary(comparison, folder, item->uid, wanted->number);
}

/* A folder's bits to the model's. */
static bool map_keywords(struct comparison *comparison, uint32_t folder,
                         uint32_t map[STORE_KEYWORDS_MAX])
{
    static char names[STORE_KEYWORDS_MAX][STORE_KEYWORD_NAME_MAX + 1];
    struct model_store *store = comparison->store;
    unsigned count;

    if (store_keyword_list(comparison->read, folder, names, &count, NULL) != ERR_NONE ||
        count > MODEL_KEYWORDS)
        return DIFFERS("%s: the keywords cannot be listed", comparison->where);
    for (unsigned bit = 0; bit < count; bit++) {
        map[bit] = 0;
        for (unsigned i = 0; i < MODEL_KEYWORDS; i++)
            if (strcmp(names[bit], model_keywords[i]) == 0)
                map[bit] |= 1u << i;
        if (map[bit] == 0)
            return DIFFERS("%s: there is a keyword %s", comparison->where, names[bit]);
    }
    for (unsigned bit = count; bit < STORE_KEYWORDS_MAX; bit++)
        map[bit] = 1u << 31; /* has no name */
    return true;
}

static uint32_t mapped(const struct store_item *item, const uint32_t map[STORE_KEYWORDS_MAX])
{
    uint32_t keywords = 0;

    for (unsigned word = 0; word < 2; word++)
        for (uint64_t bits = item->flags.keywords[word]; bits != 0; bits &= bits - 1)
            keywords |= map[word * 64 + (unsigned)__builtin_ctzll(bits)];
    return keywords;
}

static bool compare_items(struct comparison *comparison, const struct model_folder *folder)
{
    struct model_store *store = comparison->store;
    struct store_item items[64];
    uint32_t map[STORE_KEYWORDS_MAX];
    uint32_t first = 1;
    size_t at = 0, count;

    if (!map_keywords(comparison, folder->id, map))
        return false;
    do {
        if (store_item_scan(comparison->read, folder->id, first, UINT32_MAX, 0, items, 64, &count,
                            NULL) != ERR_NONE)
            return DIFFERS("%s: cannot be scanned", comparison->where);
        for (size_t i = 0; i < count; i++, at++) {
            if (at == folder->count)
                return DIFFERS("%s: uid %" PRIu32 " should not be there", comparison->where,
                               items[i].uid);
            if (!compare_item(comparison, folder->id, &items[i], &folder->items[at],
                              mapped(&items[i], map)))
                return false;
            first = items[i].uid + 1;
        }
    } while (count == 64);
    return at == folder->count ||
           DIFFERS("%s: uid %" PRIu32 " is missing", comparison->where, folder->items[at].uid);
}

static bool compare_changes(struct comparison *comparison, const struct model_folder *folder)
{
    struct model_store *store = comparison->store;
    const char *where = comparison->where;
    uint64_t since =
        folder->highest_modseq -
        comparison->dice % (folder->highest_modseq < 300 ? folder->highest_modseq : 300);
    struct uidset gone = {0}, wanted = {0};
    struct store_item items[64];
    bool complete, good;
    size_t count, newer = 0;

    if (store_vanished(comparison->read, folder->id, since, &gone, &complete, NULL) != ERR_NONE ||
        store_item_scan(comparison->read, folder->id, 1, UINT32_MAX, since, items, 64, &count,
                        NULL) != ERR_NONE)
        return DIFFERS("%s: changes cannot be read", where);
    for (size_t i = 0; i < folder->gone_count; i++)
        for (size_t n = 0; n < folder->gone[i].uids.count && folder->gone[i].modseq > since; n++)
            uidset_add_range(&wanted, folder->gone[i].uids.ranges[n].first,
                             folder->gone[i].uids.ranges[n].last);
    good = is_same_set(&gone, &wanted) || DIFFERS("%s: others vanished", where);
    uidset_release(&gone);
    uidset_release(&wanted);
    for (size_t i = 0; i < folder->count && newer < 64; i++)
        newer += folder->items[i].modseq > since;
    SAME("completeness", complete, since >= folder->floor);
    SAME("the count of what changed", count, newer);
    return good;
}

static bool compare_folder(struct comparison *comparison, struct model_folder *folder)
{
    struct model_store *store = comparison->store;
    const char *where = comparison->where;
    struct store_folder got;
    uint64_t unseen = 0, deleted = 0, bytes = 0;

    for (size_t i = 0; i < folder->count; i++) {
        unseen += (folder->items[i].system & FLAG_SEEN) == 0;
        deleted += (folder->items[i].system & FLAG_DELETED) != 0;
        bytes += model_message_size(folder->items[i].number);
    }
    if (store_folder_get(comparison->read, folder->id, &got, NULL) != ERR_NONE)
        return DIFFERS("%s: is not there", where);
    if (folder->uid_validity == 0)
        folder->uid_validity = got.uid_validity;
    if (strcmp(got.name, folder->name) != 0)
        return DIFFERS("%s: its name is %s", where, got.name);
    SAME("the parent", got.parent, folder->parent);
    SAME("UIDVALIDITY", got.uid_validity, folder->uid_validity);
    SAME("UIDNEXT", got.uid_next, folder->uid_next);
    SAME("HIGHESTMODSEQ", got.highest_modseq, folder->highest_modseq);
    SAME("messages", got.messages, folder->count);
    SAME("unseen", got.unseen, unseen);
    SAME("deleted", got.deleted, deleted);
    SAME("bytes", got.bytes, bytes);
    SAME("the floor", got.vanished_floor, folder->floor);
    return true;
}

/* The names below each folder lead to those that are there, and to no others. */
static bool compare_tree(struct comparison *comparison)
{
    const struct model_mailbox *mailbox = comparison->mailbox;
    struct model_store *store = comparison->store;
    const char *where = comparison->where;
    struct store_folder child, found;
    unsigned count = 1;

    for (unsigned i = 0; i < mailbox->folder_count; i++) {
        child.name[0] = '\0';
        while (store_folder_next(comparison->read, mailbox->folders[i]->id, child.name, &child,
                                 NULL) == ERR_NONE) {
            count++;
            if (store_folder_find(comparison->read, mailbox->folders[i]->id, str_of(child.name),
                                  &found, NULL) != ERR_NONE ||
                found.id != child.id || model_folder(mailbox, child.id) == NULL)
                return DIFFERS("%s: a folder %s is too many", where, child.name);
        }
    }
    SAME("the number of folders", count, mailbox->folder_count);
    return true;
}

static bool compare_recoverable(struct comparison *comparison)
{
    const struct model_mailbox *mailbox = comparison->mailbox;
    struct model_store *store = comparison->store;
    struct store_recoverable entry = {0};
    size_t count = 0;
    char where[120];

    while (store_recoverable_next(comparison->read, &entry, NULL) == ERR_NONE) {
        const struct model_recoverable *wanted = mailbox->recoverable;
        const struct model_recoverable *end = wanted + mailbox->recoverable_count;

        while (wanted < end && wanted->item.item_id != entry.id.item_id)
            wanted++;
        snprintf(where, sizeof(where), "%s recoverable %" PRIu64, comparison->where,
                 entry.id.item_id);
        if (wanted == end)
            return DIFFERS("%s: should not be there", where);
        SAME("the folder", entry.folder, wanted->folder);
        SAME("the message", entry.item.email_id, wanted->item.number);
        SAME("flags", entry.item.flags.system, wanted->item.system);
        if (wanted->item.number % 4 == comparison->dice % 4 &&
            !compare_content(comparison, &entry.item, wanted->item.number))
            return false;
        if (!compare_property(comparison, 0, entry.id.item_id, wanted->item.property))
            return false;
        count++;
    }
    snprintf(where, sizeof(where), "%s", comparison->where);
    SAME("the count of recoverable items", count, mailbox->recoverable_count);
    return true;
}

static bool compare_usage(struct comparison *comparison)
{
    const struct model_mailbox *mailbox = comparison->mailbox;
    struct model_store *store = comparison->store;
    const char *where = comparison->where;
    struct store_usage usage;
    uint64_t messages = 0, bytes = 0;

    for (unsigned i = 0; i < mailbox->folder_count; i++)
        for (size_t n = 0; n < mailbox->folders[i]->count; n++, messages++)
            bytes += model_message_size(mailbox->folders[i]->items[n].number);
    if (store_usage(comparison->read, &usage, NULL) != ERR_NONE)
        return DIFFERS("%s: the usage cannot be read", where);
    SAME("the mailbox's messages", usage.messages, messages);
    SAME("the mailbox's bytes", usage.bytes, bytes);
    SAME("the newest modseq", store_read_modseq(comparison->read), mailbox->modseq);
    return true;
}

static bool is_named(const struct model_turn *turn, unsigned mailbox, uint32_t folder)
{
    for (unsigned i = 0; turn != NULL && i < turn->count; i++)
        if (turn->actions[i].mailbox == mailbox &&
            (turn->actions[i].folder == folder || turn->actions[i].target == folder))
            return true;
    return false;
}

static bool compare_folders(struct comparison *comparison, const struct model_turn *turn,
                            unsigned number)
{
    const struct model_mailbox *mailbox = comparison->mailbox;
    char where[60];

    comparison->where = where;
    for (unsigned i = 0; i < mailbox->folder_count; i++) {
        struct model_folder *folder = mailbox->folders[i];

        snprintf(where, sizeof(where), "mailbox %u folder %" PRIu32, number, folder->id);
        if (!compare_folder(comparison, folder))
            return false;
        if (!comparison->deep && !is_named(turn, number, folder->id))
            continue;
        if (!compare_items(comparison, folder) || !compare_changes(comparison, folder))
            return false;
        if (comparison->deep && !compare_property(comparison, folder->id, 0, folder->property))
            return false;
    }
    snprintf(where, sizeof(where), "mailbox %u", number);
    if (!compare_usage(comparison))
        return false;
    return !comparison->deep ||
           (compare_property(comparison, 0, 0, mailbox->property) && compare_tree(comparison));
}

static bool has_mailbox(const struct model_turn *turn, unsigned number)
{
    for (unsigned i = 0; i < turn->count; i++)
        if (turn->actions[i].mailbox == number)
            return true;
    return false;
}

/* Within one snapshot. */
static bool compare_once(struct comparison *comparison, const struct model_turn *turn,
                         unsigned number, bool recoverable)
{
    struct model_store *store = comparison->store;
    char where[20];
    struct err err;
    bool good;

    if (store_read_begin(store->mailboxes[number], &comparison->read, &err) != ERR_NONE)
        return DIFFERS("mailbox %u: %s", number, err.text);
    if (recoverable) {
        snprintf(where, sizeof(where), "mailbox %u", number);
        comparison->where = where;
        good = compare_recoverable(comparison);
    } else {
        good = compare_folders(comparison, turn, number);
    }
    store_read_end(&comparison->read);
    return good;
}

bool model_store_compare(struct model_store *store, struct model *model,
                         const struct model_turn *turn, bool deep, bool wait)
{
    struct comparison comparison = {
        .store = store, .deep = deep, .dice = model_random(model->seed, model->turn, 99)};

    for (unsigned n = 0; n < MODEL_MAILBOXES; n++) {
        comparison.mailbox = &model->mailboxes[n];
        if (comparison.mailbox->there != (store->mailboxes[n] != NULL))
            return DIFFERS("mailbox %u: is %s", n, comparison.mailbox->there ? "gone" : "there");
        if (!comparison.mailbox->there || (!deep && !has_mailbox(turn, n)))
            continue;
        if (!compare_once(&comparison, turn, n, false))
            return false;
        for (unsigned waited = 0; deep && !compare_once(&comparison, turn, n, true); waited++) {
            if (!wait || waited == WAIT_MS)
                return false;
            usleep(1000);
        }
    }
    return true;
}

/* ---- the store's own check ---- */

static enum err_code on_found(void *context, const struct maintain_finding *finding,
                              struct err *err)
{
    struct model_store *store = context;

    (void)err;
    DIFFERS("database check: folder %" PRIu32 " uid %" PRIu32 ": %s", finding->folder, finding->uid,
            finding->problem);
    return ERR_NONE;
}

bool model_store_check(struct model_store *store)
{
    struct check_options options = {
        .content = true, .share = 100, .window = 1000000, .found = on_found, .context = store};
    struct check_result result;
    struct err err;

    if (store_check(store->store, 0, &options, &result, &err) != ERR_NONE)
        return DIFFERS("database check: %s", err.text);
    return result.findings == 0;
}
