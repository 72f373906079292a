/* Any line must be read as a command without harm, and an address that is taken must be one that the
   back end takes as well when the front passes it on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/lmtp_syntax.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void reread(const char *address)
{
    char line[LMTP_ADDRESS_MAX + 8];
    char again[LMTP_ADDRESS_MAX + 1];

    snprintf(line, sizeof(line), "TO:<%s>", address);
    if (lmtp_rcpt(str_of(line), true, again) != LMTP_FINE || strcmp(address, again) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char address[LMTP_ADDRESS_MAX + 1];
    struct lmtp_command command;
    struct lmtp_mail mail;
    struct str name;
    uint64_t length;
    bool last;

    lmtp_split(str_n(data, size), &command);
    lmtp_lhlo(command.argument, &name);
    lmtp_bdat(command.argument, &length, &last);
    if (lmtp_mail(command.argument, &mail) == LMTP_FINE && mail.sender[0] != '\0')
        reread(mail.sender);
    if (lmtp_rcpt(command.argument, true, address) == LMTP_FINE)
        reread(address);
    return 0;
}
