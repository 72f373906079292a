/* Each message of the folders as its content, read anew, has it: header, end, thread, and summary. */
#include <inttypes.h>
#include <stdlib.h>

#include "common/mem.h"
#include "mailbox-backend/store/check.h"

struct comparison {
    struct check *check;
    struct check_place place; /* the walk goes on at or behind it */
    struct store_item item;   /* of this place */
    struct store_content *content;
    bool has_summary;
    size_t summary_length;
    uint8_t summary[STORE_SUMMARY_MAX];
    struct content_facts facts; /* of the content */
};

/* ---- one item ---- */

static void load_summary(struct comparison *comparison)
{
    struct tx tx = check_tx(comparison->check, comparison->place.mailbox);
    struct key key = key_item(comparison->place.folder, comparison->place.uid);
    struct bytes row;

    comparison->has_summary =
        tx_get(&tx, TABLE_SUMMARY, &key, &row, NULL) == ERR_NONE && row.length <= STORE_SUMMARY_MAX;
    if (!comparison->has_summary)
        return;
    comparison->summary_length = row.length;
    memcpy(comparison->summary, row.data, row.length);
}

/* The item at or behind the place, with its summary and its content, open; content is NULL where there is
   none to be compared, which other passes tell. ERR_NOT_FOUND at the end. */
static enum err_code load_next(struct comparison *comparison, struct err *err)
{
    struct check_place *place = &comparison->place;
    struct tx tx = check_tx(comparison->check, place->mailbox);
    struct key key = key_item(place->folder, place->uid);
    struct tx database = check_tx(comparison->check, 0);
    struct tx_scan scan;
    bool readable = false;
    enum err_code code = scan_begin(&scan, &tx, TABLE_ITEM, PREFIX_NONE, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    if ((code == ERR_NONE || code == ERR_CORRUPT) && scan.key.length == 12) {
        *place = (struct check_place){get_u32(scan.key.data), get_u32(scan.key.data + 4),
                                      get_u32(scan.key.data + 8)};
        readable = code == ERR_NONE && place->folder != 0 && place->uid != KEY_STATE &&
                   item_unpack(scan.value, place->uid, &comparison->item);
        code = ERR_NONE;
    }
    scan_end(&scan);
    if (!readable)
        return code == ERR_CORRUPT ? ERR_NOT_FOUND : code; /* a damaged page has been told */
    load_summary(comparison);
    code = content_open(comparison->check->database, &database, comparison->item.content_id,
                        &comparison->content, err);
    return code == ERR_NOT_FOUND || code == ERR_CORRUPT ? ERR_NONE : code;
}

/* As load_next(), in a snapshot of its own, and the facts of its content. ERR_CORRUPT: it cannot be read. */
static enum err_code read_facts(struct comparison *comparison, struct err *err)
{
    const struct check_options *options = comparison->check->options;
    enum err_code code = check_slice_begin(comparison->check, err);

    if (code != ERR_NONE)
        return code;
    code = load_next(comparison, err);
    index_read_end(&comparison->check->txn);
    if (code == ERR_NONE && comparison->content != NULL) {
        code = options->facts(options->context, comparison->content, &comparison->facts, err);
        if (code == ERR_UNAVAILABLE)
            code = ERR_CORRUPT;
    }
    return code;
}

/* ---- what is wrong with it ---- */

static void compare_row(struct comparison *comparison)
{
    const struct store_item *item = &comparison->item;
    const struct content_facts *facts = &comparison->facts;
    struct mend mend = {.kind = MEND_FACTS, .place = comparison->place, .number = item->content_id};
    uint64_t thread = content_facts_thread(facts, item->email_id);

    mend.facts.header_size = facts->header_size;
    mend.facts.no_final_newline = facts->no_final_newline;
    mend.facts.thread_id = thread;
    if (item->header_size != facts->header_size)
        check_report_mend(comparison->check, &mend,
                          "its header counts as %" PRIu32 " bytes, and has %" PRIu32,
                          item->header_size, facts->header_size);
    else if (item->no_final_newline != facts->no_final_newline)
        check_report_mend(comparison->check, &mend, "its text is said %s with a line's end",
                          item->no_final_newline ? "not to end, and ends,"
                                                 : "to end, and does not end,");
    else if (item->thread_id != thread)
        check_report_mend(comparison->check, &mend,
                          "its conversation (THREADID) is not that of its Message-ID");
}

/* One that is missing is made when it is asked for. */
static void compare_summary(struct comparison *comparison)
{
    const struct check_place *place = &comparison->place;
    const struct content_facts *facts = &comparison->facts;
    struct mend mend = {.kind = MEND_ROW, .table = TABLE_SUMMARY, .place = *place};

    if (!comparison->has_summary ||
        (comparison->summary_length == facts->summary_length &&
         memcmp(comparison->summary, facts->summary, facts->summary_length) == 0))
        return;
    mend.key = key_item(place->folder, place->uid);
    put_u32(mend.key.bytes, place->mailbox);
    check_report_mend(comparison->check, &mend,
                      "its summary (envelope and structure) is not what its text gives");
}

static bool is_there(const struct comparison *comparison)
{
    const struct check_place *place = &comparison->place;
    struct tx tx = check_tx(comparison->check, place->mailbox);
    struct key key = key_item(place->folder, place->uid);
    struct bytes row;

    return check_standing(comparison->check, place->mailbox, place->folder) == STANDING_LIVE &&
           tx_get(&tx, TABLE_ITEM, &key, &row, NULL) == ERR_NONE;
}

/* read: what came of reading the content, err why. */
static enum err_code tell(struct comparison *comparison, enum err_code read, struct err *err)
{
    struct err why = *err;
    uint64_t began = comparison->check->began;
    enum err_code code = check_slice_begin(comparison->check, err);

    comparison->check->began = began; /* the pause is for the reading too */
    if (code != ERR_NONE)
        return code;
    if (is_there(comparison) && read == ERR_CORRUPT)
        check_report(comparison->check, comparison->place, ADVICE_RESTORE,
                     "the message cannot be read (content %" PRIu64 "): %s",
                     comparison->item.content_id, why.text);
    else if (is_there(comparison)) {
        compare_row(comparison);
        compare_summary(comparison);
    }
    return check_slice_end(comparison->check, err);
}

/* ---- the pass ---- */

/* Compares one item, the one that the walk stands on then; what cannot be read may have moved, and is read
   once more. */
static enum err_code compare_next(struct comparison *comparison, struct err *err)
{
    enum err_code code = read_facts(comparison, err);

    if (code == ERR_CORRUPT) {
        store_content_close(&comparison->content);
        code = read_facts(comparison, err);
    }
    if (code == ERR_NONE || code == ERR_CORRUPT) {
        if (comparison->content != NULL)
            code = tell(comparison, code, err);
        else
            code = check_slice_end(comparison->check, err);
    }
    if (comparison->content != NULL)
        store_content_close(&comparison->content);
    return code;
}

/* To the key behind this one. */
static void move_on(struct check_place *place)
{
    if (++place->uid == 0 && ++place->folder == 0)
        place->mailbox++;
}

enum err_code check_facts(struct check *check, struct err *err)
{
    struct comparison *comparison = mem_alloc(sizeof(*comparison));
    struct err why = {0};
    enum err_code code = ERR_NONE;

    comparison->check = check;
    while (code == ERR_NONE) {
        code = compare_next(comparison, err != NULL ? err : &why);
        move_on(&comparison->place);
    }
    free(comparison);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}
