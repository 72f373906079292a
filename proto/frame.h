/* Frames as bytes: a 4-byte big-endian length and a protobuf Frame (link.proto). The outer message is
   read and written by hand, so that the payload of Data is never copied into a message; the bodies
   are protobuf-c's, unpacked into an arena with a bound. Pure: no socket, no link. */
#ifndef PROTO_FRAME_H
#define PROTO_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "proto/link.pb-c.h"

#define FRAME_MAX 65536u         /* bytes of a Frame, without the length before it */
#define FRAME_DATA_MAX 16384u    /* bytes of a Data payload */
#define FRAME_DATA_HEAD_MAX 16u  /* bytes of a Data frame before its payload */
#define FRAME_UNPACK_MAX 524288u /* memory that unpacking one frame may take */

/* The numbers of the bodies that this version knows (the fields of Frame's oneof). */
#define FRAME_BODY_FIRST 2u
#define FRAME_BODY_LAST 18u

/* A frame found in a run of bytes; pointers go into that run. */
struct frame_view {
    uint32_t session;
    uint32_t body;          /* field number of the body, known or not */
    const uint8_t *payload; /* of the body: for Data the bytes themselves */
    size_t payload_length;
    const uint8_t *message; /* the whole Frame */
    size_t message_length;
    size_t size; /* of all that belongs to the frame, the length included */
};

enum frame_result {
    FRAME_WHOLE,
    FRAME_PARTIAL, /* the first length bytes of a frame that may become good */
    FRAME_BAD,     /* err says why; nothing behind it can be read */
};

/* Looks at the start of length bytes. A Frame has one body: the one length-delimited field with a
   number from 2 to 99. Other fields are passed over (they are room for later versions). */
enum frame_result frame_read(const uint8_t *bytes, size_t length, struct frame_view *view,
                             struct err *err);

/* Unpacks a frame of a known body; the result lives as long as the arena. ERR_INVALID when it is no
   valid message, ERR_LIMIT when it would take more than FRAME_UNPACK_MAX. */
enum err_code frame_unpack(const struct frame_view *view, struct arena *arena, Link__Frame **frame,
                           struct err *err);

/* Appends a whole frame. False, with out as it was, when it would be larger than FRAME_MAX. */
bool frame_write(struct buf *out, const Link__Frame *frame);

/* Appends a Data frame; length is at most FRAME_DATA_MAX. The bytes are those that frame_write() gives
   for the same frame. */
void frame_write_data(struct buf *out, uint32_t session, const void *bytes, size_t length);

/* The bytes of a Data frame before a payload of that length; returns how many. */
size_t frame_data_head(uint8_t head[FRAME_DATA_HEAD_MAX], uint32_t session, size_t length);

#endif
