/* The threading algorithms, against a slow one that follows RFC 5256 word by word. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "mailbox-backend/imap4/msg_id.h"
#include "mailbox-backend/imap4/thread_answer.h"
#include "mailbox-backend/imap4/thread_references.h"

/* ---- the tree as text ---- */

static void write_list(const struct threads *threads, uint32_t node, struct buf *out)
{
    bool only = true;

    for (; node != THREAD_NONE; node = threads->sibling[node]) {
        if (!only || threads->sibling[node] != THREAD_NONE ||
            threads->nodes[node].parent == THREAD_NONE)
            buf_byte(out, '(');
        buf_printf(out, "%" PRIu32 " ", threads->nodes[node].uid);
        write_list(threads, threads->child[node], out);
        if (!only || threads->sibling[node] != THREAD_NONE ||
            threads->nodes[node].parent == THREAD_NONE)
            buf_byte(out, ')');
        only = false;
    }
}

static void finish(struct threads *threads)
{
    enum thread_progress progress;

    do {
        progress = threads_run(threads, 1);
    } while (progress == THREADS_GO_ON);
    assert_int_equal(progress, THREADS_DONE);
}

static int64_t arrival_of(uint32_t uid)
{
    return uid * 7 % 11;
}

static void add(struct threads *threads, uint32_t uid, int64_t date, const char *subject,
                bool is_reply, const char *id, const char *const *references, unsigned count)
{
    const struct thread_message message = {uid,      date,       str_of(subject),
                                           is_reply, str_of(id), arrival_of(uid)};

    assert_true(threads_add(threads, &message));
    for (unsigned i = 0; i < count; i++)
        assert_true(threads_add_reference(threads, str_of(references[i])));
    threads_end_message(threads);
}

/* ---- the slow one ---- */

#define MOST 64

struct slow {
    unsigned uid; /* 0: a dummy */
    int date;
    unsigned subject; /* 0: empty */
    bool is_reply;
    int id;
    int parent; /* -1: none; -2: it is no more */
};

static struct slow slow[4 * MOST];
static int slow_count;

static int slow_of(int id)
{
    for (int i = 0; i < slow_count; i++) {
        if (slow[i].id == id)
            return i;
    }
    slow[slow_count] = (struct slow){.id = id, .parent = -1};
    return slow_count++;
}

static bool slow_descends(int node, int from)
{
    for (; node >= 0; node = slow[node].parent) {
        if (node == from)
            return true;
    }
    return false;
}

static int slow_children(int parent)
{
    int count = 0;

    for (int i = 0; i < slow_count; i++)
        count += slow[i].parent == parent;
    return count;
}

static int slow_first(int parent);

static bool slow_before(int a, int b)
{
    int first_a = slow[a].uid != 0 ? a : slow_first(a);
    int first_b = slow[b].uid != 0 ? b : slow_first(b);

    if (slow[first_a].date != slow[first_b].date)
        return slow[first_a].date < slow[first_b].date;
    return slow[first_a].uid < slow[first_b].uid;
}

static int slow_first(int parent)
{
    int first = -1;

    for (int i = 0; i < slow_count; i++) {
        if (slow[i].parent == parent && (first < 0 || slow_before(i, first)))
            first = i;
    }
    return first;
}

