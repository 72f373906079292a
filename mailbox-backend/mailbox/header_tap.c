#include "mailbox-backend/mailbox/header_tap.h"

#include <string.h>

static struct tap_field *field_find(struct header_tap *tap, struct str name)
{
    for (unsigned i = 0; i < tap->field_count; i++)
        if (str_is_nocase(name, tap->fields[i].name))
            return &tap->fields[i];
    return NULL;
}

/* What is before the colon, or all. */
static struct str name_of(const char *text)
{
    return str_trim(str_n(text, strcspn(text, ":")));
}

void header_tap_keep(struct header_tap *tap, const char *name)
{
    struct str wanted = name_of(name);

    if (wanted.length == 0 || wanted.length > TAP_NAME_MAX || tap->field_count == TAP_FIELDS_MAX ||
        field_find(tap, wanted) != NULL)
        return;
    memcpy(tap->fields[tap->field_count].name, wanted.data, wanted.length);
    tap->field_count++;
}

static void value_byte(struct tap_field *field, uint8_t byte)
{
    if (buf_length(&field->values) < TAP_VALUE_MAX)
        buf_byte(&field->values, byte);
}

static void value_end(struct header_tap *tap)
{
    if (tap->current != NULL)
        value_byte(tap->current, '\n');
    tap->current = NULL;
}

static void at_line_start(struct header_tap *tap, uint8_t byte)
{
    if (byte == '\r')
        return; /* of a blank line, or lost in front of a name */
    if (byte == ' ' || byte == '\t') {
        if (tap->current != NULL)
            value_byte(tap->current, byte);
        tap->state = tap->current != NULL ? TAP_VALUE : TAP_SKIP;
        return;
    }
    value_end(tap);
    tap->state = byte == '\n' ? TAP_OVER : TAP_NAME;
    tap->name[0] = (char)byte;
    tap->name_length = 1;
}

static void in_name(struct header_tap *tap, uint8_t byte)
{
    if (byte == '\n') {
        tap->state = TAP_LINE_START;
    } else if (byte == ':') {
        tap->current = field_find(tap, str_trim(str_n(tap->name, tap->name_length)));
        tap->state = tap->current != NULL ? TAP_VALUE : TAP_SKIP;
    } else if (tap->name_length == TAP_NAME_MAX) {
        tap->state = TAP_SKIP;
    } else {
        tap->name[tap->name_length++] = (char)byte;
    }
}

static void in_value(struct header_tap *tap, uint8_t byte)
{
    if (byte == '\n')
        tap->state = TAP_LINE_START;
    else if (tap->state == TAP_VALUE && byte != '\r' && byte != '\0')
        value_byte(tap->current, byte);
}

void header_tap_feed(struct header_tap *tap, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length && tap->state != TAP_OVER; i++) {
        if (tap->state == TAP_LINE_START)
            at_line_start(tap, bytes[i]);
        else if (tap->state == TAP_NAME)
            in_name(tap, bytes[i]);
        else
            in_value(tap, bytes[i]);
    }
}

void header_tap_release(struct header_tap *tap)
{
    for (unsigned i = 0; i < tap->field_count; i++)
        buf_release(&tap->fields[i].values);
    *tap = (struct header_tap){0};
}

bool header_tap_value(const struct header_tap *tap, const char *name, unsigned n, struct str *value)
{
    const struct tap_field *field = NULL;
    struct str rest;

    for (unsigned i = 0; i < tap->field_count; i++)
        if (str_equal_nocase(name_of(name), str_of(tap->fields[i].name)))
            field = &tap->fields[i];
    if (field == NULL || buf_length(&field->values) == 0)
        return false;
    rest = str_n(buf_bytes(&field->values), buf_length(&field->values));
    for (;;) {
        const char *end = memchr(rest.data, '\n', rest.length);
        size_t length = end == NULL ? rest.length : (size_t)(end - rest.data);

        if (n-- == 0) {
            *value = str_trim(str_n(rest.data, length));
            return true;
        }
        if (end == NULL || length + 1 == rest.length)
            return false;
        rest = str_n(end + 1, rest.length - length - 1);
    }
}
