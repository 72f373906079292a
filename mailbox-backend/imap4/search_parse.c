/* SEARCH's arguments (RFC 3501 sections 6.4.4 and 9) as a tree of keys. */
#include "mailbox-backend/imap4/search.h"

#include <string.h>
#include <time.h>

#include "mailbox-backend/imap4/object_id.h"
#include "mailbox-backend/mime/charset.h"

enum argument {
    NOTHING,
    STRING,
    DATE,
    NUMBER,
    KEYWORD,
    HEADER,
    UIDS,
    UID,
    MODSEQ,
    INTERVAL,
    OBJECT,
    KEY,
    TWO_KEYS
};

/* A key's name, what it takes and what it becomes; negated ones are wrapped in a NOT. */
struct word {
    const char *name;
    enum argument argument;
    enum search_kind kind;
    uint32_t number;
    bool negated;
    enum mime_search_scope scope;
};

static const struct word words[] = {
    {"ALL",               NOTHING,  SEARCH_AND,          0,             false, 0                },
    {"ANSWERED",          NOTHING,  SEARCH_FLAG,         FLAG_ANSWERED, false, 0                },
    {"BCC",               STRING,   SEARCH_ADDRESS,      SEARCH_BCC,    false, 0                },
    {"BEFORE",            DATE,     SEARCH_BEFORE,       0,             false, 0                },
    {"BODY",              STRING,   SEARCH_CONTENT,      0,             false, MIME_SEARCH_BODY },
    {"CC",                STRING,   SEARCH_ADDRESS,      SEARCH_CC,     false, 0                },
    {"DELETED",           NOTHING,  SEARCH_FLAG,         FLAG_DELETED,  false, 0                },
    {"DRAFT",             NOTHING,  SEARCH_FLAG,         FLAG_DRAFT,    false, 0                },
    {"EMAILID",           OBJECT,   SEARCH_EMAILID,      0,             false, 0                },
    {"FLAGGED",           NOTHING,  SEARCH_FLAG,         FLAG_FLAGGED,  false, 0                },
    {"FROM",              STRING,   SEARCH_ADDRESS,      SEARCH_FROM,   false, 0                },
    {"HEADER",            HEADER,   SEARCH_CONTENT,      0,             false, MIME_SEARCH_FIELD},
    {"KEYWORD",           KEYWORD,  SEARCH_KEYWORD,      0,             false, 0                },
    {"LARGER",            NUMBER,   SEARCH_LARGER,       0,             false, 0                },
    {"MODSEQ",            MODSEQ,   SEARCH_MODSEQ,       0,             false, 0                },
    {"NEW",               NOTHING,  SEARCH_RECENT,       FLAG_SEEN,     false, 0                },
    {"NOT",               KEY,      SEARCH_NOT,          0,             false, 0                },
    {"OLD",               NOTHING,  SEARCH_RECENT,       0,             true,  0                },
    {"OLDER",             INTERVAL, SEARCH_OLDER,        0,             false, 0                },
    {"ON",                DATE,     SEARCH_ON,           0,             false, 0                },
    {"OR",                TWO_KEYS, SEARCH_OR,           0,             false, 0                },
    {"RECENT",            NOTHING,  SEARCH_RECENT,       0,             false, 0                },
    {"SAVEDATESUPPORTED", NOTHING,  SEARCH_AND,          0,             false, 0                },
    {"SAVEDBEFORE",       DATE,     SEARCH_SAVED_BEFORE, 0,             false, 0                },
    {"SAVEDON",           DATE,     SEARCH_SAVED_ON,     0,             false, 0                },
    {"SAVEDSINCE",        DATE,     SEARCH_SAVED_SINCE,  0,             false, 0                },
    {"SEEN",              NOTHING,  SEARCH_FLAG,         FLAG_SEEN,     false, 0                },
    {"SENTBEFORE",        DATE,     SEARCH_SENT_BEFORE,  0,             false, 0                },
    {"SENTON",            DATE,     SEARCH_SENT_ON,      0,             false, 0                },
    {"SENTSINCE",         DATE,     SEARCH_SENT_SINCE,   0,             false, 0                },
    {"SINCE",             DATE,     SEARCH_SINCE,        0,             false, 0                },
    {"SMALLER",           NUMBER,   SEARCH_SMALLER,      0,             false, 0                },
    {"SUBJECT",           STRING,   SEARCH_SUBJECT,      0,             false, 0                },
    {"TEXT",              STRING,   SEARCH_CONTENT,      0,             false, MIME_SEARCH_TEXT },
    {"THREADID",          OBJECT,   SEARCH_THREADID,     0,             false, 0                },
    {"TO",                STRING,   SEARCH_ADDRESS,      SEARCH_TO,     false, 0                },
    {"UID",               UIDS,     SEARCH_UIDS,         0,             false, 0                },
    {"UIDAFTER",          UID,      SEARCH_UIDS,         1,             false, 0                },
    {"UIDBEFORE",         UID,      SEARCH_UIDS,         0,             false, 0                },
    {"UNANSWERED",        NOTHING,  SEARCH_FLAG,         FLAG_ANSWERED, true,  0                },
    {"UNDELETED",         NOTHING,  SEARCH_FLAG,         FLAG_DELETED,  true,  0                },
    {"UNDRAFT",           NOTHING,  SEARCH_FLAG,         FLAG_DRAFT,    true,  0                },
    {"UNFLAGGED",         NOTHING,  SEARCH_FLAG,         FLAG_FLAGGED,  true,  0                },
    {"UNKEYWORD",         KEYWORD,  SEARCH_KEYWORD,      0,             true,  0                },
    {"UNSEEN",            NOTHING,  SEARCH_FLAG,         FLAG_SEEN,     true,  0                },
    {"YOUNGER",           INTERVAL, SEARCH_YOUNGER,      0,             false, 0                },
};

