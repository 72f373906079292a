#include "proto/admin_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "proto/admin_args.h"
#include "proto/admin_call.h"
#include "proto/admin_file.h"
#include "proto/admin_follow.h"
#include "proto/admin_help.h"
#include "proto/admin_print.h"
#include "proto/admin_progress.h"
#include "proto/admin_remote.h"
#include "proto/admin_secret.h"

/* One run of the tool. */
struct client {
    const struct admin_program *program;
    struct admin_args args;
    struct arena arena;
    char hint[400];
    char secret[ADMIN_SECRET_MAX];
    struct admin_file file;
    void *settings;
    unsigned follow;      /* seconds between runs; 0: there is one */
    struct arena passing; /* until the run ends */
};

/* Rows go straight to the printer. */
struct printing_sink {
    struct admin_sink base;
    struct admin_print *print;
    struct admin_progress_line progress;
};

static enum err_code print_row(struct admin_sink *base, const Admin__Row *row, struct err *err)
{
    struct printing_sink *sink = (struct printing_sink *)base;

    admin_progress_clear(&sink->progress);
    return admin_print_row(sink->print, row, err);
}

static void print_progress(struct admin_sink *base, const char *text)
{
    admin_progress_show(&((struct printing_sink *)base)->progress, text);
}

static enum err_code drop_row(struct admin_sink *base, const Admin__Row *row, struct err *err)
{
    (void)base;
    (void)row;
    (void)err;
    return ERR_NONE;
}

static void open_sink(const struct client *client, struct printing_sink *sink)
{
    const struct admin_command *command = client->args.command;
    bool only_sentence = client->follow > 0 && !client->args.json;

    *sink = (struct printing_sink){
        .base.row = only_sentence ? drop_row : print_row,
        .base.progress = print_progress,
    };
    admin_progress_begin(&sink->progress, stderr, client->args.json);
    sink->print =
        admin_print_create(stdout, client->args.json, (command->traits & ADMIN_ROWS) != 0);
}

/* Errors go to stderr, so that a script never takes one for an answer. */
static void print_error(const struct client *client, enum err_code code, const char *text,
                        const char *hint)
{
    if (!client->args.json) {
        fprintf(stderr, "%s: %s\n", client->program->name, text);
        if (hint[0] != '\0')
            fprintf(stderr, "  %s\n", hint);
        return;
    }
    fprintf(stderr, "{\"error\": \"%s\", \"text\": ", err_word(code));
    admin_print_json_text(text, stderr);
    fputs(", \"hint\": ", stderr);
    admin_print_json_text(hint, stderr);
    fputs("}\n", stderr);
}

static int exit_of(enum err_code code)
{
    switch (code) {
    case ERR_NONE:
        return ADMIN_OK;
    case ERR_INVALID:
        return ADMIN_USAGE;
    case ERR_NOT_FOUND:
        return ADMIN_NOT_FOUND;
    default:
        return ADMIN_PARTIAL;
    }
}

static int fail(const struct client *client, enum err_code code, const struct err *err)
{
    print_error(client, code, err->text, client->hint);
    return exit_of(code);
}

static int finish(const struct client *client, struct admin_print *print, const Admin__End *end)
{
    enum err_code code = (enum err_code)end->code;

    if (code != ERR_NONE) {
        admin_print_end(print, "");
        print_error(client, code, end->text, end->hint);
        return exit_of(code);
    }
    admin_print_end(print, end->text);
    return end->findings ? ADMIN_PARTIAL : ADMIN_OK;
}

/* Runs the handler in this process. */
static int run_here(struct client *client, const struct admin_host *host)
{
    const struct admin_command *command = client->args.command;
    struct printing_sink sink;
    Admin__End end;
    int result;

    open_sink(client, &sink);
    admin_call_run(host, command, &client->args.request, client->file.descriptor, &sink.base,
                   &client->passing, &end);
    admin_progress_clear(&sink.progress);
    result = finish(client, sink.print, &end);
    admin_print_destroy(&sink.print);
    return result;
}

static int run_there(struct client *client, int socket)
{
    struct printing_sink sink;
    Admin__End end;
    struct err err = {0};
    int result;

    open_sink(client, &sink);
    admin_follow_socket(socket);
    if (admin_remote_run(socket, &client->args.request, client->file.descriptor, &sink.base,
                         &client->passing, &end, &err) == ERR_NONE) {
        admin_progress_clear(&sink.progress);
        result = finish(client, sink.print, &end);
    } else if (admin_follow_is_over()) {
        result = ADMIN_OK;
    } else {
        admin_progress_clear(&sink.progress);
        fail(client, err.code, &err);
        result = ADMIN_AWAY;
    }
    admin_follow_socket(-1);
    admin_print_destroy(&sink.print);
    close(socket);
    return result;
}

/* The daemon is stopped: the command's own process takes its place for a moment. */
static int run_instead(struct client *client)
{
    const struct admin_program *program = client->program;
    struct admin_host host = {
        .program = program,
        .settings = client->settings,
        .config = client->args.config,
    };
    struct err err = {0};
    enum err_code code = program->open(&host, client->args.command, &err);
    int result;

    if (code != ERR_NONE)
        return fail(client, code, &err);
    result = run_here(client, &host);
    program->close(&host);
    return result;
}

static void drop_settings(struct client *client)
{
    if (client->settings != NULL)
        settings_free(client->program->settings, client->settings);
    free(client->settings);
    client->settings = NULL;
}

static enum err_code connect_daemon(struct client *client, int *socket, struct err *err)
{
    char *path = client->program->control(client->settings);
    enum err_code code = admin_remote_connect(path, socket, err);

    free(path);
    return code;
}

