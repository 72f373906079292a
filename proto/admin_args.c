#include "proto/admin_args.h"

#include <stdio.h>
#include <string.h>

#include "proto/admin_table.h"

struct parse {
    const struct admin_program *program;
    struct arena *arena;
    struct admin_args *args;
    char **next, **end;
    bool only_names; /* "--" was there */
    char *hint;
    size_t hint_room;
    struct err *err;
};

#define HINT(parse, ...) snprintf((parse)->hint, (parse)->hint_room, __VA_ARGS__)

static enum err_code unknown_noun(struct parse *parse, const char *word)
{
    const char *near = admin_suggest_noun(parse->program, word);

    if (near != NULL)
        HINT(parse, "did you mean %s?", near);
    else
        HINT(parse, "see %s --help", parse->program->name);
    return err_set(parse->err, ERR_INVALID, "there is no command %s", word);
}

static enum err_code unknown_verb(struct parse *parse, const char *noun, const char *word)
{
    const char *near = admin_suggest_verb(parse->program, noun, word);

    if (near != NULL)
        HINT(parse, "did you mean %s %s?", noun, near);
    else
        HINT(parse, "see %s %s --help", parse->program->name, noun);
    return err_set(parse->err, ERR_INVALID, "there is no command %s %s", noun, word);
}

/* A word that is no flag: the noun, the verb, or a name. */
static enum err_code take_word(struct parse *parse, char *word)
{
    struct admin_args *args = parse->args;

    if (args->command != NULL) {
        args->request.names[args->request.n_names++] = word;
        return ERR_NONE;
    }
    if (args->noun != NULL) {
        args->command = admin_table_find(parse->program, args->noun, word);
        return args->command == NULL ? unknown_verb(parse, args->noun, word) : ERR_NONE;
    }
    if (strcmp(word, "help") == 0) {
        args->help = true;
        return ERR_NONE;
    }
    if (!admin_table_has_noun(parse->program, word))
        return unknown_noun(parse, word);
    args->noun = word;
    args->command = admin_table_find(parse->program, word, "");
    return ERR_NONE;
}

/* The value of "--name=value" or of "--name value". NULL when there is none. */
static char *take_value(struct parse *parse, char *equals)
{
    if (equals != NULL)
        return equals + 1;
    return parse->next < parse->end ? *parse->next++ : NULL;
}

static bool *find_switch(struct admin_args *args, const char *name)
{
    struct {
        const char *name;
        bool *value;
    } switches[] = {
        {"json",           &args->json          },
        {"yes",            &args->yes           },
        {"help",           &args->help          },
        {"version",        &args->version       },
        {"password-stdin", &args->password_stdin},
    };

    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        if (strcmp(name, switches[i].name) == 0)
            return switches[i].value;
    }
    return NULL;
}

static enum err_code unknown_flag(struct parse *parse, const char *name)
{
    const struct admin_command *command = parse->args->command;
    const char *near;

    if (command == NULL) {
        HINT(parse, "flags of a command come behind it");
        return err_set(parse->err, ERR_INVALID, "there is no general flag --%s", name);
    }
    near = admin_suggest_flag(command, name);
    if (near != NULL)
        HINT(parse, "did you mean --%s?", near);
    else
        HINT(parse, "see %s %s %s --help", parse->program->name, command->noun, command->verb);
    return err_set(parse->err, ERR_INVALID, "%s %s has no flag --%s", command->noun, command->verb,
                   name);
}

/* A flag of the command's own. */
static enum err_code take_own_flag(struct parse *parse, char *name, char *equals)
{
    const struct admin_flag *known =
        parse->args->command == NULL ? NULL : parse->args->command->flags;
    Admin__Request *request = &parse->args->request;
    Admin__Flag *flag;

    while (known != NULL && known->name != NULL && strcmp(known->name, name) != 0)
        known++;
    if (known == NULL || known->name == NULL)
        return unknown_flag(parse, name);
    if (known->value == NULL && equals != NULL)
        return err_set(parse->err, ERR_INVALID, "--%s takes no value", name);
    flag = arena_alloc(parse->arena, sizeof(*flag));
    admin__flag__init(flag);
    flag->name = name;
    if (known->value != NULL && (known->value[0] != '[' || equals != NULL)) {
        char *value = take_value(parse, equals);

        if (value == NULL)
            return err_set(parse->err, ERR_INVALID, "--%s wants a value: --%s=%s", name, name,
                           known->value);
        flag->value = value;
        flag->has_value = true;
    }
    request->flags[request->n_flags++] = flag;
    return ERR_NONE;
}

