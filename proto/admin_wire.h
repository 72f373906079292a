/* Messages on the control socket: a 4-byte big-endian length and a protobuf, on a blocking socket. */
#ifndef PROTO_ADMIN_WIRE_H
#define PROTO_ADMIN_WIRE_H

#include "common/arena.h"
#include "common/err.h"
#include "proto/admin.pb-c.h"

#define ADMIN_REQUEST_MAX (64u << 10)
#define ADMIN_ANSWER_MAX (1u << 20)

/* Sends; file (or -1) travels along. ERR_UNAVAILABLE when the other side is gone. */
enum err_code admin_wire_send(int socket, const ProtobufCMessage *message, int file,
                              struct err *err);

/* Receives one message of at most most bytes; memory from arena. *file becomes the descriptor that
   came along, to be closed by the caller, or -1; with file NULL none is taken. ERR_UNAVAILABLE when
   the other side is gone, ERR_INVALID when it sent nonsense. */
enum err_code admin_wire_receive(int socket, size_t most, const ProtobufCMessageDescriptor *type,
                                 struct arena *arena, ProtobufCMessage **message, int *file,
                                 struct err *err);

/* Unpacks with memory from arena; NULL when bytes are malformed. */
void *admin_wire_unpack(const ProtobufCMessageDescriptor *type, struct arena *arena,
                        const uint8_t *bytes, size_t length);

#endif
