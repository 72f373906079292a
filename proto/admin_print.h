/* Rows as people read them (aligned text) or as scripts do (JSON). */
#ifndef PROTO_ADMIN_PRINT_H
#define PROTO_ADMIN_PRINT_H

#include <stdio.h>

#include "proto/admin_call.h"

struct admin_print;

/* rows: any number of like rows, else one record. */
struct admin_print *admin_print_create(FILE *to, bool json, bool rows);
void admin_print_destroy(struct admin_print **print);

/* ERR_UNAVAILABLE when the output is closed. */
enum err_code admin_print_row(struct admin_print *print, const Admin__Row *row, struct err *err);

/* After the last row. said is the closing sentence ("" for none). */
void admin_print_end(struct admin_print *print, const char *said);

/* As JSON, quoted and escaped. */
void admin_print_json_text(const char *text, FILE *to);

#endif
