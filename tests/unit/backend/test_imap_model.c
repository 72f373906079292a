/* Several clients of one folder do things at random. Each keeps what it is told, as a client
   would: numbers, uids, flags and, where it has enabled them, mod-sequences. Some go away now and
   then and come back by QRESYNC with what they knew. Some have enabled UIDONLY and know messages by their uids alone. At the end all must know what is in the folder,
   and nothing may have been told that contradicts what was told before. */
#include "tests/unit/backend/harness.h"

#include "mailbox-backend/imap4/engine.h"

#define CLIENTS 6
#define MOST 400 /* messages */
#define STEPS 400

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

enum kind { PLAIN, CONDSTORE, QRESYNC };

/* What a client keeps while it is away, by uid. */
struct cache {
    unsigned uid_validity;
    unsigned long long modseq;
    bool known[MOST * 8];
    bool gone[MOST * 8];
    unsigned flags[MOST * 8];
};

struct client {
    struct session *session;
    enum kind kind;
    bool uid_only; /* messages stays empty: the cache is all */
    unsigned uid_validity;
    unsigned long long modseq;  /* up to here it knows all */
    unsigned long long highest; /* of the FETCH responses of a command */
    bool told_highest;          /* HIGHESTMODSEQ came with it */
    struct cache cache;
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

static void take_modseq(struct client *client, const char *items)
{
    const char *at = strstr(items, "MODSEQ (");
    unsigned long long modseq = at == NULL ? 0 : strtoull(at + 8, NULL, 10);

    assert_true(at == NULL || modseq > 0);
    if (modseq > client->highest)
        client->highest = modseq;
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
    if (uid != NULL && flags != NULL) {
        client->cache.known[message->uid] = true;
        client->cache.flags[message->uid] = message->flags;
    }
    take_modseq(client, items);
}

static void on_uid_fetch(struct client *client, unsigned uid, const char *items)
{
    const char *flags = strstr(items, "FLAGS (");
    const char *again = strstr(items, "(UID ");

    assert_true(client->uid_only);
    assert_false(client->cache.gone[uid]);
    if (again != NULL)
        assert_int_equal(strtoul(again + 5, NULL, 10), uid);
    if (flags != NULL) {
        client->cache.known[uid] = true;
        client->cache.flags[uid] = flags_of(flags);
    }
    take_modseq(client, items);
}

static void on_expunge(struct client *client, unsigned number)
{
    assert_true(client->may_expunge);
    assert_in_range(number, 1, client->count);
    memmove(&client->messages[number - 1], &client->messages[number],
            (client->count - number) * sizeof(client->messages[0]));
    client->messages[--client->count] = (struct message){0};
}

/* Where the message of a uid stands: if its uid is not known, any between those that are will do. */
static unsigned place_of(const struct client *client, unsigned uid)
{
    unsigned place = 0;

    for (unsigned i = 0; i < client->count && client->messages[i].uid <= uid; i++) {
        if (client->messages[i].uid == 0 && client->messages[place].uid != 0)
            place = i;
        if (client->messages[i].uid == uid)
            return i;
        if (client->messages[i].uid != 0)
            place = i;
    }
    assert_int_equal(client->messages[place].uid, 0);
    return place;
}

static void on_vanished(struct client *client, const char *uids)
{
    bool earlier = strncmp(uids, "(EARLIER) ", 10) == 0;

    if (earlier)
        uids += 10;
    assert_true(client->kind == QRESYNC || client->uid_only);
    while (*uids >= '0' && *uids <= '9') {
        char *end;
        unsigned first = (unsigned)strtoul(uids, &end, 10);
        unsigned last = *end == ':' ? (unsigned)strtoul(end + 1, &end, 10) : first;

        for (unsigned uid = first; uid <= last; uid++) {
            client->cache.known[uid] = false;
            assert_true(earlier || !client->cache.gone[uid]);
            client->cache.gone[uid] = true;
            if (!earlier && client->uid_only)
                client->count--;
            else if (!earlier)
                on_expunge(client, place_of(client, uid) + 1);
        }
        uids = *end == ',' ? end + 1 : end;
    }
}

/* In any line, tagged or not. */
static void take_codes(struct client *client, const char *line)
{
    const char *highest = strstr(line, "[HIGHESTMODSEQ ");
    const char *validity = strstr(line, "[UIDVALIDITY ");

    if (validity != NULL)
        client->uid_validity = (unsigned)strtoul(validity + 13, NULL, 10);
    if (highest == NULL)
        return;
    client->modseq = strtoull(highest + 15, NULL, 10);
    client->told_highest = true;
}

static void on_line(struct client *client, const char *line)
{
    unsigned number;
    char what[16];

    take_codes(client, line);
    if (strncmp(line, "* VANISHED ", 11) == 0)
        on_vanished(client, line + 11);
    if (sscanf(line, "* %u %15s", &number, what) != 2)
        return;
    if (strcmp(what, "EXISTS") == 0) {
        assert_in_range(number, client->count, MOST * 8);
        client->count = number;
    } else if (strcmp(what, "EXPUNGE") == 0) {
        assert_int_not_equal(client->kind, QRESYNC);
        assert_false(client->uid_only);
        on_expunge(client, number);
    } else if (strcmp(what, "UIDFETCH") == 0) {
        on_uid_fetch(client, number, line);
    } else if (strcmp(what, "FETCH") == 0) {
        assert_false(client->uid_only);
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
    client->told_highest = false;
    client->highest = 0;
    session_send_text(client->session, "t ");
    session_send_text(client->session, command);
    while ((line = session_take_line(client->session)) != NULL && strncmp(line, "t ", 2) != 0)
        on_line(client, line);
    assert_non_null(line);
    take_codes(client, line);
    if (!client->told_highest && client->highest > client->modseq)
        client->modseq = client->highest; /* RFC 7162 section 6 */
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
    client->cache.flags[message->uid] = message->flags;
}

static void change(struct client *client, unsigned number)
{
    switch (pick(10)) {
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
    case 5:
        say(client, true, "UID STORE 1:* (UNCHANGEDSINCE %llu) -FLAGS (%s)", client->modseq,
            flag_names[pick(SETTABLE)]);
        break;
    case 6:
        say(client, false, "FETCH 1:%u (UID FLAGS) (CHANGEDSINCE %llu)", number,
            client->modseq > 3 ? client->modseq - pick(3) : 1);
        break;
    default:
        store_silently(client, number);
        break;
    }
}

/* ---- what one does that has uids only ---- */

static void store_silently_by_uid(struct client *client, unsigned uid)
{
    unsigned flag = pick(SETTABLE);

    if (say(client, true, "UID STORE %u +FLAGS.SILENT (%s)", uid, flag_names[flag]) &&
        client->cache.known[uid])
        client->cache.flags[uid] |= 1u << flag;
}

static void change_by_uid(struct client *client, unsigned uid)
{
    switch (pick(9)) {
    case 0:
        say(client, true, "UID STORE %u:%u FLAGS (%s)", 1 + pick(uid), uid,
            flag_names[pick(SETTABLE)]);
        break;
    case 1:
        say(client, true, "UID STORE %u +FLAGS (\\Deleted)", uid);
        break;
    case 2:
        say(client, true, "UID MOVE %u Archive", uid);
        break;
    case 3:
        say(client, true, "UID FETCH %u:* (UID FLAGS)", uid);
        break;
    case 4:
        say(client, true, "UID FETCH 1:%u (FLAGS) (CHANGEDSINCE %llu)", uid,
            client->modseq > 3 ? client->modseq - pick(3) : 1);
        break;
    case 5:
        say(client, true, "UID SEARCH RETURN (SAVE COUNT) UID %u:* UNSEEN", uid);
        say(client, true, "UID FETCH $ (FLAGS)");
        break;
    case 6:
        say(client, true, "UID SORT (REVERSE ARRIVAL) UTF-8 UID %u:%u", uid, 1 + pick(uid));
        break;
    default:
        store_silently_by_uid(client, uid);
        break;
    }
}

/* One that it knows of, from a random one on; 0: none. */
static unsigned known_uid(const struct client *client)
{
    unsigned from = pick(MOST * 8);

    for (unsigned i = 0; i < MOST * 8; i++) {
        unsigned uid = (from + i) % (MOST * 8);

        if (client->cache.known[uid])
            return uid;
    }
    return 0;
}

static void act_by_uid(struct client *client)
{
    unsigned uid = known_uid(client);

    if (uid == 0)
        say(client, true, "UID FETCH 1:* (FLAGS)");
    else if (pick(4) == 0 && client->count < MOST)
        say(client, true, "UID COPY %u INBOX", uid);
    else
        change_by_uid(client, uid);
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
    else if (client->uid_only)
        act_by_uid(client);
    else if (what == 6 && client->count > 0 && client->count < MOST)
        say(client, true, "COPY 1:%u INBOX", 1 + pick(client->count < 5 ? client->count : 5));
    else if (client->count > 0)
        change(client, 1 + pick(client->count));
}

/* ---- who only hears (NOTIFY) ---- */

/* What it was told last of folders that it never selects, as STATUS lines. */
struct mirror {
    struct session *session;
    char inbox[256], archive[256];
};

static void mirror_line(struct mirror *mirror, const char *line)
{
    if (strncmp(line, "* STATUS INBOX ", 15) == 0)
        snprintf(mirror->inbox, sizeof(mirror->inbox), "%s", line);
    else if (strncmp(line, "* STATUS Archive ", 17) == 0)
        snprintf(mirror->archive, sizeof(mirror->archive), "%s", line);
    else
        assert_int_equal(strncmp(line, "* ENABLED ", 10), 0);
}

static void mirror_say(struct mirror *mirror, const char *command)
{
    const char *line;

    session_send_text(mirror->session, command);
    while ((line = session_take_line(mirror->session)) != NULL && strncmp(line, "t ", 2) != 0)
        mirror_line(mirror, line);
    assert_non_null(line);
    assert_int_equal(strncmp(line, "t OK", 4), 0);
}

static void mirror_open(struct mirror *mirror, struct harness *harness)
{
    mirror->session = session_open(harness, &imap4_engine, NULL);
    assert_non_null(session_take_line(mirror->session));
    mirror_say(mirror, "t ENABLE CONDSTORE\r\n");
    mirror_say(mirror, "t NOTIFY SET STATUS (mailboxes (INBOX Archive) (MessageNew MessageExpunge "
                       "FlagChange))\r\n");
}

/* It asks for the same, and must hear nothing that it did not know. */
static void mirror_is_true(struct mirror *mirror)
{
    struct mirror told;

    mirror_say(mirror, "t NOOP\r\n");
    told = *mirror;
    mirror_say(mirror, "t STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)\r\n");
    mirror_say(mirror, "t STATUS Archive (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)\r\n");
    assert_string_equal(told.inbox, mirror->inbox);
    assert_string_equal(told.archive, mirror->archive);
}

/* ---- the test ---- */

static void log_in(struct client *client, struct harness *harness, size_t room)
{
    client->session = session_open(harness, &imap4_engine, NULL);
    client->session->room = room;
    if (client->kind == QRESYNC)
        say(client, true, "ENABLE QRESYNC");
    else if (client->kind == CONDSTORE)
        say(client, true, "ENABLE CONDSTORE");
    if (client->uid_only)
        say(client, true, "ENABLE UIDONLY");
}

/* A number and its uid that the client is sure of, or not: what it says of others does not matter. */
static void write_match(const struct client *client, char match[64])
{
    unsigned number = client->count == 0 ? 0 : pick(client->count);

    match[0] = '\0';
    if (client->count > 0 && !client->uid_only && client->messages[number].uid != 0 && pick(2) != 0)
        snprintf(match, 64, " (%u %u)", number + 1, client->messages[number].uid);
}

/* What was not told by SELECT is as it was when the client went. */
static void come_back(struct client *client, struct harness *harness)
{
    size_t room = client->session->room;
    char match[64];
    char command[160];

    write_match(client, match);
    snprintf(command, sizeof(command), "SELECT INBOX (QRESYNC (%u %llu%s%s))", client->uid_validity,
             client->modseq, pick(2) != 0 ? " 1:4294967295" : "", match);
    session_close(client->session);
    client->count = 0;
    memset(client->messages, 0, sizeof(client->messages));
    log_in(client, harness, room);
    assert_true(say(client, true, "%s", command));
    if (client->uid_only)
        return;
    if (client->count > 0)
        say(client, false, "FETCH 1:* (UID)");
    for (unsigned i = 0; i < client->count; i++) {
        struct message *message = &client->messages[i];

        if (client->cache.known[message->uid]) {
            message->flags = client->cache.flags[message->uid];
            message->known_flags = true;
        }
    }
    for (unsigned uid = 1; uid < MOST * 8; uid++) {
        bool is_there = false;

        for (unsigned i = 0; i < client->count && !is_there; i++)
            is_there = client->messages[i].uid == uid;
        assert_true(is_there || !client->cache.known[uid]);
    }
}

static void select_inbox(struct client *client, struct harness *harness, size_t room,
                         enum kind kind, bool uid_only)
{
    *client = (struct client){.kind = kind, .uid_only = uid_only};
    log_in(client, harness, room);
    say(client, true, "SELECT INBOX");
    if (!uid_only && client->count > 0)
        say(client, false, "FETCH 1:* (UID FLAGS)");
}

/* Of what it knows all is there, and as it knows it. */
static void knows_the_same_by_uid(const struct client *client, const struct client *truth)
{
    unsigned known = 0;
    unsigned found = 0;

    assert_int_equal(client->count, truth->count);
    for (unsigned uid = 1; uid < MOST * 8; uid++)
        known += client->cache.known[uid];
    for (unsigned i = 0; i < truth->count; i++) {
        const struct message *message = &truth->messages[i];

        assert_false(client->cache.gone[message->uid]);
        if (!client->cache.known[message->uid])
            continue;
        found++;
        assert_int_equal(client->cache.flags[message->uid] & ~(1u << RECENT),
                         message->flags & ~(1u << RECENT));
    }
    assert_int_equal(found, known);
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
    static const enum kind kinds[CLIENTS] = {PLAIN, CONDSTORE, QRESYNC, QRESYNC, PLAIN, QRESYNC};
    static struct client clients[CLIENTS + 1];
    struct client *truth = &clients[CLIENTS];
    struct harness harness;
    struct mirror mirror;

    random_state = seed;
    harness_open(&harness);
    mirror_open(&mirror, &harness);
    for (unsigned i = 0; i < CLIENTS; i++)
        select_inbox(&clients[i], &harness, i % 2 == 0 ? 1 : (size_t)256 << 10, kinds[i], i >= 4);
    for (unsigned i = 0; i < STEPS; i++) {
        struct client *client = &clients[pick(CLIENTS)];

        if (client->kind == QRESYNC && pick(12) == 0)
            come_back(client, &harness);
        else
            act(client);
        if (i % 8 == 0)
            mirror_is_true(&mirror);
    }
    mirror_is_true(&mirror);
    session_close(mirror.session);
    select_inbox(truth, &harness, (size_t)256 << 10, PLAIN, false);
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (clients[i].kind == QRESYNC && pick(2) != 0)
            come_back(&clients[i], &harness);
        say(&clients[i], true, "NOOP");
        if (clients[i].uid_only)
            knows_the_same_by_uid(&clients[i], truth);
        else
            knows_the_same(&clients[i], truth);
    }
    for (unsigned i = 0; i <= CLIENTS; i++)
        session_close(clients[i].session);
    harness_close(&harness);
}

static void clients_know_what_is_there_whatever_they_do(void **state)
{
    const char *first = getenv("MODEL_SEED");
    const char *rounds = getenv("MODEL_ROUNDS");
    unsigned seed = first != NULL ? (unsigned)strtoul(first, NULL, 10) : 1;
    unsigned left = rounds != NULL ? (unsigned)strtoul(rounds, NULL, 10) : 2;

    (void)state;
    for (; left > 0; left--, seed++) {
        print_message("MODEL_SEED=%u\n", seed);
        play(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_know_what_is_there_whatever_they_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
