/* Administration: `PROGRAM NOUN VERB [NAME…] [--flag[=value]]`, the same for both programs. A table of
   commands says everything about them; parsing, help, the way to the daemon and printing are the same
   for all. A handler gets a call, writes rows into it, and knows neither where it runs nor how its
   rows are shown. */
#ifndef PROTO_ADMIN_H
#define PROTO_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/service.h"
#include "common/settings.h"
#include "common/str.h"

struct admin_call; /* one command being carried out */

enum admin_where {
    ADMIN_LOCAL,  /* in the administrator's own process, always */
    ADMIN_DAEMON, /* in the running daemon only */
    ADMIN_EITHER, /* in the daemon, or, while it is stopped, here, under its locks */
};

/* Bits. ADMIN_ROWS: answers any number of like rows (a table, a JSON array), else one record.
   ADMIN_CONFIRM: destroys something; asks on a terminal, elsewhere wants --yes. ADMIN_SECRET: takes a
   password by --password-stdin, or asks on a terminal, unless there is --generate or --no-password.
   ADMIN_FILE: the last name is a file or folder ("-": the input), opened by the command and passed on
   open. ADMIN_DRY_RUN: understands --dry-run.
   ADMIN_FOLLOW: with the flag "follow" the administrator's process carries it out again and again; as
   text only its closing sentence is shown then.
   ADMIN_CHANGES: changes something, so the daemon logs it. */
enum admin_trait {
    ADMIN_ROWS = 1,
    ADMIN_CONFIRM = 2,
    ADMIN_SECRET = 4,
    ADMIN_FILE = 8,
    ADMIN_DRY_RUN = 16,
    ADMIN_CHANGES = 32,
    ADMIN_FOLLOW = 64,
};

struct admin_flag {
    const char *name; /* without "--" */
    const char
        *value; /* what stands behind "=" in the help ("BYTES"); NULL for a switch; "[=TIME]":
                          may be left out */
    const char *help;
};

/* Tables end with a command whose noun is NULL. Commands of one noun stand together. */
struct admin_command {
    const char *noun, *verb;
    const char *arguments; /* of the help: "LOGIN ADDRESS…"; "" for none */
    unsigned least, most;  /* how many names */
    enum admin_where where;
    unsigned traits;                /* enum admin_trait bits */
    unsigned needs;                 /* bits of the program's own, for its open() */
    const struct admin_flag *flags; /* ends with name NULL; NULL for none */
    const char *help;               /* one line, or a line and more */
    enum err_code (*run)(struct admin_call *call, struct err *err);
    /* ADMIN_FILE, when the file is a folder: writes what is in it to a pipe, which the handler then
       has instead. Runs beside the command, with the administrator's rights, since a daemon with a
       user of its own could not open what is in the folder. NULL: the folder is passed on open. */
    enum err_code (*feed)(int folder, int to, struct err *err);
    /* ADMIN_FILE, when the last name is a folder to be filled, which is made if need be: takes what the
       handler writes into a pipe, and makes files of it, in the same way. */
    enum err_code (*drain)(int folder, int from, struct err *err);
};

struct admin_program;

/* Where handlers work: made by the daemon at its start, or by open() for one command. */
struct admin_host {
    const struct admin_program *program;
    const void *settings;      /* the program's settings, read; NULL for ADMIN_LOCAL */
    const char *config;        /* --config, or NULL */
    struct services *services; /* NULL for ADMIN_LOCAL */
    void *context;             /* the program's own; NULL for ADMIN_LOCAL */
    bool daemon;
};

