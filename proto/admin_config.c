/* config check|show|sample */
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "proto/admin_client.h"

/* The file that counts: given as a name, by --config, or the usual one. */
static const char *path_of(const struct admin_call *call)
{
    const struct admin_host *host = admin_host(call);

    return admin_name_count(call) > 0 ? admin_name(call, 0) : host->config;
}

static enum err_code read_config(struct admin_call *call, void **settings, struct err *err)
{
    const struct admin_program *program = admin_host(call)->program;
    enum err_code code;

    *settings = mem_alloc(program->settings->size);
    code = admin_read_settings(program, path_of(call), *settings, err);
    if (code != ERR_NONE) {
        free(*settings);
        *settings = NULL;
    }
    return code;
}

static void free_config(struct admin_call *call, void *settings)
{
    settings_free(admin_host(call)->program->settings, settings);
    free(settings);
}

static enum err_code run_check(struct admin_call *call, struct err *err)
{
    const struct admin_program *program = admin_host(call)->program;
    const char *path = path_of(call);
    void *settings;
    enum err_code code = read_config(call, &settings, err);

    if (code != ERR_NONE)
        return code;
    if (program->check != NULL)
        code = program->check(settings, err);
    free_config(call, settings);
    if (code == ERR_NONE)
        admin_say(call, "%s is good", path != NULL ? path : program->config_file);
    return code;
}

static enum err_code run_show(struct admin_call *call, struct err *err)
{
    void *settings;
    enum err_code code = read_config(call, &settings, err);

    if (code != ERR_NONE)
        return code;
    settings_show(admin_host(call)->program->settings, settings, stdout);
    free_config(call, settings);
    return ERR_NONE;
}

static enum err_code run_sample(struct admin_call *call, struct err *err)
{
    (void)err;
    if (admin_has(call, "markdown"))
        settings_markdown(admin_host(call)->program->settings, stdout);
    else
        settings_sample(admin_host(call)->program->settings, stdout);
    return ERR_NONE;
}

static const struct admin_flag sample_flags[] = {
    {"markdown",                      NULL, "as a table for documentation"},
    {0},
};

const struct admin_command admin_config_commands[] = {
    {
     .noun = "config",
     .verb = "check",
     .arguments = "[FILE]",
     .most = 1,
     .where = ADMIN_LOCAL,
     .help = "say whether the settings are good, or which line is not",
     .run = run_check,
     },
    {
     .noun = "config",
     .verb = "show",
     .arguments = "[FILE]",
     .most = 1,
     .where = ADMIN_LOCAL,
     .help = "print the settings in force; defaults are commented",
     .run = run_show,
     },
    {
     .noun = "config",
     .verb = "sample",
     .arguments = "",
     .where = ADMIN_LOCAL,
     .flags = sample_flags,
     .help = "print a file with every setting, its default and what it does",
     .run = run_sample,
     },
    {0    },
};
