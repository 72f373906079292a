#include "mailbox-backend/pop3/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "mailbox-backend/mailbox/mailbox.h"
#include "mailbox-backend/pop3/login_delay.h"
#include "mailbox-backend/pop3/pop3.h"
#include "proto/pop3_language.h"

#define LINE_MAX_BYTES 255 /* with its CRLF: RFC 2449 section 4 */
#define FAIR_SHARE 64      /* commands in one call */

/* RFC 2449 section 5: what is told before login and after it. STLS is the front's to add. SASL follows
   from what the directory offers. Nothing here removes mail by its age, so EXPIRE is NEVER for all. */
static const char *const words[] = {
    "TOP",        "UIDL",         "USER", "RESP-CODES", "AUTH-RESP-CODE",
    "PIPELINING", "EXPIRE NEVER", "LANG", "UTF8 USER",
};
#define WORDS (sizeof(words) / sizeof(words[0]))

static const char *const *capabilities(const struct backend *backend, struct arena *arena)
{
    uint64_t delay = backend->settings->pop3be.login_delay;
    const char **list = arena_array(arena, WORDS + 3, sizeof(*list));
    size_t count = WORDS;

    memcpy(list, words, sizeof(words));
    if (delay > 0)
        list[count++] = arena_printf(arena, "LOGIN-DELAY %llu", (unsigned long long)delay);
    list[count] = "IMPLEMENTATION mailbox-backend";
    return list;
}

/* ---- opening and closing ---- */

static void close_session(struct session *session, void *state)
{
    struct pop3 *pop3 = state;

    (void)session;
    pop3_retrieval_end(pop3);
    maildrop_release(&pop3->maildrop);
    maildrop_lock_release(&pop3->lock);
    if (pop3->mailbox != NULL)
        store_mailbox_unref(&pop3->mailbox);
    free(pop3);
}

/* Whose setting it is: the user's, or else the site's. */
static const char *folder_of(const struct backend *backend, const struct account *account)
{
    return account->pop3_folder[0] != '\0' ? account->pop3_folder
                                           : backend->settings->pop3be.folder;
}

static bool is_newest_first(const struct backend *backend, const struct account *account)
{
    if (account->pop3_order_is_set)
        return account->pop3_newest_first;
    return backend->settings->pop3be.order == POP3_NEWEST_FIRST;
}

static enum err_code find_folder(struct store_read *read, const char *path, uint32_t *id,
                                 struct err *err)
{
    struct arena arena = {0};
    struct store_folder folder;
    struct str normal;
    enum err_code code = path_normalise(&arena, str_of(path), &normal, err);

    if (code == ERR_NONE)
        code = path_find(read, normal, &folder, err);
    if (code == ERR_NONE)
        *id = folder.id;
    else if (code == ERR_NOT_FOUND || code == ERR_INVALID)
        err_set(err, ERR_DENIED, "there is no folder %s, which POP3 is to show", path);
    arena_reset(&arena);
    return code == ERR_NONE ? code : err->code;
}

static enum err_code load(struct session *session, struct pop3 *pop3, struct err *err)
{
    const struct backend *backend = session_backend(session);
    const struct account *account = session_account(session);
    struct store_read *read;
    enum err_code code;

    if (store_read_begin(pop3->mailbox, &read, err) != ERR_NONE)
        return err->code;
    pop3->maildrop.newest_first = is_newest_first(backend, account);
    code = find_folder(read, folder_of(backend, account), &pop3->folder, err);
    if (code == ERR_NONE)
        code = maildrop_load(&pop3->maildrop, read, pop3->folder, err);
    store_read_end(&read);
    return code;
}

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec;
}

static enum err_code check_delay(struct session *session, uint64_t delay, struct err *err)
{
    uint64_t left = login_delay_left(&session_account(session)->guid, now(), delay);

    if (left == 0)
        return ERR_NONE;
    session_set_refusal(session, LINK__REFUSED__CODE__LOGIN_DELAY);
    return err_set(err, ERR_LIMIT, "you have logged in a moment ago, wait %llu seconds",
                   (unsigned long long)left);
}

static enum err_code prepare(struct session *session, struct pop3 *pop3, struct err *err)
{
    const struct backend *backend = session_backend(session);
    const struct account *account = session_account(session);
    uint64_t delay = backend->settings->pop3be.login_delay;
    enum err_code code = check_delay(session, delay, err);

