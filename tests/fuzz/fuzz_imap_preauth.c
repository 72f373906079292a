/* What a front reads of clients that have not logged in: IMAP4 commands, POP3 lines, SASL answers and
   the PROXY header, as pure parsers see them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cas-proxy/imap4_parse.h"
#include "cas-proxy/line.h"
#include "cas-proxy/pop3_parse.h"
#include "cas-proxy/proxy_protocol.h"
#include "cas-proxy/sasl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_arguments(struct str arguments)
{
    struct str again = arguments, word;
    struct buf out = {0};
    size_t count;

    while (imap4_space(&arguments) && imap4_astring(&arguments, &out))
        ;
    buf_release(&out);
    if (imap4_space(&again) && imap4_id_list(&again, &out, &count))
        assert(count <= IMAP4_ID_PAIRS);
    buf_release(&out);
    if (imap4_space(&again))
        imap4_atom(&again, &word);
}

/* The same bytes must be found to be the same command, at once or byte by byte. */
static size_t scan_slowly(struct str input)
{
    struct imap4_scan scan = {0};

    for (size_t length = 0; length <= input.length; length++) {
        enum imap4_found found;

        do
            found = imap4_scan(&scan, str_n(input.data, length));
        while (found == IMAP4_CONTINUE);
        if (found == IMAP4_WHOLE)
            return scan.seen;
        if (found != IMAP4_MORE)
            return 0;
    }
    return 0;
}

static void try_imap4(struct str input)
{
    while (input.length > 0) {
        struct imap4_scan scan = {0};
        struct imap4_command command;
        enum imap4_found found;

        do
            found = imap4_scan(&scan, input);
        while (found == IMAP4_CONTINUE);
        if (found != IMAP4_WHOLE)
            return;
        assert(scan.seen > 0 && scan.seen <= input.length && scan.seen <= IMAP4_SASL_MAX);
        assert(scan_slowly(input) == scan.seen);
        if (imap4_command(&command, str_n(input.data, scan.seen)))
            take_arguments(command.arguments);
        input = str_n(input.data + scan.seen, input.length - scan.seen);
    }
}

static void try_pop3(struct str input)
{
    size_t seen = 0, length;
    struct pop3_command command;
    struct str word;

    while (line_find(input, pop3_limit(input), &seen, &length) == LINE_WHOLE) {
        if (pop3_command(&command, str_n(input.data, length)))
            while (pop3_word(&command.argument, &word))
                ;
        input = str_n(input.data + length, input.length - length);
        seen = 0;
    }
}

static void try_sasl(struct str input)
{
    for (int mechanism = SASL_PLAIN; mechanism <= SASL_SCRAM_SHA_256; mechanism++) {
        struct sasl sasl = {0};
        struct str rest = input;
        size_t seen = 0, length;
        enum sasl_step step = SASL_MORE;

        sasl_begin(&sasl, (enum sasl_mechanism)mechanism);
        while (step == SASL_MORE && line_find(rest, IMAP4_SASL_MAX, &seen, &length) == LINE_WHOLE) {
            step = sasl_answer(&sasl, line_text(str_n(rest.data, length)), false);
            rest = str_n(rest.data + length, rest.length - length);
            seen = 0;
        }
        if (step == SASL_DONE)
            assert(sasl_name(&sasl).length > 0);
        sasl_reset(&sasl);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size == 0 ? 1 : size); /* of its own size: a read past the end is seen */
    struct str input = {copy, size};
    struct proxy_header header;

    if (size > 0)
        memcpy(copy, data, size);
    try_imap4(input);
    try_pop3(input);
    try_sasl(input);
    if (proxy_read(input, &header) != PROXY_BAD)
        assert(header.length > 0);
    free(copy);
    return 0;
}
