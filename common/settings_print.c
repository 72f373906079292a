#include <string.h>

#include "common/settings_inside.h"

#define LINE_LENGTH ((size_t)78)

static void put(FILE *to, const struct buf *buf)
{
    if (buf_length(buf) > 0)
        fwrite(buf_bytes(buf), 1, buf_length(buf), to);
}

/* The default of a setting, as the file has it. */
static void format_preset(const struct setting *setting, struct buf *out)
{
    union {
        char *text;
        bool yes;
        uint64_t number;
        int choice;
        struct setting_list list;
    } field = {0};

    if (setting->type == SETTING_PATH) { /* as it was written, not made absolute */
        buf_text(out, setting->preset == NULL ? "" : setting->preset);
        return;
    }
    memset(&field, 0, sizeof(field));
    setting_preset(setting, ".", &field);
    setting_format(setting, &field, out);
    setting_clear(setting, &field);
}

static bool same(const struct buf *a, const struct buf *b)
{
    return str_equal(str_n(buf_bytes(a), buf_length(a)), str_n(buf_bytes(b), buf_length(b)));
}

struct show {
    const struct settings_table *table;
    FILE *to;
};

static void show_setting(const struct setting *setting, const void *field, FILE *to)
{
    struct buf value = {0};
    struct buf preset = {0};

    setting_format(setting, field, &value);
    format_preset(setting, &preset);
    fprintf(to, "%s%s =%s", same(&value, &preset) ? "#" : "", setting->key,
            buf_length(&value) == 0 ? "" : " ");
    put(to, &value);
    fputc('\n', to);
    buf_release(&value);
    buf_release(&preset);
}

static void show_instance(const struct setting_instance *instance, void *context)
{
    const struct show *show = context;
    const struct setting_section *section = instance->section;

    if (section->named)
        fprintf(show->to, "[%s %s]\n", section->name, *(char **)instance->place);
    else
        fprintf(show->to, "[%s]\n", section->name);
    for (size_t i = 0; i < show->table->setting_count; i++) {
        const struct setting *setting = &show->table->settings[i];

        if (setting_is_in(setting, section))
            show_setting(setting, (const char *)instance->place + setting->offset, show->to);
    }
    fputc('\n', show->to);
}

void settings_show(const struct settings_table *table, const void *whole, FILE *to)
{
    struct show show = {table, to};

    settings_visit(table, whole, show_instance, &show);
}

/* text as comment lines, broken at blanks. */
static void put_comment(FILE *to, const char *text)
{
    while (*text != '\0') {
        size_t length = strlen(text);

        if (length > LINE_LENGTH - 2) {
            length = LINE_LENGTH - 2;
            while (length > 0 && text[length] != ' ')
                length--;
            if (length == 0) /* one long word */
                length = strcspn(text, " ");
        }
        fprintf(to, "# %.*s\n", (int)length, text);
        text += length;
        text += *text == ' ';
    }
}

static void sample_setting(const struct setting *setting, FILE *to)
{
    struct buf text = {0};

    put_comment(to, setting->help);
    setting_allowed(setting, &text);
    if (setting->required)
        buf_text(&text, "; must be given");
    buf_byte(&text, '\0');
    if (setting->type != SETTING_TEXT || setting->required) {
        fputs("# Allowed: ", to);
        fprintf(to, "%s\n", (const char *)buf_bytes(&text));
    }
    buf_truncate(&text, 0);
    format_preset(setting, &text);
    fprintf(to, "#%s =%s", setting->key, buf_length(&text) == 0 ? "" : " ");
    put(to, &text);
    fputs("\n\n", to);
    buf_release(&text);
}

void settings_sample(const struct settings_table *table, FILE *to)
{
    fprintf(to, "# Settings of %s. Every line that begins with # shows a default.\n\n",
            table->program);
    for (size_t s = 0; s < table->section_count; s++) {
        const struct setting_section *section = &table->sections[s];

        put_comment(to, section->help);
        if (section->named)
            fprintf(to,
                    "# May be there several times, each with a name of its own.\n#[%s NAME]\n\n",
                    section->name);
        else
            fprintf(to, "[%s]\n\n", section->name);
        for (size_t i = 0; i < table->setting_count; i++) {
            if (setting_is_in(&table->settings[i], section))
                sample_setting(&table->settings[i], to);
        }
    }
}

/* A cell of a table: a bar would end it. */
static void put_cell(FILE *to, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '|')
            fputc('\\', to);
        fputc(text[i], to);
    }
    fputs(" | ", to);
}

static void markdown_setting(const struct setting *setting, FILE *to)
{
    struct buf text = {0};

    fprintf(to, "| `%s` | ", setting->key);
    format_preset(setting, &text);
    if (setting->required)
        fputs("must be given | ", to);
    else if (buf_length(&text) == 0)
        fputs("none | ", to);
    else
        fprintf(to, "`%.*s` | ", (int)buf_length(&text), (const char *)buf_bytes(&text));
    buf_truncate(&text, 0);
    setting_allowed(setting, &text);
    put_cell(to, (const char *)buf_bytes(&text), buf_length(&text));
    put_cell(to, setting->help, strlen(setting->help));
    fputs("\n", to);
    buf_release(&text);
}

void settings_markdown(const struct settings_table *table, FILE *to)
{
    for (size_t s = 0; s < table->section_count; s++) {
        const struct setting_section *section = &table->sections[s];

        fprintf(to, "### `[%s%s]`\n\n%s\n\n", section->name, section->named ? " NAME" : "",
                section->help);
        fputs("| setting | default | allowed | what it does |\n|---|---|---|---|\n", to);
        for (size_t i = 0; i < table->setting_count; i++) {
            if (setting_is_in(&table->settings[i], section))
                markdown_setting(&table->settings[i], to);
        }
        fputc('\n', to);
    }
}
