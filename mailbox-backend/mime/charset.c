#include "mailbox-backend/mime/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <unistr.h>

/* U+FFFD */
#define REPLACEMENT "\xEF\xBF\xBD"
#define REPLACEMENT_LENGTH 3

#define OUT_STEP ((size_t)4096)

struct charset {
    const char *name;
    const char *iconv; /* NULL: UTF-8, which needs only a check */
};

/* Names are compared without case, "-" and "_". Where senders mean more than they say, the second
   column is the superset that they mean. */
static const struct charset charsets[] = {
    {"utf-8",          NULL           },
    {"us-ascii",       NULL           },
    {"iso-8859-1",     "CP1252"       },
    {"iso-8859-2",     "ISO-8859-2"   },
    {"iso-8859-3",     "ISO-8859-3"   },
    {"iso-8859-4",     "ISO-8859-4"   },
    {"iso-8859-5",     "ISO-8859-5"   },
    {"iso-8859-6",     "ISO-8859-6"   },
    {"iso-8859-7",     "ISO-8859-7"   },
    {"iso-8859-8",     "ISO-8859-8"   },
    {"iso-8859-8-i",   "ISO-8859-8"   },
    {"iso-8859-9",     "CP1254"       },
    {"iso-8859-10",    "ISO-8859-10"  },
    {"iso-8859-11",    "CP874"        },
    {"iso-8859-13",    "ISO-8859-13"  },
    {"iso-8859-14",    "ISO-8859-14"  },
    {"iso-8859-15",    "ISO-8859-15"  },
    {"iso-8859-16",    "ISO-8859-16"  },
    {"windows-1250",   "CP1250"       },
    {"windows-1251",   "CP1251"       },
    {"windows-1252",   "CP1252"       },
    {"windows-1253",   "CP1253"       },
    {"windows-1254",   "CP1254"       },
    {"windows-1255",   "CP1255"       },
    {"windows-1256",   "CP1256"       },
    {"windows-1257",   "CP1257"       },
    {"windows-1258",   "CP1258"       },
    {"windows-874",    "CP874"        },
    {"tis-620",        "CP874"        },
    {"koi8-r",         "KOI8-R"       },
    {"koi8-u",         "KOI8-U"       },
    {"ibm437",         "CP437"        },
    {"ibm850",         "CP850"        },
    {"ibm852",         "CP852"        },
    {"ibm866",         "CP866"        },
    {"macintosh",      "MACINTOSH"    },
    {"gb2312",         "GB18030"      },
    {"gbk",            "GB18030"      },
    {"gb18030",        "GB18030"      },
    {"big5",           "BIG5-HKSCS"   },
    {"big5-hkscs",     "BIG5-HKSCS"   },
    {"euc-kr",         "UHC"          },
    {"ks_c_5601-1987", "UHC"          },
    {"iso-2022-kr",    "ISO-2022-KR"  },
    {"shift_jis",      "CP932"        },
    {"windows-31j",    "CP932"        },
    {"euc-jp",         "EUC-JP-MS"    },
    {"iso-2022-jp",    "ISO-2022-JP-2"},
    {"utf-7",          "UTF-7"        },
    {"utf-16",         "UTF-16"       },
    {"utf-16le",       "UTF-16LE"     },
    {"utf-16be",       "UTF-16BE"     },
};

struct alias {
    const char *alias;
    const char *name; /* in the table above */
};

static const struct alias aliases[] = {
    {"ansi_x3.4-1968", "us-ascii"      },
    {"ascii",          "us-ascii"      },
    {"latin1",         "iso-8859-1"    },
    {"latin2",         "iso-8859-2"    },
    {"latin9",         "iso-8859-15"   },
    {"cp1250",         "windows-1250"  },
    {"cp1251",         "windows-1251"  },
    {"cp1252",         "windows-1252"  },
    {"cp437",          "ibm437"        },
    {"cp850",          "ibm850"        },
    {"cp866",          "ibm866"        },
    {"cp932",          "windows-31j"   },
    {"cp936",          "gbk"           },
    {"cp949",          "ks_c_5601-1987"},
    {"x-gbk",          "gbk"           },
    {"x-sjis",         "shift_jis"     },
    {"sjis",           "shift_jis"     },
    {"x-euc-jp",       "euc-jp"        },
    {"x-mac-roman",    "macintosh"     },
};

#define CHARSETS (sizeof(charsets) / sizeof(charsets[0]))
#define ALIASES (sizeof(aliases) / sizeof(aliases[0]))

/* Never closed: they keep the converters in memory. */
static iconv_t kept_open[CHARSETS];

static bool is_dash(char c)
{
    return c == '-' || c == '_';
}

static bool same_name(struct str name, const char *known)
{
    size_t i = 0;

    for (;;) {
        while (i < name.length && is_dash(name.data[i]))
            i++;
        while (is_dash(*known))
            known++;
        if (i == name.length || *known == '\0')
            return i == name.length && *known == '\0';
        if (str_lower(name.data[i]) != *known)
            return false;
        i++;
        known++;
    }
}

static const struct charset *find_main(struct str name)
{
    for (size_t i = 0; i < CHARSETS; i++) {
        if (same_name(name, charsets[i].name))
            return &charsets[i];
    }
    return NULL;
}

