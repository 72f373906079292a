/* Messages from the source into the folder here: in the order of their uids, straight from the connection
   into the store. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/migrate_private.h"

#define BATCH 100      /* messages of one FETCH */
#define BROKEN_MOST 3u /* times that a message may break the connection */

struct fetching {
    struct migrate *migrate;
    struct uidset *todo;
    uint32_t first, last;     /* of the batch, whose uids are those of todo in between */
    bool is_open;             /* a message was begun */
    uint64_t bytes;           /* of it */
    uint32_t alone_until;     /* up to this uid each message is fetched by itself */
    uint32_t suspect;         /* uid at which the connection broke last */
    unsigned broken;          /* how often */
    struct uidset absent;     /* was asked for and did not come */
    struct uidset unreadable; /* the server says that it cannot give it out */
    char op_text[MIGRATE_STATE_SIZE];
    char op_name[MIGRATE_STATE_NAME_SIZE];
    struct store_op op; /* remembers, with a lot, how far the lots before it went */
};

/* ---- one message ---- */

void migrate_fill_flags(const struct imap_fetch *fetch, struct import_marks *marks)
{
    static const struct {
        unsigned theirs;
        uint32_t ours;
    } flags[] = {
        {IMAP_SEEN,     FLAG_SEEN    },
        {IMAP_ANSWERED, FLAG_ANSWERED},
        {IMAP_FLAGGED,  FLAG_FLAGGED },
        {IMAP_DELETED,  FLAG_DELETED },
        {IMAP_DRAFT,    FLAG_DRAFT   },
    };

    marks->flags = 0;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        marks->flags |= (fetch->flags & flags[i].theirs) != 0 ? flags[i].ours : 0;
    marks->keyword_count = fetch->keyword_count;
    for (unsigned i = 0; i < fetch->keyword_count; i++)
        strcpy(marks->keywords[i], fetch->keywords[i]);
}

_Static_assert(IMAP_KEYWORDS_MAX <= IMPORT_KEYWORDS_MAX, "room for all keywords");
_Static_assert(IMAP_KEYWORD_SIZE <= STORE_KEYWORD_NAME_MAX + 1, "room for each keyword");

uint64_t migrate_fetch_mark(const struct imap_fetch *fetch)
{
    struct import_marks marks;
    uint64_t mark;

    migrate_fill_flags(fetch, &marks);
    mark = migrate_mark(marks.flags);
    for (unsigned i = 0; i < marks.keyword_count; i++)
        mark = migrate_mark_keyword(mark, marks.keywords[i]);
    return mark;
}

static void drop_open(struct fetching *fetching)
{
    if (fetching->is_open)
        import_drop(fetching->migrate->import);
    fetching->is_open = false;
}

static enum err_code open_message(struct fetching *fetching, struct err *err)
{
    if (fetching->is_open)
        return ERR_NONE;
    fetching->is_open = true;
    fetching->bytes = 0;
    return import_begin(fetching->migrate->import, "", err);
}

static void prepare_op(struct fetching *fetching)
{
    struct migrate *migrate = fetching->migrate;

    migrate_state_name(migrate->folder->key, fetching->op_name);
    fetching->op = (struct store_op){.kind = OP_PROPERTY_SET, .mailbox = migrate->request->mailbox};
    fetching->op.in.property.property =
        (struct store_property){fetching->op_name, fetching->op_text,
                                migrate_state_print(&migrate->state, fetching->op_text)};
    migrate->import->with_lot = &fetching->op;
}

/* Everything taken before uid is durable, uid as well. */
static void note_taken(struct fetching *fetching, uint32_t uid)
{
    struct migrate_state *state = &fetching->migrate->state;

    if (uid > state->taken)
        state->taken = uid;
    prepare_op(fetching);
}

static enum err_code take_message(struct fetching *fetching, const struct imap_fetch *fetch,
                                  struct err *err)
{
    struct migrate *migrate = fetching->migrate;
    struct migrate_origin origin = {migrate->folder->key, fetch->uid, migrate_fetch_mark(fetch)};
    struct import_marks marks = {
        .date = fetch->date,
        .zone = (int16_t)fetch->zone,
        .uid = fetch->uid,
    };
    char label[16];
    enum err_code code = import_finish(migrate->import, err);

