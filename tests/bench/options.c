#include "tests/bench/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
    TEXT,
    INTEGER,
    REAL,
    SWITCH,
};

/* Every option is a line here: its name, its place, the least value, and what --help says. */
static const struct setting {
    const char *name;
    enum kind kind;
    size_t place;
    double least;
    const char *help;
} settings[] = {
    {"host",      TEXT,    offsetof(struct options, host),       0,    "the server's IPv4 address"            },
    {"port",      INTEGER, offsetof(struct options, port),       1,    "its port"                             },
    {"lmtp-port", INTEGER, offsetof(struct options, lmtp_port),  1,
     "idle: where messages are given"                                                                         },
    {"tls",       SWITCH,  offsetof(struct options, tls),        0,    "TLS from the first octet on"          },
    {"resume",    SWITCH,  offsetof(struct options, resume),     0,
     "offer to resume the TLS session of before"                                                              },
    {"tls12",     SWITCH,  offsetof(struct options, most_tls12), 0,    "TLS 1.2 at most"                      },
    {"workers",   INTEGER, offsetof(struct options, workers),    1,    "connections at the same time"         },
    {"users",     INTEGER, offsetof(struct options, users),      1,    "how many of u000, u001, ..."          },
    {"password",  TEXT,    offsetof(struct options, password),   0,    "of all of them"                       },
    {"domain",    TEXT,    offsetof(struct options, domain),     0,    "lmtp: of the recipients"              },
    {"folder",    TEXT,    offsetof(struct options, folder),     0,    "the folder to work in"                },
    {"items",     TEXT,    offsetof(struct options, items),      0,    "fetch: the items"                     },
    {"key",       TEXT,    offsetof(struct options, key),        0,    "search: the key"                      },
    {"messages",  INTEGER, offsetof(struct options, messages),   1,    "fetch: messages in the folder"        },
    {"span",      INTEGER, offsetof(struct options, span),       1,    "fetch: messages of one FETCH"         },
    {"size",      INTEGER, offsetof(struct options, size),       1,    "octets of a message"                  },
    {"dense",     SWITCH,  offsetof(struct options, dense),      0,    "messages that do not compress"        },
    {"seconds",   REAL,    offsetof(struct options, seconds),    0.01, "that are counted"                     },
    {"warm-up",   REAL,    offsetof(struct options, warm_up),    0,    "seconds before that"                  },
    {"count",     INTEGER, offsetof(struct options, count),      1,    "operations of each worker; no seconds"},
};

enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

void options_default(struct options *options)
{
    *options = (struct options){
        .host = "127.0.0.1",
        .port = 143,
        .workers = 32,
        .users = 32,
        .password = "pw",
        .domain = "example.test",
        .folder = "INBOX",
        .items = "BODY.PEEK[]",
        .key = "UNSEEN",
        .messages = 100,
        .span = 100,
        .size = 10240,
        .seconds = 5,
        .warm_up = 0.5,
    };
}

static bool set(struct options *options, const struct setting *setting, const char *value)
{
    char *place = (char *)options + setting->place, *end = NULL;

    if ((setting->kind == SWITCH) != (value == NULL))
        return false;
    switch (setting->kind) {
    case TEXT:
        *(const char **)place = value;
        return true;
    case SWITCH:
        *(bool *)place = true;
        return true;
    case INTEGER:
        *(int *)place = (int)strtol(value, &end, 10);
        return *end == '\0' && *(int *)place >= setting->least;
    case REAL:
        *(double *)place = strtod(value, &end);
        return *end == '\0' && *(double *)place >= setting->least;
    }
    return false;
}

bool options_take(struct options *options, const char *argument)
{
    size_t size = strcspn(argument, "=");
    const char *value = argument[size] == '=' ? argument + size + 1 : NULL;

    for (int i = 0; i < SETTINGS; i++)
        if (size == strlen(settings[i].name) + 2 && strncmp(argument, "--", 2) == 0 &&
            strncmp(argument + 2, settings[i].name, size - 2) == 0)
            return set(options, &settings[i], value);
    return false;
}

void options_help(void)
{
    for (int i = 0; i < SETTINGS; i++)
        fprintf(stderr, "  --%-10s %s\n", settings[i].name, settings[i].help);
}