    if (code == ERR_NONE)
        code = mailbox_open(backend->store, account, &pop3->mailbox, err);
    if (code == ERR_NONE && backend->settings->pop3be.lock &&
        !maildrop_lock_take(&pop3->lock, store_mailbox_guid(pop3->mailbox)))
        code = err_set(err, ERR_EXISTS, "another POP3 session has this maildrop");
    if (code == ERR_NONE)
        code = load(session, pop3, err);
    if (code == ERR_NONE)
        login_delay_note(&account->guid, now(), delay);
    return code;
}

static enum err_code open_session(struct session *session, const Link__Open *open, void **state,
                                  struct err *err)
{
    struct pop3 *pop3 = mem_alloc(sizeof(*pop3));

    pop3->utf8 = open->utf8;
    if (prepare(session, pop3, err) != ERR_NONE) {
        close_session(session, pop3);
        return err->code;
    }
    pop3_ok(session, "maildrop has %u messages (%llu octets)", pop3->maildrop.messages,
            (unsigned long long)pop3->maildrop.octets);
    *state = pop3;
    return ERR_NONE;
}

/* ---- small commands ---- */

static void stat_maildrop(struct session *session, struct pop3 *pop3, const struct pop3_args *args)
{
    (void)args;
    pop3_ok(session, "%u %llu", maildrop_messages_left(&pop3->maildrop),
            (unsigned long long)maildrop_octets_left(&pop3->maildrop));
}

static void delete_message(struct session *session, struct pop3 *pop3, const struct pop3_args *args)
{
    struct store_read *read;
    struct store_item item;

    if (!pop3_item(session, pop3, args->words[0], &read, &item))
        return;
    store_read_end(&read);
    maildrop_delete(&pop3->maildrop, item.uid, maildrop_octets(&item));
    pop3_ok(session, "message marked for deletion");
}

static void noop(struct session *session, struct pop3 *pop3, const struct pop3_args *args)
{
    (void)pop3;
    (void)args;
    pop3_ok(session, "still here");
}

static void rset(struct session *session, struct pop3 *pop3, const struct pop3_args *args)
{
    (void)args;
    maildrop_undelete_all(&pop3->maildrop);
    pop3_ok(session, "maildrop has %u messages (%llu octets)", pop3->maildrop.messages,
            (unsigned long long)pop3->maildrop.octets);
}

/* What was said before the login is said again (RFC 5034 section 3): -PLUS only where the front has the
   connection's bindings. */
static bool was_offered(const struct session *session, const char *mechanism)
{
    size_t length = strlen(mechanism);
    bool is_plus = length > 5 && strcmp(mechanism + length - 5, "-PLUS") == 0;

    return !is_plus || session_client(session)->n_bindings > 0;
}

static void capa(struct session *session, struct pop3 *pop3, const struct pop3_args *args)
{
    const struct backend *backend = session_backend(session);
    const char *mechanisms[DIRECTORY_MECHANISMS_MOST];
    size_t count = directory_mechanisms(backend->directory, mechanisms);
    struct buf *out = session_output(session);
    struct arena arena = {0};

    (void)pop3;
    (void)args;
    pop3_ok(session, "capabilities follow");
    for (const char *const *name = capabilities(backend, &arena); *name != NULL; name++)
        buf_printf(out, "%s\r\n", *name);
    buf_text(out, "SASL");
    for (size_t i = 0; i < count; i++) {
        if (was_offered(session, mechanisms[i]))
            buf_printf(out, " %s", mechanisms[i]);
    }
    buf_text(out, " PLAIN LOGIN\r\n.\r\n");
    arena_reset(&arena);
}

static void lang(struct session *session, struct pop3 *pop3, const struct pop3_args *args)
{
    struct str language = args->count == 0 ? STR("") : args->words[0];

    (void)pop3;
    if (!pop3_language(language, session_output(session)))
        pop3_err(session, "this language is not spoken here");
}

/* ---- the dispatcher ---- */

static const struct command {
    const char *name;
    unsigned least, most; /* arguments */
    pop3_handler *handler;
} commands[] = {
    {"STAT", 0, 0, stat_maildrop },
    {"LIST", 0, 1, pop3_list     },
    {"RETR", 1, 1, pop3_retr     },
    {"DELE", 1, 1, delete_message},
    {"NOOP", 0, 0, noop          },
    {"RSET", 0, 0, rset          },
    {"QUIT", 0, 0, pop3_quit     },
    {"TOP",  2, 2, pop3_top      },
    {"UIDL", 0, 1, pop3_uidl     },
    {"CAPA", 0, 0, capa          },
    {"LANG", 0, 1, lang          },
};

