/* The ids by which POP3 clients know the messages of the inbox. Nothing in POP3 says which message of IMAP an id
   belongs to: both services show the inbox in one order, and that is believed only where there are as many
   messages and each has the same size in both. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/migrate_private.h"
#include "mailbox-backend/remote/pop3_client.h"

#define MESSAGES_MAX 2000000u
#define LOT 32 /* ids of one commit */
#define UIDL_PROPERTY "pop3/uidl"

/* A message at the source, in the order of uids. */
struct sized {
    uint32_t uid;
    uint64_t size;
};

struct id {
    char text[IMPORT_UIDL_MAX + 1];
    struct store_op op;
};

struct uidls {
    struct migrate *migrate;
    struct sized *messages;
    size_t count, room;
    size_t listed; /* lines of the POP3 list so far */
    struct id ids[LOT];
    size_t waiting;
};

/* ---- sizes, from both services ---- */

static enum err_code note_size(void *context, const struct imap_event *event, struct err *err)
{
    struct uidls *uidls = context;

    if (event->kind != IMAP_FETCH || event->fetch->uid == 0 || event->fetch->size == 0)
        return ERR_NONE;
    if (uidls->count == MESSAGES_MAX)
        return err_set(err, ERR_LIMIT, "the inbox has more than %u messages", MESSAGES_MAX);
    if (uidls->count == uidls->room) {
        uidls->room = uidls->room == 0 ? 1024 : 2 * uidls->room;
        uidls->messages = mem_grow(uidls->messages, uidls->room, sizeof(*uidls->messages));
    }
    uidls->messages[uidls->count++] = (struct sized){event->fetch->uid, event->fetch->size};
    return ERR_NONE;
}

static int compare(const void *a, const void *b)
{
    const struct sized *one = a, *other = b;

    return one->uid < other->uid ? -1 : one->uid > other->uid;
}

static enum err_code ask_sizes(struct uidls *uidls, struct err *err)
{
    struct migrate *migrate = uidls->migrate;
    const struct imap_listener listener = {note_size, uidls};
    enum err_code code = migrate_select(migrate, err);

    if (code != ERR_NONE)
        return code;
    imap_client_begin(migrate->client, "UID FETCH 1:* (UID RFC822.SIZE)");
    code = imap_client_finish(migrate->client, &listener, err);
    if (uidls->count > 0)
        qsort(uidls->messages, uidls->count, sizeof(*uidls->messages), compare);
    return code;
}

static enum err_code mismatch(struct err *err)
{
    return err_set(
        err, ERR_DENIED,
        "POP3 does not show the messages that IMAP shows, so no POP3 ids are taken over");
}

static enum err_code compare_size(void *context, uint64_t number, const char *word, struct err *err)
{
    struct uidls *uidls = context;
    uint64_t size;

    if (number != uidls->listed + 1 || number > uidls->count ||
        !str_number(str_n(word, strcspn(word, " ")), UINT64_MAX, &size) ||
        size != uidls->messages[uidls->listed].size)
        return mismatch(err);
    uidls->listed++;
    return ERR_NONE;
}

/* ---- ids ---- */

static enum err_code flush(struct uidls *uidls, struct err *err)
{
    struct store_op *ops[LOT];
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < uidls->waiting; i++)
        ops[i] = &uidls->ids[i].op;
    if (uidls->waiting > 0)
        store_run_all(ops, uidls->waiting);
    for (size_t i = 0; i < uidls->waiting && code == ERR_NONE; i++) {
        if (ops[i]->err.code != ERR_NONE && ops[i]->err.code != ERR_NOT_FOUND)
            code = err_set(err, ops[i]->err.code, "%s", ops[i]->err.text);
    }
    uidls->waiting = 0;
    return code;
}

/* The item of a message of the source, if it is here and has not this id yet. */
static enum err_code find_item(const struct migrate *migrate, uint32_t uid, const char *id,
                               uint64_t *item_id, struct err *err)
{
    const struct migrate_known *known = migrate_find_known(migrate, uid);
    char text[STORE_PROPERTY_MAX];
    struct store_item item;
    struct store_read *read;
    size_t length;
    enum err_code code;

    *item_id = 0;
    if (known == NULL)
        return ERR_NONE;
    code = store_read_begin(migrate->request->mailbox, &read, err);
    if (code != ERR_NONE)
        return code;
    if (store_item_get(read, migrate->state.folder, known->here, &item, NULL) == ERR_NONE) {
        code = store_property_get(read, migrate->state.folder, item.item_id, UIDL_PROPERTY,
                                  (uint8_t *)text, sizeof(text), &length, NULL);
        if (code != ERR_NONE || !str_is(str_n(text, length), id))
            *item_id = item.item_id;
    }
    store_read_end(&read);
    return ERR_NONE;
}

static enum err_code note_id(void *context, uint64_t number, const char *word, struct err *err)
{
    struct uidls *uidls = context;
    struct migrate *migrate = uidls->migrate;
    struct id *id = &uidls->ids[uidls->waiting];
    uint64_t item_id;
    enum err_code code;

    if (number == 0 || number > uidls->count || word[0] == '\0' || strlen(word) > IMPORT_UIDL_MAX ||
        strchr(word, ' ') != NULL)
        return mismatch(err);
    code = find_item(migrate, uidls->messages[number - 1].uid, word, &item_id, err);
    if (code != ERR_NONE || item_id == 0)
        return code;
    strcpy(id->text, word);
    id->op = (struct store_op){
        .kind = OP_PROPERTY_SET,
        .mailbox = migrate->request->mailbox,
        .folder = migrate->state.folder,
    };
    id->op.in.property.item_id = item_id;
    id->op.in.property.property = (struct store_property){UIDL_PROPERTY, id->text, strlen(word)};
    migrate->result->uidls++;
    return ++uidls->waiting == LOT ? flush(uidls, err) : ERR_NONE;
}

/* ---- the whole ---- */

static enum err_code take_ids(struct uidls *uidls, struct err *err)
{
    struct pop3_client *client;
    enum err_code code = ask_sizes(uidls, err);

    if (code != ERR_NONE)
        return code;
    code = pop3_client_open(&client, uidls->migrate->request->uidls, err);
    if (code == ERR_NONE)
        code = pop3_client_list(client, "LIST", compare_size, uidls, err);
    if (code == ERR_NONE && uidls->listed != uidls->count)
        code = mismatch(err);
    if (code == ERR_NONE)
        code = pop3_client_list(client, "UIDL", note_id, uidls, err);
    if (code == ERR_NONE)
        code = flush(uidls, err);
    pop3_client_close(&client);
    return code;
}

enum err_code migrate_uidls(struct migrate *migrate, struct err *err)
{
    struct uidls *uidls = mem_alloc(sizeof(*uidls));
    struct err problem = {0};
    enum err_code code = migrate_load_known(migrate, err);

    uidls->migrate = migrate;
    if (code == ERR_NONE && take_ids(uidls, &problem) != ERR_NONE)
        code = migrate_report(migrate, 0, problem.text, err);
    free(uidls->messages);
    free(uidls);
    return code;
}