/* Children in their order. */
static int slow_sorted(int parent, int order[4 * MOST])
{
    int count = 0;

    for (int i = 0; i < slow_count; i++) {
        int at = count;

        if (slow[i].parent != parent)
            continue;
        for (; at > 0 && slow_before(i, order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = i;
        count++;
    }
    return count;
}

static void slow_add(unsigned uid, int date, unsigned subject, bool is_reply, int id,
                     const int *references, unsigned count)
{
    int last = -1;
    int node = slow_of(id);

    if (slow[node].uid != 0)
        node = slow_of(-(int)uid);
    slow[node].uid = uid;
    slow[node].date = date;
    slow[node].subject = subject;
    slow[node].is_reply = is_reply;
    for (unsigned i = 0; i < count; i++) {
        int next = slow_of(references[i]);

        if (last >= 0 && slow[next].parent < 0 && !slow_descends(last, next))
            slow[next].parent = last;
        last = next;
    }
    slow[node].parent = -1;
    if (last >= 0 && !slow_descends(last, node))
        slow[node].parent = last;
}

static bool slow_prune_one(void)
{
    for (int i = 0; i < slow_count; i++) {
        int children = slow_children(i);

        if (slow[i].uid != 0 || slow[i].parent == -2)
            continue;
        if (slow[i].parent == -1 && children > 1)
            continue;
        for (int k = 0; k < slow_count; k++) {
            if (slow[k].parent == i)
                slow[k].parent = slow[i].parent;
        }
        slow[i].parent = -2;
        return true;
    }
    return false;
}

static unsigned slow_subject(int node)
{
    return slow[slow[node].uid != 0 ? node : slow_first(node)].subject;
}

static void slow_merge(int node, int *known)
{
    bool dummy = slow[node].uid == 0;

    if (slow[*known].uid == 0 && dummy) {
        for (int i = 0; i < slow_count; i++) {
            if (slow[i].parent == node)
                slow[i].parent = *known;
        }
        slow[node].parent = -2;
    } else if (slow[*known].uid == 0 || (slow[node].is_reply && !slow[*known].is_reply)) {
        slow[node].parent = *known;
    } else {
        slow[slow_count] = (struct slow){.parent = -1, .id = 100000 + slow_count};
        slow[node].parent = slow[*known].parent = slow_count;
        *known = slow_count++;
    }
}

static void slow_subjects(void)
{
    int order[4 * MOST];
    int table[MOST];
    int count = slow_sorted(-1, order);

    memset(table, -1, sizeof(table));
    for (int i = 0; i < count; i++) {
        int *known = &table[slow_subject(order[i])];
        bool dummy = slow[order[i]].uid == 0;

        if (known != table &&
            (*known < 0 || (slow[*known].uid != 0 &&
                            (dummy || (slow[*known].is_reply && !slow[order[i]].is_reply)))))
            *known = order[i];
    }
    for (int i = 0; i < count; i++) {
        int *known = &table[slow_subject(order[i])];

        if (known != table && *known != order[i])
            slow_merge(order[i], known);
    }
}

static int64_t slow_newest(int node)
{
    int64_t newest = slow[node].uid != 0 ? arrival_of(slow[node].uid) : -1;

    for (int i = 0; i < slow_count; i++) {
        if (slow[i].parent == node && slow_newest(i) > newest)
            newest = slow_newest(i);
    }
    return newest;
}

/* Those of one newest arrival stay in the order of their dates. */
static void slow_sort_by_newest(int *order, int count)
{
    for (int i = 1; i < count; i++) {
        int node = order[i];
        int at = i;

        for (; at > 0 && slow_newest(node) < slow_newest(order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = node;
    }
}

static void slow_write(int parent, enum thread_algorithm algorithm, struct buf *out)
{
    int order[4 * MOST];
    int count = slow_sorted(parent, order);

    if (algorithm == THREAD_REFS && parent == -1)
        slow_sort_by_newest(order, count);
    for (int i = 0; i < count; i++) {
        if (count > 1 || parent == -1)
            buf_byte(out, '(');
        buf_printf(out, "%u ", slow[order[i]].uid);
        slow_write(order[i], algorithm, out);
        if (count > 1 || parent == -1)
            buf_byte(out, ')');
    }
}

/* ---- games ---- */

static unsigned random_state;

static unsigned pick(unsigned below)
{
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 16) % below;
}

static void add_random(struct threads *threads, unsigned uid, unsigned ids, unsigned subjects)
{
    static const char *const subject_names[] = {"", "a", "b", "c", "d", "e", "f", "g"};
    char names[6][16];
    const char *references[6];
    int numbers[6];
    char own[16];
    int id = 1 + (int)pick(ids);
    int date = (int)pick(20);
    unsigned subject = pick(subjects);
    bool is_reply = pick(2) != 0;
    unsigned count = pick(6);

    for (unsigned i = 0; i < count; i++) {
        numbers[i] = 1 + (int)pick(ids);
        snprintf(names[i], sizeof(names[i]), "%d@x", numbers[i]);
        references[i] = names[i];
    }
    snprintf(own, sizeof(own), "%d@x", id);
    add(threads, uid, date, subject_names[subject], is_reply, own, references, count);
    slow_add(uid, date, subject, is_reply, id, numbers, count);
}

static void play(unsigned seed, enum thread_algorithm algorithm)
{
    struct threads threads = {.algorithm = algorithm};
    struct buf told = {0};
    struct buf expected = {0};
    unsigned messages;

    random_state = seed;
    slow_count = 0;
    messages = 1 + pick(30);
    for (unsigned uid = 1; uid <= messages; uid++)
        add_random(&threads, uid, 2 + seed % 50, 1 + seed % 8);
    finish(&threads);
    write_list(&threads, threads.top, &told);
    while (slow_prune_one())
        continue;
    if (algorithm == THREAD_REFERENCES)
        slow_subjects();
    slow_write(-1, algorithm, &expected);
    buf_byte(&told, 0);
    buf_byte(&expected, 0);
    assert_string_equal(buf_bytes(&told), buf_bytes(&expected));
    buf_release(&told);
    buf_release(&expected);
    threads_release(&threads);
}

static void references_make_the_tree_that_the_rules_make(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 3000; seed++)
        play(seed, THREAD_REFERENCES);
}

static void refs_look_at_no_subjects_and_order_threads_by_their_newest(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 3000; seed++)
        play(seed, THREAD_REFS);
}

/* A message with 20,000 references, and after it those that they are of, the newest first. */
static void long_chains_are_followed(void **state)
{
    struct threads threads = {.algorithm = THREAD_REFERENCES};
    char(*names)[16] = calloc(20000, sizeof(*names));
    const char **references = calloc(20000, sizeof(*references));
    unsigned depth = 0;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(names[i], sizeof(names[i]), "%u@x", i);
        references[i] = names[i];
    }
    add(&threads, 1, 0, "last", true, "last@x", references, 20000);
    for (unsigned i = 20000; i > 0; i--)
        add(&threads, 20002 - i, i, "", false, names[i - 1], &references[i - 2], i > 1);
    finish(&threads);
    for (uint32_t node = threads.top; node != THREAD_NONE; node = threads.child[node]) {
        assert_int_equal(threads.sibling[node], THREAD_NONE);
        depth++;
    }
    assert_int_equal(depth, 20001);
    threads_release(&threads);
    free(names);
    free(references);
}

