/* What the commands share that check a database or mend it. */
#ifndef BACKEND_ADMIN_CHECK_H
#define BACKEND_ADMIN_CHECK_H

#include "mailbox-backend/admin.h"
#include "mailbox-backend/store/maintain.h"

/* database check and repair, as commands. */
extern const struct admin_flag admin_check_flags[];
enum err_code admin_database_check(struct admin_call *call, struct err *err);
enum err_code admin_database_repair(struct admin_call *call, struct err *err);

/* How to check, from the command's flags; found is left to the caller. The context is the call.
   ERR_INVALID: the flags exclude each other. */
enum err_code admin_check_options(struct admin_call *call, struct check_options *options,
                                  struct err *err);

/* Puts where a finding is, by names where there are any, and what is wrong; the caller ends the row. */
void admin_put_finding(struct admin_call *call, const struct maintain_finding *finding);

#endif
