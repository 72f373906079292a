/* SEARCH's keys (RFC 3501 section 6.4.4): parsed into a tree, decided message by message in up to three
   rounds, each with more known of the message than the one before: its index record, its envelope,
   its content. Most searches never open a message. */
#ifndef IMAP4_SEARCH_H
#define IMAP4_SEARCH_H

#include "mailbox-backend/imap4/imap4.h"
#include "mailbox-backend/mime/search_text.h"

enum search_kind {
    SEARCH_AND, /* of all children; no children: ALL */
    SEARCH_OR,
    SEARCH_NOT,
    /* decided by the index record */
    SEARCH_FLAG,
    SEARCH_RECENT,
    SEARCH_KEYWORD,
    SEARCH_UIDS,
    SEARCH_NUMBERS, /* sequence numbers */
    SEARCH_LARGER,
    SEARCH_SMALLER,
    SEARCH_BEFORE,
    SEARCH_ON,
    SEARCH_SINCE,
    SEARCH_MODSEQ,
    SEARCH_OLDER,
    SEARCH_YOUNGER,
    SEARCH_SAVED_BEFORE,
    SEARCH_SAVED_ON,
    SEARCH_SAVED_SINCE,
    SEARCH_EMAILID,
    SEARCH_THREADID,
    /* decided by the envelope */
    SEARCH_SENT_BEFORE,
    SEARCH_SENT_ON,
    SEARCH_SENT_SINCE,
    SEARCH_SUBJECT,
    SEARCH_ADDRESS,
    /* decided by the content */
    SEARCH_CONTENT,
};

/* The address fields of an envelope that have a key of their own. */
enum search_address { SEARCH_FROM, SEARCH_TO, SEARCH_CC, SEARCH_BCC, SEARCH_ADDRESSES };

struct search_key {
    enum search_kind kind;
    struct search_key *children; /* AND, OR, NOT */
    struct search_key *next;     /* its sibling */
    uint32_t number;             /* flag bit; enum search_address */
    int32_t day;
    uint64_t value; /* a size, a mod-sequence, an object's id */
    int64_t moment; /* Unix time */
    struct str keyword;
    struct uidset numbers; /* as the client wrote them, so that no key holds more than its text */
    const struct uidset *set; /* UIDS, NUMBERS: numbers, or what "$" stands for */
    struct text_match match;  /* SUBJECT, ADDRESS: a fresh one, copied for each message */
    unsigned content;         /* CONTENT: its place in search.contents */
};

#define SEARCH_KEYS_MAX 1000
#define SEARCH_DEPTH_MAX 50
#define SEARCH_CONTENTS_MAX 100

struct search_hint;

struct search {
    struct search_key *root;
    unsigned keys;
    struct mime_search_key contents[SEARCH_CONTENTS_MAX]; /* fresh ones, copied for each message */
    unsigned content_count;
    bool needs_envelope;
    bool needs_addresses;     /* of it */
    bool has_modseq;          /* a MODSEQ key is among them */
    bool charset_stands;      /* in SORT and THREAD it is always there, without CHARSET before it */
    struct str charset;       /* of the strings; empty: none was named */
    struct uidset saved;      /* what "$" stands for: once, however many keys say it */
    struct search_hint *hint; /* or NULL */
};

/* Takes all of SEARCH's arguments, CHARSET included. False: the command has been answered. */
bool search_take(struct command *command, struct search *search);
void search_release(struct search *search);

/* What an envelope tells (mime/envelope.h's form); strs point into its text or the arena. */
struct search_envelope {
    struct str date, subject;
    struct str addresses[SEARCH_ADDRESSES]; /* "((…)(…))" or "NIL" */
    struct str in_reply_to, message_id;
};
/* Without addresses it is read no further than to the subject, else to its end. */
bool search_envelope_read(struct search_envelope *envelope, struct arena *arena, struct str text,
                          bool addresses);

/* What is known of a message so far; NULL: not yet. */
struct search_facts {
    const struct view *view;
    const struct store_item *item;
    const struct search_envelope *envelope;
    const struct mime_search_key *contents;
    struct search_hint *hint; /* of the search; or NULL */
};

enum truth { TRUTH_NO, TRUTH_YES, TRUTH_UNKNOWN };

/* Asks the search index about the content keys, whose answers search->hint then has; reads the disk. To be ended. */
void search_hint_begin(struct command *command, struct search *search, struct store_read *read);
void search_hint_end(struct command *command, struct search *search);
/* True when the item cannot have the text of that content key. hint may be NULL. */
bool search_hint_rules_out(struct search_hint *hint, unsigned content, uint64_t item_id);

/* TRUTH_UNKNOWN: more must be known. arena is for the moment only. */
enum truth search_decide(const struct search_key *key, const struct search_facts *facts,
                         struct arena *arena);

/* Decides what the index record left open by reading the message; long work. arena is for the
   moment only. */
enum err_code search_message(const struct search *search, const struct view *view,
                             const struct store_item *item, struct store_content *content,
                             struct arena *arena, bool *found, struct err *err);

#endif
