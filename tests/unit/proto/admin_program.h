/* A small program to administer, for tests. */
#ifndef TESTS_UNIT_PROTO_ADMIN_PROGRAM_H
#define TESTS_UNIT_PROTO_ADMIN_PROGRAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/admin.h"

static enum err_code run_user_list(struct admin_call *call, struct err *err)
{
    uint64_t count = 2;
    enum err_code code = admin_value_number(call, "count", &count, err);

    for (uint64_t i = 0; i < count && code == ERR_NONE; i++) {
        admin_put_text(call, "login", i == 0 ? "alice" : "b\"ob\033");
        admin_put_number(call, "messages", i);
        admin_put_bool(call, "enabled", i == 0);
        code = admin_row(call, err);
    }
    return code;
}

static enum err_code run_user_add(struct admin_call *call, struct err *err)
{
    const char *const addresses[] = {"a@example.org", "b@example.org"};
    struct str secret;
    enum err_code code;

    if (strcmp(admin_name(call, 0), "taken") == 0) {
        admin_hint(call, "take another name");
        return err_set(err, ERR_EXISTS, "user taken exists");
    }
    admin_put_text(call, "login", admin_name(call, 0));
    admin_put_bytes(call, "quota", 1536);
    admin_put_time(call, "made", 86400);
    admin_put_time(call, "never", 0);
    admin_put_list(call, "addresses", addresses, 2);
    admin_put_bool(call, "secret", admin_secret(call, &secret) && str_is(secret, "open sesame"));
    code = admin_row(call, err);
    admin_say(call, "user %s is there", admin_name(call, 0));
    return code;
}

static enum err_code run_file_size(struct admin_call *call, struct err *err)
{
    char bytes[64];
    ssize_t got = read(admin_file(call), bytes, sizeof(bytes));

    admin_put_number(call, "size", got < 0 ? 0 : (uint64_t)got);
    admin_findings(call);
    return admin_row(call, err);
}

static const struct admin_flag list_flags[] = {
    {"count",     "N", "how many"},
    {"follow", "[=TIME]", "again and again"},
    {0   }
};
static const struct admin_flag add_flags[] = {
    {"quota",    "BYTES", "limit"},
    {"generate",   NULL, "make a password"},
    {0}
};

static const struct admin_command test_commands[] = {
    {
     .noun = "user",
     .verb = "list",
     .arguments = "",
     .where = ADMIN_DAEMON,
     .traits = ADMIN_ROWS,
     .flags = list_flags,
     .help = "list the users",
     .run = run_user_list,
     },
    {
     .noun = "user",
     .verb = "add",
     .arguments = "LOGIN",
     .least = 1,
     .most = 1,
     .where = ADMIN_DAEMON,
     .traits = ADMIN_SECRET,
     .flags = add_flags,
     .help = "add a user",
     .run = run_user_add,
     },
    {
     .noun = "size",
     .verb = "",
     .arguments = "FILE",
     .least = 1,
     .most = 1,
     .where = ADMIN_DAEMON,
     .traits = ADMIN_FILE,
     .help = "size of a file",
     .run = run_file_size,
     },
    {0},
};

static const struct admin_command *const test_tables[] = {test_commands, NULL};

static char *test_control(const void *settings)
{
    return strdup(settings);
}

static const struct admin_program test_program = {
    .name = "program",
    .summary = "a test",
    .config_file = "/nonexistent",
    .tables = test_tables,
    .control = test_control,
};

#endif
