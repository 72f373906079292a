#include "proto/lmtp_syntax.h"

#include <string.h>

#include "proto/lmtp_path.h"

const char *lmtp_fault_reply(enum lmtp_fault fault)
{
    switch (fault) {
    case LMTP_BAD_NAME:
        return "501 5.5.4 a domain or an address literal is wanted";
    case LMTP_BAD_SENDER:
        return "501 5.1.7 bad sender address, MAIL FROM:<address> is wanted";
    case LMTP_BAD_RECIPIENT:
        return "501 5.1.3 bad recipient address, RCPT TO:<address> is wanted";
    case LMTP_BAD_VALUE:
        return "501 5.5.4 bad value of a parameter";
    case LMTP_BAD_PARAMETER:
        return "555 5.5.4 unknown parameter";
    case LMTP_NEEDS_UTF8:
        return "553 5.6.7 this address needs SMTPUTF8";
    default:
        return "501 5.5.4 bad arguments";
    }
}

/* Cuts the next word off text, which loses the blanks around it too; empty at the end. */
static struct str next_word(struct str *text)
{
    struct str word;
    size_t length = 0;

    *text = str_trim(*text);
    while (length < text->length && text->data[length] != ' ')
        length++;
    word = str_n(text->data, length);
    *text = str_trim(str_n(text->data + length, text->length - length));
    return word;
}

void lmtp_split(struct str line, struct lmtp_command *command)
{
    command->verb = next_word(&line);
    command->argument = line;
}

enum lmtp_fault lmtp_lhlo(struct str argument, struct str *name)
{
    *name = argument;
    return lmtp_domain(argument) ? LMTP_FINE : LMTP_BAD_NAME;
}

/* Takes "FROM:" or "TO:" off the start; blanks behind it are not in the standard, but come. */
static bool skip_keyword(struct str *text, const char *keyword)
{
    size_t length = strlen(keyword);

    if (!str_starts_nocase(*text, keyword))
        return false;
    *text = str_trim(str_n(text->data + length, text->length - length));
    return true;
}

/* A path ends at a blank or with the line. */
static bool ends_here(struct str text)
{
    return text.length == 0 || text.data[0] == ' ';
}

static enum lmtp_fault set_size(struct lmtp_mail *mail, struct str value)
{
    return str_number(value, INT64_MAX, &mail->size) ? LMTP_FINE : LMTP_BAD_VALUE;
}

static enum lmtp_fault set_body(struct lmtp_mail *mail, struct str value)
{
    mail->eight_bit = str_is_nocase(value, "8BITMIME");
    return mail->eight_bit || str_is_nocase(value, "7BIT") ? LMTP_FINE : LMTP_BAD_VALUE;
}

static enum lmtp_fault set_utf8(struct lmtp_mail *mail, struct str value)
{
    mail->utf8 = true;
    return value.data == NULL ? LMTP_FINE : LMTP_BAD_VALUE;
}

static const struct parameter {
    const char *name;
    enum lmtp_fault (*set)(struct lmtp_mail *mail, struct str value); /* no "=": data is NULL */
} parameters[] = {
    {"SIZE",     set_size},
    {"BODY",     set_body},
    {"SMTPUTF8", set_utf8},
};

#define PARAMETERS (sizeof(parameters) / sizeof(parameters[0]))

/* seen: bits of the parameters that were there already. */
static enum lmtp_fault set_parameter(struct lmtp_mail *mail, struct str word, unsigned *seen)
{
    const char *equals = memchr(word.data, '=', word.length);
    struct str name = word;
    struct str value = {NULL, 0};

    if (equals != NULL) {
        name.length = (size_t)(equals - word.data);
        value = str_n(equals + 1, word.length - name.length - 1);
    }
    for (unsigned i = 0; i < PARAMETERS; i++) {
        if (!str_is_nocase(name, parameters[i].name))
            continue;
        if (*seen & 1u << i)
            return LMTP_BAD_VALUE;
        *seen |= 1u << i;
        return parameters[i].set(mail, value);
    }
    return LMTP_BAD_PARAMETER;
}

enum lmtp_fault lmtp_mail(struct str argument, struct lmtp_mail *mail)
{
    enum lmtp_fault fault = LMTP_FINE;
    unsigned seen = 0;
    bool ascii;

    *mail = (struct lmtp_mail){0};
    if (!skip_keyword(&argument, "FROM:"))
        return LMTP_BAD_SYNTAX;
    if (!lmtp_path(&argument, mail->sender, &ascii) || !ends_here(argument))
        return LMTP_BAD_SENDER;
    while (fault == LMTP_FINE) {
        struct str word = next_word(&argument);

        if (word.length == 0)
            break;
        fault = set_parameter(mail, word, &seen);
    }
    if (fault == LMTP_FINE && !ascii && !mail->utf8)
        return LMTP_NEEDS_UTF8;
    return fault;
}

enum lmtp_fault lmtp_rcpt(struct str argument, bool utf8, char recipient[LMTP_ADDRESS_MAX + 1])
{
    bool ascii;

    if (!skip_keyword(&argument, "TO:"))
        return LMTP_BAD_SYNTAX;
    if (!lmtp_path(&argument, recipient, &ascii) || !ends_here(argument) || recipient[0] == '\0')
        return LMTP_BAD_RECIPIENT;
    if (!ascii && !utf8)
        return LMTP_NEEDS_UTF8;
    return str_trim(argument).length == 0 ? LMTP_FINE : LMTP_BAD_PARAMETER;
}

enum lmtp_fault lmtp_bdat(struct str argument, uint64_t *size, bool *last)
{
    struct str number = next_word(&argument);
    struct str word = next_word(&argument);

    *last = str_is_nocase(word, "LAST");
    if (!str_number(number, INT64_MAX, size) || (word.length > 0 && !*last) || argument.length > 0)
        return LMTP_BAD_SYNTAX;
    return LMTP_FINE;
}
