/* What the passes of a check share: slices, findings, walks over tables. */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "mailbox-backend/store/database.h"
#include "mailbox-backend/store/maintain.h"

#define CHECK_SLICE_FINDINGS 64u

struct repair;

/* Where something was found. */
struct check_place {
    uint32_t mailbox; /* number; 0: none */
    uint32_t folder, uid;
};

/* What repair has to look at because of a finding. */
enum mend_kind {
    MEND_NOTHING,
    MEND_ROW,        /* a row that is damaged, or that nothing needs: table and key */
    MEND_MAILBOX,    /* the mailbox's own rows: number, GUID, counters, root and INBOX */
    MEND_FOLDER,     /* the folder's own rows: state and counts, record, name, place */
    MEND_ITEM,       /* what the item's row says */
    MEND_FACTS,      /* what it says of its content, which has number: facts */
    MEND_CONTENT,    /* a content whose row is missing or damaged: number */
    MEND_REFERENCES, /* the uses of the content: number, by difference */
    MEND_ORPHAN,     /* a content that nothing uses: number */
    MEND_LIVE,       /* live bytes of the segment: number, by difference */
    MEND_FILE,       /* the header of the segment's file: number */
};

struct mend {
    enum mend_kind kind;
    enum table table;
    struct key key;
    struct check_place place;
    uint64_t number;
    struct {
        uint32_t header_size;
        bool no_final_newline;
        uint64_t thread_id;
    } facts;
    int64_t difference; /* to be added: it holds also when the store has moved on since */
};

struct check_finding {
    struct maintain_finding told;
    struct mend mend;
};

struct check {
    struct database *database;
    struct repair *repair; /* mends what is found; NULL: it is only told */
    const struct check_options *options;
    struct check_result *result;

    struct index_txn *txn; /* the snapshot of the running slice */
    uint64_t began;        /* of the slice, or of the work behind it; milliseconds */
    bool whole;            /* slices do not end before their walk does */

    struct check_finding found[CHECK_SLICE_FINDINGS]; /* of this slice */
    unsigned found_count;

    /* What a repair must know before it lowers a count. */
    bool items_damaged;    /* there is an item whose content is not known */
    bool contents_damaged; /* there is a content whose pieces are not known */
};

/* A snapshot for a short while. */
enum err_code check_slice_begin(struct check *check, struct err *err);
bool check_slice_is_over(const struct check *check);

/* Ends the snapshot, tells what was found, and pauses. */
enum err_code check_slice_end(struct check *check, struct err *err);

/* Within a slice: something that cannot be mended from what is here. */
void check_report(struct check *check, struct check_place place, const char *advice,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same, of what `database repair` mends. */
void check_report_mend(struct check *check, const struct mend *mend, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Rows of the database itself belong to mailbox 0. */
struct tx check_tx(const struct check *check, uint32_t mailbox);

/* What the folder (0: the whole mailbox) is. */
enum check_standing {
    STANDING_LIVE,
    STANDING_GOING, /* removed, its rows follow */
    STANDING_NONE,
};
enum check_standing check_standing(const struct check *check, uint32_t mailbox, uint32_t folder);

struct check_row {
    struct bytes key, value;
    bool damaged; /* its checksum is wrong: value means nothing */
};
/* The row's key. */
struct key check_key(const struct check_row *row);

typedef void check_row_fn(struct check *check, const struct check_row *row, void *context);

/* Calls visit for each row from a key on (whole, with its mailbox), in slices. */
enum err_code check_walk(struct check *check, enum table table, struct key from,
                         check_row_fn *visit, void *context, struct err *err);

/* The first pass; when pages are damaged, no other must follow: LMDB may end the process. */
enum err_code check_pages(struct check *check, bool *damaged, struct err *err);

/* All passes but the reading of content. */
enum err_code check_index(struct check *check, struct err *err);

/* The passes. */
enum err_code check_database_tables(struct check *check, struct err *err);
enum err_code check_folder_tables(struct check *check, struct err *err);
enum err_code check_items(struct check *check, struct err *err);
enum err_code check_references(struct check *check, struct err *err);
enum err_code check_segments(struct check *check, struct err *err);
enum err_code check_content(struct check *check, struct err *err);
enum err_code check_facts(struct check *check, struct err *err);

/* Calls visit for each item, of folders and recoverable, that can be read. */
typedef void check_item_fn(const struct store_item *item, struct check_place place, void *context);
enum err_code check_each_item(struct check *check, check_item_fn *visit, void *context,
                              struct err *err);

/* To repair, with a finding that was told after its snapshot had ended. */
enum err_code repair_found(struct repair *repair, const struct check_finding *finding,
                           struct err *err);

#define ADVICE_REPAIR "database repair mends it, and says what was lost where something was"
#define ADVICE_REPORT "nothing is lost; keep a copy of the database and report it"
#define ADVICE_RESTORE                                                                             \
    "bring the messages back from a backup of the data folder; look at the disk's health "         \
    "(smartctl, "                                                                                  \
    "dmesg)"

#endif
