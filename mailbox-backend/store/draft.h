/* A message on its way in, as the writer sees it. */
#ifndef STORE_DRAFT_H
#define STORE_DRAFT_H

#include "common/buf.h"
#include "mailbox-backend/store/database.h"

struct draft_piece {
    struct piece place;      /* stored and real; segment and offset once it is placed */
    struct segment *segment; /* pinned, when the draft's owner has placed it */
    uint8_t *bytes;          /* as stored, while in memory */
    uint32_t crc;
};

struct store_draft {
    atomic_uint references;
    struct database *database;
    uint64_t size;
    uint64_t charged; /* bytes taken from the content budget */
    bool finished;
    struct buf raw; /* of the piece that is being filled */
    struct draft_piece *pieces;
    uint32_t count, room;
    uint64_t in_memory;  /* stored bytes of the pieces that are not placed */
    uint64_t content_id; /* the writer's: where an item has it already; 0: nowhere */
};

/* The record header of a piece that goes to the segment. */
struct record_head draft_piece_head(const struct store_draft *draft,
                                    const struct draft_piece *piece, const struct segment *segment);

#endif
