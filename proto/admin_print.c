#include "proto/admin_print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/buf.h"
#include "common/mem.h"

#define COLUMNS_MAX 24
#define AHEAD 200 /* rows that are looked at before the widths of a table are settled */

struct admin_print {
    FILE *to;
    bool json, rows;
    size_t count;        /* rows so far */
    struct arena arena;  /* the cells that wait */
    size_t column_count; /* of a table */
    char *heads[COLUMNS_MAX];
    size_t widths[COLUMNS_MAX];
    char **waiting[AHEAD];
    size_t waiting_count;
    bool is_settled;
};

struct admin_print *admin_print_create(FILE *to, bool json, bool rows)
{
    struct admin_print *print = mem_alloc(sizeof(*print));

    print->to = to;
    print->json = json;
    print->rows = rows;
    return print;
}

void admin_print_destroy(struct admin_print **print)
{
    if (*print != NULL)
        arena_reset(&(*print)->arena);
    free(*print);
    *print = NULL;
}

/* ---- values ---- */

static void put_bytes(struct buf *out, uint64_t bytes)
{
    static const char units[] = " KMGTPE";
    unsigned unit = 0;
    uint64_t tenths = 0;

    for (; bytes >= 1024; unit++) {
        tenths = bytes % 1024 * 10 / 1024;
        bytes /= 1024;
    }
    buf_printf(out, "%" PRIu64, bytes);
    if (unit > 0 && bytes < 100 && tenths > 0)
        buf_printf(out, ".%" PRIu64, tenths);
    if (unit > 0)
        buf_byte(out, (uint8_t)units[unit]);
}

static void put_time(struct buf *out, int64_t unix_time)
{
    time_t seconds = unix_time;
    struct tm parts;
    char text[40];

    if (unix_time == 0 || gmtime_r(&seconds, &parts) == NULL)
        return;
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    buf_text(out, text);
}

/* What could move the cursor or change colours does not reach the terminal. */
static void put_visible(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == 0xC2 && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xA0) {
            buf_byte(out, '?'); /* C1 controls */
            text++;
        } else {
            buf_byte(out, c < ' ' || c == 0x7F ? '?' : c);
        }
    }
}

static void put_list(struct buf *out, const Admin__Texts *list)
{
    for (size_t i = 0; i < list->n_items; i++) {
        if (i > 0)
            buf_text(out, ", ");
        put_visible(out, list->items[i]);
    }
}

static char *value_text(struct arena *arena, const Admin__Field *field)
{
    struct buf out = {0};
    char *text;

    switch (field->value_case) {
    case ADMIN__FIELD__VALUE_TEXT:
        put_visible(&out, field->text);
        break;
    case ADMIN__FIELD__VALUE_NUMBER:
        buf_printf(&out, "%" PRIu64, field->number);
        break;
    case ADMIN__FIELD__VALUE_BYTES:
        put_bytes(&out, field->bytes);
        break;
    case ADMIN__FIELD__VALUE_TRUTH:
        buf_text(&out, field->truth ? "yes" : "no");
        break;
    case ADMIN__FIELD__VALUE_TIME:
        put_time(&out, field->time);
        break;
    case ADMIN__FIELD__VALUE_LIST:
        put_list(&out, field->list);
        break;
    default:
        break;
    }
    text = arena_copy(arena, out.memory + out.start, buf_length(&out));
    buf_release(&out);
    return text;
}

/* Characters, near enough to columns of a terminal. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

/* ---- JSON ---- */

/* Bytes of the UTF-8 character at text; 0 when it is none: a file's name may be anything. */
static size_t character_length(const unsigned char *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = text[0] < 0x80 ? 1 : text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : 2;
    uint32_t point = length == 1 ? text[0] : text[0] & (0x7Fu >> length);

    if ((text[0] >= 0x80 && text[0] < 0xC0) || text[0] >= 0xF8)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (text[i] & 0x3F);
    }
    return point >= least[length] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF)
               ? length
               : 0;
}

void admin_print_json_text(const char *text, FILE *to)
{
    const unsigned char *at = (const unsigned char *)text;

    fputc('"', to);
    while (*at != '\0') {
        size_t length = character_length(at);

        if (length == 0)
            fputs("\\ufffd", to);
        else if (*at == '"' || *at == '\\')
            fprintf(to, "\\%c", *at);
        else if (*at < ' ' || *at == 0x7F)
            fprintf(to, "\\u%04x", *at);
        else
            fwrite(at, 1, length, to);
        at += length == 0 ? 1 : length;
    }
    fputc('"', to);
}

static void print_json_list(const Admin__Texts *list, FILE *to)
{
    fputc('[', to);
    for (size_t i = 0; i < list->n_items; i++) {
        if (i > 0)
            fputs(", ", to);
        admin_print_json_text(list->items[i], to);
    }
    fputc(']', to);
}

