/* Values of flags that are more than text. */
#include <string.h>

#include "proto/admin.h"

static const char *value_of(const struct admin_call *call, const char *flag)
{
    return admin_has(call, flag) ? admin_value(call, flag) : NULL;
}

enum err_code admin_value_size(const struct admin_call *call, const char *flag, uint64_t *value,
                               struct err *err)
{
    static const char units[] = "KMGT";
    const char *text = value_of(call, flag), *unit;
    struct str digits = str_of(text);
    uint64_t number, factor = 1;

    if (text == NULL)
        return ERR_NONE;
    unit = digits.length == 0 ? NULL
                              : memchr(units, str_upper(text[digits.length - 1]), strlen(units));
    if (unit != NULL) {
        factor = (uint64_t)1 << (10 * (unit - units + 1));
        digits.length--;
    }
    if (!str_number(digits, UINT64_MAX, &number) || __builtin_mul_overflow(number, factor, value))
        return err_set(err, ERR_INVALID, "--%s=%s is no size: bytes, or 64K, 10M, 2G, 1T", flag,
                       text);
    return ERR_NONE;
}

static uint64_t seconds_of(char unit)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = {
        {'s', 1    },
        {'m', 60   },
        {'h', 3600 },
        {'d', 86400},
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (units[i].unit == unit)
            return units[i].seconds;
    return 0;
}

enum err_code admin_value_seconds(const struct admin_call *call, const char *flag, uint64_t *value,
                                  struct err *err)
{
    const char *text = value_of(call, flag);
    struct str digits = str_of(text);
    uint64_t number, factor;

    if (text == NULL)
        return ERR_NONE;
    factor = digits.length == 0 ? 0 : seconds_of(text[digits.length - 1]);
    if (factor != 0)
        digits.length--;
    else
        factor = 1;
    if (!str_number(digits, UINT64_MAX, &number) || __builtin_mul_overflow(number, factor, value))
        return err_set(err, ERR_INVALID, "--%s=%s is no time: seconds, or 30m, 2h, 14d", flag,
                       text);
    return ERR_NONE;
}

enum err_code admin_value_number(const struct admin_call *call, const char *flag, uint64_t *value,
                                 struct err *err)
{
    const char *text = value_of(call, flag);

    if (text != NULL && !str_number(str_of(text), UINT64_MAX, value))
        return err_set(err, ERR_INVALID, "--%s=%s is no number", flag, text);
    return ERR_NONE;
}

enum err_code admin_value_bool(const struct admin_call *call, const char *flag, bool *value,
                               struct err *err)
{
    static const char *const yes[] = {"yes", "on", "true", "1"};
    static const char *const no[] = {"no", "off", "false", "0"};
    const char *text = value_of(call, flag);

    if (text == NULL)
        return ERR_NONE;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (str_is_nocase(str_of(text), yes[i]) || str_is_nocase(str_of(text), no[i])) {
            *value = str_is_nocase(str_of(text), yes[i]);
            return ERR_NONE;
        }
    }
    return err_set(err, ERR_INVALID, "--%s=%s is neither yes nor no", flag, text);
}
