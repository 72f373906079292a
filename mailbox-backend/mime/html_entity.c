#include "mailbox-backend/mime/html_text.h"

/* U+00A0 to U+00FF, in their order. */
static const char *const latin[] = {
    "nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",
    "copy",   "ordf",   "laquo",  "not",    "shy",    "reg",    "macr",   "deg",    "plusmn",
    "sup2",   "sup3",   "acute",  "micro",  "para",   "middot", "cedil",  "sup1",   "ordm",
    "raquo",  "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",  "Atilde",
    "Auml",   "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute", "Ecirc",  "Euml",   "Igrave",
    "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde",
    "Ouml",   "times",  "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",
    "szlig",  "agrave", "aacute", "acirc",  "atilde", "auml",   "aring",  "aelig",  "ccedil",
    "egrave", "eacute", "ecirc",  "euml",   "igrave", "iacute", "icirc",  "iuml",   "eth",
    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide", "oslash", "ugrave",
    "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml",
};

static const struct {
    const char *name;
    uint32_t character;
} others[] = {
    {"amp",    '&'   },
    {"lt",     '<'   },
    {"gt",     '>'   },
    {"quot",   '"'   },
    {"apos",   '\''  },
    {"euro",   0x20ac},
    {"hellip", 0x2026},
    {"ndash",  0x2013},
    {"mdash",  0x2014},
    {"lsquo",  0x2018},
    {"rsquo",  0x2019},
    {"sbquo",  0x201a},
    {"ldquo",  0x201c},
    {"rdquo",  0x201d},
    {"bdquo",  0x201e},
    {"bull",   0x2022},
    {"trade",  0x2122},
    {"rarr",   0x2192},
    {"ensp",   0x2002},
    {"emsp",   0x2003},
    {"thinsp", 0x2009},
    {"zwnj",   0x200c},
    {"zwj",    0x200d},
};

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = str_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* "#8364" or "#x20AC". Only what UTF-8 can have (RFC 3629 section 3), and not NUL. */
static uint32_t numbered(struct str name)
{
    bool hexadecimal = name.length > 1 && str_lower(name.data[1]) == 'x';
    unsigned base = hexadecimal ? 16 : 10;
    uint32_t value = 0;

    for (size_t i = hexadecimal ? 2 : 1; i < name.length; i++) {
        unsigned digit = (unsigned)digit_value(name.data[i]);

        if (digit >= base)
            return 0;
        value = value * base + digit;
        if (value > 0x10ffff)
            return 0;
    }
    return value >= 0xd800 && value < 0xe000 ? 0 : value;
}

uint32_t html_entity(struct str name)
{
    if (name.length > 0 && name.data[0] == '#')
        return numbered(name);
    for (size_t i = 0; i < sizeof(latin) / sizeof(latin[0]); i++) {
        if (str_equal(name, str_of(latin[i])))
            return (uint32_t)(0xa0 + i);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (str_equal(name, str_of(others[i].name)))
            return others[i].character;
    }
    return 0;
}
