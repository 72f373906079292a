/* A plain model of the store in memory, and random work for both. The work of a turn follows from the
   seed, the turn's number and the model, so two processes that have the same model make the same. */
#ifndef TESTS_STORE_MODEL_H
#define TESTS_STORE_MODEL_H

#include "mailbox-backend/store/store.h"

#define MODEL_MAILBOXES 4u
#define MODEL_FOLDERS 14u   /* of a mailbox, with root and INBOX; at most */
#define MODEL_KEYWORDS 5u   /* names that are used */
#define MODEL_AT_ONCE 16u   /* items of a copy in one transaction: store_settings.copy_at_once */
#define MODEL_ACTIONS 6u    /* of a turn, at most */
#define MODEL_RECOVERED 24u /* items of one OP_RECOVER or OP_PURGE, at most */

extern const char *const model_keywords[MODEL_KEYWORDS];

struct model_item {
    uint32_t uid;
    uint32_t system, keywords; /* bit n: model_keywords[n] */
    uint32_t property;         /* the value of the one that it may have; 0: none */
    uint64_t modseq;
    uint64_t number; /* of the message: its bytes follow from it */
    uint64_t item_id;
};

struct model_gone {
    uint64_t modseq;
    struct uidset uids;
};

struct model_folder {
    uint32_t id, parent;
    char name[16];
    uint32_t uid_validity; /* 0: not known yet */
    uint32_t uid_next;
    uint64_t highest_modseq;
    uint32_t property;
    struct model_item *items; /* by uid */
    size_t count, room;
    struct model_gone *gone; /* by modseq */
    size_t gone_count, gone_room;
    uint64_t floor; /* what went up to here is forgotten */
};

struct model_recoverable {
    uint32_t folder;
    struct model_item item;
};

struct model_mailbox {
    bool there;
    uint32_t next_folder;
    uint64_t next_item, modseq;
    uint32_t property;
    struct model_folder *folders[MODEL_FOLDERS]; /* the root first, INBOX next */
    unsigned folder_count;
    struct model_recoverable *recoverable;
    size_t recoverable_count, recoverable_room;
};

struct model {
    uint64_t seed;
    uint64_t turn; /* the next */
    struct model_mailbox mailboxes[MODEL_MAILBOXES];
};

/* One operation, and what is expected of it. */
struct model_action {
    enum store_op_kind kind;
    unsigned mailbox;
    uint32_t folder;
    struct uidset uids;
    uint32_t system, keywords;
    enum store_flags_mode mode;
    uint64_t unchanged_since;
    uint64_t number; /* APPEND: of the message */
    uint32_t least_uid;
    bool tight_quota; /* of one byte */
    bool only_deleted;
    uint32_t target; /* COPY, MOVE: folder; CREATE, RENAME: parent */
    char name[16];
    uint64_t item_id; /* PROPERTY_SET: 0 for none */
    uint32_t value;
    uint64_t item_ids[MODEL_RECOVERED]; /* RECOVER, PURGE */
    size_t item_count;

    struct {
        enum err_code code;
        uint64_t modseq;
        uint32_t uid; /* APPEND; COPY, MOVE: the first */
        uint64_t item_id;
        struct uidset uids; /* changed, removed, copied */
        struct uidset refused;
        size_t count;
        uint32_t folder; /* CREATE */
    } expected;
};

struct model_turn {
    uint64_t number;
    unsigned count;
    bool all_or_none; /* appends only */
    struct model_action actions[MODEL_ACTIONS];
};

/* A number that follows from seed, turn and salt. */
uint64_t model_random(uint64_t seed, uint64_t turn, uint64_t salt);

/* The work of the next turn. Release it. */
void model_pick(const struct model *model, struct model_turn *turn);
void model_turn_release(struct model_turn *turn);

/* Does the turn in the model and fills in what is expected; the model stands at the next turn then.
   Of a move that goes in slices at most slices are done. */
#define MODEL_WHOLE UINT32_MAX
void model_apply(struct model *model, struct model_turn *turn, uint32_t slices);

/* Slices that a turn of one large move takes; 1 for others: they are there whole or not at all. */
uint32_t model_slices(const struct model *model, const struct model_turn *turn);

struct model_folder *model_folder(const struct model_mailbox *mailbox, uint32_t id);

/* The copy is whole, and released by itself. */
void model_copy(struct model *to, const struct model *from);
void model_release(struct model *model);

/* The bytes of a message; gives their number. */
#define MODEL_MESSAGE_MOST 1400000u
size_t model_message(uint64_t number, uint8_t bytes[MODEL_MESSAGE_MOST]);
size_t model_message_size(uint64_t number);

#endif
