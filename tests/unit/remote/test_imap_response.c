/* What an IMAP server may say, and what the client makes of it; whole, and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "mailbox-backend/remote/imap_response.h"

struct source {
    const char *bytes;
    size_t length, at, step;
};

static enum err_code give(void *context, void *bytes, size_t room, size_t *got, struct err *err)
{
    struct source *source = context;
    size_t left = source->length - source->at;

    if (left == 0)
        return err_set(err, ERR_UNAVAILABLE, "the end");
    *got = left < source->step ? left : source->step;
    *got = *got < room ? *got : room;
    memcpy(bytes, source->bytes + source->at, *got);
    source->at += *got;
    return ERR_NONE;
}

/* Writes the events down as text. */
static enum err_code write_down(void *context, const struct imap_event *event, struct err *err)
{
    static const char *const names[] = {"capability", "namespace",   "list",    "lsub",
                                        "exists",     "uidvalidity", "uidnext", "modseq",
                                        "found",      "body",        "fetch"};
    struct buf *out = context;

    (void)err;
    if (event->kind == IMAP_BODY) {
        buf_append(out, event->text, event->length);
        return ERR_NONE;
    }
    buf_printf(out, "<%s", names[event->kind]);
    if (event->kind == IMAP_CAPABILITY)
        buf_printf(out, " %s", event->text);
    else if (event->kind <= IMAP_LSUB)
        buf_printf(out, " %u %c %s", event->attributes,
                   event->delimiter == 0 ? '0' : event->delimiter, event->name);
    else if (event->kind == IMAP_FOUND)
        buf_printf(out, " %llu:%llu", (unsigned long long)event->number,
                   (unsigned long long)event->last);
    else if (event->kind != IMAP_FETCH)
        buf_printf(out, " %llu", (unsigned long long)event->number);
    else {
        const struct imap_fetch *fetch = event->fetch;

        buf_printf(out, " %u %d%d%d %u %lld %d", fetch->uid, fetch->has_flags, fetch->has_body,
                   fetch->has_empty_body, fetch->flags, (long long)fetch->date, fetch->zone);
        for (unsigned i = 0; i < fetch->keyword_count; i++)
            buf_printf(out, " %s", fetch->keywords[i]);
    }
    buf_text(out, ">");
    return ERR_NONE;
}

/* Reads one response in pieces of step bytes; all bytes must have been taken. */
static enum err_code read_in(const char *bytes, size_t length, size_t step, struct buf *out,
                             struct imap_response *response)
{
    struct source source = {bytes, length, 0, step};
    struct imap_scan scan = {.read = give, .context = &source};
    const struct imap_listener listener = {write_down, out};
    struct err err;
    enum err_code code = imap_response_read(&scan, &listener, response, &err);

    if (code == ERR_NONE) {
        assert_int_equal(source.at, length);
        assert_int_equal(scan.at, scan.end);
    }
    return code;
}

static void expect(const char *bytes, size_t length, const char *events,
                   struct imap_response *response)
{
    for (size_t step = 1; step <= 20000; step += 19999) {
        struct buf out = {0};

        assert_int_equal(read_in(bytes, length, step, &out, response), ERR_NONE);
        buf_byte(&out, 0);
        assert_string_equal((const char *)buf_bytes(&out), events);
        buf_release(&out);
    }
}

static void gives(const char *text, const char *events)
{
    struct imap_response response;

    expect(text, strlen(text), events, &response);
}

static void is_nonsense(const char *text)
{
    struct imap_response response;
    struct buf out = {0};

    assert_int_equal(read_in(text, strlen(text), 1, &out, &response), ERR_UNAVAILABLE);
    buf_release(&out);
}

