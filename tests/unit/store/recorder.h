/* A record of all that was done to the files of a folder, and what a power cut could have left of it:
   whatever was synced, and of the rest any part. */
#ifndef TESTS_STORE_RECORDER_H
#define TESTS_STORE_RECORDER_H

#include <stdint.h>

/* Records everything below folder from now on, by disk_calls.h; one at a time. Files that are there
   count as they are, synced. */
void recorder_start(const char *folder);

/* Notes that something was answered now. */
void recorder_mark(uint64_t number);
void recorder_stop(void);

uint64_t recorder_events(void);

/* Goes forward to just after so many events. Gives the number of the last mark before. */
uint64_t recorder_forward(uint64_t events);

/* How what was not synced fares; writes of a page or sector that is not there leave what was before. */
enum recorder_loss {
    LOSS_ALL,
    LOSS_NONE,
    LOSS_WRITES,  /* each write is there or not */
    LOSS_PAGES,   /* each 4 KB of each */
    LOSS_SECTORS, /* each 512 bytes of each */
    LOSS_KINDS,
};

/* Writes the files, as a cut at this moment could have left them, into folder, which is empty. */
void recorder_cut(const char *folder, enum recorder_loss loss, uint64_t seed);
void recorder_release(void);

#endif
