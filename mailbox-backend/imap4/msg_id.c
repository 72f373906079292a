#include "mailbox-backend/imap4/msg_id.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Reads behind a "<" up to its ">"; NULL when there is none before the next "<" or in time. Quotes are
   undone, white space outside of them is left out. */
static const char *read_id(const char *at, const char *end, char *id, size_t *length)
{
    bool quoted = false;

    if ((size_t)(end - at) > MSG_ID_MAX)
        end = at + MSG_ID_MAX;
    *length = 0;
    for (; at != end; at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (quoted && *at == '\\' && at + 1 != end)
            id[(*length)++] = *++at;
        else if (!quoted && *at == '>')
            return at + 1;
        else if (!quoted && *at == '<')
            return NULL;
        else if (quoted ? *at != '\r' && *at != '\n' : !is_space(*at))
            id[(*length)++] = *at;
    }
    return NULL;
}

/* Something on both sides of an "@". */
static bool is_valid(struct str id)
{
    const char *sign = memchr(id.data, '@', id.length);

    return sign != NULL && sign != id.data && sign != id.data + id.length - 1;
}

bool msg_id_next(struct str *rest, char bytes[MSG_ID_MAX], struct str *id)
{
    const char *end = rest->data + rest->length;

    while (rest->length > 0) {
        const char *open = memchr(rest->data, '<', rest->length);
        const char *behind;
        size_t length;

        if (open == NULL)
            break;
        behind = read_id(open + 1, end, bytes, &length);
        *id = str_n(bytes, length);
        if (behind == NULL)
            *rest = str_n(open + 1, (size_t)(end - open - 1));
        else
            *rest = str_n(behind, (size_t)(end - behind));
        if (behind != NULL && is_valid(*id))
            return true;
    }
    return false;
}
