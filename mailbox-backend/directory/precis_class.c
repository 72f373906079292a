#include "mailbox-backend/directory/precis_class.h"

#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <uninorm.h>

/* What RFC 8264 section 8 can derive for a character. */
enum value { ALLOWED, FREEFORM_ONLY, CONTEXT, DISALLOWED };

#define LETTER_DIGITS                                                                              \
    (UC_CATEGORY_MASK_Ll | UC_CATEGORY_MASK_Lu | UC_CATEGORY_MASK_Lo | UC_CATEGORY_MASK_Nd |       \
     UC_CATEGORY_MASK_Lm | UC_CATEGORY_MASK_Mn | UC_CATEGORY_MASK_Mc)
#define OTHER_VISIBLE                                                                              \
    (UC_CATEGORY_MASK_Lt | UC_CATEGORY_MASK_Nl | UC_CATEGORY_MASK_No | UC_CATEGORY_MASK_Me |       \
     UC_CATEGORY_MASK_Zs | UC_CATEGORY_MASK_S | UC_CATEGORY_MASK_P)

/* RFC 5892 section 2.6, to which RFC 8264 section 9.6 refers. */
static bool is_exception(uint32_t c, enum value *value)
{
    static const struct {
        uint32_t first, last;
        enum value value;
    } exceptions[] = {
        {0x00B7, 0x00B7, CONTEXT   },
        {0x00DF, 0x00DF, ALLOWED   },
        {0x0375, 0x0375, CONTEXT   },
        {0x03C2, 0x03C2, ALLOWED   },
        {0x05F3, 0x05F4, CONTEXT   },
        {0x0640, 0x0640, DISALLOWED},
        {0x0660, 0x0669, CONTEXT   },
        {0x06F0, 0x06F9, CONTEXT   },
        {0x06FD, 0x06FE, ALLOWED   },
        {0x07FA, 0x07FA, DISALLOWED},
        {0x0F0B, 0x0F0B, ALLOWED   },
        {0x3007, 0x3007, ALLOWED   },
        {0x302E, 0x302F, DISALLOWED},
        {0x3031, 0x3035, DISALLOWED},
        {0x303B, 0x303B, DISALLOWED},
        {0x30FB, 0x30FB, CONTEXT   },
    };

    for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
        if (c >= exceptions[i].first && c <= exceptions[i].last) {
            *value = exceptions[i].value;
            return true;
        }
    }
    return false;
}

static bool is_old_hangul_jamo(uint32_t c)
{
    return (c >= 0x1100 && c <= 0x11FF) || (c >= 0xA960 && c <= 0xA97C) ||
           (c >= 0xD7B0 && c <= 0xD7FB);
}

static bool has_compatibility(uint32_t c)
{
    uint32_t plain[32];
    size_t length = sizeof(plain) / sizeof(plain[0]);
    uint32_t *result = u32_normalize(UNINORM_NFKC, &c, 1, plain, &length);
    bool same = result == plain && length == 1 && plain[0] == c;

    if (result != plain)
        free(result);
    return !same;
}

static enum value derive(uint32_t c)
{
    enum value value;

    if (c >= 0x21 && c <= 0x7E)
        return ALLOWED;
    if (is_exception(c, &value))
        return value;
    if (uc_is_property_unassigned_code_value(c))
        return DISALLOWED;
    if (uc_is_property_join_control(c))
        return CONTEXT;
    if (is_old_hangul_jamo(c) || uc_is_property_default_ignorable_code_point(c) ||
        uc_is_property_not_a_character(c) ||
        uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Cc))
        return DISALLOWED;
    if (has_compatibility(c))
        return FREEFORM_ONLY;
    if (uc_is_general_category_withtable(c, LETTER_DIGITS))
        return ALLOWED;
    return uc_is_general_category_withtable(c, OTHER_VISIBLE) ? FREEFORM_ONLY : DISALLOWED;
}

static bool is_script(uint32_t c, const char *name)
{
    const uc_script_t *script = uc_script(c);

    return script != NULL && strcmp(script->name, name) == 0;
}

static bool has_between(const uint32_t *points, size_t count, uint32_t first, uint32_t last)
{
    for (size_t i = 0; i < count; i++) {
        if (points[i] >= first && points[i] <= last)
            return true;
    }
    return false;
}

static bool has_japanese(const uint32_t *points, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (points[i] != 0x30FB &&
            (is_script(points[i], "Hiragana") || is_script(points[i], "Katakana") ||
             is_script(points[i], "Han")))
            return true;
    }
    return false;
}

static bool joins(uint32_t c, int side)
{
    int type = uc_joining_type(c);

    return type == side || type == UC_JOINING_TYPE_D;
}