struct reader {
    struct command *command;
    struct parse *args;
    struct search *search;
    unsigned depth;
};

static bool take_key(struct reader *reader, struct search_key **key);

static bool fault(struct reader *reader, const char *text)
{
    return parse_fail(reader->args, reader->args->at, text);
}

static struct search_key *new_key(struct reader *reader, enum search_kind kind)
{
    struct search_key *key = arena_alloc(&reader->command->arena, sizeof(*key));

    key->kind = kind;
    reader->search->keys++;
    return key;
}

static struct search_key *negate(struct reader *reader, struct search_key *key)
{
    struct search_key *wrapper = new_key(reader, SEARCH_NOT);

    wrapper->children = key;
    return wrapper;
}

/* The string in UTF-8; the charset is known to be on the list. */
static struct str to_utf8(struct reader *reader, struct str text)
{
    struct arena *arena = &reader->command->arena;
    struct buf out = {0};
    struct str utf8;

    if (charset_convert(reader->search->charset, text, &out, NULL) != ERR_NONE)
        buf_append(&out, text.data, text.length);
    utf8 = str_n(arena_copy(arena, buf_bytes(&out), buf_length(&out)), buf_length(&out));
    buf_release(&out);
    return utf8;
}

static bool take_content(struct reader *reader, struct search_key *key, const struct word *word)
{
    struct search *search = reader->search;
    struct mime_search_key *content;
    struct str field = {0};
    struct str text;

    if (search->content_count == SEARCH_CONTENTS_MAX)
        return fault(reader, "Too many search keys that look into messages");
    if (word->argument == HEADER &&
        (!parse_space(reader->args) || !parse_astring(reader->args, &field)))
        return false;
    if (!parse_space(reader->args) || !parse_astring(reader->args, &text))
        return false;
    key->content = search->content_count++;
    content = &search->contents[key->content];
    content->scope = word->scope;
    content->field = field;
    text_match_init(&content->match, &reader->command->arena, to_utf8(reader, text));
    return true;
}

static bool take_string(struct reader *reader, struct search_key *key, const struct word *word)
{
    struct str text;

    if (word->kind == SEARCH_CONTENT)
        return take_content(reader, key, word);
    if (!parse_space(reader->args) || !parse_astring(reader->args, &text))
        return false;
    text_match_init(&key->match, &reader->command->arena, to_utf8(reader, text));
    reader->search->needs_envelope = true;
    if (word->kind == SEARCH_ADDRESS)
        reader->search->needs_addresses = true;
    return true;
}

static bool take_date(struct reader *reader, struct search_key *key)
{
    if (key->kind == SEARCH_SENT_BEFORE || key->kind == SEARCH_SENT_ON ||
        key->kind == SEARCH_SENT_SINCE)
        reader->search->needs_envelope = true;
    return parse_space(reader->args) && parse_date(reader->args, &key->day);
}

