/* Plays the dialogues of tests/dialogue (see README.md there) against an engine in the harness. */
#ifndef UNIT_BACKEND_DIALOGUE_H
#define UNIT_BACKEND_DIALOGUE_H

#include "tests/unit/backend/harness.h"

#define DIALOGUE_SESSIONS 9

struct dialogue {
    struct harness harness;
    const struct engine *engine;
    struct session *sessions[DIALOGUE_SESSIONS];
    size_t room;
    bool bytewise;
    const char *name; /* for messages */
    unsigned line;
};

static struct session *dialogue_session(struct dialogue *dialogue, unsigned number)
{
    struct session **session = &dialogue->sessions[number - 1];

    if (*session == NULL) {
        *session = session_open(&dialogue->harness, dialogue->engine, NULL);
        (*session)->room = dialogue->room;
        (*session)->bytewise = dialogue->bytewise;
        assert_non_null(session_take_line(*session)); /* the login's answer */
    }
    return *session;
}

/* "<x41>", "<x41*70000>": a byte, once or many times. */
static bool dialogue_byte(const char *text, unsigned *byte, unsigned *count, size_t *used)
{
    int length = 0;

    *count = 1;
    if (sscanf(text, "<x%2x>%n", byte, &length) == 1 && length > 0) {
        *used = (size_t)length;
        return true;
    }
    length = 0;
    if (sscanf(text, "<x%2x*%u>%n", byte, count, &length) != 2 || length == 0)
        return false;
    *used = (size_t)length;
    return true;
}

static void dialogue_expand(struct buf *out, const char *text)
{
    while (*text != '\0') {
        unsigned byte;
        unsigned count;
        size_t used;

        if (*text != '<' || !dialogue_byte(text, &byte, &count, &used)) {
            buf_byte(out, (uint8_t)*text++);
            continue;
        }
        while (count-- > 0)
            buf_byte(out, (uint8_t)byte);
        text += used;
    }
}

/* Whether a line is what was expected: "<any>" stands for any run of bytes, "<number>" for
   digits. */
static bool dialogue_matches(const char *expected, const char *line)
{
    if (*expected == '\0')
        return *line == '\0';
    if (strncmp(expected, "<any>", 5) == 0) {
        do {
            if (dialogue_matches(expected + 5, line))
                return true;
        } while (*line++ != '\0');
        return false;
    }
    if (strncmp(expected, "<number>", 8) == 0) {
        size_t digits = strspn(line, "0123456789");

        return digits > 0 && dialogue_matches(expected + 8, line + digits);
    }
    return *expected == *line && dialogue_matches(expected + 1, line + 1);
}

static void dialogue_expect(struct dialogue *dialogue, unsigned number, const char *text)
{
    const char *line = session_take_line(dialogue_session(dialogue, number));
    struct buf expected = {0};

    dialogue_expand(&expected, text);
    buf_byte(&expected, '\0');
    if (line == NULL)
        fail_msg("%s:%u: no answer; expected: %s", dialogue->name, dialogue->line, text);
    else if (!dialogue_matches((const char *)buf_bytes(&expected), line))
        fail_msg("%s:%u:\n  expected: %s\n  came:     %s", dialogue->name, dialogue->line, text,
                 line);
    buf_release(&expected);
}

static void dialogue_say(struct dialogue *dialogue, unsigned number, const char *text, bool whole)
{
    struct buf bytes = {0};

    dialogue_expand(&bytes, text);
    if (whole)
        buf_text(&bytes, "\r\n");
    session_send(dialogue_session(dialogue, number), buf_bytes(&bytes), buf_length(&bytes));
    buf_release(&bytes);
}