/* RFC 5892 appendix A.1: between letters that join, however many transparent ones stand between. */
static bool is_between_joining(const uint32_t *points, size_t count, size_t i)
{
    size_t before = i, after = i + 1;

    while (before > 0 && uc_joining_type(points[before - 1]) == UC_JOINING_TYPE_T)
        before--;
    while (after < count && uc_joining_type(points[after]) == UC_JOINING_TYPE_T)
        after++;
    return before > 0 && after < count && joins(points[before - 1], UC_JOINING_TYPE_L) &&
           joins(points[after], UC_JOINING_TYPE_R);
}

/* RFC 5892 appendix A. */
static bool fits_context(const uint32_t *points, size_t count, size_t i)
{
    uint32_t before = i > 0 ? points[i - 1] : 0;
    uint32_t after = i + 1 < count ? points[i + 1] : 0;
    bool behind_virama = before != 0 && uc_combining_class(before) == UC_CCC_VR;

    switch (points[i]) {
    case 0x00B7: /* MIDDLE DOT: Catalan */
        return before == 'l' && after == 'l';
    case 0x0375: /* GREEK KERAIA */
        return after != 0 && is_script(after, "Greek");
    case 0x05F3: /* HEBREW GERESH, GERSHAYIM */
    case 0x05F4:
        return before != 0 && is_script(before, "Hebrew");
    case 0x200C: /* ZERO WIDTH NON-JOINER */
        return behind_virama || is_between_joining(points, count, i);
    case 0x200D: /* ZERO WIDTH JOINER */
        return behind_virama;
    case 0x30FB: /* KATAKANA MIDDLE DOT */
        return has_japanese(points, count);
    default: /* the two rows of Arabic digits do not mix */
        return points[i] <= 0x0669 ? !has_between(points, count, 0x06F0, 0x06F9)
                                   : !has_between(points, count, 0x0660, 0x0669);
    }
}

bool precis_is_allowed(const uint32_t *points, size_t count, size_t i, enum precis_class which)
{
    switch (derive(points[i])) {
    case ALLOWED:
        return true;
    case FREEFORM_ONLY:
        return which == PRECIS_FREEFORM;
    case CONTEXT:
        return fits_context(points, count, i);
    default:
        return points[i] == ' ' && which == PRECIS_FREEFORM;
    }
}

static bool is_one_of(int class, const int *list)
{
    for (; *list >= 0; list++) {
        if (class == *list)
            return true;
    }
    return false;
}

static bool all_are(const uint32_t *points, size_t count, const int *list)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_one_of(uc_bidi_class(points[i]), list))
            return false;
    }
    return true;
}

static bool has_class(const uint32_t *points, size_t count, int class)
{
    for (size_t i = 0; i < count; i++) {
        if (uc_bidi_class(points[i]) == class)
            return true;
    }
    return false;
}

/* The class of the last character that is not a mark above or below another. */
static int last_class(const uint32_t *points, size_t count)
{
    while (count > 1 && uc_bidi_class(points[count - 1]) == UC_BIDI_NSM)
        count--;
    return uc_bidi_class(points[count - 1]);
}

bool precis_has_clear_direction(const uint32_t *points, size_t count)
{
    static const int rtl[] = {UC_BIDI_R,  UC_BIDI_AL,  UC_BIDI_AN, UC_BIDI_EN,
                              UC_BIDI_ES, UC_BIDI_CS,  UC_BIDI_ET, UC_BIDI_ON,
                              UC_BIDI_BN, UC_BIDI_NSM, -1};
    static const int ltr[] = {UC_BIDI_L,  UC_BIDI_EN, UC_BIDI_ES,  UC_BIDI_CS, UC_BIDI_ET,
                              UC_BIDI_ON, UC_BIDI_BN, UC_BIDI_NSM, -1};
    static const int rtl_end[] = {UC_BIDI_R, UC_BIDI_AL, UC_BIDI_EN, UC_BIDI_AN, -1};
    static const int ltr_end[] = {UC_BIDI_L, UC_BIDI_EN, -1};
    int first = uc_bidi_class(points[0]);

    if (!has_class(points, count, UC_BIDI_R) && !has_class(points, count, UC_BIDI_AL) &&
        !has_class(points, count, UC_BIDI_AN))
        return true;
    if (first == UC_BIDI_R || first == UC_BIDI_AL)
        return all_are(points, count, rtl) && is_one_of(last_class(points, count), rtl_end) &&
               !(has_class(points, count, UC_BIDI_EN) && has_class(points, count, UC_BIDI_AN));
    return first == UC_BIDI_L && all_are(points, count, ltr) &&
           is_one_of(last_class(points, count), ltr_end);
}
