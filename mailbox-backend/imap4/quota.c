#include "mailbox-backend/imap4/quota.h"

void quota_of(const struct imap *imap, const struct store_mailbox *mailbox, struct quota *quota)
{
    const struct account *own = session_account(imap->session);
    struct arena arena = {0};
    struct account account;

    *quota = (struct quota){own->quota_bytes, own->quota_messages, own->quota_folders};
    if (session_find_account(imap->session, store_mailbox_guid(mailbox), &arena, &account, NULL) ==
        ERR_NONE)
        *quota = (struct quota){account.quota_bytes, account.quota_messages, account.quota_folders};
    arena_reset(&arena);
}

enum step quota_exceeded(struct command *command)
{
    return command_no(command, "OVERQUOTA", "The mailbox is over its quota");
}

uint64_t quota_folders_most(const struct quota *quota)
{
    return quota->folders == 0 || quota->folders > STORE_FOLDERS_MAX ? STORE_FOLDERS_MAX
                                                                     : quota->folders;
}

bool quota_is_administrator(const struct imap *imap)
{
    const struct account *account = session_account(imap->session);
    struct arena arena = {0};
    struct account proven;
    bool is;

    if (account->app_password != NULL)
        return false;
    is = session_find_account(imap->session, &account->proven_by, &arena, &proven, NULL) ==
             ERR_NONE &&
         proven.enabled && proven.may_impersonate;
    arena_reset(&arena);
    return is;
}
