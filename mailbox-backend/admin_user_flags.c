#include "mailbox-backend/admin_user_flags.h"

#include <string.h>

#include "mailbox-backend/directory/admin.h"

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

enum err_code admin_user_quota(const struct admin_call *call, uint64_t *bytes, bool *is_default,
                               struct err *err)
{
    const char *text = admin_value(call, "quota");

    *is_default = text != NULL && strcmp(text, "default") == 0;
    *bytes = 0;
    if (*is_default || (text != NULL && strcmp(text, "none") == 0))
        return ERR_NONE;
    return admin_value_size(call, "quota", bytes, err);
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
