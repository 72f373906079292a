/* The one table of what this engine can: docs/capabilities.md says for each where it is done and
   which test shows it. */
#include <inttypes.h>
#include <string.h>

#include "mailbox-backend/imap4/quota.h"

enum offered { /* bits: the states in which CAPABILITY names it (RFC 3501 section 6.1.1) */
               BEFORE_LOGIN = 1,
               AFTER_LOGIN = 2,
               ALWAYS = BEFORE_LOGIN | AFTER_LOGIN,
               TO_ADMINS = 4, /* after the login of one */
};

static const struct capability {
    const char
        *word; /* one that ends in "=" has a number behind it, and is offered where that is not 0 */
    unsigned rfc;
    unsigned offered; /* enum offered bits */
} capabilities[] = {
    {"IMAP4rev1",             3501,  ALWAYS      },
    {"IMAP4rev2",             9051,  ALWAYS      },
    {"SASL-IR",               4959,  BEFORE_LOGIN},
    {"LITERAL+",              7888,  ALWAYS      },
    {"ID",                    2971,  ALWAYS      },
    {"ENABLE",                5161,  ALWAYS      },
    {"IDLE",                  2177,  ALWAYS      },
    {"NOTIFY",                5465,  ALWAYS      },
    {"NAMESPACE",             2342,  ALWAYS      },
    {"LANGUAGE",              5255,  ALWAYS      },
    {"CHILDREN",              3348,  ALWAYS      },
    {"SPECIAL-USE",           6154,  ALWAYS      },
    {"UIDPLUS",               4315,  ALWAYS      },
    {"MOVE",                  6851,  ALWAYS      },
    {"UNSELECT",              3691,  ALWAYS      },
    {"CONDSTORE",             7162,  ALWAYS      },
    {"QRESYNC",               7162,  ALWAYS      },
    {"ESEARCH",               4731,  ALWAYS      },
    {"SEARCHRES",             5182,  ALWAYS      },
    {"PARTIAL",               9394,  ALWAYS      },
    {"INPROGRESS",            9585,  ALWAYS      },
    {"WITHIN",                5032,  ALWAYS      },
    {"OBJECTID",              8474,  ALWAYS      },
    {"SAVEDATE",              8514,  ALWAYS      },
    {"STATUS=SIZE",           8438,  ALWAYS      },
    {"APPENDLIMIT",           7889,  ALWAYS      },
    {"LIST-EXTENDED",         5258,  ALWAYS      },
    {"LIST-STATUS",           5819,  ALWAYS      },
    {"CREATE-SPECIAL-USE",    6154,  ALWAYS      },
    {"SORT",                  5256,  ALWAYS      },
    {"SORT=DISPLAY",          5957,  ALWAYS      },
    {"ESORT",                 5267,  ALWAYS      },
    {"THREAD=ORDEREDSUBJECT", 5256,  ALWAYS      },
    {"THREAD=REFERENCES",     5256,  ALWAYS      },
    {"THREAD=REFS",           5256,  ALWAYS      },
    {"MULTIAPPEND",           3502,  ALWAYS      },
    {"CATENATE",              4469,  ALWAYS      },
    {"URL-PARTIAL",           5550,  ALWAYS      },
    {"BINARY",                3516,  ALWAYS      },
    {"REPLACE",               8508,  ALWAYS      },
    {"UIDONLY",               9586,  ALWAYS      },
    {"UIDBATCHES",            10022, ALWAYS      },
    {"MESSAGELIMIT=",         9738,  ALWAYS      },
    {"SAVELIMIT=",            9738,  ALWAYS      },
    {"PREVIEW",               8970,  ALWAYS      },
    {"UTF8=ACCEPT",           6855,  ALWAYS      },
    {"QUOTA",                 9208,  ALWAYS      },
    {"QUOTA=RES-STORAGE",     9208,  ALWAYS      },
    {"QUOTA=RES-MESSAGE",     9208,  ALWAYS      },
    {"QUOTA=RES-MAILBOX",     9208,  ALWAYS      },
    {"QUOTASET",              9208,  TO_ADMINS   },
    {"METADATA",              5464,  ALWAYS      },
    {"METADATA-SERVER",       5464,  ALWAYS      },
    {"LIST-METADATA",         9590,  ALWAYS      },
    {"ACL",                   4314,  ALWAYS      },
    {"RIGHTS=texk",           4314,  ALWAYS      },
    {"LIST-MYRIGHTS",         8440,  ALWAYS      },
    {"COMPRESS=DEFLATE",      4978,  AFTER_LOGIN },
};
#define COUNT (sizeof(capabilities) / sizeof(capabilities[0]))

static bool has_number(const struct capability *capability)
{
    return capability->word[strlen(capability->word) - 1] == '=';
}

/* SAVELIMIT stands in the place of MESSAGELIMIT (RFC 9738 section 3). */
static uint64_t number_of(const struct backend *backend, const struct capability *capability)
{
    const struct backend_settings *settings = backend->settings;

    if (capability->word[0] == 'M')
        return settings->imap4be.message_limit;
    return settings->imap4be.message_limit == 0 ? settings->imap4be.save_limit : 0;
}

static bool is_offered(const struct backend *backend, const struct capability *capability,
                       unsigned when)
{
    return (capability->offered & when) != 0 &&
           (!has_number(capability) || number_of(backend, capability) != 0);
}

const char *const *imap_capabilities_before_login(const struct backend *backend,
                                                  struct arena *arena)
{
    const char **words = arena_array(arena, COUNT + 1, sizeof(*words));
    size_t count = 0;

    for (size_t i = 0; i < COUNT; i++) {
        const struct capability *capability = &capabilities[i];

        if (!is_offered(backend, capability, BEFORE_LOGIN))
            continue;
        words[count++] = has_number(capability)
                             ? arena_printf(arena, "%s%" PRIu64, capability->word,
                                            number_of(backend, capability))
                             : capability->word;
    }
    return words;
}

void imap_capabilities_write(const struct imap *imap, struct buf *out)
{
    const struct backend *backend = session_backend(imap->session);
    unsigned offered = AFTER_LOGIN | (quota_is_administrator(imap) ? TO_ADMINS : 0);
    const char *separator = "";

    for (size_t i = 0; i < COUNT; i++) {
        const struct capability *capability = &capabilities[i];

        if (!is_offered(backend, capability, offered))
            continue;
        buf_text(out, separator);
        buf_text(out, capability->word);
        if (has_number(capability))
            buf_number(out, number_of(backend, capability));
        separator = " ";
    }
}
