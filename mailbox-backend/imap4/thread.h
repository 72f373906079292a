/* The threading algorithms of RFC 5256, and REFS (draft-ietf-morg-inthread), over compact nodes: pure, no store and no session. Messages are added
   in the order of their sequence numbers; then thread_run() is called until it has ended. Message ids and
   subjects are kept as keyed hashes. */
#ifndef IMAP4_THREAD_H
#define IMAP4_THREAD_H

#include "common/str.h"
#include "mailbox-backend/imap4/forest.h"
#include "mailbox-backend/imap4/merge_sort.h"
#include "mailbox-backend/imap4/work_memory.h"

enum thread_algorithm {
    THREAD_ORDEREDSUBJECT,
    THREAD_REFERENCES,
    THREAD_REFS, /* subjects do not matter, and threads come in the order of their newest arrivals */
};

#define THREAD_NONE UINT32_MAX

struct thread_node {
    uint64_t id[2]; /* hash of the message id */
    union {
        uint64_t subject[2]; /* hash of the base subject */
        int64_t newest; /* REFS: when it arrived; of the root's children: the newest below too */
    };
    int64_t date;    /* sent; of a dummy: its first child's */
    uint32_t uid;    /* 0: a dummy */
    uint32_t parent; /* while links are made; then the parent in the tree, THREAD_NONE: the root */
    uint32_t first;  /* of a dummy: its first child */
    uint32_t children; /* ever given while links are made; then in the tree */
    bool is_reply;
    bool has_subject; /* the base subject is not empty */
};

/* Embed it; {.algorithm = …} has no messages. */
struct threads {
    enum thread_algorithm algorithm;
    struct work_memory memory;
    struct thread_node *nodes;
    uint32_t count, room;
    uint32_t *table; /* of ids; then of subjects: places of nodes, THREAD_NONE where free */
    uint32_t table_size;
    uint32_t current, last; /* the message being added, and its last reference */

    struct forest forest; /* the links as they are while they are made */

    unsigned phase;
    struct merge_sort sort;

    /* The tree, when thread_run() has ended: nodes by their places. */
    uint32_t top;      /* the first of the root's children; THREAD_NONE: there is none */
    uint32_t *child;   /* the first child of each */
    uint32_t *sibling; /* the next one, of the same parent */
};

struct thread_message {
    uint32_t uid;
    int64_t date;
    struct str base_subject; /* its collation key */
    bool is_reply;
    struct str message_id; /* as msg_id_next() gives it; empty: none */
    int64_t arrived;       /* for REFS */
};

/* Begins a message; its references follow, the oldest first; then it is ended. Each false when there is no
   memory left. */
bool threads_add(struct threads *threads, const struct thread_message *message);
bool threads_add_reference(struct threads *threads, struct str message_id);
void threads_end_message(struct threads *threads);

/* What follows the last message, in steps of about budget comparisons, or one pass over all. */
enum thread_progress { THREADS_GO_ON, THREADS_DONE, THREADS_FULL /* no memory was left */ };
enum thread_progress threads_run(struct threads *threads, size_t budget);

void threads_release(struct threads *threads);

/* Between thread.c and thread_tree.c: makes a node, THREAD_NONE without memory; and a table with at least
   twice as many places as there are nodes. */
uint32_t threads_new_node(struct threads *threads);
void threads_empty_table(struct threads *threads);

#endif
