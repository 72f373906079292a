/* A database's one writer: takes all operations that are waiting, applies them in one transaction,
   commits, answers, and tells the watches. */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "mailbox-backend/store/ops.h"

struct writer;

enum err_code writer_start(struct writer **writer, struct database *database, struct err *err);

/* Finishes what was submitted, then ends the thread. */
void writer_stop(struct writer **writer);

/* Any thread. The operations' done follows for each, on the writer's thread. */
void writer_submit(struct writer *writer, struct store_op **ops, size_t count, bool all_or_none);

/* Submits one operation that has no mailbox, and waits. Returns op->err.code. */
enum err_code writer_run(struct database *database, struct store_op *op);

#endif