/* One message refers to a chain of ids; then, again and again, one comes that answers an unknown one, and
   that one, which answers the end of the chain. Climbing the chain each time would take hours. */
static void deep_chains_are_no_work_for_what_is_linked_to_them(void **state)
{
    enum { CHAIN = 500000, ANSWERS = 250000 };
    struct threads threads = {.algorithm = THREAD_REFERENCES};
    const char *last = "499999@chain";
    char names[3][24];

    (void)state;
    assert_true(threads_add(&threads, &(struct thread_message){.uid = 1}));
    for (unsigned i = 0; i < CHAIN; i++) {
        snprintf(names[0], sizeof(names[0]), "%u@chain", i);
        assert_true(threads_add_reference(&threads, str_of(names[0])));
    }
    threads_end_message(&threads);
    for (unsigned i = 0; i < ANSWERS; i++) {
        const char *answered = names[1];

        for (unsigned k = 0; k < 3; k++)
            snprintf(names[k], sizeof(names[k]), "%u@%u", i, k);
        add(&threads, 2 + 2 * i, 0, "", true, names[0], &answered, 1);
        add(&threads, 3 + 2 * i, 0, "", true, names[1], &last, 1);
    }
    finish(&threads);
    assert_int_equal(threads.nodes[threads.top].children, ANSWERS + 1);
    assert_int_equal(threads.sibling[threads.top], THREAD_NONE);
    threads_release(&threads);
}

/* Two texts that FNV-1a of 64 bits takes for one: anybody can send such. */
static void texts_that_a_known_hash_takes_for_one_stay_two(void **state)
{
    struct threads threads = {.algorithm = THREAD_ORDEREDSUBJECT};

    (void)state;
    add(&threads, 1, 0, "8yn0iYCKYHlIj4-BwPqk", false, "", NULL, 0);
    add(&threads, 2, 0, "GReLUrM4wMqfg9yzV3KQ", false, "", NULL, 0);
    add(&threads, 3, 0, "8yn0iYCKYHlIj4-BwPqk", true, "", NULL, 0);
    finish(&threads);
    assert_int_equal(threads.nodes[2].parent, 0);
    assert_int_equal(threads.nodes[1].parent, THREAD_NONE);
    threads_release(&threads);
}

/* Each message has the next one and another one below it: all lists end at once. */
static void answer_comes_in_small_pieces(void **state)
{
    struct threads threads = {.algorithm = THREAD_REFERENCES};
    struct thread_answer answer = {0};
    struct buf out = {0};
    const char *expected = "(1 (2 (3 (4 (5 6)(10))(9))(8))(7))";
    static const char *const ids[] = {"1@x", "2@x", "3@x", "4@x", "5@x"};
    size_t length = 0;

    (void)state;
    for (unsigned i = 0; i < 6; i++)
        add(&threads, i + 1, 0, "", true, i < 5 ? ids[i] : "", i > 0 ? &ids[i - 1] : NULL, i > 0);
    for (unsigned i = 0; i < 4; i++)
        add(&threads, i + 7, 1, "", true, "", &ids[i], 1);
    finish(&threads);
    answer.at = threads.top;
    while (answer.at != THREAD_NONE) {
        thread_answer_write(&answer, &threads, threads.nodes[answer.at].uid, &out);
        assert_true(buf_length(&out) - length <= strlen(" (10"));
        length = buf_length(&out);
    }
    buf_byte(&out, 0);
    assert_string_equal(buf_bytes(&out), expected);
    buf_release(&out);
    threads_release(&threads);
}

