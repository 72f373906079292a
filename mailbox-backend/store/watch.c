#include "mailbox-backend/store/watch.h"

/* The mailbox's lock is held while watches are called: so none is running any more when
   store_watch_remove() has it. */
void watches_call(struct store_mailbox *mailbox, const struct store_change *change)
{
    pthread_mutex_lock(&mailbox->lock);
    for (struct store_watch *watch = mailbox->watches; watch != NULL; watch = watch->next)
        if (watch->folder == 0 || watch->folder == change->folder)
            watch->changed(watch, change);
    pthread_mutex_unlock(&mailbox->lock);
}

void store_watch_add(struct store_mailbox *mailbox, uint32_t folder, struct store_watch *watch)
{
    watch->mailbox = store_mailbox_ref(mailbox);
    watch->folder = folder;
    watch->previous = NULL;
    pthread_mutex_lock(&mailbox->lock);
    watch->next = mailbox->watches;
    if (watch->next != NULL)
        watch->next->previous = watch;
    mailbox->watches = watch;
    pthread_mutex_unlock(&mailbox->lock);
}

void store_watch_remove(struct store_watch *watch)
{
    struct store_mailbox *mailbox = watch->mailbox;

    pthread_mutex_lock(&mailbox->lock);
    if (watch->previous != NULL)
        watch->previous->next = watch->next;
    else
        mailbox->watches = watch->next;
    if (watch->next != NULL)
        watch->next->previous = watch->previous;
    pthread_mutex_unlock(&mailbox->lock);
    store_mailbox_unref(&watch->mailbox);
}
