/* Which rights a command needs in another's folders (RFC 4314 section 4): all of it is in this table. */
#include <string.h>

#include "mailbox-backend/imap4/place.h"

#define L RIGHT_LOOKUP
#define R RIGHT_READ
#define S RIGHT_SEEN
#define W RIGHT_WRITE
#define I RIGHT_INSERT
#define P RIGHT_POST
#define K RIGHT_CREATE
#define X RIGHT_DELETE
#define T RIGHT_MARK
#define E RIGHT_EXPUNGE
#define A RIGHT_ADMIN

static const struct needs {
    const char *command; /* its UID form needs the same */
    enum rights_on on;
    unsigned rights; /* all of them */
    unsigned one_of; /* and one of these, unless 0 */
} table[] = {
    {"SELECT",       ON_NAMED,    R,         0                },
    {"EXAMINE",      ON_NAMED,    R,         0                },
    {"STATUS",       ON_NAMED,    R,         0                },
    {"LIST",         ON_NAMED,    L,         0                },
    {"CREATE",       ON_PARENT,   K,         0                },
    {"DELETE",       ON_NAMED,    X,         0                },
    {"RENAME",       ON_NAMED,    X,         0                },
    {"RENAME",       ON_PARENT,   K,         0                },
    {"GETACL",       ON_NAMED,    A,         0                },
    {"SETACL",       ON_NAMED,    A,         0                },
    {"DELETEACL",    ON_NAMED,    A,         0                },
    {"LISTRIGHTS",   ON_NAMED,    A,         0                },
    {"MYRIGHTS",     ON_NAMED,    L,         0                },
    {"GETMETADATA",  ON_NAMED,    L,         R | S | W | I | P}, /* RFC 5464 section 3.3 */
    {"SETMETADATA",  ON_NAMED,    L,         R | S | W | I | P}, /* and of shared entries w */
    {"GETQUOTAROOT", ON_NAMED,    R,         0                }, /* RFC 9208 section 6 */
    {"APPEND",       ON_TARGET,   I,         0                },
    {"APPEND",       ON_URL,      R,         0                }, /* CATENATE (RFC 4469) */
    {"COPY",         ON_TARGET,   I,         0                },
    {"COPY",         ON_SELECTED, R,         0                },
    {"MOVE",         ON_TARGET,   I,         0                },
    {"MOVE",         ON_SELECTED, R | T | E, 0                }, /* RFC 6851 section 3.3: COPY, STORE, EXPUNGE */
    {"REPLACE",      ON_TARGET,   I,         0                },
    {"REPLACE",      ON_URL,      R,         0                },
    {"REPLACE",      ON_SELECTED, R | T | E, 0                }, /* RFC 8508 section 3.2: the same */
    {"FETCH",        ON_SELECTED, R,         0                },
    {"SEARCH",       ON_SELECTED, R,         0                },
    {"SORT",         ON_SELECTED, R,         0                },
    {"THREAD",       ON_SELECTED, R,         0                },
    {"UIDBATCHES",   ON_SELECTED, R,         0                },
    {"STORE",        ON_SELECTED, R,         S | W | T        }, /* and of each flag its own */
    {"EXPUNGE",      ON_SELECTED, R | E,     0                },
    {"CLOSE",        ON_SELECTED, 0,         0                }, /* without e it expunges nothing */
    {"UNSELECT",     ON_SELECTED, 0,         0                },
    {"CHECK",        ON_SELECTED, 0,         0                },
};

static const struct needs *find(const struct imap_command *entry, enum rights_on on)
{
    const char *name = strncmp(entry->name, "UID ", 4) == 0 ? entry->name + 4 : entry->name;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].on == on && strcmp(table[i].command, name) == 0)
            return &table[i];
    }
    return NULL;
}

unsigned rights_lacking(const struct imap_command *entry, enum rights_on on, unsigned rights)
{
    const struct needs *needs = find(entry, on);

    if (needs == NULL)
        return RIGHT_OF_NOBODY;
    if (needs->one_of != 0 && (needs->one_of & rights) == 0)
        return needs->one_of;
    return needs->rights & ~rights;
}

uint32_t rights_flags(unsigned rights)
{
    return ((rights & RIGHT_SEEN) != 0 ? (unsigned)FLAG_SEEN : 0u) |
           ((rights & RIGHT_MARK) != 0 ? (unsigned)FLAG_DELETED : 0u) |
           ((rights & RIGHT_WRITE) != 0 ? (unsigned)FLAG_ANSWERED | FLAG_FLAGGED | FLAG_DRAFT : 0u);
}
