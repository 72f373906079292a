/* What a daemon gives up and asks for when it starts. */
#ifndef COMMON_PRIVILEGE_H
#define COMMON_PRIVILEGE_H

#include <stdint.h>

#include "common/err.h"

/* For the whole life of the process: files are not for others (umask 027), and nothing that is
   started from here gains rights by set-user-id (PR_SET_NO_NEW_PRIVS, prctl(2)). */
enum err_code privilege_restrict(struct err *err);

/* Raises the number of descriptors that may be open as far as the system lets us, at most to wanted,
   and returns what is in force. Each connection takes one. */
uint64_t privilege_raise_files(uint64_t wanted);

/* Becomes user, with the supplementary groups it has (which is how it reads a key of the group
   ssl-cert), and group, or the user's own where group is NULL or empty. To be called when sockets
   are bound and before threads start. user NULL or empty: stays who it is. When we are that user
   already nothing is changed; ERR_NOT_FOUND for an unknown name; ERR_DENIED when we are not root.
   What was given up cannot be taken back: that is tried, and it is an error if it works. */
enum err_code privilege_drop(const char *user, const char *group, struct err *err);

#endif
