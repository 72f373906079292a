#include <inttypes.h>

#include "common/settings_inside.h"

static const struct {
    const char *word;    /* what a bad value is, behind "is" */
    const char *allowed; /* where no bounds or choices say more */
} types[] = {
    [SETTING_TEXT] = {"not a text",                              "any text"                                           },
    [SETTING_PATH] = {"not a path",                              "a path; a relative one begins at this file's folder"},
    [SETTING_BOOL] = {"not yes or no",                           "yes or no"                                          },
    [SETTING_NUMBER] = {"not a number",                            "any number"                                         },
    [SETTING_SIZE] = {"not a size, such as 64K, 10M or 2G",      "any size"                                           },
    [SETTING_SECONDS] = {"not a time, such as 90s, 30m, 2h or 14d", "any time"                                           },
    [SETTING_CHOICE] = {"not one of the choices",                  ""                                                   },
    [SETTING_LIST] = {"not a list",                              "texts with commas between them"                     },
    [SETTING_ADDRESSES] = {"not a list of addresses",
                      "addresses such as 127.0.0.1:143, [::1]:143, *:143 or unix:/path"                               },
    [SETTING_NETWORKS] = {"not a list of networks",
                      "networks such as 192.0.2.0/24, 2001:db8::/32 or unix"                                          },
};

const char *setting_type_word(const struct setting *setting)
{
    return types[setting->type].word;
}

bool setting_is_bounded(const struct setting *setting)
{
    bool counts = setting->type == SETTING_NUMBER || setting->type == SETTING_SIZE ||
                  setting->type == SETTING_SECONDS;

    return counts && (setting->least != 0 || setting->most != 0);
}

struct unit {
    uint64_t factor;
    char suffix[2];
};

static const struct unit plain_units[] = {
    {1, ""}
};
static const struct unit size_units[] = {
    {(uint64_t)1 << 40, "T"},
    {(uint64_t)1 << 30, "G"},
    {(uint64_t)1 << 20, "M"},
    {(uint64_t)1 << 10, "K"},
    {1,                 "" },
};
static const struct unit time_units[] = {
    {86400, "d"},
    {3600,  "h"},
    {60,    "m"},
    {1,     "s"}
};

/* With the largest unit that leaves a whole number. */
static void format_number(const struct setting *setting, uint64_t number, struct buf *out)
{
    const struct unit *unit = setting->type == SETTING_SIZE      ? size_units
                              : setting->type == SETTING_SECONDS ? time_units
                                                                 : plain_units;

    if (number == 0) {
        buf_byte(out, '0');
        return;
    }
    while (number % unit->factor != 0)
        unit++;
    buf_printf(out, "%" PRIu64 "%s", number / unit->factor, unit->suffix);
}

void setting_format(const struct setting *setting, const void *field, struct buf *out)
{
    const struct setting_list *list = field;

    switch (setting->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
        buf_text(out, *(char *const *)field == NULL ? "" : *(char *const *)field);
        return;
    case SETTING_BOOL:
        buf_text(out, *(const bool *)field ? "yes" : "no");
        return;
    case SETTING_NUMBER:
    case SETTING_SIZE:
    case SETTING_SECONDS:
        format_number(setting, *(const uint64_t *)field, out);
        return;
    case SETTING_CHOICE:
        buf_text(out, setting->choices[*(const int *)field]);
        return;
    default:
        for (size_t i = 0; i < list->count; i++)
            buf_printf(out, "%s%s", i == 0 ? "" : ", ", list->items[i]);
    }
}

static void list_choices(const struct setting *setting, struct buf *out)
{
    for (size_t i = 0; setting->choices[i] != NULL; i++) {
        const char *before = i == 0 ? "" : setting->choices[i + 1] == NULL ? " or " : ", ";

        buf_printf(out, "%s%s", before, setting->choices[i]);
    }
}

void setting_allowed(const struct setting *setting, struct buf *out)
{
    if (setting->type == SETTING_CHOICE) {
        list_choices(setting, out);
    } else if (setting_is_bounded(setting)) {
        format_number(setting, setting->least, out);
        buf_text(out, " to ");
        format_number(setting, setting->most, out);
    } else {
        buf_text(out, types[setting->type].allowed);
    }
}
