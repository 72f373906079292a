/* mailbox export, in a file of its own. */
#ifndef BACKEND_ADMIN_EXPORT_H
#define BACKEND_ADMIN_EXPORT_H

#include "proto/admin.h"

extern const struct admin_flag admin_export_flags[];
enum err_code admin_export(struct admin_call *call, struct err *err);

#endif