static int run_with_daemon(struct client *client)
{
    const struct admin_program *program = client->program;
    struct err err = {0};
    enum err_code code;
    int socket;

    drop_settings(client);
    client->settings = mem_alloc(program->settings->size);
    code = admin_read_settings(program, client->args.config, client->settings, &err);
    if (code != ERR_NONE) {
        snprintf(client->hint, sizeof(client->hint), "%s config check says more", program->name);
        return fail(client, code, &err);
    }
    code = connect_daemon(client, &socket, &err);
    if (code == ERR_NONE)
        return run_there(client, socket);
    if (code == ERR_DENIED) {
        snprintf(client->hint, sizeof(client->hint), "run it as root or as the daemon's own user");
        return fail(client, code, &err);
    }
    if (client->args.command->where == ADMIN_EITHER && program->open != NULL)
        return run_instead(client);
    snprintf(client->hint, sizeof(client->hint), "`%s serve` starts it", program->name);
    fail(client, code, &err);
    return ADMIN_AWAY;
}

static bool has_flag(const struct client *client, const char *name)
{
    for (size_t i = 0; i < client->args.request.n_flags; i++) {
        if (strcmp(client->args.request.flags[i]->name, name) == 0)
            return true;
    }
    return false;
}

static enum err_code get_secret(struct client *client, struct err *err)
{
    Admin__Request *request = &client->args.request;
    enum err_code code;

    if ((client->args.command->traits & ADMIN_SECRET) == 0 || has_flag(client, "generate") ||
        has_flag(client, "no-password"))
        return ERR_NONE;
    if (!client->args.password_stdin && !isatty(STDIN_FILENO))
        return ERR_NONE; /* the command says whether it can do without */
    code = client->args.password_stdin && !isatty(STDIN_FILENO)
               ? admin_secret_read(client->secret, err)
               : admin_secret_ask(client->secret, err);
    request->has_secret = code == ERR_NONE;
    request->secret = (ProtobufCBinaryData){strlen(client->secret), (uint8_t *)client->secret};
    return code;
}

static enum err_code open_file(struct client *client, struct err *err)
{
    Admin__Request *request = &client->args.request;
    enum err_code code;

    if ((client->args.command->traits & ADMIN_FILE) == 0)
        return ERR_NONE;
    code = admin_file_open(&client->file, client->args.command,
                           request->names[request->n_names - 1], err);
    request->has_file = code == ERR_NONE;
    return code;
}

static enum err_code confirm(struct client *client, struct err *err)
{
    const struct admin_args *args = &client->args;
    char question[400];

    if ((args->command->traits & ADMIN_CONFIRM) == 0 || args->yes || args->request.dry_run)
        return ERR_NONE;
    if (!isatty(STDIN_FILENO))
        return err_set(err, ERR_INVALID, "%s %s destroys something: say --yes", args->command->noun,
                       args->command->verb);
    snprintf(question, sizeof(question), "%s %s %s: sure?", args->command->noun,
             args->command->verb, args->request.n_names > 0 ? args->request.names[0] : "");
    return admin_confirm(question) ? ERR_NONE : err_set(err, ERR_DENIED, "nothing was done");
}

static int run(void *context)
{
    struct client *client = context;
    struct admin_host host = {.program = client->program, .config = client->args.config};
    struct err err = {0};
    enum err_code code = confirm(client, &err);
    int result;

    if (code == ERR_NONE)
        code = get_secret(client, &err);
    if (code == ERR_NONE)
        code = open_file(client, &err);
    if (code != ERR_NONE)
        return fail(client, code, &err);
    result = client->args.command->where == ADMIN_LOCAL ? run_here(client, &host)
                                                        : run_with_daemon(client);
    code = admin_file_close(&client->file, &err);
    if (code != ERR_NONE && result == ADMIN_OK)
        result = fail(client, code, &err);
    client->hint[0] = '\0';
    arena_reset(&client->passing);
    return result;
}

static bool daemon_is_up(void *context)
{
    int socket;
    bool is_up = connect_daemon(context, &socket, NULL) == ERR_NONE;

    if (is_up)
        close(socket);
    return is_up;
}

static int run_or_follow(struct client *client)
{
    struct admin_follow follow = {.once = run, .daemon_is_up = daemon_is_up, .context = client};
    struct err err = {0};
    enum err_code code = ERR_NONE;

    if ((client->args.command->traits & ADMIN_FOLLOW) != 0)
        code = admin_follow_seconds(&client->args, &client->follow, &err);
    if (code != ERR_NONE)
        return fail(client, code, &err);
    follow.seconds = client->follow;
    return admin_follow(&follow);
}

static void release(struct client *client)
{
    mem_wipe(client->secret, sizeof(client->secret));
    drop_settings(client);
    arena_reset(&client->passing);
    admin_file_close(&client->file, NULL);
    arena_reset(&client->arena);
}

int admin_main(const struct admin_program *program, int argc, char **argv)
{
    struct client client = {.program = program, .file = ADMIN_FILE_NONE};
    struct err err = {0};
    enum err_code code;
    int result = ADMIN_OK;

    code = admin_args_parse(program, argc, argv, &client.arena, &client.args, client.hint,
                            sizeof(client.hint), &err);
    client.args.request.software = arena_printf(&client.arena, "%s " VERSION, program->name);
    if (code != ERR_NONE)
        result = fail(&client, code, &err);
    else if (client.args.version)
        printf("%s\n", client.args.request.software);
    else if (client.args.help)
        admin_help(program, &client.args, stdout);
    else
        result = run_or_follow(&client);
    release(&client);
    return result;
}

enum err_code admin_read_settings(const struct admin_program *program, const char *path,
                                  void *settings, struct err *err)
{
    if (path == NULL && access(program->config_file, F_OK) == 0)
        path = program->config_file;
    return settings_read(program->settings, path, settings, err);
}
