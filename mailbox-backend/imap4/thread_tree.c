/* From links to the tree: steps 2 to 6 of REFERENCES, ORDEREDSUBJECT (RFC 5256 section 3), and REFS. Dummies
   are left only right below the root, and only with two children or more. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/imap4/thread.h"

enum phase {
    PHASE_LINKED,
    PHASE_SORT_TOPS,
    PHASE_MERGE,
    PHASE_PLACE,
    PHASE_SORT,
    PHASE_BUILD,
    PHASE_SORT_THREADS, /* REFS */
};

static bool is_dummy(const struct threads *threads, uint32_t node)
{
    return threads->nodes[node].uid == 0;
}

/* ---- the order of siblings ---- */

/* A dummy stands where its first child would. */
static int compare_siblings(const void *context, uint32_t a, uint32_t b)
{
    const struct threads *threads = context;
    const struct thread_node *one = &threads->nodes[a];
    const struct thread_node *other = &threads->nodes[b];
    uint32_t uid = one->uid != 0 ? one->uid : threads->nodes[one->first].uid;
    uint32_t other_uid = other->uid != 0 ? other->uid : threads->nodes[other->first].uid;

    if (one->date != other->date)
        return one->date < other->date ? -1 : 1;
    return uid < other_uid ? -1 : uid > other_uid;
}

static int compare_members(const void *context, uint32_t a, uint32_t b)
{
    const struct threads *threads = context;
    uint32_t parent = threads->nodes[a].parent;
    uint32_t other = threads->nodes[b].parent;

    if (parent != other)
        return parent < other ? -1 : 1;
    return compare_siblings(context, a, b);
}

/* Or, for REFS, when it arrived. */
static void copy_subject(struct thread_node *to, const struct thread_node *from)
{
    to->has_subject = from->has_subject;
    memcpy(to->subject, from->subject, sizeof(to->subject));
}

/* Gives a dummy another child, as far as it matters here. */
static void count_child(struct threads *threads, uint32_t parent, uint32_t child)
{
    struct thread_node *node = &threads->nodes[parent];

    node->children++;
    if (node->uid != 0 ||
        (node->first != THREAD_NONE && compare_siblings(threads, node->first, child) < 0))
        return;
    node->first = child;
    node->date = threads->nodes[child].date;
    copy_subject(node, &threads->nodes[child]);
}

/* Sorts what is in the tree: messages, and dummies below the root that have children. */
static void begin_sort(struct threads *threads, bool only_tops)
{
    uint32_t *order = mem_grow(NULL, threads->count + 1, sizeof(*order));
    uint32_t *spare = mem_grow(NULL, threads->count + 1, sizeof(*spare));
    size_t count = 0;

    for (uint32_t i = 0; i < threads->count; i++) {
        const struct thread_node *node = &threads->nodes[i];
        bool is_top = node->parent == THREAD_NONE;

        if ((is_top || !only_tops) && (node->uid != 0 || (is_top && node->children > 0)))
            order[count++] = i;
    }
    free(threads->sort.order);
    free(threads->sort.spare);
    merge_sort_begin(&threads->sort, order, spare, count);
}

/* ---- steps 2 and 3: dummies are pruned ---- */

/* The nearest message above, or the topmost dummy, or THREAD_NONE; dummies on the way are short-cut. */
static uint32_t find_parent(struct threads *threads, uint32_t node)
{
    uint32_t found = threads->nodes[node].parent;

    while (found != THREAD_NONE && is_dummy(threads, found) &&
           threads->nodes[found].parent != THREAD_NONE)
        found = threads->nodes[found].parent;
    for (uint32_t at = threads->nodes[node].parent; at != found;) {
        uint32_t next = threads->nodes[at].parent;

        threads->nodes[at].parent = found;
        at = next;
    }
    return found;
}

static void reset_children(struct threads *threads)
{
    for (uint32_t i = 0; i < threads->count; i++) {
        threads->nodes[i].children = 0;
        threads->nodes[i].first = THREAD_NONE;
    }
}

