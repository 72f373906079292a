/* Several clients of one folder do things at random. Each keeps what it is told, as a client
   would: numbers, uids and flags. At the end all must know what is in the folder, and nothing
   may have been told that contradicts what was told before. */
#include "tests/unit/backend/harness.h"

#include "mailbox-backend/imap4/engine.h"

#define CLIENTS 3
#define MOST 400 /* messages */
#define STEPS 300

static const char *const flag_names[] = {"\\Seen", "\\Flagged", "\\Answered", "\\Draft",
                                         "kw1",    "kw2",       "\\Deleted",  "\\Recent"};
#define FLAGS 8
#define SETTABLE 6
#define DELETED 6
#define RECENT 7

struct message {
    unsigned uid; /* 0: not yet known */
    unsigned flags;
    bool known_flags;
};

struct client {
    struct session *session;
    unsigned count;
    struct message messages[MOST * 8];
    bool may_expunge; /* the command that runs allows EXPUNGE */
};

static unsigned random_state;

static unsigned pick(unsigned below)
{
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 16) % below;
}

/* ---- what a client is told ---- */

static unsigned flags_of(const char *list)
{
    const char *end = strchr(list, ')');
    unsigned flags = 0;

    for (unsigned i = 0; i < FLAGS; i++) {
        const char *at = strstr(list, flag_names[i]);

        if (at != NULL && at < end)
            flags |= 1u << i;
    }
    return flags;
}

static void on_fetch(struct client *client, unsigned number, const char *items)
{
    struct message *message;
    const char *uid = strstr(items, "UID ");
    const char *flags = strstr(items, "FLAGS (");

    assert_in_range(number, 1, client->count);
    message = &client->messages[number - 1];
    if (uid != NULL) {
        unsigned told = (unsigned)strtoul(uid + 4, NULL, 10);

        assert_true(message->uid == 0 || message->uid == told);
        message->uid = told;
    }
    if (flags != NULL) {
        message->flags = flags_of(flags);
        message->known_flags = true;
    }
}

static void on_expunge(struct client *client, unsigned number)
{
    assert_true(client->may_expunge);
    assert_in_range(number, 1, client->count);
    memmove(&client->messages[number - 1], &client->messages[number],
            (client->count - number) * sizeof(client->messages[0]));
    client->messages[--client->count] = (struct message){0};
}

static void on_line(struct client *client, const char *line)
{
    unsigned number;
    char what[16];

    if (sscanf(line, "* %u %15s", &number, what) != 2)
        return;
    if (strcmp(what, "EXISTS") == 0) {
        assert_in_range(number, client->count, MOST * 8);
        client->count = number;
    } else if (strcmp(what, "EXPUNGE") == 0) {
        on_expunge(client, number);
    } else if (strcmp(what, "FETCH") == 0) {
        on_fetch(client, number, line);
    }
}

/* True when the command was done. */
static bool say(struct client *client, bool may_expunge, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool say(struct client *client, bool may_expunge, const char *format, ...)
{
    char command[256];
    const char *line;
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(command, sizeof(command) - 3, format, args);
    va_end(args);
    memcpy(command + length, "\r\n", 3);
    client->may_expunge = may_expunge;
    session_send_text(client->session, "t ");
    session_send_text(client->session, command);
    while ((line = session_take_line(client->session)) != NULL && strncmp(line, "t ", 2) != 0)
        on_line(client, line);
    assert_non_null(line);
    assert_true(strncmp(line, "t BAD", 5) != 0);
    return strncmp(line, "t OK", 4) == 0;
}

/* ---- what a client does ---- */

/* The client works out for itself what a silent change made of the flags. */
static void store_silently(struct client *client, unsigned number)
{
    struct message *message = &client->messages[number - 1];
    unsigned flag = pick(SETTABLE);
    bool add = pick(2) != 0;

    if (!message->known_flags && !say(client, false, "FETCH %u (UID FLAGS)", number))
        return;
    if (!say(client, false, "STORE %u %cFLAGS.SILENT (%s)", number, add ? '+' : '-',
             flag_names[flag]))
        return;
    if (add)
        message->flags |= 1u << flag;
    else
        message->flags &= ~(1u << flag);
}

static void change(struct client *client, unsigned number)
{
    switch (pick(8)) {
    case 0:
        say(client, false, "STORE %u FLAGS (%s %s)", number, flag_names[pick(SETTABLE)],
            flag_names[pick(SETTABLE)]);
        break;
    case 1:
        say(client, false, "STORE %u:%u +FLAGS (%s)", number, 1 + pick(number),
            flag_names[pick(SETTABLE)]);
        break;
    case 2:
        say(client, false, "STORE %u +FLAGS (\\Deleted)", number);
        break;
    case 3:
        say(client, true, "MOVE %u Archive", number);
        break;
    case 4:
        say(client, false, "FETCH %u:* (UID FLAGS)", number);
        break;
    default:
        store_silently(client, number);
        break;
    }
}

static void act(struct client *client)
{
    unsigned what = pick(20);

    if (what == 0)
        say(client, true, "EXPUNGE");
    else if (what == 1)
        say(client, true, "NOOP");
    else if (what < 5 && client->count < MOST)
        say(client, true, "APPEND INBOX {5+}\r\na\r\n\r\n");
    else if (what == 6 && client->count > 0 && client->count < MOST)
        say(client, true, "COPY 1:%u INBOX", 1 + pick(client->count < 5 ? client->count : 5));
    else if (client->count > 0)
        change(client, 1 + pick(client->count));
}

/* ---- the test ---- */

static void select_inbox(struct client *client, struct harness *harness, size_t room)
{
    *client = (struct client){.session = session_open(harness, &imap4_engine, NULL)};
    client->session->room = room;
    say(client, true, "SELECT INBOX");
    if (client->count > 0)
        say(client, false, "FETCH 1:* (UID FLAGS)");
}

static void knows_the_same(const struct client *client, const struct client *truth)
{
    assert_int_equal(client->count, truth->count);
    for (unsigned i = 0; i < truth->count; i++) {
        const struct message *told = &client->messages[i];
        const struct message *true_one = &truth->messages[i];

        if (told->uid != 0)
            assert_int_equal(told->uid, true_one->uid);
        if (told->known_flags)
            assert_int_equal(told->flags & ~(1u << RECENT), true_one->flags & ~(1u << RECENT));
    }
}

static void play(unsigned seed)
{
    static struct client clients[CLIENTS + 1];
    struct client *truth = &clients[CLIENTS];
    struct harness harness;

    random_state = seed;
    harness_open(&harness);
    for (unsigned i = 0; i < CLIENTS; i++)
        select_inbox(&clients[i], &harness, i == 0 ? 1 : (size_t)256 << 10);
    for (unsigned i = 0; i < STEPS; i++)
        act(&clients[pick(CLIENTS)]);
    select_inbox(truth, &harness, (size_t)256 << 10);
    for (unsigned i = 0; i < CLIENTS; i++) {
        say(&clients[i], true, "NOOP");
        knows_the_same(&clients[i], truth);
    }
    for (unsigned i = 0; i <= CLIENTS; i++)
        session_close(clients[i].session);
    harness_close(&harness);
}

static void clients_know_what_is_there_whatever_they_do(void **state)
{
    (void)state;
    play(1);
    play(20261124);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_know_what_is_there_whatever_they_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