static void ids_are(const char *field, const char *expected)
{
    struct str rest = str_of(field);
    char bytes[MSG_ID_MAX];
    struct buf ids = {0};
    struct str id;

    while (msg_id_next(&rest, bytes, &id)) {
        buf_append(&ids, id.data, id.length);
        buf_byte(&ids, '|');
    }
    buf_byte(&ids, 0);
    assert_string_equal(buf_bytes(&ids), expected);
    buf_release(&ids);
}

/* How many nodes a message with such fields makes, itself included. */
static uint32_t nodes_of(struct str references, const char *in_reply_to)
{
    struct threads threads = {.algorithm = THREAD_REFERENCES};
    uint32_t count;

    assert_true(threads_add(&threads, &(struct thread_message){.uid = 1}));
    assert_true(thread_references_add(&threads, references, str_of(in_reply_to)));
    threads_end_message(&threads);
    count = threads.count;
    threads_release(&threads);
    return count;
}

/* Ids from first on, count of them; NUL behind. */
static struct str many_ids(unsigned first, unsigned count, struct buf *field)
{
    buf_truncate(field, 0);
    for (unsigned i = first; i < first + count; i++)
        buf_printf(field, " <%u@x>", i);
    return str_n(buf_bytes(field), buf_length(field));
}

static void references_come_before_in_reply_to(void **state)
{
    (void)state;
    assert_int_equal(nodes_of(STR("<1@x> <2@x>"), "<3@x>"), 3);
    assert_int_equal(nodes_of(STR("none"), "<3@x> <4@x>"), 2);
    assert_int_equal(nodes_of(STR(""), ""), 1);
}

/* 2 MB of ids, and of what is nearly an id at each place. */
static void message_makes_few_nodes_whatever_it_refers_to(void **state)
{
    struct buf field = {0};

    (void)state;
    for (unsigned count = THREAD_REFERENCES_MAX - 2; count < THREAD_REFERENCES_MAX + 3; count++)
        assert_int_equal(nodes_of(many_ids(1, count, &field), ""),
                         count < THREAD_REFERENCES_MAX ? count + 1 : THREAD_REFERENCES_MAX + 1);
    assert_int_equal(nodes_of(many_ids(1, 200000, &field), ""), THREAD_REFERENCES_MAX + 1);
    buf_truncate(&field, 0);
    for (unsigned i = 0; i < 700000; i++)
        buf_text(&field, "<\\\"");
    assert_int_equal(nodes_of(str_n(buf_bytes(&field), buf_length(&field)), "<3@x>"), 2);
    buf_release(&field);
}

/* The first one, and those at the end. */
static void long_references_keep_both_ends(void **state)
{
    struct threads threads = {.algorithm = THREAD_REFERENCES};
    struct buf field = {0};
    uint32_t top;

    (void)state;
    add(&threads, 1, 0, "", false, "1@x", NULL, 0);
    add(&threads, 2, 0, "", false, "2@x", NULL, 0);
    add(&threads, 3, 0, "", false, "19999@x", NULL, 0);
    assert_true(threads_add(&threads, &(struct thread_message){.uid = 4}));
    assert_true(thread_references_add(&threads, many_ids(1, 20000, &field), STR("")));
    threads_end_message(&threads);
    finish(&threads);
    top = threads.top;
    assert_int_equal(threads.nodes[top].uid, 1);
    assert_int_equal(threads.nodes[threads.child[top]].uid, 3);
    assert_int_equal(threads.nodes[threads.child[threads.child[top]]].uid, 4);
    assert_int_equal(threads.nodes[threads.sibling[top]].uid, 2);
    threads_release(&threads);
    buf_release(&field);
}

static void message_ids_have_one_form(void **state)
{
    (void)state;
    ids_are("<a@b>\r\n\t<\"c\"@d> x <e\\@f@g>", "a@b|c@d|e\\@f@g|");
    ids_are("<\"a>b\"@c> <\"q\\\"q\"@c>", "a>b@c|q\"q@c|");
    ids_are("<a @\r\n b>", "a@b|");
    ids_are("<> <@> <a@> <@b> <a> <<a@b>", "a@b|");
    ids_are("no ids here, <not closed@x", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_make_the_tree_that_the_rules_make),
        cmocka_unit_test(refs_look_at_no_subjects_and_order_threads_by_their_newest),
        cmocka_unit_test(long_chains_are_followed),
        cmocka_unit_test(deep_chains_are_no_work_for_what_is_linked_to_them),
        cmocka_unit_test(answer_comes_in_small_pieces),
        cmocka_unit_test(texts_that_a_known_hash_takes_for_one_stay_two),
        cmocka_unit_test(references_come_before_in_reply_to),
        cmocka_unit_test(message_makes_few_nodes_whatever_it_refers_to),
        cmocka_unit_test(long_references_keep_both_ends),
        cmocka_unit_test(message_ids_have_one_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