/* Gives each message its parent in the tree. */
static void place_messages(struct threads *threads)
{
    reset_children(threads);
    for (uint32_t i = 0; i < threads->count; i++) {
        uint32_t parent;

        if (is_dummy(threads, i))
            continue;
        parent = find_parent(threads, i);
        threads->nodes[i].parent = parent;
        if (parent != THREAD_NONE)
            count_child(threads, parent, i);
    }
}

static void prune(struct threads *threads)
{
    place_messages(threads);
    for (uint32_t i = 0; i < threads->count; i++) {
        struct thread_node *node = &threads->nodes[i];

        if (node->uid != 0 || node->parent != THREAD_NONE || node->children != 1)
            continue;
        threads->nodes[node->first].parent = THREAD_NONE;
        node->children = 0;
    }
}

/* ---- step 5: threads of one subject ---- */

/* The place in the table of a node's subject. */
static uint32_t *entry_of(struct threads *threads, uint32_t node)
{
    const uint64_t *subject = threads->nodes[node].subject;
    uint32_t at = (uint32_t)subject[0] & (threads->table_size - 1);

    while (threads->table[at] != THREAD_NONE &&
           memcmp(threads->nodes[threads->table[at]].subject, subject, 2 * sizeof(*subject)) != 0)
        at = (at + 1) & (threads->table_size - 1);
    return &threads->table[at];
}

static bool is_better(const struct threads *threads, uint32_t known, uint32_t node)
{
    return !is_dummy(threads, known) &&
           (is_dummy(threads, node) ||
            (threads->nodes[known].is_reply && !threads->nodes[node].is_reply));
}

static void fill_table(struct threads *threads)
{
    threads_empty_table(threads);
    for (size_t i = 0; i < threads->sort.count; i++) {
        uint32_t node = threads->sort.order[i];
        uint32_t *entry = threads->nodes[node].has_subject ? entry_of(threads, node) : NULL;

        if (entry != NULL && (*entry == THREAD_NONE || is_better(threads, *entry, node)))
            *entry = node;
    }
}

/* Two messages beside each other get a new dummy above them. */
static bool join(struct threads *threads, uint32_t node, uint32_t *entry)
{
    uint32_t known = *entry;
    uint32_t dummy = threads_new_node(threads);

    if (dummy == THREAD_NONE)
        return false;
    copy_subject(&threads->nodes[dummy], &threads->nodes[known]);
    threads->nodes[node].parent = dummy;
    threads->nodes[known].parent = dummy;
    *entry = dummy;
    return true;
}

/* A dummy that goes up in another one has it as its parent: find_parent() passes over it. */
static bool merge_into(struct threads *threads, uint32_t node, uint32_t *entry)
{
    uint32_t known = *entry;
    bool below = is_dummy(threads, known) ||
                 (threads->nodes[node].is_reply && !threads->nodes[known].is_reply);

    if (!below)
        return join(threads, node, entry);
    threads->nodes[node].parent = known;
    return true;
}

static bool merge_subjects(struct threads *threads)
{
    fill_table(threads);
    for (size_t i = 0; i < threads->sort.count; i++) {
        uint32_t node = threads->sort.order[i];
        uint32_t *entry = threads->nodes[node].has_subject ? entry_of(threads, node) : NULL;

        if (entry != NULL && *entry != node && !merge_into(threads, node, entry))
            return false;
    }
    return true;
}

/* ---- ORDEREDSUBJECT ---- */

static void group_subjects(struct threads *threads)
{
    threads_empty_table(threads);
    for (uint32_t i = 0; i < threads->count; i++) {
        uint32_t *entry = entry_of(threads, i);

        if (*entry == THREAD_NONE || compare_siblings(threads, i, *entry) < 0)
            *entry = i;
    }
    for (uint32_t i = 0; i < threads->count; i++) {
        uint32_t first = *entry_of(threads, i);

        if (first != i)
            threads->nodes[i].parent = first;
    }
}

/* ---- step 6, and the tree ---- */

