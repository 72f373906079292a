/* What commands on databases share. */
#ifndef BACKEND_ADMIN_DATABASE_H
#define BACKEND_ADMIN_DATABASE_H

#include "mailbox-backend/admin.h"

/* The databases that the command's first name means, from 0: the one that it names, or, without a name,
   all. ERR_NOT_FOUND for a name that cannot be one. */
enum err_code admin_databases(struct admin_call *call, unsigned *first, unsigned *last,
                              struct err *err);

/* The number, from 0, of a database called db1, or 1. ERR_NOT_FOUND for what is no such name. */
enum err_code admin_database_number(const char *name, unsigned *number, struct err *err);

#endif
