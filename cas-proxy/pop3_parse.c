#include "cas-proxy/pop3_parse.h"

#include <string.h>

#include "cas-proxy/line.h"

size_t pop3_limit(struct str input)
{
    return str_starts_nocase(input, "AUTH ") ? POP3_SASL_MAX : POP3_LINE_MAX;
}

bool pop3_command(struct pop3_command *command, struct str line)
{
    const char *space;

    line = line_text(line);
    *command = (struct pop3_command){
        .name = line, .argument = {line.data + line.length, 0}
    };
    if (line.length == 0 || memchr(line.data, '\0', line.length) != NULL)
        return false;
    space = memchr(line.data, ' ', line.length);
    if (space == NULL)
        return true;
    command->name.length = (size_t)(space - line.data);
    command->argument = (struct str){space + 1, line.length - command->name.length - 1};
    command->has_argument = true;
    return command->name.length > 0;
}

bool pop3_word(struct str *argument, struct str *word)
{
    *argument = str_trim(*argument);
    *word = (struct str){argument->data, 0};
    while (word->length < argument->length && argument->data[word->length] != ' ')
        word->length++;
    argument->data += word->length;
    argument->length -= word->length;
    return word->length > 0;
}
