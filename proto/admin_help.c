#include "proto/admin_help.h"

#include <string.h>

#include "proto/admin_table.h"

static void print_usage(const struct admin_command *command, FILE *to)
{
    const char *arguments = command->arguments;

    fprintf(to, "%s%s%s%s%s", command->noun, command->verb[0] == '\0' ? "" : " ", command->verb,
            arguments[0] == '\0' ? "" : " ", arguments);
}

static int usage_length(const struct admin_command *command)
{
    return (int)(strlen(command->noun) + strlen(command->verb) + strlen(command->arguments)) +
           (command->verb[0] != '\0') + (command->arguments[0] != '\0');
}

#define COLUMN 34 /* where explanations begin */

static void pad(int used, FILE *to)
{
    if (used < COLUMN)
        fprintf(to, "%*s", COLUMN - used, "");
    else
        fprintf(to, "\n%*s", COLUMN, "");
}

/* The first line of a command's help. */
static int first_line(const char *help)
{
    return (int)strcspn(help, "\n");
}

static void print_commands(const struct admin_program *program, const char *noun, FILE *to)
{
    const struct admin_command *command;

    for (size_t place = 0; (command = admin_table_next(program, &place)) != NULL;) {
        if (noun != NULL && strcmp(command->noun, noun) != 0)
            continue;
        fputs("  ", to);
        print_usage(command, to);
        pad(2 + usage_length(command), to);
        fprintf(to, "%.*s\n", first_line(command->help), command->help);
    }
}

static void print_flag(const char *name, const char *value, const char *help, FILE *to)
{
    const char *equals = value == NULL || value[0] == '[' ? "" : "=";
    int used = fprintf(to, "  --%s%s%s", name, equals, value == NULL ? "" : value);

    pad(used, to);
    fprintf(to, "%s\n", help);
}

/* Those that every command takes, and those of command; NULL: all that any has. */
static void print_general(const struct admin_command *command, FILE *to)
{
    fputs("\nGeneral flags:\n", to);
    print_flag("config", "FILE", "settings from this file", to);
    print_flag("json", NULL, "answer as JSON, for scripts", to);
    print_flag("yes", NULL, "do not ask", to);
    if (command == NULL || (command->traits & ADMIN_DRY_RUN) != 0)
        print_flag("dry-run", NULL, "check and say, change nothing", to);
    print_flag("help", NULL, "of a command, a noun, or all", to);
    print_flag("version", NULL, "the program's version", to);
    fputs(
        "\nExit: 0 done, 1 with findings or in part, 2 usage, 3 the daemon is away, 4 not found.\n",
        to);
}

static const char *where_text(enum admin_where where)
{
    switch (where) {
    case ADMIN_LOCAL:
        return "Needs no daemon.";
    case ADMIN_DAEMON:
        return "Needs the running daemon.";
    default:
        return "Works with the running daemon, and while it is stopped.";
    }
}

static void print_command(const struct admin_program *program, const struct admin_command *command,
                          FILE *to)
{
    fprintf(to, "%s ", program->name);
    print_usage(command, to);
    fprintf(to, "\n\n%s\n%s\n", command->help, where_text(command->where));
    if (command->flags != NULL || (command->traits & ADMIN_SECRET) != 0)
        fputs("\nFlags:\n", to);
    if ((command->traits & ADMIN_SECRET) != 0)
        print_flag("password-stdin", NULL, "read the password from the first line of the input",
                   to);
    for (const struct admin_flag *flag = command->flags; flag != NULL && flag->name != NULL; flag++)
        print_flag(flag->name, flag->value, flag->help, to);
    print_general(command, to);
}

void admin_help(const struct admin_program *program, const struct admin_args *args, FILE *to)
{
    if (args->command != NULL) {
        print_command(program, args->command, to);
        return;
    }
    fprintf(to, "%s: %s\n\nUsage: %s NOUN VERB [NAME...] [--flag[=value]]\n\nCommands:\n",
            program->name, program->summary, program->name);
    if (args->noun == NULL) {
        fputs("  serve", to);
        pad(7, to);
        fputs("run the daemon\n", to);
    }
    print_commands(program, args->noun, to);
    print_general(NULL, to);
}
