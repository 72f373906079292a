/* mailbox-backend: the Mailbox role. `serve` is the daemon, everything else its administrator's tool. */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "mailbox-backend/admin.h"
#include "mailbox-backend/backend.h"
#include "mailbox-backend/serve.h"
#include "mailbox-backend/store/crash.h"
#include "proto/admin_client.h"

static char *control(const void *settings)
{
    return backend_control_path(settings);
}

static struct backend offline; /* of a command, while no daemon runs */

static enum err_code open_offline(struct admin_host *host, const struct admin_command *command,
                                  struct err *err)
{
    if (backend_open(&offline, host->settings, command->needs | BACKEND_SERVICES, err) != ERR_NONE)
        return err->code;
    host->services = offline.services;
    host->context = &offline;
    return ERR_NONE;
}

static void close_offline(struct admin_host *host)
{
    host->context = NULL;
    backend_close(&offline);
}

static enum err_code check(const void *settings, struct err *err)
{
    return backend_settings_check(settings, err);
}

static const struct admin_program program = {
    .name = "mailbox-backend",
    .summary = "the back end of the mail service: mailboxes, users, and the engines of IMAP4, POP3 "
               "and LMTP",
    .config_file = "/etc/mailpair/mailbox-backend.conf",
    .settings = &backend_settings_table,
    .check = check,
    .tables = backend_admin_tables,
    .control = control,
    .open = open_offline,
    .close = close_offline,
};

static int run_daemon(const char *config)
{
    struct backend_settings settings;
    struct err err = {0};
    enum err_code code = admin_read_settings(&program, config, &settings, &err);

    if (code != ERR_NONE) {
        fprintf(stderr, "mailbox-backend: %s\n", err.text);
        return ADMIN_USAGE;
    }
    log_open("mailbox-backend", (enum log_target)settings.backend.log_target,
             (enum log_level)settings.backend.log_level);
    code = serve(&settings, &program, &err);
    if (code != ERR_NONE)
        log_error(NULL, "cannot start: %s", err.text);
    settings_free(&backend_settings_table, &settings);
    return code == ERR_NONE ? ADMIN_OK : ADMIN_PARTIAL;
}

/* True for `[--config FILE] serve [--config FILE]`, and only then. */
static bool is_serve(int argc, char **argv, const char **config)
{
    bool serves = false;

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--config=", 9) == 0)
            *config = argv[i] + 9;
        else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            *config = argv[++i];
        else if (strcmp(argv[i], "serve") == 0 && !serves)
            serves = true;
        else
            return false;
    }
    return serves;
}

int main(int argc, char **argv)
{
    const char *config = NULL;

    crash_watch();
    if (is_serve(argc, argv, &config))
        return run_daemon(config);
    return admin_main(&program, argc, argv);
}
