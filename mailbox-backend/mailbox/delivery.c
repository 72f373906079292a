#include "mailbox-backend/mailbox/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/random.h"
#include "mailbox-backend/mailbox/content_facts.h"
#include "mailbox-backend/mailbox/header_tap.h"

struct intake {
    struct store_draft *draft;
    struct header_tap tap;
    struct facts_maker maker;
    struct content_facts facts;
    uint64_t email_id;
};

enum err_code intake_create(struct store *store, unsigned database, uint64_t expected,
                            struct intake **intake, struct err *err)
{
    struct store_draft *draft;

    *intake = NULL;
    if (store_draft_create(store, database, expected, &draft, err) != ERR_NONE)
        return err->code;
    *intake = mem_alloc(sizeof(**intake));
    (*intake)->draft = draft;
    facts_begin(&(*intake)->maker);
    return ERR_NONE;
}

enum err_code intake_append(struct intake *intake, const void *bytes, size_t length,
                            struct err *err)
{
    if (store_draft_append(intake->draft, bytes, length, err) != ERR_NONE)
        return err->code;
    facts_feed(&intake->maker, bytes, length);
    header_tap_feed(&intake->tap, bytes, length);
    return ERR_NONE;
}

static uint64_t random_id(void)
{
    uint64_t id;

    do {
        random_bytes(&id, sizeof(id));
    } while (id == 0);
    return id;
}

enum err_code intake_finish(struct intake *intake, struct err *err)
{
    if (store_draft_finish(intake->draft, err) != ERR_NONE)
        return err->code;
    facts_end(&intake->maker, &intake->facts);
    intake->email_id = random_id();
    return ERR_NONE;
}

void intake_destroy(struct intake **intake)
{
    if (*intake == NULL)
        return;
    store_draft_unref(&(*intake)->draft);
    facts_drop(&(*intake)->maker);
    header_tap_release(&(*intake)->tap);
    free(*intake);
    *intake = NULL;
}

uint64_t intake_header_size(const struct intake *intake)
{
    return intake->facts.header_size;
}

void intake_fill(struct intake *intake, struct store_op *op)
{
    const struct content_facts *facts = &intake->facts;

    op->kind = OP_APPEND;
    op->in.append.draft = intake->draft;
    op->in.append.header_size = facts->header_size;
    op->in.append.no_final_newline = facts->no_final_newline;
    op->in.append.email_id = intake->email_id;
    op->in.append.thread_id = content_facts_thread(facts, intake->email_id);
    op->in.append.summary = facts->summary_length > 0 ? facts->summary : NULL;
    op->in.append.summary_length = facts->summary_length;
}

void intake_keep(struct intake *intake, const char *name)
{
    header_tap_keep(&intake->tap, name);
}

struct str intake_header(struct intake *intake, const char *name)
{
    struct str value;

    return header_tap_value(&intake->tap, name, 0, &value) ? value : STR("");
}

bool intake_has_header(struct intake *intake, const char *name_and_value)
{
    const char *colon = strchr(name_and_value, ':');
    struct str value;

    if (colon == NULL)
        return header_tap_value(&intake->tap, name_and_value, 0, &value);
    for (unsigned n = 0; header_tap_value(&intake->tap, name_and_value, n, &value); n++)
        if (str_equal_nocase(value, str_trim(str_of(colon + 1))))
            return true;
    return false;
}