struct admin_program {
    const char *name;        /* "mailbox-backend" */
    const char *summary;     /* one line for --help */
    const char *config_file; /* where the settings are unless --config says otherwise */
    const struct settings_table *settings;
    /* What the table cannot know of the settings: asked by `config check`, and by `serve` itself. */
    enum err_code (*check)(const void *settings, struct err *err);
    const struct admin_command *const *tables; /* ends with NULL */
    /* Path of the control socket, to be freed. */
    char *(*control)(const void *settings);
    /* For ADMIN_EITHER while the daemon is stopped: takes locks, fills host->services and
       host->context with what command->needs. NULL when the program has no such command. */
    enum err_code (*open)(struct admin_host *host, const struct admin_command *command,
                          struct err *err);
    void (*close)(struct admin_host *host);
};

/* ---- for handlers: what was asked ---- */

const struct admin_host *admin_host(const struct admin_call *call);
size_t admin_name_count(const struct admin_call *call);
const char *admin_name(const struct admin_call *call, size_t n); /* NULL when not given */
bool admin_has(const struct admin_call *call, const char *flag);
const char *admin_value(const struct admin_call *call, const char *flag); /* NULL when not given */
/* The n-th of a flag that may be given several times; NULL behind the last. */
const char *admin_value_n(const struct admin_call *call, const char *flag, size_t n);
bool admin_is_dry_run(const struct admin_call *call);
/* The password, without the line's end; false when none came. */
bool admin_secret(const struct admin_call *call, struct str *secret);
/* The open file of ADMIN_FILE, which stays the call's; -1 when there is none. */
int admin_file(const struct admin_call *call);

/* Numbers out of flags. *value is left alone when the flag was not given; ERR_INVALID says which flag
   and what is allowed. Sizes as in settings: 64K, 10M, 2G. */
enum err_code admin_value_size(const struct admin_call *call, const char *flag, uint64_t *value,
                               struct err *err);
enum err_code admin_value_number(const struct admin_call *call, const char *flag, uint64_t *value,
                                 struct err *err);
/* Seconds, as in settings: 90, 90s, 30m, 2h, 14d. */
enum err_code admin_value_seconds(const struct admin_call *call, const char *flag, uint64_t *value,
                                  struct err *err);
/* yes/no, on/off, true/false, 1/0. */
enum err_code admin_value_bool(const struct admin_call *call, const char *flag, bool *value,
                               struct err *err);

/* Memory until the command ends. What a long list needs for a row comes from its own arena. */
struct arena *admin_arena(struct admin_call *call);

/* ---- for handlers: the answer ---- */

/* One field of the row that is being made. Keys are words with "-" between; values are copied. */
void admin_put_text(struct admin_call *call, const char *key, const char *value);
void admin_put_number(struct admin_call *call, const char *key, uint64_t value);
void admin_put_bytes(struct admin_call *call, const char *key, uint64_t value); /* "1.5M" as text */
void admin_put_bool(struct admin_call *call, const char *key, bool value);
void admin_put_time(struct admin_call *call, const char *key, int64_t unix_time); /* 0: "" */
void admin_put_list(struct admin_call *call, const char *key, const char *const *items,
                    size_t count);

/* Ends the row and sends it. ERR_UNAVAILABLE when nobody reads any more: end the command. May wait for
   the reader, so no snapshot is held across it. */
enum err_code admin_row(struct admin_call *call, struct err *err);

/* False when the administrator has gone or the daemon is stopping: a long command asks now and then,
   and ends with ERR_UNAVAILABLE. */
bool admin_is_wanted(struct admin_call *call);

/* How far a long command is: shown to a person who waits, on a terminal in place, elsewhere now and then
   as a line on stderr. May be called often: what comes within a quarter of a second is dropped. */
void admin_progress(struct admin_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The sentence that ends a command that did something; not shown with --json. */
void admin_say(struct admin_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What to do about the error that the handler is going to return. */
void admin_hint(struct admin_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The command worked but found something wrong, or did only a part: exit code 1. */
void admin_findings(struct admin_call *call);

/* ---- commands that both programs have ---- */

extern const struct admin_command admin_service_commands[]; /* needs host->services */
extern const struct admin_command admin_config_commands[];
extern const struct admin_command admin_pki_commands[];

#endif
