/* app-password add|list|revoke */
#include "common/mem.h"
#include "mailbox-backend/admin.h"
#include "mailbox-backend/directory/admin.h"

#define NETWORKS_MOST 64 /* that are read; how many may be is the directory's rule */

static struct directory *directory_of(const struct admin_call *call)
{
    return admin_backend(call)->directory;
}

static struct str login_of(const struct admin_call *call)
{
    return str_of(admin_name(call, 0));
}

static enum err_code read_new(struct admin_call *call, struct app_password_new *new,
                              struct err *err)
{
    const char **networks = arena_array(admin_arena(call), NETWORKS_MOST, sizeof(*networks));
    const char *services = admin_value(call, "services"), *network;

    new->login = login_of(call);
    new->name = admin_name(call, 1);
    new->services = SERVICE_IMAP4 | SERVICE_POP3;
    new->networks = networks;
    while (new->network_count < NETWORKS_MOST &&
           (network = admin_value_n(call, "network", new->network_count)) != NULL)
        networks[new->network_count++] = network;
    return services == NULL ? ERR_NONE : account_services_parse(services, &new->services, err);
}

static enum err_code run_add(struct admin_call *call, struct err *err)
{
    char made[ADMIN_PASSWORD_SIZE];
    struct app_password_new new = {0};
    enum err_code code = read_new(call, &new, err);

    admin_make_password(made);
    new.secret = str_of(made);
    if (code == ERR_NONE)
        code = app_password_add(directory_of(call), &new, admin_is_dry_run(call), err);
    if (code == ERR_NONE && !admin_is_dry_run(call)) {
        admin_put_text(call, "login", admin_name(call, 0));
        admin_put_text(call, "name", new.name);
        admin_put_text(call, "password", made);
        code = admin_row(call, err);
        admin_say(call, "it is not shown again");
    }
    mem_wipe(made, sizeof(made));
    return code;
}

static enum err_code run_list(struct admin_call *call, struct err *err)
{
    struct app_password_facts *list;
    size_t count = 0;
    enum err_code code = app_password_list(directory_of(call), login_of(call), admin_arena(call),
                                           &list, &count, err);

    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND, "no user %s", admin_name(call, 0));
    for (size_t i = 0; code == ERR_NONE && i < count; i++) {
        admin_put_text(call, "name", list[i].name);
        admin_put_services(call, list[i].services);
        admin_put_list(call, "networks", list[i].networks, list[i].network_count);
        admin_put_time(call, "created", list[i].created);
        admin_put_time(call, "last-used", list[i].last_used);
        admin_put_text(call, "last-address", list[i].last_address);
        code = admin_row(call, err);
    }
    return code;
}

static enum err_code run_revoke(struct admin_call *call, struct err *err)
{
    const char *name = admin_name(call, 1);
    bool all = admin_has(call, "all");
    enum err_code code;

    if (all == (name != NULL))
        return err_set(err, ERR_INVALID, "name an application password, or say --all");
    code =
        app_password_revoke(directory_of(call), login_of(call), name, admin_is_dry_run(call), err);
    if (code == ERR_NONE)
        admin_say(call, "revoked; open sessions of %s end, whatever they logged in with",
                  admin_name(call, 0));
    return code;
}

static const struct admin_flag add_flags[] = {
    {"services",                                                        "LIST", "what it is good for: imap4, pop3 or imap4,pop3 (as without it)"},
    {"network", "NETWORK",
     "from where it is good: 192.0.2.0/24, 2001:db8::/32; may be given "
     "several times. Without it: from everywhere"},
    {0                                                        },
};

static const struct admin_flag revoke_flags[] = {
    {"all",                                      NULL, "all of the user's application passwords"},
    {0},
};

const struct admin_command backend_app_password_commands[] = {
    {
     .noun = "app-password",
     .verb = "add",
     .arguments = "LOGIN NAME",
     .least = 2,
     .most = 2,
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES | ADMIN_DRY_RUN,
     .needs = BACKEND_DIRECTORY,
     .flags = add_flags,
     .help = "make a password for one program or device of a user, and print it this once",
     .run = run_add,
     },
    {
     .noun = "app-password",
     .verb = "list",
     .arguments = "LOGIN",
     .least = 1,
     .most = 1,
     .where = ADMIN_EITHER,
     .traits = ADMIN_ROWS,
     .needs = BACKEND_DIRECTORY,
     .help = "a user's application passwords, with their last use (to the hour)",
     .run = run_list,
     },
    {
     .noun = "app-password",
     .verb = "revoke",
     .arguments = "LOGIN [NAME]",
     .least = 1,
     .most = 2,
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES | ADMIN_DRY_RUN,
     .needs = BACKEND_DIRECTORY,
     .flags = revoke_flags,
     .help = "end an application password; open sessions end",
     .run = run_revoke,
     },
    {0},
};
