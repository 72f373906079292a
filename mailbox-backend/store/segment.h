/* Segment files: append-only, preallocated, used again under a new generation when nothing in them
   is wanted any more. Records lie at multiples of 32 bytes behind the file's own header. Any thread
   may reserve, write, pin and read; the writer alone syncs, counts live bytes and recycles. */
#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "mailbox-backend/store/record.h"

#define SEGMENT_HEADER 4096u
#define SEGMENT_STEP (1u << 20) /* files are multiples of it */
#define SEGMENT_FIRST_SIZE (16u << 20)
#define SEGMENT_MOST_SIZE (256u << 20)
#define RECORD_HEADER 32u
#define RECORD_ALIGN 32u

enum record_type { RECORD_PIECE = 1, RECORD_OPERATIONS = 2 };

struct record_head {
    enum record_type type;
    bool compressed; /* zstd */
    uint32_t generation;
    uint32_t
        start; /* of the process that wrote it: tells the tail of a crashed run from new records */
    uint32_t stored;
    uint32_t real;
    uint32_t crc; /* CRC32C of the stored bytes */
};

/* The header's own checksum covers where it lies too. */
void record_head_pack(uint8_t out[RECORD_HEADER], const struct record_head *head, uint32_t segment,
                      uint32_t offset);
bool record_head_unpack(const uint8_t in[RECORD_HEADER], struct record_head *head, uint32_t segment,
                        uint32_t offset);

/* Bytes that a record takes in its segment. */
uint32_t record_space(uint32_t stored);

struct segment {
    struct segment_record record; /* under the set's lock */
    int fd;                       /* open while pinned, and for some time after */
    TAILQ_ENTRY(segment) in_idle; /* while open and not pinned */
    unsigned kept;                /* backups that still have to copy it */
    uint64_t opened;         /* record.used at the start: what lies below is never written again */
    unsigned pins;           /* reservations, open contents; the active one has one of its own */
    bool failed;             /* a write or a sync failed: what was not committed is lost */
    bool row_dirty;          /* the index does not have this record yet */
    bool in_flight;          /* its row is part of the running batch */
    bool going;              /* its file is to be removed */
    bool stuck;              /* has a record that cannot be moved: not to be compacted */
    bool operations;         /* the writer's: the running batch writes operations to it */
    atomic_bool dirty;       /* written to since the last sync */
    int64_t delta;           /* the writer's: live bytes that the running batch adds */
    uint64_t dead_since;     /* transaction that took the last live byte */
    uint64_t operations_txn; /* the newest of which it holds, or may hold, operations */
};

struct segments;

struct segments_start {
    const char *folder;
    uint32_t start; /* this opening's number */
    uint32_t next;  /* the number for the next file */
    uint64_t most;  /* size of the largest files; 0: SEGMENT_MOST_SIZE */
    uint64_t txn;   /* this opening's transaction */
    uint64_t batch; /* the last one that was committed */

    /* True when a content has a piece in the segment, or may have. */
    bool (*is_named)(void *context, uint32_t number);
    void *context;
};

/* rows: what the index knows, in order of number (copied). Files that the index does not know are removed when all that is in
   them was never committed, and left alone when that is not certain; each is a line in the log. */
void segments_open(struct segments **set, const struct segments_start *how,
                   const struct segment_record *rows, size_t count);
void segments_close(struct segments **set);

/* The same for copies of segments in a backup's folder, which are only read. */
void segments_open_copy(struct segments **set, const char *folder,
                        const struct segment_record *rows, size_t count);

/* The path of a copy; to be freed. */
char *segment_copy_path(const char *folder, uint32_t number, uint32_t generation);

/* True when the folder has a segment file. */
bool segments_any(const char *folder);

/* Room for a record of so many stored bytes, in a pinned segment. Waits for a new file when it
   must. ERR_UNAVAILABLE: there is no room on the disk. */
enum err_code segments_reserve(struct segments *set, uint32_t stored, struct segment **segment,
                               uint32_t *offset, struct err *err);
uint32_t segments_start(const struct segments *set);

/* Writes bytes at an offset that was reserved. On failure the segment is sealed. */
enum err_code segment_write(struct segments *set, struct segment *segment, uint32_t offset,
                            const void *bytes, size_t length, struct err *err);

