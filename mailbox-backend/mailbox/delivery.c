#include "mailbox-backend/mailbox/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/random.h"
#include "mailbox-backend/mailbox/header_tap.h"
#include "mailbox-backend/mime/parser.h"
#include "mailbox-backend/mime/summary.h"

struct intake {
    struct store_draft *draft;
    struct arena arena;
    struct mime_parser parser;
    struct header_tap tap;
    struct buf summary; /* empty: too long to keep */
    uint64_t size;
    uint8_t last[2]; /* the newest bytes, the newest in last[1] */
    uint64_t email_id;
    uint64_t thread_id;
    uint32_t header_size;
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
    mime_parser_init(&(*intake)->parser, &(*intake)->arena, NULL);
    return ERR_NONE;
}

static void remember_last(struct intake *intake, const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return;
    intake->last[0] = length > 1 ? bytes[length - 2] : intake->last[1];
    intake->last[1] = bytes[length - 1];
}

enum err_code intake_append(struct intake *intake, const void *bytes, size_t length,
                            struct err *err)
{
    if (store_draft_append(intake->draft, bytes, length, err) != ERR_NONE)
        return err->code;
    mime_parser_feed(&intake->parser, bytes, length);
    header_tap_feed(&intake->tap, bytes, length);
    remember_last(intake, bytes, length);
    intake->size += length;
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
    const struct mime_part *root;
    struct str thread;

    if (store_draft_finish(intake->draft, err) != ERR_NONE)
        return err->code;
    root = mime_parser_finish(&intake->parser);
    intake->header_size =
        root->header_length < UINT32_MAX ? (uint32_t)root->header_length : UINT32_MAX;
    mime_summary_build(root, &intake->summary);
    intake->email_id = random_id();
    thread = mime_thread_source(root);
    /* The same message id gives the same thread in every mailbox and after every move. */
    intake->thread_id = thread.length > 0 ? str_hash(thread) : intake->email_id;
    arena_reset(&intake->arena); /* the tree is not needed while the commit is awaited */
    return ERR_NONE;
}

void intake_destroy(struct intake **intake)
{
    if (*intake == NULL)
        return;
    store_draft_unref(&(*intake)->draft);
    arena_reset(&(*intake)->arena);
    header_tap_release(&(*intake)->tap);
    buf_release(&(*intake)->summary);
    free(*intake);
    *intake = NULL;
}

void intake_fill(struct intake *intake, struct store_op *op)
{
    op->kind = OP_APPEND;
    op->in.append.draft = intake->draft;
    op->in.append.header_size = intake->header_size;
    op->in.append.no_final_newline =
        intake->size > 0 && !(intake->last[0] == '\r' && intake->last[1] == '\n');
    op->in.append.email_id = intake->email_id;
    op->in.append.thread_id = intake->thread_id;
    op->in.append.summary = NULL;
    op->in.append.summary_length = buf_length(&intake->summary);
    if (op->in.append.summary_length > 0)
        op->in.append.summary = buf_bytes(&intake->summary);
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