static void set_numbers(struct reader *reader, struct search_key *key,
                        const struct sequence_set *set, bool by_uid)
{
    struct search *search = reader->search;

    if (set->saved) {
        if (uidset_is_empty(&search->saved))
            uidset_copy(&search->saved, &reader->command->imap->saved);
        key->kind = SEARCH_UIDS;
        key->set = &search->saved;
        return;
    }
    command_numbers_of(reader->command, set, by_uid, &key->numbers);
    key->set = &key->numbers;
    if (!by_uid)
        reader->command->by_number = true;
}

/* Numbers above those in use match nothing, and so does "*" in an empty folder: clients that search
   "1:*" there are not to be scolded. */
static bool take_sequence_set(struct reader *reader, struct search_key *key)
{
    struct sequence_set set;

    if (!parse_sequence_set(reader->args, &set))
        return false;
    if (!set.saved && imap_is_uid_only(reader->command->imap)) {
        command_bad_number(reader->command);
        return false;
    }
    set_numbers(reader, key, &set, false);
    return true;
}

static bool take_uids(struct reader *reader, struct search_key *key)
{
    struct sequence_set set;

    if (!parse_space(reader->args) || !parse_sequence_set(reader->args, &set))
        return false;
    set_numbers(reader, key, &set, true);
    return true;
}

/* UIDAFTER and UIDBEFORE (RFC 9738 section 3.2): the uids on one side of a uid. */
static bool take_uid(struct reader *reader, struct search_key *key)
{
    bool after = key->number != 0;
    uint32_t uid;

    if (!parse_space(reader->args) || !parse_nz_number(reader->args, &uid))
        return false;
    key->set = &key->numbers;
    if (after && uid < UINT32_MAX - 1)
        uidset_add_range(&key->numbers, uid + 1, UINT32_MAX - 1);
    else if (!after && uid > 1)
        uidset_add_range(&key->numbers, 1, uid - 1);
    return true;
}

/* MODSEQ ["/flags/name" priv|shared|all] number (RFC 7162 section 3.1.5): a message has one
   mod-sequence, so the entry's name makes no difference. */
static bool take_modseq(struct reader *reader, struct search_key *key)
{
    struct parse *args = reader->args;
    const char *start = args->at;
    struct str entry;

    if (!parse_space(args))
        return false;
    if (parse_peek(args, '"')) {
        if (!parse_string(args, &entry) || !parse_space(args))
            return false;
        if (!str_starts_nocase(entry, "/flags/") || entry.length == strlen("/flags/"))
            return parse_fail(args, start, "Expected an entry such as \"/flags/\\\\Seen\"");
        if (!parse_word(args, "priv") && !parse_word(args, "shared") && !parse_word(args, "all"))
            return parse_fail(args, args->at, "Expected priv, shared or all");
        if (!parse_space(args))
            return false;
    }
    reader->search->has_modseq = true;
    return parse_modseq(args, &key->value);
}

/* OLDER and YOUNGER (RFC 5032): seconds before now. */
static bool take_interval(struct reader *reader, struct search_key *key)
{
    if (!parse_space(reader->args) || !parse_nz_number(reader->args, &key->number))
        return false;
    key->moment = (int64_t)time(NULL) - key->number;
    return true;
}

static bool take_object(struct reader *reader, struct search_key *key)
{
    struct str id;

    if (!parse_space(reader->args) || !parse_atom(reader->args, &id))
        return false;
    key->value = object_id_read(key->kind == SEARCH_EMAILID ? OBJECT_EMAIL : OBJECT_THREAD, id);
    return true;
}

static bool take_children(struct reader *reader, struct search_key *key, unsigned count)
{
    struct search_key **place = &key->children;

    for (unsigned i = 0; i < count; i++) {
        if (!parse_space(reader->args) || !take_key(reader, place))
            return false;
        place = &(*place)->next;
    }
    return true;
}

static bool take_argument(struct reader *reader, struct search_key *key, const struct word *word)
{
    switch (word->argument) {
    case NOTHING:
        return true;
    case STRING:
    case HEADER:
        return take_string(reader, key, word);
    case DATE:
        return take_date(reader, key);
    case NUMBER:
        return parse_space(reader->args) && parse_number64(reader->args, &key->value);
    case KEYWORD:
        return parse_space(reader->args) && parse_atom(reader->args, &key->keyword);
    case UIDS:
        return take_uids(reader, key);
    case UID:
        return take_uid(reader, key);
    case MODSEQ:
        return take_modseq(reader, key);
    case INTERVAL:
        return take_interval(reader, key);
    case OBJECT:
        return take_object(reader, key);
    case KEY:
        return take_children(reader, key, 1);
    case TWO_KEYS:
        return take_children(reader, key, 2);
    }
    return false;
}

