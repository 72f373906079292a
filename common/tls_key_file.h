/* Files that hold secrets. */
#ifndef COMMON_TLS_KEY_FILE_H
#define COMMON_TLS_KEY_FILE_H

#include "common/err.h"

/* ERR_DENIED, with its mode in the text, when others than its owner can read it: allowed is 0600, or 0640
   when root owns it. */
enum err_code tls_check_key_mode(const char *path, struct err *err);

#endif