static void dialogue_line(struct dialogue *dialogue, const char *line)
{
    char who = '\0';
    char how = ' ';
    unsigned number = 1;
    const char *text = strchr(line, ':');

    if (line[0] == '\0' || line[0] == '#')
        return;
    if (text == NULL ||
        (sscanf(line, "%c%1u%c", &who, &number, &how) < 2 && sscanf(line, "%c%c", &who, &how) < 1))
        fail_msg("%s:%u: not a dialogue line: %s", dialogue->name, dialogue->line, line);
    text += text[1] == ' ' ? 2 : 1;
    if (who == 'S')
        dialogue_expect(dialogue, number, text);
    else if (who == 'C')
        dialogue_say(dialogue, number, text, how != '+');
    else if (who == 'T')
        session_tick(dialogue_session(dialogue, number));
    else
        fail_msg("%s:%u: not a dialogue line: %s", dialogue->name, dialogue->line, line);
}

static void dialogue_end(struct dialogue *dialogue)
{
    for (unsigned i = 0; i < DIALOGUE_SESSIONS; i++) {
        struct session *session = dialogue->sessions[i];
        const char *rest;

        if (session == NULL)
            continue;
        session_run(session);
        rest = harness_cut_line(session);
        if (rest != NULL)
            fail_msg("%s: session %u said more: %s", dialogue->name, i + 1, rest);
        session_close(session);
    }
    directory_close(&dialogue->harness.backend.directory);
    harness_close(&dialogue->harness);
}

/* Engines ask the directory what it offers. */
static void dialogue_open_directory(struct harness *harness)
{
    char folder[96];
    const struct directory_settings settings = {.folder = folder, .scram = true};
    struct err err;

    snprintf(folder, sizeof(folder), "%s/directory", harness->folder);
    if (directory_open(&harness->backend.directory, &settings, &err) != ERR_NONE)
        fail_msg("directory_open: %s", err.text);
}

static void dialogue_play_once(const struct engine *engine, const char *name, const char *text,
                               size_t room, bool bytewise)
{
    struct dialogue dialogue = {.engine = engine, .room = room, .bytewise = bytewise, .name = name};
    char *copy = mem_string(text);
    char *next = copy;
    char *line;

    harness_open(&dialogue.harness);
    dialogue_open_directory(&dialogue.harness);
    while ((line = strsep(&next, "\n")) != NULL) {
        dialogue.line++;
        dialogue_line(&dialogue, line);
    }
    dialogue_end(&dialogue);
    free(copy);
}

/* Plays text three times, each with a store of its own: as it is, with no room but for one
   response at a time, and with input that comes byte by byte. */
HARNESS_UNUSED static void dialogue_play(const struct engine *engine, const char *name,
                                         const char *text)
{
    dialogue_play_once(engine, name, text, (size_t)256 << 10, false);
    dialogue_play_once(engine, name, text, 1, false);
    dialogue_play_once(engine, name, text, (size_t)256 << 10, true);
}

/* Puts the name of the harness's account for <user> and <domain>; release it. */
static void dialogue_fill_in(const char *text, struct buf *filled)
{
    static const char *const words[][2] = {
        {"<user>",   "alice"      },
        {"<domain>", "example.com"}
    };

    while (*text != '\0') {
        size_t i = 0;

        while (i < 2 && strncmp(text, words[i][0], strlen(words[i][0])) != 0)
            i++;
        if (i == 2) {
            buf_byte(filled, (uint8_t)*text++);
            continue;
        }
        buf_text(filled, words[i][1]);
        text += strlen(words[i][0]);
    }
    buf_byte(filled, 0);
}

/* The file is tests/dialogue/NAME, from the top of the source. */
HARNESS_UNUSED static void dialogue_play_file(const struct engine *engine, const char *name)
{
    char path[256];
    char text[65536];
    struct buf filled = {0};
    size_t length;
    FILE *file;

    snprintf(path, sizeof(path), "tests/dialogue/%s", name);
    file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s: not there", path);
    length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    assert_true(length < sizeof(text) - 1);
    text[length] = '\0';
    dialogue_fill_in(text, &filled);
    dialogue_play(engine, path, (const char *)buf_bytes(&filled));
    buf_release(&filled);
}

#endif