/* The key is hung up first, so that what it holds is freed whatever becomes of it. */
static bool take_word(struct reader *reader, struct search_key **place, const struct word *word)
{
    struct search_key *key = new_key(reader, word->kind);

    key->number = word->number;
    *place = word->negated ? negate(reader, key) : key;
    return take_argument(reader, key, word);
}

static bool take_list(struct reader *reader, struct search_key **place)
{
    struct search_key *list = new_key(reader, SEARCH_AND);
    struct search_key **end = &list->children;

    *place = list;
    do {
        if (!take_key(reader, end))
            return false;
        end = &(*end)->next;
    } while (parse_skip(reader->args, ' '));
    return parse_char(reader->args, ')');
}

static bool take_any_word(struct reader *reader, struct search_key **place)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (parse_word(reader->args, words[i].name))
            return take_word(reader, place, &words[i]);
    }
    return fault(reader, "Unknown search key");
}

static bool take_key(struct reader *reader, struct search_key **place)
{
    bool taken;
    char next = parse_at_end(reader->args) ? '\0' : *reader->args->at;

    if (reader->search->keys >= SEARCH_KEYS_MAX)
        return fault(reader, "Too many search keys");
    if (reader->depth >= SEARCH_DEPTH_MAX)
        return fault(reader, "Search keys are nested too deep");
    reader->depth++;
    if (parse_skip(reader->args, '(')) {
        taken = take_list(reader, place);
    } else if (next == '*' || next == '$' || (next >= '0' && next <= '9')) {
        *place = new_key(reader, SEARCH_NUMBERS);
        taken = take_sequence_set(reader, *place);
    } else {
        taken = take_any_word(reader, place);
    }
    reader->depth--;
    return taken;
}

/* RFC 3501 section 6.4.4: NO with BADCHARSET and what is known here. */
static bool refuse_charset(struct command *command)
{
    struct buf list = {0};
    const char *name;

    buf_text(&list, "BADCHARSET (US-ASCII");
    for (unsigned n = 0; (name = charset_name(n)) != NULL; n++)
        buf_printf(&list, " %s", name);
    buf_byte(&list, ')');
    command_no(command, arena_copy(&command->arena, buf_bytes(&list), buf_length(&list)),
               "The charset is not known here");
    buf_release(&list);
    return false;
}

/* RFC 6855 section 3: SEARCH's strings are UTF-8 then, and so no charset may be named. */
static bool take_charset(struct command *command, struct search *search)
{
    if (!search->charset_stands) {
        if (!parse_word(&command->args, "CHARSET"))
            return true;
        if ((command->imap->enabled & ENABLED_UTF8_ACCEPT) != 0) {
            command_bad(command, "No CHARSET may be named once UTF8=ACCEPT is enabled");
            return false;
        }
        if (!parse_space(&command->args)) {
            command_bad_syntax(command);
            return false;
        }
    }
    if (!parse_astring(&command->args, &search->charset) || !parse_space(&command->args)) {
        command_bad_syntax(command);
        return false;
    }
    return charset_known(search->charset) || refuse_charset(command);
}

bool search_take(struct command *command, struct search *search)
{
    struct reader reader = {.command = command, .args = &command->args, .search = search};
    struct search_key **end;

    if (!take_charset(command, search))
        return false;
    search->root = new_key(&reader, SEARCH_AND);
    end = &search->root->children;
    do {
        if (!take_key(&reader, end)) {
            if (command->result == RESULT_NONE)
                command_bad_syntax(command);
            return false;
        }
        end = &(*end)->next;
    } while (parse_skip(&command->args, ' '));
    if (parse_end(&command->args))
        return true;
    command_bad_syntax(command);
    return false;
}

static void release_keys(struct search_key *key)
{
    for (; key != NULL; key = key->next) {
        uidset_release(&key->numbers);
        release_keys(key->children);
    }
}

void search_release(struct search *search)
{
    release_keys(search->root);
    uidset_release(&search->saved);
}
