/* mbox files (RFC 4155): messages behind "From " lines, with ">From " quoting. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "mailbox-backend/import_private.h"
#include "mailbox-backend/mbox_line.h"

#define CHUNK 8192 /* lines are read in pieces of at most this */

struct mbox {
    struct import *import;
    FILE *file;
    bool is_open;         /* a message was begun */
    bool is_line_start;   /* the next piece begins a line */
    bool is_behind_blank; /* the line before was empty, and is still to be fed */
    char blank[3];        /* how that line ended */
    int64_t date;         /* from the message's "From " line */
    unsigned long long number;
};

static uint32_t flags_of(struct str status, struct str x_status)
{
    static const struct {
        char letter;
        uint32_t flag;
    } letters[] = {
        {'R', FLAG_SEEN    },
        {'A', FLAG_ANSWERED},
        {'F', FLAG_FLAGGED },
        {'D', FLAG_DELETED },
        {'T', FLAG_DRAFT   },
    };
    uint32_t flags = 0;

    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
        if (memchr(status.data, letters[i].letter, status.length) != NULL ||
            memchr(x_status.data, letters[i].letter, x_status.length) != NULL)
            flags |= letters[i].flag;
    }
    return flags;
}

/* A flag-keyword of RFC 9051 section 9: an atom. */
static bool is_keyword(struct str word)
{
    for (size_t i = 0; i < word.length; i++) {
        if (word.data[i] <= 0x20 || word.data[i] >= 0x7F ||
            strchr("(){%*\"\\]", word.data[i]) != NULL)
            return false;
    }
    return word.length > 0 && word.length <= STORE_KEYWORD_NAME_MAX;
}

/* The words of X-Keywords; those that can be no keyword are left out. */
static void add_keywords(struct import_marks *marks, struct str words)
{
    while (words.length > 0 && marks->keyword_count < IMPORT_KEYWORDS_MAX) {
        const char *blank = memchr(words.data, ' ', words.length);
        size_t length = blank == NULL ? words.length : (size_t)(blank - words.data);
        size_t used = blank == NULL ? length : length + 1;
        struct str word = str_n(words.data, length);

        if (is_keyword(word))
            snprintf(marks->keywords[marks->keyword_count++], sizeof(marks->keywords[0]), "%.*s",
                     (int)word.length, word.data);
        words = str_n(words.data + used, words.length - used);
    }
}

/* The first message of a file that UW IMAP or Pine wrote is their own note. */
static bool is_folder_data(struct import *import)
{
    return (import_header(import, "X-IMAP").length > 0 ||
            import_header(import, "X-IMAPbase").length > 0) &&
           str_starts_nocase(import_header(import, "Subject"), "DON'T DELETE THIS MESSAGE");
}

/* The empty line before a "From " line is the format's; this ends without it. */
static enum err_code end_message(struct mbox *mbox, struct err *err)
{
    struct import_marks marks = {.date = mbox->date};
    enum err_code code;

    if (!mbox->is_open)
        return ERR_NONE;
    mbox->is_open = false;
    mbox->is_behind_blank = false;
    code = import_finish(mbox->import, err);
    if (code != ERR_NONE)
        return code;
    if (is_folder_data(mbox->import)) {
        import_drop(mbox->import);
        return ERR_NONE;
    }
    marks.flags =
        flags_of(import_header(mbox->import, "Status"), import_header(mbox->import, "X-Status"));
    add_keywords(&marks, import_header(mbox->import, "X-Keywords"));
    return import_take(mbox->import, &marks, err);
}

static enum err_code begin_message(struct mbox *mbox, int64_t date, struct err *err)
{
    char source[40];
    enum err_code code = end_message(mbox, err);

    if (code != ERR_NONE)
        return code;
    mbox->date = date;
    mbox->is_open = true;
    snprintf(source, sizeof(source), "message %llu", ++mbox->number);
    return import_begin(mbox->import, source, err);
}

static enum err_code feed_blank(struct mbox *mbox, struct err *err)
{
    if (!mbox->is_behind_blank)
        return ERR_NONE;
    mbox->is_behind_blank = false;
    return import_feed(mbox->import, mbox->blank, strlen(mbox->blank), err);
}

/* The begin of a line, or all of it. */
static enum err_code take_line_start(struct mbox *mbox, const char *piece, size_t length,
                                     struct err *err)
{
    bool may_separate = !mbox->is_open || mbox->is_behind_blank;
    bool is_blank =
        (length == 1 && piece[0] == '\n') || (length == 2 && piece[0] == '\r' && piece[1] == '\n');
    int64_t date;
    enum err_code code;

    if (may_separate && mbox_line_is_from(str_n(piece, length), &date))
        return begin_message(mbox, date, err);
    if (!mbox->is_open)
        return err_set(err, ERR_INVALID, "the file does not begin as an mbox does");
    if ((code = feed_blank(mbox, err)) != ERR_NONE)
        return code;
    if (is_blank) {
        mbox->is_behind_blank = true;
        memcpy(mbox->blank, piece, length);
        mbox->blank[length] = '\0';
        return ERR_NONE;
    }
    if (mbox_line_is_quoted(str_n(piece, length))) {
        piece++;
        length--;
    }
    return import_feed(mbox->import, piece, length, err);
}

/* fgets() that can tell how much it read where there are NULs: up to and with the line's end. */
static size_t read_piece(FILE *file, char piece[CHUNK])
{
    size_t used = 0;
    int c;

    while (used < CHUNK && (c = getc_unlocked(file)) != EOF) {
        piece[used++] = (char)c;
        if (c == '\n')
            break;
    }
    return used;
}

enum err_code import_mbox(struct import *import, FILE *file, struct err *err)
{
    struct mbox mbox = {.import = import, .file = file, .is_line_start = true};
    char piece[CHUNK];
    size_t got;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && (got = read_piece(file, piece)) > 0) {
        code = mbox.is_line_start ? take_line_start(&mbox, piece, got, err)
                                  : import_feed(import, piece, got, err);
        mbox.is_line_start = piece[got - 1] == '\n';
    }
    if (code == ERR_NONE && ferror(file))
        code = err_errno(err, errno, "the mbox");
    return code == ERR_NONE ? end_message(&mbox, err) : code;
}
