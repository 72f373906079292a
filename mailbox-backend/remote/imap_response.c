#include "mailbox-backend/remote/imap_response.h"

#include <string.h>

#include "common/str.h"
#include "mailbox-backend/remote/imap_fetch.h"
#include "mailbox-backend/remote/imap_reading.h"

enum err_code imap_tell(const struct imap_reading *reading, const struct imap_event *event)
{
    if (reading->listener == NULL)
        return ERR_NONE;
    return reading->listener->event(reading->listener->context, event, reading->err);
}

enum err_code imap_tell_number(const struct imap_reading *reading, enum imap_event_kind kind,
                               uint64_t number)
{
    const struct imap_event event = {.kind = kind, .number = number};

    return imap_tell(reading, &event);
}

enum err_code imap_end_line(const struct imap_reading *reading)
{
    return imap_scan_line(reading->scan, true, NULL, 0, reading->err);
}

enum err_code imap_next_value(const struct imap_reading *reading, bool *more)
{
    bool was = true;
    char next = '\0';
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && was)
        code = imap_scan_try(reading->scan, ' ', &was, reading->err);
    if (code == ERR_NONE)
        code = imap_scan_peek(reading->scan, &next, reading->err);
    *more = code == ERR_NONE && next != '\r' && next != '\n';
    return code;
}

/* ---- numbers by name: response codes, STATUS ---- */

static const struct {
    const char *word;
    enum imap_event_kind kind;
} numbers[] = {
    {"MESSAGES",      IMAP_EXISTS       },
    {"UIDVALIDITY",   IMAP_UIDVALIDITY  },
    {"UIDNEXT",       IMAP_UIDNEXT      },
    {"HIGHESTMODSEQ", IMAP_HIGHESTMODSEQ},
};

int imap_find_number(const char *word)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (str_is_nocase(str_of(word), numbers[i].word))
            return (int)i;
    }
    return -1;
}

enum err_code imap_read_named_number(const struct imap_reading *reading, int which)
{
    uint64_t number;
    enum err_code code = imap_scan_expect(reading->scan, ' ', reading->err);

    if (code == ERR_NONE)
        code = imap_scan_number(reading->scan, &number, reading->err);
    return code == ERR_NONE ? imap_tell_number(reading, numbers[which].kind, number) : code;
}

static enum err_code read_capabilities(const struct imap_reading *reading, const char *stops)
{
    enum err_code code = ERR_NONE;
    bool more;

    while (code == ERR_NONE && (code = imap_next_value(reading, &more)) == ERR_NONE && more) {
        char word[64], next;
        const struct imap_event event = {.kind = IMAP_CAPABILITY, .text = word};

        code = imap_scan_peek(reading->scan, &next, reading->err);
        if (code != ERR_NONE || strchr(stops, next) != NULL)
            return code;
        code = imap_scan_word(reading->scan, stops, word, sizeof(word), NULL, reading->err);
        if (code == ERR_NONE)
            code = imap_tell(reading, &event);
    }
    return code;
}

/* "[UIDNEXT 7] ": up to the bracket that ends it. */
static enum err_code read_code(const struct imap_reading *reading, char *word, size_t room)
{
    enum err_code code = imap_scan_expect(reading->scan, '[', reading->err);
    int which;
    char next;

    if (code == ERR_NONE)
        code = imap_scan_word(reading->scan, "]", word, room, NULL, reading->err);
    for (char *at = word; *at != '\0'; at++)
        *at = str_upper(*at);
    which = imap_find_number(word);
    if (code == ERR_NONE && which >= 0)
        code = imap_read_named_number(reading, which);
    else if (code == ERR_NONE && strcmp(word, "CAPABILITY") == 0)
        code = read_capabilities(reading, "]");
    while (code == ERR_NONE &&
           (code = imap_scan_peek(reading->scan, &next, reading->err)) == ERR_NONE && next != ']') {
        if (next == '\r' || next == '\n')
            return ERR_NONE; /* a code that nothing ends: the line does */
        code = imap_scan_expect(reading->scan, next, reading->err);
    }
    return code == ERR_NONE ? imap_scan_expect(reading->scan, ']', reading->err) : code;
}

static enum err_code read_text(const struct imap_reading *reading, struct imap_response *response)
{
    char next;
    bool more;
    enum err_code code = imap_next_value(reading, &more);

