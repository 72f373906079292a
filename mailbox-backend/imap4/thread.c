/* Messages, their ids and the links between them: step 1 of REFERENCES. */
#include "mailbox-backend/imap4/thread.h"

#include <stdlib.h>

#include "common/keyed_hash.h"
#include "common/mem.h"

/* What a node costs here and in the tree: four numbers of order and tree, before them the three of the
   forest; four places in the table. */
#define NODE_COST (sizeof(struct thread_node) + 4 * sizeof(uint32_t) + 4 * sizeof(uint32_t))

/* ---- nodes and their ids ---- */

static bool make_room(struct threads *threads)
{
    uint32_t room = threads->room == 0 ? 256 : 2 * threads->room;

    if (threads->count < threads->room)
        return true;
    if (room > UINT32_MAX / 4 ||
        !work_memory_take(&threads->memory, (room - threads->room) * NODE_COST))
        return false;
    threads->nodes = mem_grow(threads->nodes, room, sizeof(*threads->nodes));
    threads->room = room;
    return true;
}

uint32_t threads_new_node(struct threads *threads)
{
    if (!make_room(threads))
        return THREAD_NONE;
    threads->nodes[threads->count] =
        (struct thread_node){.parent = THREAD_NONE, .first = THREAD_NONE};
    return threads->count++;
}

static void put(struct threads *threads, uint32_t node)
{
    uint32_t at = (uint32_t)threads->nodes[node].id[0] & (threads->table_size - 1);

    while (threads->table[at] != THREAD_NONE)
        at = (at + 1) & (threads->table_size - 1);
    threads->table[at] = node;
}

void threads_empty_table(struct threads *threads)
{
    while (threads->table_size < 2 * threads->count) {
        free(threads->table);
        threads->table_size = threads->table_size == 0 ? 1024 : 2 * threads->table_size;
        threads->table = mem_grow(NULL, threads->table_size, sizeof(*threads->table));
    }
    for (uint32_t i = 0; i < threads->table_size; i++)
        threads->table[i] = THREAD_NONE;
}

/* At most half of the table is in use. */
static void grow_table(struct threads *threads)
{
    uint32_t size = threads->table_size == 0 ? 1024 : 2 * threads->table_size;
    uint32_t *old = threads->table;
    uint32_t old_size = threads->table_size;

    if (threads->count < threads->table_size / 2)
        return;
    threads->table = mem_grow(NULL, size, sizeof(*threads->table));
    threads->table_size = size;
    for (uint32_t i = 0; i < size; i++)
        threads->table[i] = THREAD_NONE;
    for (uint32_t i = 0; i < old_size; i++) {
        if (old[i] != THREAD_NONE)
            put(threads, old[i]);
    }
    free(old);
}

/* The node of an id, made where there is none; THREAD_NONE without memory. */
static uint32_t node_of(struct threads *threads, struct str id)
{
    uint64_t hash[2];
    uint32_t node;

    grow_table(threads);
    keyed_hash_128(id.data, id.length, hash);
    for (uint32_t at = (uint32_t)hash[0] & (threads->table_size - 1);
         threads->table[at] != THREAD_NONE; at = (at + 1) & (threads->table_size - 1)) {
        const struct thread_node *known = &threads->nodes[threads->table[at]];

        if (known->id[0] == hash[0] && known->id[1] == hash[1])
            return threads->table[at];
    }
    node = threads_new_node(threads);
    if (node == THREAD_NONE)
        return THREAD_NONE;
    threads->nodes[node].id[0] = hash[0];
    threads->nodes[node].id[1] = hash[1];
    put(threads, node);
    return node;
}

/* ---- links ---- */

/* The child has no parent; it gets one unless it is that parent or above it already. */
static void link_to(struct threads *threads, uint32_t parent, uint32_t child)
{
    bool may_be_above = threads->nodes[child].children > 0; /* the usual case: it cannot */

    if (parent == child)
        return;
    if (threads->forest.room < threads->room)
        forest_grow(&threads->forest, threads->room);
    if (may_be_above && forest_root(&threads->forest, parent) == child)
        return;
    forest_hang(&threads->forest, child, parent);
    threads->nodes[child].parent = parent;
    threads->nodes[parent].children++;
}

/* ---- messages ---- */

/* The node of a message: that of its id, if no message before it has the same. */
static uint32_t node_for(struct threads *threads, struct str message_id)
{
    uint32_t node;

    if (threads->algorithm == THREAD_ORDEREDSUBJECT || message_id.length == 0)
        return threads_new_node(threads);
    node = node_of(threads, message_id);
    if (node != THREAD_NONE && threads->nodes[node].uid != 0)
        return threads_new_node(threads);
    return node;
}

bool threads_add(struct threads *threads, const struct thread_message *message)
{
    uint32_t place = node_for(threads, message->message_id);
    struct thread_node *node;

    if (place == THREAD_NONE)
        return false;
    node = &threads->nodes[place];
    node->uid = message->uid;
    node->date = message->date;
    node->is_reply = message->is_reply;
    node->has_subject = message->base_subject.length > 0;
    if (threads->algorithm == THREAD_REFS)
        node->newest = message->arrived;
    else
        keyed_hash_128(message->base_subject.data, message->base_subject.length, node->subject);
    threads->current = place;
    threads->last = THREAD_NONE;
    return true;
}

bool threads_add_reference(struct threads *threads, struct str message_id)
{
    uint32_t node = node_of(threads, message_id);

    if (node == THREAD_NONE)
        return false;
    if (threads->last != THREAD_NONE && threads->nodes[node].parent == THREAD_NONE)
        link_to(threads, threads->last, node);
    threads->last = node;
    return true;
}

/* The usual case, that others have given the message that parent already, costs no look for loops. */
void threads_end_message(struct threads *threads)
{
    struct thread_node *node = &threads->nodes[threads->current];

    if (node->parent == threads->last)
        return;
    if (node->parent != THREAD_NONE)
        forest_take_off(&threads->forest, threads->current);
    node->parent = THREAD_NONE;
    if (threads->last != THREAD_NONE)
        link_to(threads, threads->last, threads->current);
}

void threads_release(struct threads *threads)
{
    free(threads->nodes);
    free(threads->table);
    free(threads->sort.order);
    free(threads->sort.spare);
    free(threads->child);
    free(threads->sibling);
    forest_release(&threads->forest);
    work_memory_release(&threads->memory);
    *threads = (struct threads){.algorithm = threads->algorithm};
}
