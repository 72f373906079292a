/* The file of one mailbox's grams (mime/text_grams.h): blocks, each of which has for up to 1,024 items
   which gram places their texts have. Appended to by one thread, read by any number, each with the file
   open for itself. Derived from the messages: a file that is lost or damaged is made anew.

   All numbers are big-endian. The file begins with 64 bytes: magic "MGF1", version u32, the mailbox's
   GUID, zeros, CRC32C of the 60 bytes before. A block, at a multiple of 64:

     magic "MGB1", items u32, bits u32, CRC32C u32 of the ids; upto u64; modseq u64; length u64 of the
     whole block; first and last id u64; zeros; CRC32C u32 of the 60 bytes before
     the items' ids, u48 each, rising; zeros up to a multiple of 64
     2^bits rows: for each place one bit an item, then CRC32C u32 of the block's offset u64, the place
     u32 and the row

   A block's first 64 bytes are written last, after all others are on the disk. */
#ifndef SEARCH_GRAM_FILE_H
#define SEARCH_GRAM_FILE_H

#include "mailbox-backend/mime/text_grams.h"
#include "mailbox-backend/store/store.h"

#define GRAM_ITEMS_MOST 1024u
#define GRAM_ROW_MOST (GRAM_ITEMS_MOST / 8)

struct gram_block {
    uint64_t offset;
    uint64_t first, last; /* ids */
    uint32_t items;
    uint32_t bits; /* 2^bits places */
};

struct gram_file {
    int fd;
    char *path;
    struct gram_block *blocks; /* by rising ids, which do not overlap */
    size_t count;
    uint64_t items;  /* of all blocks */
    uint64_t end;    /* bytes: where the next block goes */
    uint64_t upto;   /* item ids below this were looked at */
    uint64_t modseq; /* and the mailbox's changes up to this */
};

/* Opens the mailbox's file below the folder. make: one that is not there, or is none of this mailbox's, is made
   anew; else that is ERR_NOT_FOUND. */
enum err_code gram_file_open(struct gram_file *file, const char *folder,
                             const struct store_guid *guid, bool make, struct err *err);
void gram_file_close(struct gram_file *file);

/* Removes the mailbox's file; none is fine. Who has it open can go on reading. */
void gram_file_remove(const char *folder, const struct store_guid *guid);

/* What a new block has: the items' ids, rising, and one row of GRAM_ROW_MOST bytes for each place. */
struct gram_matrix {
    uint64_t ids[GRAM_ITEMS_MOST];
    uint32_t items;
    uint32_t bits;
    uint8_t (*rows)[GRAM_ROW_MOST];
};
enum err_code gram_file_add(struct gram_file *file, const struct gram_matrix *matrix, uint64_t upto,
                            uint64_t modseq, struct err *err);

/* ERR_CORRUPT: the checksum is wrong. */
enum err_code gram_block_ids(const struct gram_file *file, const struct gram_block *block,
                             uint64_t ids[GRAM_ITEMS_MOST], struct err *err);

/* The row of a place among TEXT_GRAM_PLACES: bit n % 8 of byte n / 8 is the n-th item's. */
enum err_code gram_block_row(const struct gram_file *file, const struct gram_block *block,
                             uint16_t place, uint8_t row[GRAM_ROW_MOST], struct err *err);

#endif
