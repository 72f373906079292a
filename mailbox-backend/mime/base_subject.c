#include "mailbox-backend/mime/base_subject.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include "mailbox-backend/mime/encoded_word.h"

/* The rest of the subject while it is being cut down. */
struct cut {
    const char *at;
    const char *end;
    bool is_reply;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* ---- step 1 ---- */

static struct str with_single_spaces(struct arena *arena, struct str subject)
{
    struct buf decoded = {0};
    const char *text;
    char *copy;
    size_t length = 0;

    mime_words_decode(subject, &decoded);
    text = (const char *)buf_bytes(&decoded);
    copy = arena_alloc(arena, buf_length(&decoded) + 1);
    for (size_t i = 0; i < buf_length(&decoded); i++) {
        char c = text[i] == '\t' || text[i] == '\r' || text[i] == '\n' ? ' ' : text[i];

        if (c != ' ' || length == 0 || copy[length - 1] != ' ')
            copy[length++] = c;
    }
    buf_release(&decoded);
    return str_n(copy, length);
}

/* ---- the parts of the grammar of section 5 ---- */

static size_t left(const struct cut *cut)
{
    return (size_t)(cut->end - cut->at);
}

static bool starts(const char *at, const char *end, const char *word)
{
    return str_starts_nocase(str_n(at, (size_t)(end - at)), word);
}

static const char *skip_spaces(const char *at, const char *end)
{
    while (at != end && is_space(*at))
        at++;
    return at;
}

/* Behind a subj-blob, NULL when there is none. */
static const char *skip_blob(const char *at, const char *end)
{
    if (at == end || *at != '[')
        return NULL;
    for (at++; at != end && *at != ']'; at++) {
        if (*at == '[')
            return NULL;
    }
    return at == end ? NULL : skip_spaces(at + 1, end);
}

/* Behind a subj-refwd, NULL when there is none. */
static const char *skip_refwd(const char *at, const char *end)
{
    const char *behind;

    if (starts(at, end, "fwd"))
        at += 3;
    else if (starts(at, end, "re") || starts(at, end, "fw"))
        at += 2;
    else
        return NULL;
    at = skip_spaces(at, end);
    behind = skip_blob(at, end);
    if (behind != NULL)
        at = behind;
    return at != end && *at == ':' ? at + 1 : NULL;
}

static bool cut_trailer(struct cut *cut)
{
    if (left(cut) > 0 && is_space(cut->end[-1])) {
        cut->end--;
        return true;
    }
    if (left(cut) < 5 || !starts(cut->end - 5, cut->end, "(fwd)"))
        return false;
    cut->end -= 5;
    cut->is_reply = true;
    return true;
}

/* A leader is white space, or blobs and then "re:" or the like. Blobs with nothing of that kind behind them
   go one by one by the rules, all but one that would leave nothing: here all at once, so that no blob is
   looked at twice. */
static bool cut_front(struct cut *cut)
{
    const char *at = cut->at;
    const char *last = at; /* of the blobs */
    const char *behind;

    if (left(cut) > 0 && is_space(*at)) {
        cut->at++;
        return true;
    }
    while ((behind = skip_blob(at, cut->end)) != NULL) {
        last = at;
        at = behind;
    }
    behind = skip_refwd(at, cut->end);
    if (behind != NULL) {
        cut->at = behind;
        cut->is_reply = true;
        return true;
    }
    cut->at = at == cut->end ? last : at;
    return false;
}

static bool cut_forward(struct cut *cut)
{
    if (left(cut) < 6 || !starts(cut->at, cut->end, "[fwd:") || cut->end[-1] != ']')
        return false;
    cut->at += 5;
    cut->end--;
    cut->is_reply = true;
    return true;
}

bool mime_base_subject(struct arena *arena, struct str subject, struct str *base)
{
    struct str text = with_single_spaces(arena, subject);
    struct cut cut = {text.data, text.data + text.length, false};

    do {
        while (cut_trailer(&cut))
            continue;
        while (cut_front(&cut))
            continue;
    } while (cut_forward(&cut));
    *base = str_n(cut.at, left(&cut));
    return cut.is_reply;
}

/* ---- i;unicode-casemap ---- */

/* Appends one character's key, or nothing when it does not fit. */
static bool add_character(ucs4_t character, size_t room, struct buf *out)
{
    ucs4_t title = uc_totitle(character);
    uint8_t utf8[64];
    size_t length = sizeof(utf8);
    ucs4_t mapped[32];
    size_t mapped_length = sizeof(mapped) / sizeof(mapped[0]);
    ucs4_t *result = u32_normalize(UNINORM_NFKD, &title, 1, mapped, &mapped_length);
    uint8_t *bytes = NULL;

    if (result != NULL)
        bytes = u32_to_u8(result, mapped_length, utf8, &length);
    if (result != mapped)
        free(result);
    if (bytes == NULL)
        return true;
    if (length <= room)
        buf_append(out, bytes, length);
    if (bytes != utf8)
        free(bytes);
    return length <= room;
}

void mime_collation_key(struct str text, size_t most, struct buf *out)
{
    const uint8_t *at = (const uint8_t *)text.data;
    size_t length = text.length;
    size_t end = buf_length(out) + most;

    while (length > 0 && buf_length(out) < end) {
        ucs4_t character = *at;
        int used = 1;

        if (character < 0x80) {
            bool small = character >= 'a' && character <= 'z';

            buf_byte(out, (uint8_t)(small ? character - ('a' - 'A') : character));
        } else {
            used = u8_mbtouc(&character, at, length);
            if (!add_character(character, end - buf_length(out), out))
                return;
        }
        at += used;
        length -= (size_t)used;
    }
}
