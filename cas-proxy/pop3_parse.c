#include "cas-proxy/pop3_parse.h"

#include <string.h>

enum pop3_found pop3_find_line(struct str input, size_t most, size_t *seen, size_t *length)
{
    const char *newline;

    if (str_starts_nocase(input, "AUTH "))
        most = POP3_SASL_MAX;
    newline = *seen >= input.length ? NULL : memchr(input.data + *seen, '\n', input.length - *seen);
    *seen = newline == NULL ? input.length : (size_t)(newline - input.data);
    if (*seen >= most)
        return POP3_TOO_LONG;
    if (newline == NULL)
        return POP3_MORE;
    *length = *seen + 1;
    return POP3_WHOLE;
}

bool pop3_command(struct pop3_command *command, struct str line)
{
    const char *space;

    if (line.length > 0 && line.data[line.length - 1] == '\n')
        line.length--;
    if (line.length > 0 && line.data[line.length - 1] == '\r')
        line.length--;
    *command = (struct pop3_command){.name = line};
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
