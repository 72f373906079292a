#include "mailbox-backend/admin.h"

#include <stdio.h>

#include "common/random.h"
#include "mailbox-backend/directory/admin.h"

const struct admin_command *const backend_admin_tables[] = {
    backend_status_commands,  backend_user_commands,     backend_app_password_commands,
    backend_address_commands, backend_folder_commands,   backend_acl_commands,
    backend_mailbox_commands, backend_recover_commands,  backend_restore_commands,
    backend_migrate_commands, backend_database_commands, backend_upgrade_commands,
    backend_rebuild_commands, backend_backup_commands,   admin_service_commands,
    admin_config_commands,    admin_pki_commands,        NULL,
};

struct backend *admin_backend(const struct admin_call *call)
{
    return admin_host(call)->context;
}

void admin_make_password(char password[ADMIN_PASSWORD_SIZE])
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* without l, o, 0, 1 */
    uint8_t random[20];
    char *at = password;

    random_bytes(random, sizeof(random));
    for (size_t i = 0; i < sizeof(random); i++) {
        if (i > 0 && i % 5 == 0)
            *at++ = '-';
        *at++ = letters[random[i] % 32];
    }
    *at = '\0';
}

enum err_code admin_find_account(struct admin_call *call, struct arena *arena,
                                 struct account *account, struct err *err)
{
    const char *name = admin_name(call, 0);
    enum err_code code =
        directory_find(admin_backend(call)->directory, str_of(name), arena, account, err);

    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND, "no user %s", name);
    return code;
}

void admin_put_services(struct admin_call *call, unsigned services)
{
    const char *names[8];
    size_t count = 0;

    for (unsigned bit = 1; bit <= SERVICES_ALL; bit <<= 1) {
        if ((services & bit) != 0)
            names[count++] = account_service_name((enum account_service)bit);
    }
    admin_put_list(call, "services", names, count);
}

void admin_put_guid(struct admin_call *call, const struct store_guid *guid)
{
    char text[2 * sizeof(guid->bytes) + 1];

    for (size_t i = 0; i < sizeof(guid->bytes); i++)
        snprintf(text + 2 * i, 3, "%02x", guid->bytes[i]);
    admin_put_text(call, "guid", text);
}

enum err_code admin_open_mailbox(struct admin_call *call, const struct account *account,
                                 struct store_mailbox **mailbox, struct err *err)
{
    enum err_code code =
        store_mailbox_open(admin_backend(call)->store, &account->guid, false, mailbox, NULL, err);

    if (code != ERR_NONE)
        *mailbox = NULL;
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code admin_walk(struct admin_call *call,
                         enum err_code (*list)(struct admin_call *call, struct folder_walk *walk,
                                               struct err *err),
                         struct err *err)
{
    struct folder_walk walk = FOLDER_WALK;
    struct account account;
    enum err_code code = admin_find_account(call, admin_arena(call), &account, err);

    if (code == ERR_NONE)
        code = admin_open_mailbox(call, &account, &walk.mailbox, err);
    if (code != ERR_NONE || walk.mailbox == NULL)
        return code;
    code = list(call, &walk, err);
    store_mailbox_unref(&walk.mailbox);
    return code;
}

enum err_code admin_usage(struct admin_call *call, const struct account *account,
                          struct store_usage *usage, struct store_usage *recoverable,
                          struct err *err)
{
    struct store_mailbox *mailbox;
    struct store_read *read;
    enum err_code code = admin_open_mailbox(call, account, &mailbox, err);

    *usage = *recoverable = (struct store_usage){0};
    if (mailbox == NULL)
        return code;
    code = store_read_begin(mailbox, &read, err);
    if (code == ERR_NONE) {
        code = store_usage(read, usage, err);
        if (code == ERR_NONE)
            code = store_recoverable_usage(read, recoverable, err);
        store_read_end(&read);
    }
    store_mailbox_unref(&mailbox);
    return code;
}
