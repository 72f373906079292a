#include "mailbox-backend/admin_user_flags.h"

#include <string.h>

#include "mailbox-backend/directory/admin.h"
#include "mailbox-backend/mailbox/mailbox.h"

#define RECOVERY_MOST (3650u * 86400) /* as store.recovery_time */

enum err_code admin_user_services(const struct admin_call *call, unsigned *services,
                                  struct err *err)
{
    static const enum account_service each[] = {SERVICE_IMAP4, SERVICE_POP3, SERVICE_LMTP};
    const char *list = admin_value(call, "services");
    enum err_code code = ERR_NONE;

    if (list != NULL)
        code = account_services_parse(list, services, err);
    for (size_t i = 0; i < sizeof(each) / sizeof(each[0]) && code == ERR_NONE; i++) {
        bool on = (*services & each[i]) != 0;

        code = admin_value_bool(call, account_service_name(each[i]), &on, err);
        *services = on ? *services | each[i] : *services & ~(unsigned)each[i];
    }
    return code;
}

bool admin_user_has_services(const struct admin_call *call)
{
    return admin_has(call, "services") || admin_has(call, "imap4") || admin_has(call, "pop3") ||
           admin_has(call, "lmtp");
}

enum err_code admin_user_quota(const struct admin_call *call, const char *flag, uint64_t *bytes,
                               bool *is_default, struct err *err)
{
    const char *text = admin_value(call, flag);

    *is_default = text != NULL && strcmp(text, "default") == 0;
    *bytes = 0;
    if (*is_default || (text != NULL && strcmp(text, "none") == 0))
        return ERR_NONE;
    return admin_value_size(call, flag, bytes, err);
}

enum err_code admin_user_folders(const struct admin_call *call, uint64_t *folders, bool *is_default,
                                 struct err *err)
{
    const char *text = admin_value(call, "quota-folders");
    enum err_code code;

    *is_default = text != NULL && strcmp(text, "default") == 0;
    *folders = 0;
    if (*is_default || (text != NULL && strcmp(text, "none") == 0))
        return ERR_NONE;
    code = admin_value_number(call, "quota-folders", folders, err);
    if (code == ERR_NONE && *folders > STORE_FOLDERS_MAX)
        code = err_set(err, ERR_INVALID, "--quota-folders=%s: at most %u", text, STORE_FOLDERS_MAX);
    return code;
}

enum err_code admin_user_recovery(const struct admin_call *call, uint64_t *seconds,
                                  bool *is_default, struct err *err)
{
    const char *text = admin_value(call, "recovery");
    enum err_code code;

    *is_default = text != NULL && strcmp(text, "default") == 0;
    *seconds = 0;
    if (*is_default)
        return ERR_NONE;
    code = admin_value_seconds(call, "recovery", seconds, err);
    if (code == ERR_NONE && *seconds > RECOVERY_MOST)
        code = err_set(err, ERR_INVALID, "--recovery=%s: at most 3650d", text);
    return code;
}

static enum err_code read_pop3_folder(struct admin_call *call, struct account_change *change,
                                      struct err *err)
{
    const char *text = admin_value(call, "pop3-folder");
    struct str path;

    if (text == NULL)
        return ERR_NONE;
    if (strcmp(text, "default") == 0) {
        change->pop3_folder = "";
        return ERR_NONE;
    }
    if (path_normalise(admin_arena(call), str_of(text), &path, err) != ERR_NONE)
        return err_prefix(err, "--pop3-folder");
    change->pop3_folder = arena_printf(admin_arena(call), "%.*s", (int)path.length, path.data);
    return ERR_NONE;
}

enum err_code admin_user_pop3(struct admin_call *call, struct account_change *change,
                              bool *newest_first, struct err *err)
{
    const char *order = admin_value(call, "pop3-order");
    enum err_code code = read_pop3_folder(call, change, err);

    if (code != ERR_NONE || order == NULL)
        return code;
    *newest_first = strcmp(order, "newest-first") == 0;
    if (strcmp(order, "default") == 0)
        change->pop3_order_default = true;
    else if (*newest_first || strcmp(order, "oldest-first") == 0)
        change->pop3_newest_first = newest_first;
    else
        return err_set(err, ERR_INVALID, "--pop3-order=%s: oldest-first, newest-first or default",
                       order);
    return ERR_NONE;
}

void admin_user_put_pop3(struct admin_call *call, const struct account *account)
{
    const struct backend_settings *settings = admin_backend(call)->settings;
    bool newest_first = account->pop3_order_is_set ? account->pop3_newest_first
                                                   : settings->pop3be.order == POP3_NEWEST_FIRST;

    admin_put_text(call, "pop3-folder",
                   account->pop3_folder[0] != '\0' ? account->pop3_folder
                                                   : settings->pop3be.folder);
    admin_put_bool(call, "pop3-folder-is-own", account->pop3_folder[0] != '\0');
    admin_put_text(call, "pop3-order", newest_first ? "newest-first" : "oldest-first");
    admin_put_bool(call, "pop3-order-is-own", account->pop3_order_is_set);
}

enum err_code admin_user_password(struct admin_call *call, struct str *password,
                                  char made[ADMIN_PASSWORD_SIZE], struct err *err)
{
    made[0] = '\0';
    *password = str_n(NULL, 0);
    if (admin_secret(call, password))
        return ERR_NONE;
    *password = str_n(NULL, 0);
    if (admin_has(call, "generate")) {
        admin_make_password(made);
        *password = str_of(made);
    } else if (!admin_has(call, "no-password")) {
        admin_hint(call, "give it with --password-stdin, or say --generate or --no-password");
        return err_set(err, ERR_INVALID, "no password was given");
    }
    return ERR_NONE;
}
