/* Which tree of a forest a node is in, while nodes are hung below others and taken off again: link-cut
   trees (Sleator and Tarjan, 1983). Each call takes a logarithmic number of steps on average, whatever the
   order and however deep the trees. */
#ifndef IMAP4_FOREST_H
#define IMAP4_FOREST_H

#include <stdint.h>

struct forest_node;

/* Embed it; zeroed, it has no nodes. */
struct forest {
    struct forest_node *nodes; /* 12 bytes each */
    uint32_t room;
};

/* Makes nodes up to room; new ones are trees of their own. */
void forest_grow(struct forest *forest, uint32_t room);

/* The root of a node's tree. */
uint32_t forest_root(struct forest *forest, uint32_t node);

/* Hangs a root below a node of another tree. */
void forest_hang(struct forest *forest, uint32_t root, uint32_t below);

/* Makes a node, with all below it, a tree of its own. */
void forest_take_off(struct forest *forest, uint32_t node);

void forest_release(struct forest *forest);

#endif