/* Keeps a segment from being recycled, and open. ERR_CORRUPT when it is not there. */
enum err_code segments_pin(struct segments *set, uint32_t number, struct segment **segment,
                           struct err *err);
void segments_pin_again(struct segments *set, struct segment *segment);
void segments_unpin(struct segments *set, struct segment *segment);
bool segment_has_failed(struct segments *set, struct segment *segment);

/* ---- for backups ---- */

/* Between the two no segment is recycled: what an index copy made meanwhile names stays. */
void segments_hold(struct segments *set);
void segments_let_go(struct segments *set);

/* Keeps a segment of this generation from being recycled, without opening it; false when it is gone.
   *settled: nothing below this offset is ever written again (UINT64_MAX: nothing at all is). */
bool segments_keep(struct segments *set, uint32_t number, uint32_t generation, uint64_t *settled);
void segments_unkeep(struct segments *set, uint32_t number);

/* ---- the writer's ---- */

/* fdatasync of all that was written to. On failure the segment is sealed. */
enum err_code segments_sync(struct segments *set, struct err *err);

/* Counts a record in (sign 1) or out (-1), as of the running batch. */
void segments_count(struct segments *set, const struct piece *piece, int sign);

/* A record that was counted out must leave the disk soon: what else is in its segment is moved at once,
   and the file is removed, not used again. */
void segments_erase(struct segments *set, const struct piece *piece);

/* Calls row for each segment whose record the index must be given (removed: its row must go). */
enum err_code segments_rows(struct segments *set,
                            enum err_code (*row)(void *context, const struct segment_record *record,
                                                 bool removed, struct err *err),
                            void *context, struct err *err);
void segments_committed(struct segments *set, uint64_t txn);
void segments_aborted(struct segments *set);

/* Frees what is dead and not read any more: oldest_reader as index_oldest_reader(). Files that have
   been free since before old (Unix time) are removed, with what they still hold. True when rows have
   changed and a commit should follow. */
bool segments_recycle(struct segments *set, uint64_t oldest_reader, int64_t old);

/* Segments with operations newer than this transaction are not recycled: no copy of the index is
   newer. UINT64_MAX, as at first: no copies are made, nothing is kept for them. Any thread. */
void segments_copied(struct segments *set, uint64_t txn);

/* Repair: writes the segment's row anew; false when there is no such segment. */
bool segments_rewrite_row(struct segments *set, uint32_t number);

/* Repair: adds to the live bytes with the running batch; false when that cannot be. */
bool segments_adjust_live(struct segments *set, uint32_t number, int64_t difference);

/* Repair: writes the header of the segment's file anew, durably, when the file has a record of the segment's
   generation. False when it has none, and when there is no such file. */
bool segments_mend_header(struct segments *set, uint32_t number);

/* Bytes of segments that only such a copy keeps from being used again; *erasing: of them some hold what
   segments_erase() was told of. */
uint64_t segments_waiting(struct segments *set, bool *erasing);

/* ---- compaction's ---- */

struct segments_rule {
    unsigned percent; /* a sealed segment with a smaller live share should be rewritten */
    int64_t old;      /* as should one with a record that died before (Unix time) */
};

/* True when the sealed segments that have live records take too much more than these. */
bool segments_overfull(struct segments *set);

/* Numbers of segments to be rewritten, in order of number: those that are too old first, then those
   with the least live share, together not more live bytes than the largest segment has. An active
   one that is too old is sealed. */
size_t segments_choose(struct segments *set, const struct segments_rule *rule, uint32_t *numbers,
                       size_t room);

/* Those that still have live records although nobody is using them are not chosen again. Returns
   how many. */
size_t segments_give_up(struct segments *set, const uint32_t *numbers, size_t count);

/* Grows with each segment that is sealed: time to look whether there is something to do. */
uint64_t segments_sealed(const struct segments *set);

uint32_t segments_next_number(struct segments *set);

struct segments_size {
    uint64_t files;
    uint64_t disk; /* bytes of the files */
    uint64_t live;
    uint64_t free;      /* bytes of files that wait to be used */
    uint64_t erasing;   /* files that hold what segments_erase() was told of */
    uint64_t next_size; /* of the next file */
};
void segments_measure(struct segments *set, struct segments_size *size);

#endif