static const struct command *command_find(struct str name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (str_is_nocase(name, commands[i].name))
            return &commands[i];
    return NULL;
}

/* Cuts the next word off; an empty one at the end of the line. */
static struct str next_word(struct str *line)
{
    struct str word;
    size_t length = 0;

    while (line->length > 0 && line->data[0] == ' ') {
        line->data++;
        line->length--;
    }
    while (length < line->length && line->data[length] != ' ')
        length++;
    word = str_n(line->data, length);
    line->data += length;
    line->length -= length;
    return word;
}

/* Takes the words behind the command; false when there are too many of them or too few. */
static bool args_parse(struct str line, const struct command *command, struct pop3_args *args)
{
    struct str word;

    for (args->count = 0; (word = next_word(&line)).length > 0; args->count++) {
        if (args->count == command->most)
            return false;
        args->words[args->count] = word;
    }
    return args->count >= command->least;
}

static void finish_command(struct session *session, struct pop3 *pop3)
{
    session_log_command(session, "%s", pop3->command);
    session_set_busy(session, false);
}

static void note_command(struct pop3 *pop3, const char *name, const struct pop3_args *args)
{
    if (args->count == 0)
        snprintf(pop3->command, sizeof(pop3->command), "%s", name);
    else
        snprintf(pop3->command, sizeof(pop3->command), "%s %.*s", name, (int)args->words[0].length,
                 args->words[0].data);
}

static void dispatch(struct session *session, struct pop3 *pop3, struct str line)
{
    const struct command *command = command_find(next_word(&line));
    struct pop3_args args;

    if (command == NULL) {
        pop3_err(session, "unknown command");
        session_log_command(session, "unknown command");
        return;
    }
    if (!args_parse(line, command, &args)) {
        pop3_err(session, "wrong number of arguments for %s", command->name);
        return;
    }
    note_command(pop3, command->name, &args);
    session_set_busy(session, true);
    command->handler(session, pop3, &args);
    if (pop3->running == NULL)
        finish_command(session, pop3);
}

/* ---- lines ---- */

/* What is before the LF, without a CR at the end. */
static struct str line_of(const uint8_t *bytes, const uint8_t *newline)
{
    size_t length = (size_t)(newline - bytes);

    if (length > 0 && bytes[length - 1] == '\r')
        length--;
    return str_n(bytes, length);
}

/* Answers the next whole line in the input; false when there is none. */
static bool next_command(struct session *session, struct pop3 *pop3)
{
    struct buf *in = session_input(session);
    size_t length = buf_length(in);
    char line[LINE_MAX_BYTES];
    const uint8_t *newline;
    struct str text;

    newline = length == 0 ? NULL : memchr(buf_bytes(in), '\n', length);
    if (newline != NULL)
        length = (size_t)(newline - buf_bytes(in)) + 1;
    if (length > LINE_MAX_BYTES)
        pop3->discarding = true;
    if (pop3->discarding)
        buf_consume(in, length);
    if (newline == NULL)
        return false;
    if (pop3->discarding) {
        pop3->discarding = false;
        pop3_err(session, "line too long");
        return true;
    }
    memcpy(line, buf_bytes(in), length);
    buf_consume(in, length);
    text = line_of((const uint8_t *)line, (const uint8_t *)line + length - 1);
    dispatch(session, pop3, text);
    return true;
}

static enum step run_command(struct session *session, struct pop3 *pop3, unsigned why)
{
    enum step step = pop3->running(session, pop3, why);

    if (step == STEP_IDLE || step == STEP_END) {
        pop3->running = NULL;
        finish_command(session, pop3);
    }
    return step;
}

static enum step advance(struct session *session, void *state, unsigned why)
{
    struct pop3 *pop3 = state;
    enum step step;

    if (session_is_waiting(session))
        return STEP_WAIT;
    for (unsigned i = 0; i < FAIR_SHARE; i++) {
        step = pop3->running == NULL ? STEP_IDLE : run_command(session, pop3, why);
        /* POP3 has no word for "the server stops", so nothing is said: an -ERR would be taken for the
           answer to the next command. */
        if (why & WHY_STOP && step != STEP_WAIT)
            return STEP_END;
        if (step != STEP_IDLE)
            return step;
        if (session_room(session) == 0)
            return STEP_MORE;
        if (!next_command(session, pop3))
            return STEP_IDLE;
    }
    return STEP_NEXT;
}

const struct engine pop3_engine = {
    .service = "pop3be",
    .open = open_session,
    .advance = advance,
    .close = close_session,
    .capabilities = capabilities,
};
