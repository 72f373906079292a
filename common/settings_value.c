#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/net.h"
#include "common/settings_inside.h"

struct unit {
    char letter;
    uint64_t factor;
};

static const struct unit size_units[] = {
    {'K',  (uint64_t)1 << 10},
    {'M',  (uint64_t)1 << 20},
    {'G',  (uint64_t)1 << 30},
    {'T',  (uint64_t)1 << 40},
    {'\0', 0                },
};

static const struct unit time_units[] = {
    {'S',  1    },
    {'M',  60   },
    {'H',  3600 },
    {'D',  86400},
    {'\0', 0    },
};

/* wrong goes behind "is": "not a number", "out of range". */
static enum err_code refuse(const struct setting *setting, struct str text, const char *wrong,
                            struct err *err)
{
    struct buf allowed = {0};

    setting_allowed(setting, &allowed);
    err_set(err, ERR_INVALID, "\"%.*s\" is %s; allowed is %.*s",
            (int)(text.length < 60 ? text.length : 60), text.data, wrong, (int)buf_length(&allowed),
            (const char *)buf_bytes(&allowed));
    buf_release(&allowed);
    return ERR_INVALID;
}

static enum err_code parse_number(const struct setting *setting, struct str text,
                                  const struct unit *units, void *field, struct err *err)
{
    uint64_t factor = 1;
    struct str digits = text;
    uint64_t number;

    for (; units != NULL && text.length > 0 && units->letter != '\0'; units++) {
        if (str_upper(text.data[text.length - 1]) == units->letter) {
            factor = units->factor;
            digits.length--;
            break;
        }
    }
    if (!str_number(digits, UINT64_MAX / factor, &number))
        return refuse(setting, text, setting_type_word(setting), err);
    number *= factor;
    if (setting_is_bounded(setting) && (number < setting->least || number > setting->most))
        return refuse(setting, text, "out of range", err);
    *(uint64_t *)field = number;
    return ERR_NONE;
}

static enum err_code parse_bool(const struct setting *setting, struct str text, void *field,
                                struct err *err)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (str_is_nocase(text, words[i])) {
            *(bool *)field = i % 2 == 1;
            return ERR_NONE;
        }
    }
    return refuse(setting, text, setting_type_word(setting), err);
}

static enum err_code parse_choice(const struct setting *setting, struct str text, void *field,
                                  struct err *err)
{
    for (int i = 0; setting->choices[i] != NULL; i++) {
        if (str_is_nocase(text, setting->choices[i])) {
            *(int *)field = i;
            return ERR_NONE;
        }
    }
    return refuse(setting, text, setting_type_word(setting), err);
}

static void parse_path(struct str text, const char *folder, char **field)
{
    struct buf path = {0};

    if (text.length > 0 && text.data[0] != '/') {
        buf_text(&path, folder);
        buf_byte(&path, '/');
    }
    buf_append(&path, text.data, text.length);
    *field = mem_string_n(buf_bytes(&path), buf_length(&path));
    buf_release(&path);
}

static enum err_code check_item(const struct setting *setting, const char *item, struct err *err)
{
    struct net_address address;
    struct net_range range;

    switch (setting->type) {
    case SETTING_ADDRESSES:
        return net_parse(&address, item, err);
    case SETTING_NETWORKS:
        return net_range_parse(&range, item, err);
    default:
        return ERR_NONE;
    }
}

static enum err_code add_item(const struct setting *setting, struct str item,
                              struct setting_list *list, struct err *err)
{
    char *copy;
    enum err_code code;

    if (item.length == 0)
        return ERR_NONE;
    copy = mem_string_n(item.data, item.length);
    code = check_item(setting, copy, err);
    if (code != ERR_NONE) {
        free(copy);
        return code;
    }
    list->items = mem_grow(list->items, list->count + 1, sizeof(*list->items));
    list->items[list->count++] = copy;
    return ERR_NONE;
}

static enum err_code parse_list(const struct setting *setting, struct str text,
                                struct setting_list *list, struct err *err)
{
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && text.length > 0) {
        const char *comma = memchr(text.data, ',', text.length);
        size_t length = comma == NULL ? text.length : (size_t)(comma - text.data);

        code = add_item(setting, str_trim(str_n(text.data, length)), list, err);
        length += comma != NULL;
        text = str_n(text.data + length, text.length - length);
    }
    return code;
}

enum err_code setting_parse(const struct setting *setting, struct str text, const char *folder,
                            void *field, struct err *err)
{
    switch (setting->type) {
    case SETTING_TEXT:
        *(char **)field = mem_string_n(text.data, text.length);
        return ERR_NONE;
    case SETTING_PATH:
        parse_path(text, folder, field);
        return ERR_NONE;
    case SETTING_BOOL:
        return parse_bool(setting, text, field, err);
    case SETTING_NUMBER:
        return parse_number(setting, text, NULL, field, err);
    case SETTING_SIZE:
        return parse_number(setting, text, size_units, field, err);
    case SETTING_SECONDS:
        return parse_number(setting, text, time_units, field, err);
    case SETTING_CHOICE:
        return parse_choice(setting, text, field, err);
    default:
        return parse_list(setting, text, field, err);
    }
}

void setting_preset(const struct setting *setting, const char *folder, void *field)
{
    struct err err;

    if (setting->preset == NULL)
        return;
    if (setting_parse(setting, str_of(setting->preset), folder, field, &err) != ERR_NONE) {
        fprintf(stderr, "default of %s.%s: %s\n", setting->section, setting->key, err.text);
        abort();
    }
}

void setting_clear(const struct setting *setting, void *field)
{
    struct setting_list *list = field;

    switch (setting->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
        free(*(char **)field);
        *(char **)field = NULL;
        return;
    case SETTING_LIST:
    case SETTING_ADDRESSES:
    case SETTING_NETWORKS:
        for (size_t i = 0; i < list->count; i++)
            free(list->items[i]);
        free(list->items);
        *list = (struct setting_list){0};
        return;
    default:
        return;
    }
}

enum err_code settings_seconds(const char *text, uint64_t least, uint64_t most, uint64_t *seconds,
                               struct err *err)
{
    const struct setting setting = {.type = SETTING_SECONDS, .least = least, .most = most};

    return setting_parse(&setting, str_of(text), NULL, seconds, err);
}