static void build(struct threads *threads)
{
    const uint32_t *order = threads->sort.order;
    uint32_t last = THREAD_NONE; /* the sibling before */

    threads->top = THREAD_NONE;
    threads->child = mem_grow(NULL, threads->count + 1, sizeof(*threads->child));
    threads->sibling = mem_grow(NULL, threads->count + 1, sizeof(*threads->sibling));
    for (uint32_t i = 0; i < threads->count; i++)
        threads->child[i] = threads->sibling[i] = THREAD_NONE;
    for (size_t i = 0; i < threads->sort.count; i++) {
        uint32_t parent = threads->nodes[order[i]].parent;

        if (last != THREAD_NONE && threads->nodes[last].parent == parent)
            threads->sibling[last] = order[i];
        else if (parent == THREAD_NONE)
            threads->top = order[i];
        else
            threads->child[parent] = order[i];
        last = order[i];
    }
}

/* ---- REFS: threads by their newest arrivals ---- */

static uint32_t next_of_walk(const struct threads *threads, uint32_t node)
{
    if (threads->child[node] != THREAD_NONE)
        return threads->child[node];
    while (node != THREAD_NONE && threads->sibling[node] == THREAD_NONE)
        node = threads->nodes[node].parent;
    return node == THREAD_NONE ? THREAD_NONE : threads->sibling[node];
}

static void find_newest(struct threads *threads)
{
    uint32_t top = threads->top;

    for (uint32_t at = top; at != THREAD_NONE; at = next_of_walk(threads, at)) {
        if (threads->nodes[at].parent == THREAD_NONE)
            top = at;
        else if (threads->nodes[at].newest > threads->nodes[top].newest)
            threads->nodes[top].newest = threads->nodes[at].newest;
    }
}

static int compare_threads(const void *context, uint32_t a, uint32_t b)
{
    const struct threads *threads = context;
    int64_t one = threads->nodes[a].newest;
    int64_t other = threads->nodes[b].newest;

    if (one != other)
        return one < other ? -1 : 1;
    return compare_siblings(context, a, b);
}

static void order_threads(struct threads *threads)
{
    const uint32_t *order = threads->sort.order;

    for (size_t i = 0; i < threads->sort.count; i++)
        threads->sibling[order[i]] = i + 1 < threads->sort.count ? order[i + 1] : THREAD_NONE;
    threads->top = threads->sort.count > 0 ? order[0] : THREAD_NONE;
}

static enum phase after_links(struct threads *threads)
{
    forest_release(&threads->forest);
    if (threads->algorithm == THREAD_ORDEREDSUBJECT) {
        group_subjects(threads);
        return PHASE_PLACE;
    }
    prune(threads);
    if (threads->algorithm == THREAD_REFS)
        return PHASE_PLACE;
    begin_sort(threads, true);
    return PHASE_SORT_TOPS;
}

static bool sort_some(struct threads *threads, merge_compare *compare, size_t budget)
{
    return merge_sort_run(&threads->sort, compare, threads, budget);
}

enum thread_progress threads_run(struct threads *threads, size_t budget)
{
    switch ((enum phase)threads->phase) {
    case PHASE_LINKED:
        threads->phase = after_links(threads);
        break;
    case PHASE_SORT_TOPS:
        if (sort_some(threads, compare_siblings, budget))
            threads->phase = PHASE_MERGE;
        break;
    case PHASE_MERGE:
        if (!merge_subjects(threads))
            return THREADS_FULL;
        threads->phase = PHASE_PLACE;
        break;
    case PHASE_PLACE:
        place_messages(threads);
        begin_sort(threads, false);
        threads->phase = PHASE_SORT;
        break;
    case PHASE_SORT:
        if (sort_some(threads, compare_members, budget))
            threads->phase = PHASE_BUILD;
        break;
    case PHASE_BUILD:
        build(threads);
        if (threads->algorithm != THREAD_REFS)
            return THREADS_DONE;
        find_newest(threads);
        begin_sort(threads, true);
        threads->phase = PHASE_SORT_THREADS;
        break;
    case PHASE_SORT_THREADS:
        if (!sort_some(threads, compare_threads, budget))
            break;
        order_threads(threads);
        return THREADS_DONE;
    }
    return THREADS_GO_ON;
}
