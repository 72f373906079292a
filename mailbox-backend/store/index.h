/* The index of one database: an LMDB environment, its tables, and transactions on them. Values are
   sealed: a CRC32C over key and value stands behind each, and every read checks it.

   This is the engine seam. Operations on mailboxes see only struct tx, which is limited to the rows
   of one mailbox: get, put, remove, ordered scan. The tables of the database itself (content,
   segment, mailbox, guid, pending) belong to the engine. */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "common/err.h"
#include "mailbox-backend/store/bytes.h"
#include "mailbox-backend/store/keys.h"

struct index;
struct index_txn;

struct crash_marks;

/* Opens or makes the index in the folder. marks (kept; may be NULL) get a mark when a page of it ends
   the process. */
enum err_code index_open(struct index **index, const char *folder, uint64_t map_size,
                         unsigned max_readers, struct crash_marks *marks, struct err *err);
void index_close(struct index **index);

/* Of its file; good as long as the index. */
const char *index_path(const struct index *index);

/* After a failed write: waits until the readers have left, closes and opens again. When the file
   shows the transaction that failed (after an EIO the page cache proves nothing), the index goes
   back to the one before it. On failure the index stays down, and this may be called again. */
enum err_code index_reopen(struct index *index, uint64_t failed_txn, struct err *err);

/* Gives the file zeros behind its last page when few are left there, so that commits rarely make it longer: a sync
   that records new blocks costs the disk about as much again. The writer's thread, between
   transactions. Without room for it nothing happens. */
void index_extend(struct index *index);

struct index_size {
    uint64_t bytes; /* of the file, up to its last page */
    uint64_t map;   /* bytes that it may reach */
    uint64_t free;  /* of bytes, in pages that can be used again; counted only near the map's end */
    uint64_t guids, folders, items; /* rows */
};
enum err_code index_measure(struct index *index, struct index_size *size, struct err *err);

/* ---- transactions ---- */

/* A snapshot, from a pool; waits while max_readers are in use. ERR_UNAVAILABLE while down. */
enum err_code index_read_begin(struct index *index, struct index_txn **txn, struct err *err);
void index_read_end(struct index_txn **txn);

/* The one write transaction: only the writer's thread. */
enum err_code index_write_begin(struct index *index, struct index_txn **txn, struct err *err);
enum err_code index_commit(struct index_txn **txn, struct err *err);
void index_abort(struct index_txn **txn);

uint64_t index_txn_id(const struct index_txn *txn);

/* True when a write failed in a way that spoils the whole transaction; err (may be NULL) says how. */
bool index_is_broken(const struct index_txn *txn, struct err *err);

/* Makes the write transaction one that must not be committed. */
void index_break(struct index_txn *txn, const struct err *why);

/* True when rows were written. */
bool index_has_written(const struct index_txn *txn);

/* The oldest snapshot that is being read: *age_ms 0 and UINT64_MAX when there is none. */
uint64_t index_oldest_reader(struct index *index, uint64_t *age_ms);

/* ---- rows ---- */

struct tx {
    struct index_txn *txn;
    uint32_t mailbox;
};

/* ERR_NOT_FOUND, ERR_CORRUPT (checksum), ERR_UNAVAILABLE. The value lies in the map: it is good
   until the next write, or the end of the snapshot. key's first bytes are filled in. */
enum err_code tx_get(const struct tx *tx, enum table table, struct key *key, struct bytes *value,
                     struct err *err);
enum err_code tx_put(const struct tx *tx, enum table table, struct key *key, const void *value,
                     size_t length, struct err *err);

/* As tx_put, for a key that is greater than all others of the table. */
enum err_code tx_append(const struct tx *tx, enum table table, struct key *key, const void *value,
                        size_t length, struct err *err);
enum err_code tx_remove(const struct tx *tx, enum table table, struct key *key, struct err *err);

/* ERR_CORRUPT for a row that does not unpack. */
enum err_code tx_bad_row(const struct tx *tx, enum table table, struct err *err);

/* An ordered walk over the keys that share the first prefix bytes of the sought one. Not across
   writes to the same table: seek again after them. */
struct tx_scan {
    struct tx tx;
    enum table table;
    size_t prefix;
    void *cursor;
    struct bytes key, value; /* of the row it stands on; value without the checksum */
};
enum err_code scan_begin(struct tx_scan *scan, const struct tx *tx, enum table table, size_t prefix,
                         struct err *err);
void scan_end(struct tx_scan *scan);

/* Stands on the first row at or behind key. ERR_NOT_FOUND at the end; ERR_CORRUPT: key is valid and
   the walk can go on. */
enum err_code scan_seek(struct tx_scan *scan, struct key *key, struct err *err);
enum err_code scan_next(struct tx_scan *scan, struct err *err);

#endif
