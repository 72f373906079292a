/* The front's own commands for administrators: status, connection list, back end list. */
#ifndef FRONT_STATUS_H
#define FRONT_STATUS_H

#include "proto/admin.h"

extern const struct admin_command status_commands[];

#endif
