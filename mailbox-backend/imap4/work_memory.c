#include "mailbox-backend/imap4/work_memory.h"

#include <stdatomic.h>

static atomic_size_t in_use;

bool work_memory_take(struct work_memory *memory, size_t bytes)
{
    if (bytes > WORK_MEMORY_COMMAND - memory->taken)
        return false;
    if (atomic_fetch_add(&in_use, bytes) + bytes > WORK_MEMORY_ALL) {
        atomic_fetch_sub(&in_use, bytes);
        return false;
    }
    memory->taken += bytes;
    return true;
}

void work_memory_release(struct work_memory *memory)
{
    atomic_fetch_sub(&in_use, memory->taken);
    memory->taken = 0;
}
