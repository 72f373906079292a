/* address add|remove|list */
#include "mailbox-backend/admin.h"
#include "mailbox-backend/directory/admin.h"

static enum err_code run_add(struct admin_call *call, struct err *err)
{
    struct directory *directory = admin_backend(call)->directory;
    enum err_code code = ERR_NONE;

    for (size_t i = 1; i < admin_name_count(call) && code == ERR_NONE; i++)
        code = address_add(directory, str_of(admin_name(call, 0)), str_of(admin_name(call, i)),
                           admin_is_dry_run(call), err);
    if (code == ERR_NONE)
        admin_say(call, "%s takes mail for %zu more", admin_name(call, 0),
                  admin_name_count(call) - 1);
    return code;
}

static enum err_code run_remove(struct admin_call *call, struct err *err)
{
    struct directory *directory = admin_backend(call)->directory;
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < admin_name_count(call) && code == ERR_NONE; i++)
        code = address_remove(directory, str_of(admin_name(call, i)), admin_is_dry_run(call), err);
    if (code == ERR_NONE)
        admin_say(call, "removed; mail for it is refused from now on");
    return code;
}

static enum err_code list_of_account(struct admin_call *call, struct err *err)
{
    struct account account;
    enum err_code code = admin_find_account(call, admin_arena(call), &account, err);

    for (size_t i = 0; code == ERR_NONE && i < account.address_count; i++) {
        admin_put_text(call, "address", account.addresses[i]);
        admin_put_text(call, "login", account.name);
        code = admin_row(call, err);
    }
    return code;
}

static enum err_code run_list(struct admin_call *call, struct err *err)
{
    char cursor[DIRECTORY_CURSOR_SIZE] = "";
    struct arena arena = {0};
    struct account account;
    enum err_code code;

    if (admin_name_count(call) > 0)
        return list_of_account(call, err);
    while ((code = directory_next_address(admin_backend(call)->directory, cursor, &arena, &account,
                                          err)) == ERR_NONE) {
        admin_put_text(call, "address", cursor);
        admin_put_text(call, "login", account.name);
        if ((code = admin_row(call, err)) != ERR_NONE)
            break;
        arena_reset(&arena);
    }
    arena_reset(&arena);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

#define NAMES_MAX 1000

const struct admin_command backend_address_commands[] = {
    {
     .noun = "address",
     .verb = "add",
     .arguments = "LOGIN ADDRESS...",
     .least = 2,
     .most = NAMES_MAX,
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES | ADMIN_DRY_RUN,
     .needs = BACKEND_DIRECTORY,
     .help = "more addresses for a user; @domain takes all that nobody else has there",
     .run = run_add,
     },
    {
     .noun = "address",
     .verb = "remove",
     .arguments = "ADDRESS...",
     .least = 1,
     .most = NAMES_MAX,
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES | ADMIN_DRY_RUN,
     .needs = BACKEND_DIRECTORY,
     .help = "take addresses away from their users",
     .run = run_remove,
     },
    {
     .noun = "address",
     .verb = "list",
     .arguments = "[LOGIN]",
     .most = 1,
     .where = ADMIN_EITHER,
     .traits = ADMIN_ROWS,
     .needs = BACKEND_DIRECTORY,
     .help = "the addresses of all users, or of one",
     .run = run_list,
     },
    {0},
};
