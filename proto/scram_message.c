#include "proto/scram_message.h"

#include <string.h>

/* Takes all up to the next comma, and the comma if there is one. False when nothing is left. */
static bool take_part(struct str *rest, struct str *part)
{
    const char *comma;

    if (rest->length == 0)
        return false;
    comma = memchr(rest->data, ',', rest->length);
    if (comma == NULL) {
        *part = *rest;
        *rest = (struct str){rest->data + rest->length, 0};
        return true;
    }
    *part = str_n(rest->data, (size_t)(comma - rest->data));
    *rest = str_n(comma + 1, rest->length - part->length - 1);
    return true;
}

/* Takes "name=value" off the start; the value is not empty. */
static bool take_value(struct str *rest, char name, struct str *value)
{
    struct str part;

    if (!take_part(rest, &part) || part.length < 3 || part.data[0] != name || part.data[1] != '=')
        return false;
    *value = str_n(part.data + 2, part.length - 2);
    return true;
}

static bool is_name(struct str text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] != '=')
            continue;
        if (text.length - i < 3 ||
            (memcmp(text.data + i, "=2C", 3) != 0 && memcmp(text.data + i, "=3D", 3) != 0))
            return false;
        i += 2;
    }
    return text.length > 0;
}

/* printable of RFC 5802: visible ASCII without the comma, which has ended it. */
static bool is_printable(struct str text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < 0x21 || text.data[i] > 0x7E)
            return false;
    }
    return text.length > 0;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_extension(struct str part)
{
    return part.length > 2 && is_letter(part.data[0]) && part.data[1] == '=';
}

/* Optional extensions are passed over: only "m=", where a name must be, is one that may not be. */
static bool are_extensions(struct str rest)
{
    struct str part;

    while (take_part(&rest, &part)) {
        if (!is_extension(part))
            return false;
    }
    return true;
}

static bool has_loose_end(struct str message)
{
    return message.length == 0 || message.data[message.length - 1] == ',' ||
           memchr(message.data, '\0', message.length) != NULL;
}

/* cb-name = 1*(ALPHA / DIGIT / "." / "-") */
static bool is_binding_name(struct str text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];

        if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '.' && c != '-')
            return false;
    }
    return text.length > 0;
}

static bool read_flag(struct str part, struct scram_first *first)
{
    first->binding_name = (struct str){NULL, 0};
    if (str_is(part, "n")) {
        first->binding = SCRAM_BINDING_NONE;
        return true;
    }
    if (str_is(part, "y")) {
        first->binding = SCRAM_BINDING_UNNEEDED;
        return true;
    }
    if (part.length < 3 || part.data[0] != 'p' || part.data[1] != '=')
        return false;
    first->binding = SCRAM_BINDING_USED;
    first->binding_name = str_n(part.data + 2, part.length - 2);
    return is_binding_name(first->binding_name);
}

static bool read_header(struct str *rest, struct scram_first *first)
{
    struct str part, whole = *rest;

    if (!take_part(rest, &part) || !read_flag(part, first) || !take_part(rest, &part))
        return false;
    first->identity = (struct str){NULL, 0};
    if (part.length > 0) {
        if (part.length < 3 || part.data[0] != 'a' || part.data[1] != '=')
            return false;
        first->identity = str_n(part.data + 2, part.length - 2);
        if (!is_name(first->identity))
            return false;
    }
    first->header = str_n(whole.data, whole.length - rest->length);
    return true;
}

bool scram_read_first(struct str message, struct scram_first *first)
{
    struct str rest = message;

    if (has_loose_end(message) || !read_header(&rest, first))
        return false;
    first->bare = rest;
    return take_value(&rest, 'n', &first->user) && is_name(first->user) &&
           take_value(&rest, 'r', &first->nonce) && is_printable(first->nonce) &&
           are_extensions(rest);
}

bool scram_read_final(struct str message, struct scram_final *final)
{
    struct str rest = message, part;

    if (has_loose_end(message) || !take_value(&rest, 'c', &final->binding) ||
        !take_value(&rest, 'r', &final->nonce) || !is_printable(final->nonce))
        return false;
    while (take_part(&rest, &part)) {
        if (!is_extension(part))
            return false;
        if (part.data[0] != 'p')
            continue;
        final->proof = str_n(part.data + 2, part.length - 2);
        final->without_proof = str_n(message.data, (size_t)(part.data - message.data) - 1);
        return rest.length == 0; /* the proof is the last */
    }
    return false;
}

void scram_name(struct str name, struct buf *out)
{
    for (size_t i = 0; i < name.length; i++) {
        if (name.data[i] != '=') {
            buf_byte(out, (uint8_t)name.data[i]);
            continue;
        }
        buf_byte(out, name.data[i + 1] == '2' ? ',' : '=');
        i += 2;
    }
}