static void print_json_value(const Admin__Field *field, FILE *to)
{
    struct arena arena = {0};

    switch (field->value_case) {
    case ADMIN__FIELD__VALUE_NUMBER:
        fprintf(to, "%" PRIu64, field->number);
        break;
    case ADMIN__FIELD__VALUE_BYTES:
        fprintf(to, "%" PRIu64, field->bytes);
        break;
    case ADMIN__FIELD__VALUE_TRUTH:
        fputs(field->truth ? "true" : "false", to);
        break;
    case ADMIN__FIELD__VALUE_LIST:
        print_json_list(field->list, to);
        break;
    case ADMIN__FIELD__VALUE_TIME:
        if (field->time == 0)
            fputs("null", to);
        else
            admin_print_json_text(value_text(&arena, field), to);
        break;
    default:
        admin_print_json_text(field->text, to);
        break;
    }
    arena_reset(&arena);
}

static void print_json_row(struct admin_print *print, const Admin__Row *row)
{
    if (print->rows)
        fputs(print->count == 0 ? "[\n  " : ",\n  ", print->to);
    fputc('{', print->to);
    for (size_t i = 0; i < row->n_fields; i++) {
        if (i > 0)
            fputs(", ", print->to);
        admin_print_json_text(row->fields[i]->key, print->to);
        fputs(": ", print->to);
        print_json_value(row->fields[i], print->to);
    }
    fputs(print->rows ? "}" : "}\n", print->to);
}

/* ---- tables ---- */

static void print_cells(struct admin_print *print, char *const *cells)
{
    for (size_t i = 0; i < print->column_count; i++) {
        size_t width = width_of(cells[i]);

        fputs(cells[i], print->to);
        if (i + 1 < print->column_count)
            fprintf(print->to, "%*s",
                    (int)(print->widths[i] > width ? print->widths[i] - width : 0) + 2, "");
    }
    fputc('\n', print->to);
}

static void settle(struct admin_print *print)
{
    if (!print->is_settled && print->column_count > 0)
        print_cells(print, print->heads);
    print->is_settled = true;
    for (size_t i = 0; i < print->waiting_count; i++)
        print_cells(print, print->waiting[i]);
    print->waiting_count = 0;
}

static void begin_table(struct admin_print *print, const Admin__Row *row)
{
    print->column_count = row->n_fields < COLUMNS_MAX ? row->n_fields : COLUMNS_MAX;
    for (size_t i = 0; i < print->column_count; i++) {
        char *head = arena_string(&print->arena, row->fields[i]->key);

        for (char *at = head; *at != '\0'; at++)
            *at = str_upper(*at);
        print->heads[i] = head;
        print->widths[i] = width_of(head);
    }
}

static void print_table_row(struct admin_print *print, const Admin__Row *row)
{
    struct arena passing = {0};
    struct arena *arena = print->is_settled ? &passing : &print->arena;
    char **cells;

    if (print->count == 0)
        begin_table(print, row);
    cells = arena_array(arena, print->column_count + 1, sizeof(char *));
    for (size_t i = 0; i < print->column_count; i++) {
        cells[i] = i < row->n_fields ? value_text(arena, row->fields[i]) : arena_string(arena, "");
        if (!print->is_settled && width_of(cells[i]) > print->widths[i])
            print->widths[i] = width_of(cells[i]);
    }
    if (print->is_settled)
        print_cells(print, cells);
    else
        print->waiting[print->waiting_count++] = cells;
    if (print->waiting_count == AHEAD)
        settle(print);
    arena_reset(&passing);
}

/* ---- records ---- */

static void print_record(struct admin_print *print, const Admin__Row *row)
{
    struct arena arena = {0};
    size_t width = 0;

    for (size_t i = 0; i < row->n_fields; i++) {
        if (width_of(row->fields[i]->key) > width)
            width = width_of(row->fields[i]->key);
    }
    for (size_t i = 0; i < row->n_fields; i++)
        fprintf(print->to, "%s:%*s %s\n", row->fields[i]->key,
                (int)(width - width_of(row->fields[i]->key)), "",
                value_text(&arena, row->fields[i]));
    arena_reset(&arena);
}

enum err_code admin_print_row(struct admin_print *print, const Admin__Row *row, struct err *err)
{
    if (print->json)
        print_json_row(print, row);
    else if (print->rows)
        print_table_row(print, row);
    else
        print_record(print, row);
    print->count++;
    if (ferror(print->to))
        return err_set(err, ERR_UNAVAILABLE, "the output is closed");
    return ERR_NONE;
}

void admin_print_end(struct admin_print *print, const char *said)
{
    if (print->json && print->rows) {
        fputs(print->count == 0 ? "[]\n" : "\n]\n", print->to);
    } else if (print->json && print->count == 0 && said[0] != '\0') {
        fputs("{\"text\": ", print->to);
        admin_print_json_text(said, print->to);
        fputs("}\n", print->to);
    } else if (!print->json) {
        settle(print);
        if (said[0] != '\0')
            fprintf(print->to, "%s\n", said);
    }
    fflush(print->to);
}