static enum err_code take_flag(struct parse *parse, char *word)
{
    struct admin_args *args = parse->args;
    char *equals = strchr(word, '=');
    char *name = equals == NULL ? word : arena_copy(parse->arena, word, (size_t)(equals - word));
    bool *value = find_switch(args, name);

    if (strcmp(name, "config") == 0) {
        args->config = take_value(parse, equals);
        return args->config == NULL
                   ? err_set(parse->err, ERR_INVALID, "--config wants a value: --config=FILE")
                   : ERR_NONE;
    }
    if (value != NULL && equals == NULL) {
        *value = true;
        return ERR_NONE;
    }
    if (strcmp(name, "dry-run") == 0 && equals == NULL) {
        args->request.dry_run = true;
        return ERR_NONE;
    }
    return take_own_flag(parse, name, equals);
}

static enum err_code check_traits(struct parse *parse)
{
    const struct admin_command *command = parse->args->command;

    if (parse->args->request.dry_run && (command->traits & ADMIN_DRY_RUN) == 0)
        return err_set(parse->err, ERR_INVALID, "%s %s knows no --dry-run", command->noun,
                       command->verb);
    if (parse->args->password_stdin && (command->traits & ADMIN_SECRET) == 0)
        return err_set(parse->err, ERR_INVALID, "%s %s takes no password", command->noun,
                       command->verb);
    return ERR_NONE;
}

/* The whole line was read: is it a whole command? */
static enum err_code check_whole(struct parse *parse)
{
    const struct admin_command *command = parse->args->command;
    size_t count = parse->args->request.n_names;

    if (parse->args->help || parse->args->version)
        return ERR_NONE;
    if (command == NULL) {
        HINT(parse, "see %s %s%s--help", parse->program->name,
             parse->args->noun == NULL ? "" : parse->args->noun,
             parse->args->noun == NULL ? "" : " ");
        return err_set(parse->err, ERR_INVALID, "a command is NOUN VERB: %s is missing",
                       parse->args->noun == NULL ? "the noun" : "the verb");
    }
    if (count < command->least || count > command->most) {
        HINT(parse, "%s %s %s %s", parse->program->name, command->noun, command->verb,
             command->arguments);
        return err_set(parse->err, ERR_INVALID, "%s names for %s %s",
                       count < command->least ? "too few" : "too many", command->noun,
                       command->verb);
    }
    return check_traits(parse);
}

enum err_code admin_args_parse(const struct admin_program *program, int argc, char **argv,
                               struct arena *arena, struct admin_args *args, char *hint,
                               size_t hint_room, struct err *err)
{
    struct parse parse = {
        .program = program,
        .arena = arena,
        .args = args,
        .next = argv + (argc > 0),
        .end = argv + argc,
        .hint = hint,
        .hint_room = hint_room,
        .err = err,
    };
    enum err_code code = ERR_NONE;

    *args = (struct admin_args){.request = ADMIN__REQUEST__INIT};
    hint[0] = '\0';
    args->request.names = arena_array(arena, (size_t)argc + 1, sizeof(char *));
    args->request.flags = arena_array(arena, (size_t)argc + 1, sizeof(Admin__Flag *));
    while (parse.next < parse.end && code == ERR_NONE) {
        char *word = *parse.next++;

        if (!parse.only_names && strcmp(word, "--") == 0)
            parse.only_names = true;
        else if (!parse.only_names && strcmp(word, "-h") == 0)
            args->help = true;
        else if (!parse.only_names && word[0] == '-' && word[1] == '-')
            code = take_flag(&parse, word + 2);
        else
            code = take_word(&parse, word);
    }
    if (code == ERR_NONE)
        code = check_whole(&parse);
    if (args->command != NULL) {
        args->request.noun = (char *)(uintptr_t)args->command->noun;
        args->request.verb = (char *)(uintptr_t)args->command->verb;
    }
    return code;
}
