#include "mailbox-backend/admin_user_flags.h"

#include <string.h>

#include "mailbox-backend/directory/admin.h"

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
