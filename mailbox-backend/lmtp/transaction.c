#include "common/random.h"
#include "mailbox-backend/lmtp/lmtp.h"

#include <stdio.h>

void transaction_begin(struct transaction *transaction, const struct lmtp_mail *mail)
{
    uint64_t id;

    random_bytes(&id, sizeof(id));
    transaction->begun = true;
    transaction->mail = *mail;
    transaction->recipient_end = &transaction->recipients;
    snprintf(transaction->id, sizeof(transaction->id), "%016llx", (unsigned long long)id);
}

void transaction_reset(struct transaction *transaction)
{
    for (struct target *target = transaction->targets; target != NULL; target = target->next)
        intake_destroy(&target->intake);
    for (struct recipient *one = transaction->recipients; one != NULL; one = one->next)
        store_mailbox_unref(&one->mailbox);
    arena_reset(&transaction->arena);
    *transaction = (struct transaction){0};
}

static struct target *target_for(struct transaction *transaction, unsigned database)
{
    struct target *target = transaction->targets;

    while (target != NULL && target->database != database)
        target = target->next;
    if (target == NULL) {
        target = arena_alloc(&transaction->arena, sizeof(*target));
        target->database = database;
        target->next = transaction->targets;
        transaction->targets = target;
    }
    return target;
}

void transaction_add(struct transaction *transaction, const char *address,
                     const struct account *account, const char *detail,
                     struct store_mailbox *mailbox)
{
    struct arena *arena = &transaction->arena;
    struct recipient *recipient = arena_alloc(arena, sizeof(*recipient));

    recipient->address = arena_string(arena, address);
    recipient->user = arena_string(arena, account->name);
    recipient->detail = account->detail_folders ? arena_string(arena, detail) : "";
    recipient->quota_bytes = account->quota_bytes;
    recipient->quota_messages = account->quota_messages;
    recipient->mailbox = mailbox;
    recipient->target = target_for(transaction, store_mailbox_database(mailbox));
    *transaction->recipient_end = recipient;
    transaction->recipient_end = &recipient->next;
    transaction->recipient_count++;
}

void transaction_open_content(struct transaction *transaction, const struct backend *backend,
                              uint64_t expected)
{
    const struct setting_list *junk = &backend->settings->lmtpbe.junk_header;

    transaction->has_content = true;
    for (struct target *target = transaction->targets; target != NULL; target = target->next) {
        if (intake_create(backend->store, target->database, expected, &target->intake,
                          &target->err) != ERR_NONE)
            continue;
        target->err = (struct err){0};
        for (size_t i = 0; i < junk->count; i++)
            intake_keep(target->intake, junk->items[i]);
    }
}

void transaction_append(struct transaction *transaction, const void *bytes, size_t length)
{
    transaction->size += length;
    for (struct target *target = transaction->targets; target != NULL; target = target->next) {
        if (target->intake != NULL &&
            intake_append(target->intake, bytes, length, &target->err) != ERR_NONE)
            intake_destroy(&target->intake);
    }
}

bool transaction_has_failed(const struct transaction *transaction)
{
    for (const struct target *target = transaction->targets; target != NULL; target = target->next)
        if (target->intake != NULL)
            return false;
    return true;
}
