/* Asking the person at the terminal. */
#ifndef PROTO_ADMIN_SECRET_H
#define PROTO_ADMIN_SECRET_H

#include <stdbool.h>

#include "common/err.h"

#define ADMIN_SECRET_MAX 1024 /* bytes */

/* The first line of standard input, without its end. ERR_INVALID when there is none. */
enum err_code admin_secret_read(char secret[ADMIN_SECRET_MAX], struct err *err);

/* Asks twice on the terminal, without echo. */
enum err_code admin_secret_ask(char secret[ADMIN_SECRET_MAX], struct err *err);

/* "question [y/N]" on the terminal. */
bool admin_confirm(const char *question);

#endif
