/* What the writer does besides operations: finishing what a large operation or a crash left behind
   (the pending table), raising the format, dropping what can no longer be
   recovered, compaction, writing the rows of
   segments. */
#ifndef STORE_HOUSEKEEPING_H
#define STORE_HOUSEKEEPING_H

#include <time.h>

#include "mailbox-backend/store/ops.h"

struct housekeeping;

enum err_code housekeeping_create(struct housekeeping **keeping, struct database *database,
                                  struct err *err);
void housekeeping_destroy(struct housekeeping **keeping);

/* There is something to do now. */
void housekeeping_wake(struct housekeeping *keeping);

/* When the writer should look again (CLOCK_REALTIME). */
struct timespec housekeeping_due(const struct housekeeping *keeping);

/* True when a slice should be run now. When operations are waiting (idle is false), only every now
   and then. */
bool housekeeping_is_due(struct housekeeping *keeping, bool idle);

/* Does a slice of about SLICE_RECORDS rows, and one of compaction. */
void housekeeping_slice(struct housekeeping *keeping, struct batch *batch, bool idle);

/* A batch, of operations or of a slice, was taken back. */
void housekeeping_failed(struct housekeeping *keeping);

/* A task ends: what it held is free. */
void housekeeping_done(struct housekeeping *keeping, const struct task *task);

#endif
