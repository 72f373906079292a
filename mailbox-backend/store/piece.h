/* One piece of a content, as it lies in its segment. */
#ifndef STORE_PIECE_H
#define STORE_PIECE_H

#include "mailbox-backend/store/segment.h"

/* Reads the piece's record, which is RECORD_HEADER + place->stored bytes, out of its segment, which
   is pinned. ERR_CORRUPT when it is not the record that place tells, or fails its checksum. */
enum err_code piece_read(const struct segment *segment, const struct piece *place, uint8_t *record,
                         struct record_head *head, struct err *err);

/* The same in two steps: reads the record if that needs no disk access (false when it does, or fails), */
bool piece_read_warm(const struct segment *segment, const struct piece *place, uint8_t *record);

/* and checks one that was read. */
enum err_code piece_check(const struct segment *segment, const struct piece *place,
                          const uint8_t *record, struct record_head *head, struct err *err);

#endif