    fetching->is_open = false;
    if (code != ERR_NONE)
        return code;
    snprintf(label, sizeof(label), "%u", fetch->uid);
    import_label(migrate->import, label);
    migrate_fill_flags(fetch, &marks);
    migrate_origin_print(&origin, marks.name, sizeof(marks.name));
    uidset_remove(&migrate->state.refused, fetch->uid); /* unless it is refused again */
    uidset_remove(fetching->todo, fetch->uid);
    code = import_take(migrate->import, &marks, err);
    if (code == ERR_NONE && migrate->import->count == 0)
        note_taken(fetching, fetch->uid);
    migrate->row.bytes += fetching->bytes;
    migrate->failures = 0;
    migrate->done++;
    migrate_show(migrate);
    return code;
}

static bool is_wanted(const struct fetching *fetching, uint32_t uid)
{
    return uid >= fetching->first && uid <= fetching->last && uidset_has(fetching->todo, uid);
}

static enum err_code on_fetch(struct fetching *fetching, const struct imap_fetch *fetch,
                              struct err *err)
{
    enum err_code code = ERR_NONE;

    if (fetch->has_empty_body && is_wanted(fetching, fetch->uid))
        uidset_add(&fetching->unreadable, fetch->uid);
    if (fetch->has_body && is_wanted(fetching, fetch->uid)) {
        code = open_message(fetching, err); /* an empty message has begun with nothing */
        return code == ERR_NONE ? take_message(fetching, fetch, err) : code;
    }
    drop_open(fetching);
    return code;
}

static enum err_code on_event(void *context, const struct imap_event *event, struct err *err)
{
    struct fetching *fetching = context;
    enum err_code code = ERR_NONE;

    if (event->kind == IMAP_BODY) {
        code = open_message(fetching, err);
        if (code == ERR_NONE)
            code = import_feed_octets(fetching->migrate->import, event->text, event->length, err);
        fetching->bytes += event->length;
    } else if (event->kind == IMAP_FETCH) {
        code = on_fetch(fetching, event->fetch, err);
    }
    fetching->migrate->is_own_fault |= code != ERR_NONE;
    return code;
}

/* ---- a batch ---- */

static void put_uids(struct fetching *fetching)
{
    struct imap_client *client = fetching->migrate->client;
    const char *between = "";
    uint32_t uid = fetching->first;

    while (uid != 0 && uid <= fetching->last) {
        struct uid_range range = uidset_next_range(fetching->todo, uid);
        uint32_t first = range.first, last = range.last;

        if (first == 0 || first > fetching->last)
            break;
        last = last < fetching->last ? last : fetching->last;
        imap_client_put(client, first == last ? "%s%u" : "%s%u:%u", between, first, last);
        between = ",";
        uid = last == UINT32_MAX ? 0 : last + 1;
    }
}

/* The next uids of todo, at most so many. */
static void choose(struct fetching *fetching)
{
    uint32_t uid = uidset_first(fetching->todo);
    unsigned count = uid <= fetching->alone_until ? 1 : BATCH;

    fetching->first = fetching->last = uid;
    while (--count > 0 && uid != UINT32_MAX && (uid = uidset_next(fetching->todo, uid + 1)) != 0)
        fetching->last = uid;
}

static enum err_code ask(struct fetching *fetching, struct err *err)
{
    struct migrate *migrate = fetching->migrate;
    const struct imap_listener listener = {on_event, fetching};
    enum err_code code;

    imap_client_begin(migrate->client, "UID FETCH ");
    put_uids(fetching);
    imap_client_put(migrate->client, " (UID FLAGS INTERNALDATE BODY.PEEK[])");
    code = imap_client_finish(migrate->client, &listener, err);
    drop_open(fetching);
    return code;
}

static void go_alone(struct fetching *fetching)
{
    if (fetching->alone_until < fetching->last)
        fetching->alone_until = fetching->last;
}

