/* What every test of proto/ includes. cmocka wants these headers, in this order, before its own. */
#ifndef TESTS_UNIT_PROTO_UNIT_H
#define TESTS_UNIT_PROTO_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#endif
