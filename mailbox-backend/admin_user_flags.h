/* The flags that `user add`, `user set` and `user passwd` share. */
#ifndef BACKEND_ADMIN_USER_FLAGS_H
#define BACKEND_ADMIN_USER_FLAGS_H

#include "mailbox-backend/admin.h"
#include "mailbox-backend/directory/admin.h"

/* Changes *services by --services=LIST, then by --imap4, --pop3, --lmtp = yes or no. */
enum err_code admin_user_services(const struct admin_call *call, unsigned *services,
                                  struct err *err);
bool admin_user_has_services(const struct admin_call *call); /* any of these flags is there */

/* quota-folders: a number, none (0) or default. */
enum err_code admin_user_folders(const struct admin_call *call, uint64_t *folders, bool *is_default,
                                 struct err *err);

/* A flag that is a SIZE, none (0) or default: quota, recovery-quota. */
enum err_code admin_user_quota(const struct admin_call *call, const char *flag, uint64_t *bytes,
                               bool *is_default, struct err *err);

/* --recovery=TIME or default. ERR_INVALID above ten years. */
enum err_code admin_user_recovery(const struct admin_call *call, uint64_t *seconds,
                                  bool *is_default, struct err *err);

/* --pop3-folder=PATH or default, --pop3-order=oldest-first, newest-first or default: fills *change, which
   may point to *newest_first then. */
enum err_code admin_user_pop3(struct admin_call *call, struct account_change *change,
                              bool *newest_first, struct err *err);

/* What holds for the account, its own or the site's. */
void admin_user_put_pop3(struct admin_call *call, const struct account *account);

/* The password that was given, or with --generate a new one, which made then holds (else ""), or with
   --no-password none (data NULL). */
enum err_code admin_user_password(struct admin_call *call, struct str *password,
                                  char made[ADMIN_PASSWORD_SIZE], struct err *err);

#endif
