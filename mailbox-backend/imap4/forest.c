/* Each tree is kept as paths that lead downwards, and each path as a splay tree in the order of depth: what
   is left of a node is above it on its path. The root of a splay tree knows the node that its path hangs
   from, which does not know it. */
#include "mailbox-backend/imap4/forest.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/mem.h"

#define NONE UINT32_MAX

struct forest_node {
    uint32_t up; /* in the splay tree; of its root: the node above the path; NONE: there is none */
    uint32_t side[2];
};

void forest_grow(struct forest *forest, uint32_t room)
{
    forest->nodes = mem_grow(forest->nodes, room, sizeof(*forest->nodes));
    for (; forest->room < room; forest->room++)
        forest->nodes[forest->room] = (struct forest_node){
            NONE, {NONE, NONE}
        };
}

static bool is_splay_root(const struct forest *forest, uint32_t node)
{
    uint32_t up = forest->nodes[node].up;

    return up == NONE || (forest->nodes[up].side[0] != node && forest->nodes[up].side[1] != node);
}

/* 0 or 1: at which side of the node above. */
static unsigned side_of(const struct forest *forest, uint32_t node)
{
    return forest->nodes[forest->nodes[node].up].side[1] == node;
}

/* Exchanges a node and the one above it in the splay tree. */
static void rotate(struct forest *forest, uint32_t node)
{
    struct forest_node *nodes = forest->nodes;
    uint32_t above = nodes[node].up;
    uint32_t top = nodes[above].up;
    unsigned side = side_of(forest, node);
    uint32_t between = nodes[node].side[!side];

    if (!is_splay_root(forest, above))
        nodes[top].side[side_of(forest, above)] = node;
    nodes[node].up = top;
    nodes[node].side[!side] = above;
    nodes[above].up = node;
    nodes[above].side[side] = between;
    if (between != NONE)
        nodes[between].up = above;
}

static void splay(struct forest *forest, uint32_t node)
{
    while (!is_splay_root(forest, node)) {
        uint32_t above = forest->nodes[node].up;

        if (!is_splay_root(forest, above))
            rotate(forest, side_of(forest, node) == side_of(forest, above) ? above : node);
        rotate(forest, node);
    }
}

/* Makes the way from the root to the node one path, the node its end and the root of the splay tree. */
static void expose(struct forest *forest, uint32_t node)
{
    uint32_t below = NONE;

    for (uint32_t at = node; at != NONE; at = forest->nodes[at].up) {
        splay(forest, at);
        forest->nodes[at].side[1] = below;
        below = at;
    }
    splay(forest, node);
}

uint32_t forest_root(struct forest *forest, uint32_t node)
{
    expose(forest, node);
    while (forest->nodes[node].side[0] != NONE)
        node = forest->nodes[node].side[0];
    splay(forest, node); /* a deep one has to be paid for */
    return node;
}

void forest_hang(struct forest *forest, uint32_t root, uint32_t below)
{
    expose(forest, root);
    expose(forest, below);
    forest->nodes[root].up = below;
}

void forest_take_off(struct forest *forest, uint32_t node)
{
    uint32_t above;

    expose(forest, node);
    above = forest->nodes[node].side[0];
    if (above == NONE)
        return;
    forest->nodes[above].up = NONE;
    forest->nodes[node].side[0] = NONE;
}

void forest_release(struct forest *forest)
{
    free(forest->nodes);
    *forest = (struct forest){0};
}