static void statuses_have_tag_code_and_text(void **state)
{
    struct imap_response response;

    (void)state;
    expect("M7 NO [UNAVAILABLE] not now\r\n", 29, "", &response);
    assert_int_equal(response.status, IMAP_NO);
    assert_string_equal(response.tag, "M7");
    assert_string_equal(response.code, "UNAVAILABLE");
    assert_string_equal(response.text, "not now");
    expect("* OK [UIDNEXT 88] Predicted\r\n", 29, "<uidnext 88>", &response);
    assert_int_equal(response.status, IMAP_OK);
    expect("* OK [HIGHESTMODSEQ 18446744073709551615]\r\n", 43, "<modseq 18446744073709551615>",
           &response);
    expect("* OK [PERMANENTFLAGS (\\Seen \\*)] ok\r\n", 37, "", &response);
    expect("* bye\r\n", 7, "", &response);
    assert_int_equal(response.status, IMAP_BYE);
    expect("+ \r\n", 4, "", &response);
    assert_int_equal(response.status, IMAP_CONTINUE);
    expect("+\r\n", 3, "", &response);
    expect("M1 OK\r\n", 7, "", &response);
    expect("M1 OK a literal looks like {12}\r\n", 33, "", &response);
    expect("* OK \x1b[31m\r\n", 12, "", &response);
    assert_string_equal(response.text, "?[31m");
    expect("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n", 43,
           "<capability IMAP4rev1><capability AUTH=PLAIN>", &response);
}

static void lists_have_names_in_every_form(void **state)
{
    (void)state;
    gives("* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent Items\"\r\n", "<list 4 / Sent Items>");
    gives("* LIST () \"\\\\\" a\\b\r\n", "<list 0 \\ a\\b>");
    gives("* LIST (\\Noselect) NIL {5}\r\na\r\nb!\r\n", "<list 1 0 a\r\nb!>");
    gives("* LIST (\\NonExistent \\Trash) \".\" \"q\\\"\\\\\"\r\n", "<list 17 . q\"\\>");
    gives("* LSUB () \".\" INBOX.x (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n", "<lsub 0 . INBOX.x>");
    gives("* NAMESPACE ((\"INBOX.\" \".\")(\"\" \"/\" \"X\" (\"a\" \"b\"))) ((\"user.\" \".\")) "
          "NIL\r\n",
          "<namespace 0 . INBOX.><namespace 0 / >");
    gives("* NAMESPACE NIL NIL NIL\r\n", "");
}

static void figures_come_from_status_and_untagged_data(void **state)
{
    (void)state;
    gives("* 23 EXISTS\r\n", "<exists 23>");
    gives("* 5 RECENT\r\n", "");
    gives("* 44 EXPUNGE\r\n", "");
    gives("* STATUS \"a (b\" (MESSAGES 1 X (2 3) UIDNEXT 4 UIDVALIDITY 5 HIGHESTMODSEQ 6)\r\n",
          "<exists 1><uidnext 4><uidvalidity 5><modseq 6>");
    gives("* STATUS {3}\r\na b (MESSAGES 7 )\r\n", "<exists 7>");
}

static void searches_give_uids_and_ranges(void **state)
{
    (void)state;
    gives("* SEARCH\r\n", "");
    gives("* SEARCH 2 84 4294967295 (MODSEQ 9)\r\n",
          "<found 2:2><found 84:84><found 4294967295:4294967295>");
    gives("* ESEARCH (TAG \"M5\") UID ALL 9:4,17 MODSEQ 5\r\n", "<found 4:9><found 17:17>");
    gives("* ESEARCH (TAG \"M5\") UID\r\n", "");
    is_nonsense("* SEARCH 0\r\n");
    is_nonsense("* SEARCH 4294967296\r\n");
}

static void messages_come_with_their_data_in_any_order(void **state)
{
    (void)state;
    gives("* 1 FETCH (UID 7 FLAGS (\\Seen \\Recent $Forwarded work) INTERNALDATE "
          "\"17-Jul-1996 02:44:25 -0700\" BODY[] {7}\r\na: b\r\n\n)\r\n",
          "a: b\r\n\n<fetch 7 110 1 837596665 -420 $Forwarded work>");
    gives("* 1 FETCH (BODY[] ~{3}\r\na)b FLAGS () UID 8)\r\n", "a)b<fetch 8 110 0 0 0>");
    gives("* 1 FETCH (UID 9 BODY[] {0}\r\n)\r\n", "<fetch 9 010 0 0 0>");
    gives("* 1 FETCH (UID 9 BODY[] \"\")\r\n", "<fetch 9 010 0 0 0>");
    gives("* 1 FETCH (UID 9 BODY[] \"a\\\"b\")\r\n", "a\"b<fetch 9 010 0 0 0>");
    gives("* 1 FETCH (UID 9 BODY[] NIL)\r\n", "<fetch 9 001 0 0 0>");
    gives("* 1 FETCH (UID 9 INTERNALDATE \"nonsense\" FLAGS (\\Deleted))\r\n",
          "<fetch 9 100 8 0 0>");
}

