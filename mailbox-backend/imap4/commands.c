/* The table of commands. */
#include "mailbox-backend/imap4/imap4.h"

#define ANY STATE_ANY
#define SELECTED STATE_SELECTED
#define BEFORE_LOGIN 0 /* the front serves these */

static const struct imap_command commands[] = {
    {"CAPABILITY",   ANY,          CMD_NO_ARGS,                               cmd_capability },
    {"NOOP",         ANY,          CMD_NO_ARGS,                               cmd_noop       },
    {"LOGOUT",       ANY,          CMD_NO_ARGS,                               cmd_logout     },
    {"ID",           ANY,          0,                                         cmd_id         },
    {"ENABLE",       ANY,          0,                                         cmd_enable     },
    {"STARTTLS",     BEFORE_LOGIN, 0,                                         NULL           },
    {"AUTHENTICATE", BEFORE_LOGIN, 0,                                         NULL           },
    {"LOGIN",        BEFORE_LOGIN, 0,                                         NULL           },
    {"COMPRESS",     ANY,          0,                                         cmd_compress   },
    {"NAMESPACE",    ANY,          CMD_NO_ARGS,                               cmd_namespace  },
    {"LANGUAGE",     ANY,          CMD_MAY_ARGS,                              cmd_language   },
    {"GETACL",       ANY,          0,                                         cmd_getacl     },
    {"SETACL",       ANY,          0,                                         cmd_setacl     },
    {"DELETEACL",    ANY,          0,                                         cmd_deleteacl  },
    {"LISTRIGHTS",   ANY,          0,                                         cmd_listrights },
    {"MYRIGHTS",     ANY,          0,                                         cmd_myrights   },
    {"SELECT",       ANY,          0,                                         cmd_select     },
    {"EXAMINE",      ANY,          0,                                         cmd_examine    },
    {"CREATE",       ANY,          0,                                         cmd_create     },
    {"DELETE",       ANY,          0,                                         cmd_delete     },
    {"RENAME",       ANY,          0,                                         cmd_rename     },
    {"SUBSCRIBE",    ANY,          0,                                         cmd_subscribe  },
    {"UNSUBSCRIBE",  ANY,          0,                                         cmd_unsubscribe},
    {"LIST",         ANY,          0,                                         cmd_list       },
    {"LSUB",         ANY,          0,                                         cmd_lsub       },
    {"STATUS",       ANY,          0,                                         cmd_status     },
    {"GETQUOTA",     ANY,          0,                                         cmd_quota      },
    {"GETQUOTAROOT", ANY,          0,                                         cmd_quota_root },
    {"SETQUOTA",     ANY,          0,                                         cmd_set_quota  },
    {"GETMETADATA",  ANY,          0,                                         cmd_get_entries},
    {"SETMETADATA",  ANY,          0,                                         cmd_set_entries},
    {"APPEND",       ANY,          CMD_STREAM,                                cmd_append     },
    {"IDLE",         ANY,          CMD_NO_ARGS,                               cmd_idle       },
    {"NOTIFY",       ANY,          0,                                         cmd_notify     },
    {"CHECK",        SELECTED,     CMD_NO_ARGS,                               cmd_noop       },
    {"CLOSE",        SELECTED,     CMD_NO_ARGS,                               cmd_close      },
    {"UNSELECT",     SELECTED,     CMD_NO_ARGS,                               cmd_unselect   },
    {"EXPUNGE",      SELECTED,     CMD_NO_ARGS | CMD_WRITES,                  cmd_expunge    },
    {"UID EXPUNGE",  SELECTED,     CMD_UID | CMD_WRITES,                      cmd_expunge    },
    {"SEARCH",       SELECTED,     CMD_NO_EXPUNGE | CMD_NUMBERS,              cmd_search     },
    {"UID SEARCH",   SELECTED,     CMD_UID,                                   cmd_search     },
    {"SORT",         SELECTED,     CMD_NO_EXPUNGE | CMD_NUMBERS,              cmd_sort       },
    {"UID SORT",     SELECTED,     CMD_UID,                                   cmd_sort       },
    {"THREAD",       SELECTED,     CMD_NO_EXPUNGE | CMD_NUMBERS,              cmd_thread     },
    {"UID THREAD",   SELECTED,     CMD_UID,                                   cmd_thread     },
    {"UIDBATCHES",   SELECTED,     0,                                         cmd_uidbatches },
    {"FETCH",        SELECTED,     CMD_NO_EXPUNGE | CMD_NUMBERS,              cmd_fetch      },
    {"UID FETCH",    SELECTED,     CMD_UID,                                   cmd_fetch      },
    {"STORE",        SELECTED,     CMD_NO_EXPUNGE | CMD_WRITES | CMD_NUMBERS, cmd_store      },
    {"UID STORE",    SELECTED,     CMD_UID | CMD_WRITES,                      cmd_store      },
    {"REPLACE",      SELECTED,     CMD_STREAM | CMD_WRITES | CMD_NUMBERS,     cmd_replace    },
    {"UID REPLACE",  SELECTED,     CMD_UID | CMD_STREAM | CMD_WRITES,         cmd_replace    },
    {"COPY",         SELECTED,     CMD_NUMBERS,                               cmd_copy       },
    {"UID COPY",     SELECTED,     CMD_UID,                                   cmd_copy       },
    {"MOVE",         SELECTED,     CMD_WRITES | CMD_NUMBERS,                  cmd_move       },
    {"UID MOVE",     SELECTED,     CMD_UID | CMD_WRITES,                      cmd_move       },
};

static const struct imap_command *find(struct str name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (str_is_nocase(name, commands[i].name))
            return &commands[i];
    }
    return NULL;
}

const struct imap_command *imap_command_take(struct parse *parse, struct str *name)
{
    const char *start = parse->at;
    struct str second;

    if (!parse_atom(parse, name))
        return NULL;
    if (str_is_nocase(*name, "UID") && parse_skip(parse, ' ') && parse_atom(parse, &second))
        *name = str_n(start, (size_t)(parse->at - start));
    return find(*name);
}
