/* service list|enable|disable|start|stop */
#include <string.h>

#include "proto/admin.h"

static enum err_code put_service(struct admin_call *call, const struct service_name *service,
                                 struct err *err)
{
    const struct admin_host *host = admin_host(call);
    bool enabled = service_is_enabled(host->services, service->name);

    admin_put_text(call, "service", service->name);
    admin_put_bool(call, "enabled", enabled);
    if (host->daemon)
        admin_put_bool(call, "running", service_is_running(host->services, service->name));
    else
        admin_put_text(call, "running", "no daemon");
    admin_put_text(call, "about", service->help);
    return admin_row(call, err);
}

static enum err_code run_list(struct admin_call *call, struct err *err)
{
    const struct service_name *service;
    enum err_code code = ERR_NONE;

    for (size_t n = 0; code == ERR_NONE; n++) {
        service = services_name(admin_host(call)->services, n);
        if (service == NULL)
            break;
        code = put_service(call, service, err);
    }
    return code;
}

static const char *past(bool on, bool now)
{
    if (now)
        return on ? "enabled and started" : "disabled and stopped";
    return on ? "enabled" : "disabled";
}

static enum err_code switch_now(struct services *services, const char *name, bool on,
                                struct admin_call *call, struct err *err)
{
    enum err_code code = service_run(services, name, on, err);

    if (code == ERR_UNAVAILABLE && !admin_host(call)->daemon)
        admin_hint(call, "it is %s; `%s serve` starts the daemon", on ? "enabled" : "disabled",
                   admin_host(call)->program->name);
    return code;
}

static enum err_code enable(struct admin_call *call, bool on, struct err *err)
{
    struct services *services = admin_host(call)->services;
    const char *name = admin_name(call, 0);
    bool now = admin_has(call, "now");
    enum err_code code;

    if (admin_is_dry_run(call))
        return service_check(services, name, err);
    code = service_enable(services, name, on, err);
    if (code == ERR_NONE && now)
        code = switch_now(services, name, on, call, err);
    if (code != ERR_NONE)
        return code;
    admin_say(call, "%s is %s%s", name, past(on, now),
              now || service_is_running(services, name) == on || !admin_host(call)->daemon
                  ? ""
                  : "; --now makes it so at once");
    return ERR_NONE;
}

static enum err_code run_enable(struct admin_call *call, struct err *err)
{
    return enable(call, true, err);
}

static enum err_code run_disable(struct admin_call *call, struct err *err)
{
    return enable(call, false, err);
}

static enum err_code switch_service(struct admin_call *call, bool on, struct err *err)
{
    struct services *services = admin_host(call)->services;
    const char *name = admin_name(call, 0);
    enum err_code code = service_run(services, name, on, err);

    if (code == ERR_NONE)
        admin_say(call, "%s is %s%s", name, on ? "running" : "stopped",
                  service_is_enabled(services, name) == on ? ""
                  : on ? ", but not enabled: it will not start with the daemon"
                       : ", but enabled: it will start with the daemon");
    return code;
}

static enum err_code run_start(struct admin_call *call, struct err *err)
{
    return switch_service(call, true, err);
}

static enum err_code run_stop(struct admin_call *call, struct err *err)
{
    return switch_service(call, false, err);
}

static const struct admin_flag now_flag[] = {
    {"now",                                          NULL, "start or stop it in the running daemon, too"},
    {0},
};

const struct admin_command admin_service_commands[] = {
    {
     .noun = "service",
     .verb = "list",
     .arguments = "",
     .where = ADMIN_EITHER,
     .traits = ADMIN_ROWS,
     .help = "the services, whether they are enabled and whether they run",
     .run = run_list,
     },
    {
     .noun = "service",
     .verb = "enable",
     .arguments = "SERVICE",
     .least = 1,
     .most = 1,
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES | ADMIN_DRY_RUN,
     .flags = now_flag,
     .help = "from now on the service starts with the daemon",
     .run = run_enable,
     },
    {
     .noun = "service",
     .verb = "disable",
     .arguments = "SERVICE",
     .least = 1,
     .most = 1,
     .where = ADMIN_EITHER,
     .traits = ADMIN_CHANGES | ADMIN_DRY_RUN,
     .flags = now_flag,
     .help = "from now on the service does not start with the daemon",
     .run = run_disable,
     },
    {
     .noun = "service",
     .verb = "start",
     .arguments = "SERVICE",
     .least = 1,
     .most = 1,
     .where = ADMIN_DAEMON,
     .help = "start the service in the running daemon",
     .run = run_start,
     },
    {
     .noun = "service",
     .verb = "stop",
     .arguments = "SERVICE",
     .least = 1,
     .most = 1,
     .where = ADMIN_DAEMON,
     .help = "stop the service in the running daemon; its sessions end",
     .run = run_stop,
     },
    {0    },
};