static void data_that_nobody_asked_for_is_passed_over(void **state)
{
    (void)state;
    gives("* 1 FETCH (X-NEW (a (b {3}\r\n)() \"c)\") NIL) BODY[HEADER.FIELDS (TO \"x\")] {2}\r\nhi "
          "ENVELOPE (NIL \"s\") RFC822.SIZE 4 UID 3 MODSEQ (5))\r\n",
          "<fetch 3 000 0 0 0>");
    gives("* QUOTAROOT INBOX {4}\r\na\r\nb \"c\"\r\n", "");
    gives("* VANISHED (EARLIER) 1:4\r\n", "");
    gives("* 3 FETCH (FLAGS (\\Seen))\r\n", "<fetch 0 100 1 0 0>");
    gives("* XFOO {2+}\r\n\r\n rest\n", "");
}

static void keywords_beyond_the_limits_are_left_out(void **state)
{
    struct buf text = {0}, events = {0};

    (void)state;
    buf_text(&text, "* 1 FETCH (UID 1 FLAGS (");
    for (int i = 0; i < 70; i++)
        buf_byte(&text, 'k');
    buf_text(&text, " A a");
    buf_text(&events, "<fetch 1 100 0 0 0 A");
    for (int i = 0; i < 40; i++) {
        buf_printf(&text, " w%d", i);
        if (i < IMAP_KEYWORDS_MAX - 1)
            buf_printf(&events, " w%d", i);
    }
    buf_text(&text, "))\r\n");
    buf_byte(&text, 0);
    buf_byte(&events, '>');
    buf_byte(&events, 0);
    gives((const char *)buf_bytes(&text), (const char *)buf_bytes(&events));
    buf_release(&text);
    buf_release(&events);
}

static void a_name_that_is_too_long_is_empty(void **state)
{
    char text[IMAP_NAME_MAX + 40] = "* LIST () \"/\" \"";
    size_t start = strlen(text);

    (void)state;
    memset(text + start, 'n', IMAP_NAME_MAX + 1);
    strcpy(text + start + IMAP_NAME_MAX + 1, "\"\r\n");
    gives(text, "<list 0 / >");
}

static void what_is_no_imap_is_an_error(void **state)
{
    char deep[300] = "* 1 FETCH (X ";

    (void)state;
    memset(deep + strlen(deep), '(', 200);
    is_nonsense(deep);
    is_nonsense("* 1 FETCH (UID x)\r\n");
    is_nonsense("* 1 FETCH (UID 18446744073709551616)\r\n");
    is_nonsense("* 1 FETCH (UID 1 BODY[] {5}\r\nab");
    is_nonsense("* 1 FETCH (UID 1 BODY[] {5x}\r\nab");
    is_nonsense("* 1 FETCH (BODY[ UID 1)\r\n");
    is_nonsense("* 1 FETCH UID 1\r\n");
    is_nonsense("* LIST (\\Noselect \"/\" a\r\n");
    is_nonsense("* LIST () \"/\" \"a\r\nb\"\r\n");
    is_nonsense("M1 WHAT\r\n");
    is_nonsense("\r\n");
    is_nonsense("HTTP/1.1 400 Bad Request\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_have_tag_code_and_text),
        cmocka_unit_test(lists_have_names_in_every_form),
        cmocka_unit_test(figures_come_from_status_and_untagged_data),
        cmocka_unit_test(searches_give_uids_and_ranges),
        cmocka_unit_test(messages_come_with_their_data_in_any_order),
        cmocka_unit_test(data_that_nobody_asked_for_is_passed_over),
        cmocka_unit_test(keywords_beyond_the_limits_are_left_out),
        cmocka_unit_test(a_name_that_is_too_long_is_empty),
        cmocka_unit_test(what_is_no_imap_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