    if (code == ERR_NONE)
        code = imap_scan_peek(reading->scan, &next, reading->err);
    if (code == ERR_NONE && next == '[')
        code = read_code(reading, response->code, sizeof(response->code));
    if (code == ERR_NONE)
        code = imap_next_value(reading, &more);
    return code == ERR_NONE ? imap_scan_line(reading->scan, false, response->text,
                                             sizeof(response->text), reading->err)
                            : code;
}

/* ---- the whole ---- */

static enum err_code read_capability_line(const struct imap_reading *reading)
{
    enum err_code code = read_capabilities(reading, "");

    return code == ERR_NONE ? imap_end_line(reading) : code;
}

static const struct {
    const char *word;
    enum err_code (*read)(const struct imap_reading *reading);
} data[] = {
    {"CAPABILITY", read_capability_line},
    {"NAMESPACE",  imap_read_namespace },
    {"LIST",       imap_read_list      },
    {"LSUB",       imap_read_lsub      },
    {"STATUS",     imap_read_status    },
    {"SEARCH",     imap_read_search    },
    {"ESEARCH",    imap_read_esearch   },
};

static enum err_code read_numbered(const struct imap_reading *reading)
{
    uint64_t number;
    char word[32];
    enum err_code code = imap_scan_number(reading->scan, &number, reading->err);

    if (code == ERR_NONE)
        code = imap_scan_expect(reading->scan, ' ', reading->err);
    if (code == ERR_NONE)
        code = imap_scan_word(reading->scan, "", word, sizeof(word), NULL, reading->err);
    if (code == ERR_NONE && str_is_nocase(str_of(word), "EXISTS"))
        code = imap_tell_number(reading, IMAP_EXISTS, number);
    if (code == ERR_NONE && str_is_nocase(str_of(word), "FETCH"))
        code = imap_fetch_read(reading->scan, reading->listener, reading->err);
    return code == ERR_NONE ? imap_end_line(reading) : code;
}

static bool find_status(const char *word, enum imap_status *status)
{
    static const struct {
        const char *word;
        enum imap_status status;
    } known[] = {
        {"OK",      IMAP_OK     },
        {"NO",      IMAP_NO     },
        {"BAD",     IMAP_BAD    },
        {"BYE",     IMAP_BYE    },
        {"PREAUTH", IMAP_PREAUTH},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        *status = known[i].status;
        if (str_is_nocase(str_of(word), known[i].word))
            return true;
    }
    *status = IMAP_DATA;
    return false;
}

static enum err_code read_untagged(const struct imap_reading *reading,
                                   struct imap_response *response)
{
    char word[32], next;
    enum err_code code = imap_scan_peek(reading->scan, &next, reading->err);

    if (code == ERR_NONE && next >= '0' && next <= '9')
        return read_numbered(reading);
    if (code == ERR_NONE)
        code = imap_scan_word(reading->scan, "", word, sizeof(word), NULL, reading->err);
    if (code != ERR_NONE)
        return code;
    if (find_status(word, &response->status))
        return read_text(reading, response);
    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        if (str_is_nocase(str_of(word), data[i].word))
            return data[i].read(reading);
    }
    return imap_end_line(reading);
}

enum err_code imap_response_read(struct imap_scan *scan, const struct imap_listener *listener,
                                 struct imap_response *response, struct err *err)
{
    const struct imap_reading reading = {scan, listener, err};
    char word[16];
    bool more;
    enum err_code code;

    *response = (struct imap_response){.status = IMAP_DATA};
    code = imap_scan_word(scan, "", response->tag, sizeof(response->tag), NULL, err);
    if (code == ERR_NONE && strcmp(response->tag, "+") == 0) {
        response->status = IMAP_CONTINUE;
        response->tag[0] = '\0';
        return read_text(&reading, response);
    }
    if (code == ERR_NONE)
        code = imap_next_value(&reading, &more);
    if (code != ERR_NONE)
        return code;
    if (strcmp(response->tag, "*") == 0) {
        response->tag[0] = '\0';
        return read_untagged(&reading, response);
    }
    code = imap_scan_word(scan, "", word, sizeof(word), NULL, err);
    if (code == ERR_NONE && !find_status(word, &response->status))
        return err_set(err, ERR_UNAVAILABLE, "the other server's answer cannot be understood");
    return code == ERR_NONE ? read_text(&reading, response) : code;
}
