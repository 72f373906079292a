/* Memory for commands that must hold something of every message found: SORT and THREAD. Bounded for each
   command and for all of them together, so that many large ones do not take what the others need. */
#ifndef IMAP4_WORK_MEMORY_H
#define IMAP4_WORK_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#define WORK_MEMORY_COMMAND ((size_t)256 << 20) /* bytes */
#define WORK_MEMORY_ALL ((size_t)512 << 20)

struct work_memory {
    size_t taken;
};

/* To be asked before so many more bytes are allocated; false: there are none left. */
bool work_memory_take(struct work_memory *memory, size_t bytes);

/* Gives all of it back. */
void work_memory_release(struct work_memory *memory);

#endif
