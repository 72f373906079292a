#include "mailbox-backend/bringing.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct bringing *under_way;

enum err_code bringing_begin(struct bringing *own, const struct store_mailbox *mailbox,
                             struct err *err)
{
    const struct bringing *other;

    own->mailbox = mailbox;
    pthread_mutex_lock(&lock);
    for (other = under_way; other != NULL && other->mailbox != mailbox; other = other->next)
        continue;
    if (other == NULL) {
        own->next = under_way;
        under_way = own;
    }
    pthread_mutex_unlock(&lock);
    return other == NULL ? ERR_NONE
                         : err_set(err, ERR_EXISTS,
                                   "a restore or a migration into this mailbox is under way");
}

void bringing_end(const struct bringing *own)
{
    struct bringing **at = &under_way;

    pthread_mutex_lock(&lock);
    while (*at != own)
        at = &(*at)->next;
    *at = own->next;
    pthread_mutex_unlock(&lock);
}
