/* Lines of passwd-files, as Dovecot's passwd-file driver has them, passwd(5) with extra fields, and
   lines of shadow(5). */
#include <string.h>

#include "mailbox-backend/directory/write.h"

enum { FIELD_NAME, FIELD_PASSWORD, FIELD_GECOS = 4, FIELD_EXTRA = 7, FIELD_COUNT };

/* Cuts at colons; the last field goes on to the end of the line, since extra fields hold colons. */
static void split(struct str line, struct str fields[FIELD_COUNT])
{
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        const char *colon = memchr(line.data, ':', line.length);

        fields[i] = line;
        if (colon == NULL || i + 1 == FIELD_COUNT) {
            line = str_n(line.data + line.length, 0);
            continue;
        }
        fields[i].length = (size_t)(colon - line.data);
        line = str_n(colon + 1, line.length - fields[i].length - 1);
    }
}

/* "1G" with powers of 1024; without a letter in units of bare. */
static bool read_size(struct str text, uint64_t bare, uint64_t *bytes)
{
    static const char units[] = "bkmgt";
    uint64_t factor = bare, number;
    const char *unit =
        text.length == 0 ? NULL : memchr(units, str_lower(text.data[text.length - 1]), 5);

    if (unit != NULL) {
        factor = (uint64_t)1 << (10 * (unit - units));
        text.length--;
    }
    return str_number(text, UINT64_MAX / ((uint64_t)1 << 40), &number) &&
           !__builtin_mul_overflow(number, factor, bytes);
}

static struct str behind(struct str text, size_t count)
{
    return str_n(text.data + count, text.length - count);
}

/* "*:bytes=100M", "*:storage=1G" (KB without a letter), "*:messages=1000"; several by ":". */
static enum err_code read_quota(struct str rule, struct account_new *new, struct err *err)
{
    if (!str_starts_nocase(rule, "*:"))
        return ERR_NONE; /* of a single folder: not known here */
    for (rule = behind(rule, 2); rule.length > 0;) {
        const char *colon = memchr(rule.data, ':', rule.length);
        struct str part =
            str_n(rule.data, colon == NULL ? rule.length : (size_t)(colon - rule.data));
        bool good = true;

        if (str_starts_nocase(part, "bytes="))
            good = new->quota_is_set = read_size(behind(part, 6), 1, &new->quota_bytes);
        else if (str_starts_nocase(part, "storage="))
            good = new->quota_is_set = read_size(behind(part, 8), 1024, &new->quota_bytes);
        else if (str_starts_nocase(part, "messages="))
            good = str_number(behind(part, 9), UINT64_MAX, &new->quota_messages);
        if (!good)
            return err_set(err, ERR_INVALID, "quota rule \"%.*s\" is not understood",
                           (int)part.length, part.data);
        rule = behind(rule, part.length + (colon != NULL));
    }
    return ERR_NONE;
}

static enum err_code read_extra(struct str extra, struct account_new *new, struct err *err)
{
    enum err_code code = ERR_NONE;

    while (extra.length > 0 && code == ERR_NONE) {
        const char *space = memchr(extra.data, ' ', extra.length);
        struct str word =
            str_n(extra.data, space == NULL ? extra.length : (size_t)(space - extra.data));

        if (str_starts_nocase(word, "userdb_quota_rule="))
            code = read_quota(behind(word, 18), new, err);
        else if (str_is_nocase(word, "nologin") || str_starts_nocase(word, "nologin="))
            new->disabled = true;
        extra = behind(extra, word.length + (space != NULL));
    }
    return code;
}

static bool has_only(struct str text, const char *bytes)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] == '\0' || strchr(bytes, text.data[i]) == NULL)
            return false;
    return true;
}

/* shadow(5): nine fields, and numbers of days in all behind the password. */
static bool is_shadow(const struct str fields[FIELD_COUNT])
{
    for (unsigned i = FIELD_PASSWORD + 1; i < FIELD_EXTRA; i++)
        if (!has_only(fields[i], "0123456789"))
            return false;
    return has_only(fields[FIELD_EXTRA], "0123456789:") &&
           memchr(fields[FIELD_EXTRA].data, ':', fields[FIELD_EXTRA].length) != NULL;
}

/* The name of the user is before the first comma, room and telephone behind it. */
static void take_gecos(struct str gecos, struct arena *arena, struct account_new *new)
{
    const char *comma = gecos.length == 0 ? NULL : memchr(gecos.data, ',', gecos.length);

    if (gecos.length > 0)
        new->display_name = arena_copy(arena, gecos.data,
                                       comma == NULL ? gecos.length : (size_t)(comma - gecos.data));
}

enum err_code passwd_line_parse(struct str line, struct arena *arena, struct account_new *new,
                                struct err *err)
{
    struct str fields[FIELD_COUNT], rest;
    enum password_kind kind;
    enum err_code code;

    line = str_trim(line);
    if (line.length == 0 || line.data[0] == '#')
        return ERR_NOT_FOUND;
    split(line, fields);
    if (fields[FIELD_NAME].length == 0)
        return err_set(err, ERR_INVALID, "the line has no name");
    *new = (struct account_new){.services = SERVICES_ALL};
    new->name = str_of(arena_copy(arena, fields[FIELD_NAME].data, fields[FIELD_NAME].length));
    code = password_read_field(fields[FIELD_PASSWORD], &kind, &rest, err);
    if (code != ERR_NONE)
        return code;
    if (kind == PASSWORD_HASH)
        new->hash = arena_copy(arena, rest.data, rest.length);
    if (kind == PASSWORD_PLAIN)
        new->password = str_of(arena_copy(arena, rest.data, rest.length));
    if (is_shadow(fields))
        return ERR_NONE;
    take_gecos(fields[FIELD_GECOS], arena, new);
    return read_extra(fields[FIELD_EXTRA], new, err);
}
