#include "mailbox-backend/directory/name.h"

#include <string.h>

#include "mailbox-backend/directory/precis.h"
#include "mailbox-backend/directory/punycode.h"

#define LABEL_MAX 63 /* bytes of one domain label, RFC 1035 section 2.3.4 */

static bool is_ascii(const uint32_t *points, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (points[i] > 0x7F)
            return false;
    }
    return true;
}

static bool starts_ace(const uint32_t *points, size_t count)
{
    return count > 4 && (points[0] | 0x20) == 'x' && (points[1] | 0x20) == 'n' &&
           points[2] == '-' && points[3] == '-';
}

/* Letters, digits, inner hyphens (RFC 5890 section 2.3.1), and what is not ASCII. Host names with
   "_" exist in local networks. */
static bool is_label(const char *label, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = label[i];
        bool inner = i > 0 && i + 1 < length;

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80) ||
              (c == '-' && inner)))
            return false;
    }
    return length > 0;
}

/* Appends one label, as a U-label. */
static enum err_code append_label(const uint32_t *points, size_t count, char *domain, size_t room,
                                  struct err *err)
{
    uint32_t decoded[LABEL_MAX];
    struct err ignored;

    if (count == 0 || count > LABEL_MAX)
        return err_set(err, ERR_INVALID, "a domain has an empty or too long label");
    if (starts_ace(points, count) && is_ascii(points, count)) {
        if (!punycode_decode(points + 4, count - 4, decoded, LABEL_MAX, &count))
            return err_set(err, ERR_INVALID, "a domain label is malformed");
        points = decoded;
    }
    if (precis_username(points, count, domain, room, &ignored) != ERR_NONE ||
        !is_label(domain, strlen(domain)))
        return err_set(err, ERR_INVALID, "a character that may not be in a domain");
    return ERR_NONE;
}

static enum err_code make_domain(const uint32_t *points, size_t count,
                                 char domain[NAME_DOMAIN_MAX + 1], struct err *err)
{
    size_t used = 0;

    if (count > 0 && points[count - 1] == '.')
        count--;
    for (size_t start = 0; start <= count;) {
        size_t end = start;

        while (end < count && points[end] != '.')
            end++;
        if (used > 0 && used < NAME_DOMAIN_MAX)
            domain[used++] = '.';
        if (append_label(points + start, end - start, domain + used, NAME_DOMAIN_MAX + 1 - used,
                         err) != ERR_NONE)
            return err == NULL ? ERR_INVALID : err->code;
        used += strlen(domain + used);
        start = end + 1;
    }
    return ERR_NONE;
}

enum err_code name_domain(struct str given, char domain[NAME_DOMAIN_MAX + 1], struct err *err)
{
    struct points points;

    if (points_decode(given, &points, err) != ERR_NONE)
        return ERR_INVALID;
    points_map_width(&points);
    return make_domain(points.at, points.count, domain, err);
}

/* The place of the last c; count when there is none. */
static size_t find_last(const struct points *points, uint32_t c)
{
    for (size_t i = points->count; i > 0; i--) {
        if (points->at[i - 1] == c)
            return i - 1;
    }
    return points->count;
}

/* A domain without dots is the default domain when it is that one's first label. */
static void complete_domain(char domain[NAME_DOMAIN_MAX + 1], const char *default_domain)
{
    size_t length = strlen(domain);

    if (strchr(domain, '.') == NULL && strncmp(domain, default_domain, length) == 0 &&
        default_domain[length] == '.')
        strcpy(domain, default_domain);
}

static enum err_code take_default(const char *default_domain, char domain[NAME_DOMAIN_MAX + 1],
                                  struct err *err)
{
    if (default_domain == NULL || default_domain[0] == '\0')
        return err_set(err, ERR_INVALID, "a name without a domain, and there is no default domain");
    return name_domain(str_of(default_domain), domain, err);
}

static enum err_code join(const uint32_t *local, size_t count, const char *domain,
                          char name[NAME_SIZE], struct err *err)
{
    enum err_code code = precis_username(local, count, name, NAME_LOCAL_MAX + 1, err);

    if (code != ERR_NONE)
        return code;
    if (strpbrk(name, "@\\") != NULL)
        return err_set(err, ERR_INVALID, "@ or \\ within a name");
    strcat(name, "@");
    strcat(name, domain);
    return ERR_NONE;
}

enum err_code name_login(struct str given, const char *default_domain, char name[NAME_SIZE],
                         struct err *err)
{
    char domain[NAME_DOMAIN_MAX + 1], usual[NAME_DOMAIN_MAX + 1];
    struct points points;
    const uint32_t *local = points.at;
    enum err_code code;
    size_t at, slash;

    if (points_decode(given, &points, err) != ERR_NONE)
        return ERR_INVALID;
    points_map_width(&points);
    at = find_last(&points, '@');
    slash = find_last(&points, '\\');
    if (at < points.count) {
        code = make_domain(points.at + at + 1, points.count - at - 1, domain, err);
    } else if (slash < points.count) {
        code = make_domain(points.at, slash, domain, err);
        if (code == ERR_NONE && take_default(default_domain, usual, NULL) == ERR_NONE)
            complete_domain(domain, usual);
        local = points.at + slash + 1;
        at = points.count - slash - 1;
    } else {
        code = take_default(default_domain, domain, err);
    }
    return code == ERR_NONE ? join(local, at, domain, name, err) : code;
}

/* "john.doe" in quotes is john.doe (RFC 5321 section 4.1.2). False when the quotes do not match. */
static bool unquote(struct points *points, size_t *local_count)
{
    size_t used = 0, end = *local_count - 1;

    if (*local_count < 2 || points->at[end] != '"')
        return false;
    for (size_t i = 1; i < end; i++) {
        if (points->at[i] == '"' || (points->at[i] == '\\' && ++i == end))
            return false;
        points->at[used++] = points->at[i];
    }
    *local_count = used;
    return true;
}

enum err_code name_address(struct str given, const char *default_domain, char name[NAME_SIZE],
                           struct err *err)
{
    char domain[NAME_DOMAIN_MAX + 1];
    struct points points;
    enum err_code code;
    size_t at;

    if (points_decode(given, &points, err) != ERR_NONE)
        return ERR_INVALID;
    points_map_width(&points);
    at = find_last(&points, '@');
    code = at < points.count ? make_domain(points.at + at + 1, points.count - at - 1, domain, err)
                             : take_default(default_domain, domain, err);
    if (code == ERR_NONE && at > 0 && points.at[0] == '"' && !unquote(&points, &at))
        code = err_set(err, ERR_INVALID, "the quotes of an address do not match");
    return code == ERR_NONE ? join(points.at, at, domain, name, err) : code;
}

bool name_split_detail(struct str given, const char *delimiters, char base[NAME_SIZE],
                       char detail[NAME_LOCAL_MAX + 1])
{
    const char *at = memrchr(given.data, '@', given.length);
    size_t local = at == NULL ? given.length : (size_t)(at - given.data), place = 0;
    size_t behind;

    while (place < local &&
           (given.data[place] == '\0' || strchr(delimiters, given.data[place]) == NULL))
        place++;
    if (place == 0 || place == local || given.length >= NAME_SIZE || given.data[0] == '"')
        return false;
    behind = local - place - 1;
    if (behind > NAME_LOCAL_MAX)
        return false;
    memcpy(detail, given.data + place + 1, behind);
    detail[behind] = '\0';
    memcpy(base, given.data, place);
    memcpy(base + place, given.data + local, given.length - local);
    base[place + given.length - local] = '\0';
    return true;
}