static enum err_code refuse(struct fetching *fetching, uint32_t uid, const char *problem,
                            struct err *err)
{
    uidset_remove(fetching->todo, uid);
    fetching->migrate->failures = 0;
    return migrate_refuse(fetching->migrate, uid, problem, err);
}

/* The connection broke, or the server refuses the batch: where does it fail? */
static enum err_code after_failure(struct fetching *fetching, struct err *err)
{
    struct migrate *migrate = fetching->migrate;
    uint32_t uid = uidset_next(fetching->todo, fetching->first);
    bool was_alone = fetching->first == fetching->last;
    bool is_broken = imap_client_is_broken(migrate->client);
    const struct err problem = *err;
    enum err_code code;

    if (migrate->is_own_fault)
        return problem.code;
    fetching->broken = is_broken && uid == fetching->suspect ? fetching->broken + 1 : 1;
    fetching->suspect = uid;
    if (uid != 0 && uid <= fetching->last && was_alone &&
        (!is_broken || fetching->broken > BROKEN_MOST) &&
        (code = refuse(fetching, uid, problem.text, err)) != ERR_NONE)
        return code;
    if (!is_broken || fetching->broken > 1)
        go_alone(fetching);
    *err = problem;
    return is_broken ? migrate_reconnect(migrate, err) : ERR_NONE;
}

/* What did not come though the server said OK: once more by itself, then it is absent. */
static void after_success(struct fetching *fetching)
{
    uint32_t uid = uidset_next(fetching->todo, fetching->first);

    if (uid == 0 || uid > fetching->last)
        return;
    if (fetching->first != fetching->last) {
        go_alone(fetching);
        return;
    }
    uidset_add(&fetching->absent, uid);
    uidset_remove(fetching->todo, uid);
}

/* ---- absent messages ---- */

/* Expunged in the meantime, or does the server keep them from us? */
static enum err_code judge_absent(struct fetching *fetching, struct err *err)
{
    struct migrate *migrate = fetching->migrate;
    enum err_code code = ERR_NONE;

    if (uidset_is_empty(&fetching->absent))
        return ERR_NONE;
    code = migrate_try(migrate, migrate_search, err);
    for (uint32_t uid = uidset_first(&fetching->absent); uid != 0 && code == ERR_NONE;
         uid = uid == UINT32_MAX ? 0 : uidset_next(&fetching->absent, uid + 1)) {
        if (uidset_has(&migrate->present, uid))
            code = migrate_refuse(migrate, uid,
                                  uidset_has(&fetching->unreadable, uid)
                                      ? "the other server says that it has no content"
                                      : "the other server lists it and does not give it out",
                                  err);
        else
            uidset_remove(&migrate->state.refused, uid);
    }
    return code;
}

/* ---- all ---- */

static enum err_code fetch_all(struct fetching *fetching, struct err *err)
{
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && !uidset_is_empty(fetching->todo)) {
        code = migrate_try(fetching->migrate, migrate_select, err);
        if (code != ERR_NONE)
            break;
        choose(fetching);
        code = ask(fetching, err);
        if (code == ERR_NONE)
            after_success(fetching);
        else
            code = after_failure(fetching, err);
    }
    if (code == ERR_NONE)
        code = import_flush(fetching->migrate->import, err);
    return code == ERR_NONE ? judge_absent(fetching, err) : code;
}

enum err_code migrate_fetch(struct migrate *migrate, struct uidset *todo, struct err *err)
{
    struct fetching *fetching = mem_alloc(sizeof(*fetching));
    enum err_code code;

    fetching->migrate = migrate;
    fetching->todo = todo;
    prepare_op(fetching);
    code = fetch_all(fetching, err);
    drop_open(fetching);
    if (code != ERR_NONE && !migrate->is_own_fault)
        import_flush(migrate->import, NULL); /* what came before stays */
    migrate->import->with_lot = NULL;
    uidset_release(&fetching->absent);
    uidset_release(&fetching->unreadable);
    free(fetching);
    return code;
}
