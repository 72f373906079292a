/* What the segments' own files share. */
#ifndef STORE_SEGMENT_INTERNAL_H
#define STORE_SEGMENT_INTERNAL_H

#include "mailbox-backend/store/segment.h"

#define SEGMENTS_KEPT_OPEN                                                                         \
    64u /* that nobody has pinned: opening costs more than reading a message does */

TAILQ_HEAD(idle_segments, segment);

struct segments {
    char *folder;
    uint32_t start;
    bool read_only; /* files of a backup: nothing is appended, made or removed */

    pthread_mutex_t lock; /* of what follows, and of the records in the segments */
    pthread_cond_t changed;
    struct segment **all; /* in order of number */
    size_t count;
    size_t room;
    unsigned held;             /* index copies being made */
    struct segment *active;    /* NULL until the first reservation */
    struct idle_segments idle; /* open and not pinned, the one that was used last at the end */
    unsigned idle_count;
    uint32_t next;
    uint64_t largest; /* size of the largest file so far */
    uint64_t most;    /* that a file may have */
    uint64_t copied;  /* transaction that the newest copy of the index has */
    atomic_uint_fast64_t sealed;

    /* the maker: a thread that prepares the next file */
    pthread_t maker;
    bool wanted;
    bool stop;
    unsigned failures; /* grows with each file that could not be made */
    struct err why;
};

char *segment_path(const char *folder, uint32_t number);

/* Makes a file of zeros with its header, durable. */
enum err_code segment_make(const char *folder, const struct segment_record *record,
                           struct err *err);
enum err_code segment_write_header(int fd, const struct segment_record *record, struct err *err);

/* What a file's first bytes tell: number, generation, size. False when they are damaged. */
#define SEGMENT_HEADER_USED 28u
bool segment_header_unpack(const uint8_t header[SEGMENT_HEADER_USED],
                           struct segment_record *record);

/* The number in a segment's file name; 0 for other files. */
uint32_t segment_number_of(const char *name);

/* Opens for reading and writing, and checks the header against the record. */
enum err_code segment_open_file(const char *folder, const struct segment_record *record, int *fd,
                                struct err *err);

/* The same for one in a backup's folder, for reading. */
enum err_code segment_open_copy(const char *folder, const struct segment_record *record, int *fd,
                                struct err *err);

/* With the lock held. */
void segments_insert(struct segments *set, const struct segment_record *record, bool row_dirty);
struct segment *segments_find(struct segments *set, uint32_t number);
struct segment *segments_find_free(struct segments *set);
enum err_code segments_pin_locked(struct segments *set, struct segment *segment, struct err *err);
void segments_seal(struct segments *set, struct segment *segment);

/* Closes and frees one that nobody has pinned and that is no longer among all. */
void segments_free(struct segments *set, struct segment *segment);
uint64_t segments_next_size(const struct segments *set);

void segments_maker_start(struct segments *set);
void segments_maker_stop(struct segments *set);

/* Removes files in the folder that the index does not know, where nothing in them was committed; none when a record shows
   that the index is older than the segments. */
void segments_settle(struct segments *set, const struct segments_start *how);

#endif
