#include "proto/oauth_message.h"

#include <string.h>

#include "proto/scram_message.h"

#define SEPARATOR '\001'

/* Takes all up to the separator, and the separator. False when there is none. */
static bool take_until(struct str *rest, char separator, struct str *part)
{
    const char *end = rest->length == 0 ? NULL : memchr(rest->data, separator, rest->length);

    if (end == NULL)
        return false;
    *part = str_n(rest->data, (size_t)(end - rest->data));
    *rest = str_n(end + 1, rest->length - part->length - 1);
    return true;
}

static struct str behind(struct str text, size_t length)
{
    return str_n(text.data + length, text.length - length);
}

/* b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" */
static bool is_token(struct str text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789-._~+/=";

    for (size_t i = 0; i < text.length; i++) {
        if (memchr(allowed, text.data[i], sizeof(allowed) - 1) == NULL)
            return false;
    }
    return text.length > 0;
}

static bool read_auth(struct str value, struct str *token)
{
    static const char scheme[] = "Bearer ";

    if (!str_starts_nocase(value, scheme))
        return false;
    *token = behind(value, sizeof(scheme) - 1);
    return is_token(*token);
}

/* *kvpair kvsep, to the end of the message. What is not "auth" is passed over. */
static bool read_pairs(struct str rest, struct str *token)
{
    struct str pair, key;
    bool found = false;

    while (take_until(&rest, SEPARATOR, &pair) && pair.length > 0) {
        if (!take_until(&pair, '=', &key) || key.length == 0)
            return false;
        if (!str_is_nocase(key, "auth"))
            continue;
        if (found || !read_auth(pair, token))
            return false;
        found = true;
    }
    return found && pair.length == 0 && rest.length == 0;
}

static bool is_saslname(struct str text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '\0' || text.data[i] == SEPARATOR)
            return false;
        if (text.data[i] != '=')
            continue;
        if (text.length - i < 3 ||
            (memcmp(text.data + i, "=2C", 3) != 0 && memcmp(text.data + i, "=3D", 3) != 0))
            return false;
        i += 2;
    }
    return text.length > 0;
}

/* gs2-header, which here ends in a separator: "n,a=user@example.com,^A". */
bool oauth_read_bearer(struct str message, struct buf *user, struct str *token)
{
    struct str rest = message, flag, name, nothing;

    if (!take_until(&rest, ',', &flag) || !(str_is(flag, "n") || str_is(flag, "y")) ||
        !take_until(&rest, ',', &name) || !take_until(&rest, SEPARATOR, &nothing) ||
        nothing.length > 0)
        return false;
    if (name.length > 0) {
        if (name.length < 3 || memcmp(name.data, "a=", 2) != 0 || !is_saslname(behind(name, 2)))
            return false;
        scram_name(behind(name, 2), user);
    }
    return read_pairs(rest, token);
}

bool oauth_read_xoauth2(struct str message, struct buf *user, struct str *token)
{
    struct str rest = message, name;

    if (!take_until(&rest, SEPARATOR, &name) || !str_starts_nocase(name, "user="))
        return false;
    name = behind(name, 5);
    if (name.length == 0 || memchr(name.data, '\0', name.length) != NULL)
        return false;
    buf_append(user, name.data, name.length);
    return read_pairs(rest, token);
}
