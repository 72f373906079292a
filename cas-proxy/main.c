/* cas-proxy: the Client Access role. `serve` is the daemon, everything else its administrator's tool. */
#include <stdio.h>
#include <string.h>

#include "cas-proxy/data_folder.h"
#include "cas-proxy/serve.h"
#include "cas-proxy/status.h"
#include "common/log.h"
#include "proto/admin_client.h"

static char *control(const void *settings)
{
    return front_settings_control(settings);
}

static struct data_folder folder; /* of a command, while no daemon runs */

static enum err_code open_offline(struct admin_host *host, const struct admin_command *command,
                                  struct err *err)
{
    (void)command;
    if (data_folder_open(&folder, host->settings, err) != ERR_NONE)
        return err->code;
    host->services = folder.services;
    return ERR_NONE;
}

static void close_offline(struct admin_host *host)
{
    (void)host;
    data_folder_close(&folder);
}

static const struct admin_command *const tables[] = {
    status_commands, admin_service_commands, admin_config_commands, admin_pki_commands, NULL};

static enum err_code check(const void *settings, struct err *err)
{
    return front_settings_check(settings, err);
}

static const struct admin_program program = {
    .name = "cas-proxy",
    .summary = "the front end of the mail service: IMAP4, POP3 and LMTP up to the login",
    .config_file = "/etc/mailpair/cas-proxy.conf",
    .settings = &front_settings_table,
    .check = check,
    .tables = tables,
    .control = control,
    .open = open_offline,
    .close = close_offline,
};

static int run_daemon(const char *config)
{
    struct front_settings settings;
    struct err err;
    enum err_code code = admin_read_settings(&program, config, &settings, &err);

    if (code != ERR_NONE) {
        fprintf(stderr, "cas-proxy: %s\n", err.text);
        return ADMIN_USAGE;
    }
    log_open("cas-proxy", (enum log_target)settings.front.log_target,
             (enum log_level)settings.front.log_level);
    code = serve(&settings, &program, &err);
    if (code != ERR_NONE)
        log_error(NULL, "cannot start: %s", err.text);
    settings_free(&front_settings_table, &settings);
    return code == ERR_NONE ? ADMIN_OK : ADMIN_PARTIAL;
}

/* True for `[--config FILE] serve [--config FILE]`, and only then. */
static bool is_serve(int argc, char **argv, const char **config)
{
    bool serve = false;

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--config=", 9) == 0)
            *config = argv[i] + 9;
        else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            *config = argv[++i];
        else if (strcmp(argv[i], "serve") == 0 && !serve)
            serve = true;
        else
            return false;
    }
    return serve;
}

int main(int argc, char **argv)
{
    const char *config = NULL;

    if (is_serve(argc, argv, &config))
        return run_daemon(config);
    return admin_main(&program, argc, argv);
}
