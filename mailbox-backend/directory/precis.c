#include "mailbox-backend/directory/precis.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "common/mem.h"
#include "mailbox-backend/directory/precis_class.h"

enum err_code points_decode(struct str text, struct points *points, struct err *err)
{
    const uint8_t *at = (const uint8_t *)text.data;
    size_t left = text.length;

    points->count = 0;
    while (left > 0) {
        ucs4_t point;
        int used = u8_mbtoucr(&point, at, left);

        if (used <= 0 || point == 0)
            return err_set(err, ERR_INVALID, "not valid UTF-8");
        if (points->count == PRECIS_POINTS_MAX)
            return err_set(err, ERR_LIMIT, "longer than %d characters", PRECIS_POINTS_MAX);
        points->at[points->count++] = point;
        at += used;
        left -= (size_t)used;
    }
    return ERR_NONE;
}

void points_map_width(struct points *points)
{
    for (size_t i = 0; i < points->count; i++) {
        ucs4_t plain[UC_DECOMPOSITION_MAX_LENGTH];
        int tag;

        if (uc_decomposition(points->at[i], &tag, plain) == 1 &&
            (tag == UC_DECOMP_WIDE || tag == UC_DECOMP_NARROW))
            points->at[i] = plain[0];
    }
}

/* Takes points, a result of libunistring's, which is wiped and freed: it may be a password. */
static enum err_code encode(uint32_t *points, size_t count, char *out, size_t room, struct err *err)
{
    size_t length = room - 1;
    uint8_t *text = u32_to_u8(points, count, (uint8_t *)out, &length);
    enum err_code code = ERR_NONE;

    if (text != (uint8_t *)out) {
        if (text != NULL)
            mem_wipe(text, length);
        free(text);
        code = err_set(err, ERR_LIMIT, "longer than %zu bytes", room - 1);
    } else {
        out[length] = '\0';
    }
    mem_wipe(points, count * sizeof(*points));
    free(points);
    return code;
}

enum err_code precis_username(const uint32_t *points, size_t count, char *out, size_t room,
                              struct err *err)
{
    size_t length = 0;
    uint32_t *lower = u32_tolower(points, count, NULL, UNINORM_NFC, NULL, &length);

    if (length == 0) {
        free(lower);
        return err_set(err, ERR_INVALID, "a name is empty");
    }
    for (size_t i = 0; i < length; i++) {
        if (!precis_is_allowed(lower, length, i, PRECIS_IDENTIFIER)) {
            err_set(err, ERR_INVALID, "U+%04X may not be in a name", (unsigned)lower[i]);
            free(lower);
            return ERR_INVALID;
        }
    }
    if (!precis_has_clear_direction(lower, length)) {
        free(lower);
        return err_set(err, ERR_INVALID, "letters of both directions in one name");
    }
    return encode(lower, length, out, room, err);
}

enum err_code precis_opaque(struct str text, char *out, size_t room, struct err *err)
{
    struct points points;
    uint32_t *normal;
    size_t length = 0;
    enum err_code code = points_decode(text, &points, err);

    if (code != ERR_NONE)
        return code;
    if (points.count == 0)
        return err_set(err, ERR_INVALID, "a password is empty");
    for (size_t i = 0; i < points.count; i++) {
        if (uc_is_general_category_withtable(points.at[i], UC_CATEGORY_MASK_Zs))
            points.at[i] = ' ';
    }
    normal = u32_normalize(UNINORM_NFC, points.at, points.count, NULL, &length);
    mem_wipe(&points, sizeof(points));
    for (size_t i = 0; i < length; i++) {
        if (!precis_is_allowed(normal, length, i, PRECIS_FREEFORM)) {
            mem_wipe(normal, length * sizeof(*normal));
            free(normal);
            return err_set(err, ERR_INVALID, "a character that may not be in a password");
        }
    }
    return encode(normal, length, out, room, err);
}