static const struct charset *find(struct str name)
{
    name = str_trim(name);
    if (name.length == 0)
        return &charsets[0];
    for (size_t i = 0; i < ALIASES; i++) {
        if (same_name(name, aliases[i].alias))
            return find_main(str_of(aliases[i].name));
    }
    return find_main(name);
}

enum err_code charset_init(struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < CHARSETS; i++) {
        if (charsets[i].iconv == NULL || kept_open[i] != NULL)
            continue;
        kept_open[i] = iconv_open("UTF-8", charsets[i].iconv);
        if (kept_open[i] != (iconv_t)-1)
            continue;
        kept_open[i] = NULL;
        if (code == ERR_NONE)
            code = err_set(err, ERR_UNAVAILABLE, "this system cannot convert from charset %s",
                           charsets[i].iconv);
    }
    return code;
}

bool charset_known(struct str name)
{
    return find(name) != NULL;
}

const char *charset_name(unsigned n)
{
    return n < CHARSETS ? charsets[n].name : NULL;
}

enum err_code charset_open(struct charset_stream *stream, struct str name, struct err *err)
{
    const struct charset *charset = find(name);
    iconv_t handle;

    *stream = (struct charset_stream){0};
    if (charset == NULL)
        return err_set(err, ERR_NOT_FOUND, "unknown charset");
    if (charset->iconv == NULL)
        return ERR_NONE;
    handle = iconv_open("UTF-8", charset->iconv);
    if (handle == (iconv_t)-1)
        return err_errno(err, errno, "charset %s", charset->name);
    stream->handle = handle;
    return ERR_NONE;
}

static void add_replacement(struct buf *out)
{
    buf_append(out, REPLACEMENT, REPLACEMENT_LENGTH);
}

/* What a step did with its input. */
enum outcome {
    ALL_USED,
    UNFINISHED, /* the rest begins a character that goes on */
    INVALID     /* the next byte begins none */
};

static enum outcome check_utf8(const unsigned char **in, size_t *left, struct buf *out)
{
    const uint8_t *bad = u8_check(*in, *left);
    size_t good = bad == NULL ? *left : (size_t)(bad - *in);
    ucs4_t character;

    buf_append(out, *in, good);
    *in += good;
    *left -= good;
    if (*left == 0)
        return ALL_USED;
    return u8_mbtoucr(&character, *in, *left) == -2 ? UNFINISHED : INVALID;
}

static enum outcome run_iconv(iconv_t handle, const unsigned char **in, size_t *left,
                              struct buf *out)
{
    for (;;) {
        char *from = (char *)*in;
        char *to = (char *)buf_reserve(out, OUT_STEP);
        size_t room = OUT_STEP;
        size_t result = iconv(handle, &from, left, &to, &room);
        int error = errno;

        buf_commit(out, OUT_STEP - room);
        *in = (const unsigned char *)from;
        if (result != (size_t)-1)
            return ALL_USED;
        if (error != E2BIG)
            return error == EINVAL ? UNFINISHED : INVALID;
    }
}

static enum outcome step(struct charset_stream *stream, const unsigned char **in, size_t *left,
                         struct buf *out)
{
    if (stream->handle == NULL)
        return check_utf8(in, left, out);
    return run_iconv(stream->handle, in, left, out);
}

/* Converts as far as it goes; at the end at most an unfinished character is left. */
static void convert(struct charset_stream *stream, const unsigned char **in, size_t *left,
                    struct buf *out)
{
    while (*left > 0) {
        enum outcome outcome = step(stream, in, left, out);

        if (outcome == ALL_USED)
            return;
        if (outcome == UNFINISHED && *left < sizeof(stream->keep))
            return;
        add_replacement(out);
        ++*in;
        --*left;
    }
}

/* Adds one byte to the unfinished character. */
static void convert_kept(struct charset_stream *stream, unsigned char byte, struct buf *out)
{
    const unsigned char *in = stream->keep;
    size_t left = stream->kept + 1;

    stream->keep[stream->kept] = byte;
    convert(stream, &in, &left, out);
    memmove(stream->keep, in, left);
    stream->kept = left;
}

void charset_feed(struct charset_stream *stream, const void *data, size_t length, struct buf *out)
{
    const unsigned char *in = data;

    for (; length > 0 && stream->kept > 0; length--)
        convert_kept(stream, *in++, out);
    convert(stream, &in, &length, out);
    if (length > 0)
        memcpy(stream->keep, in, length);
    stream->kept += length;
}

void charset_finish(struct charset_stream *stream, struct buf *out)
{
    if (stream->handle != NULL) {
        char *to = (char *)buf_reserve(out, OUT_STEP);
        size_t room = OUT_STEP;

        iconv(stream->handle, NULL, NULL, &to, &room); /* some hold back a base character */
        buf_commit(out, OUT_STEP - room);
        iconv(stream->handle, NULL, NULL, NULL, NULL);
    }
    if (stream->kept > 0)
        add_replacement(out);
    stream->kept = 0;
}

void charset_close(struct charset_stream *stream)
{
    if (stream->handle != NULL)
        iconv_close(stream->handle);
    stream->handle = NULL;
}

enum err_code charset_convert(struct str charset, struct str text, struct buf *out, struct err *err)
{
    struct charset_stream stream;
    enum err_code code = charset_open(&stream, charset, err);

    if (code != ERR_NONE)
        return code;
    charset_feed(&stream, text.data, text.length, out);
    charset_finish(&stream, out);
    charset_close(&stream);
    return ERR_NONE;
}
