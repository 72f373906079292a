/* LANGUAGE (RFC 5255 section 3): all languages that there are have the same words, so that nothing but the answer depends on
   which was chosen. */
#include "mailbox-backend/imap4/imap4.h"
#include "proto/imap_language.h"

/* Takes all language ranges; *chosen is the first one's language that is spoken. */
static bool take_ranges(struct parse *args, const char **chosen)
{
    struct str range;

    while (!parse_at_end(args)) {
        if (!parse_space(args) || !parse_astring(args, &range))
            return false;
        if (*chosen == NULL)
            *chosen = imap_language_find(range);
    }
    return true;
}

enum step cmd_language(struct command *command)
{
    bool lists = parse_at_end(&command->args);
    const char *chosen = NULL;

    if (!take_ranges(&command->args, &chosen))
        return command_bad_syntax(command);
    if (!lists && chosen == NULL)
        return command_no(command, NULL, "None of these languages is spoken here");
    imap_language_tell(chosen, command_output(command));
    return command_ok(command, NULL);
}
