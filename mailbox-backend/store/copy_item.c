#include <string.h>

#include "mailbox-backend/store/copy.h"
#include "mailbox-backend/store/insert.h"
#include "mailbox-backend/store/property.h"
#include "mailbox-backend/store/remove.h"

#define NOT_LOOKED_UP 0xFF
#define NO_ROOM 0xFE

/* ---- keywords: the same names have other bits in the other folder ---- */

void keyword_map_init(struct keyword_map *map)
{
    memset(map->to, NOT_LOOKED_UP, sizeof(map->to));
}

static enum err_code look_up(struct copy_run *run, unsigned bit, struct err *err)
{
    const char *name = run->source->keywords[bit];
    const struct store_keyword_names names = {&name, 1};
    uint64_t bits[2];
    enum err_code code = batch_keywords(run->batch, run->target, &names, true, bits, err);

    if (code == ERR_NONE)
        run->map.to[bit] =
            (uint8_t)(bits[0] != 0 ? __builtin_ctzll(bits[0]) : 64 + __builtin_ctzll(bits[1]));
    else
        run->map.to[bit] = NO_ROOM;
    return code;
}

enum err_code copy_keywords(struct copy_run *run, struct err *err)
{
    enum err_code code = batch_keywords_load(run->batch, run->source, err);

    for (unsigned bit = 0; bit < run->source->keyword_count && code == ERR_NONE; bit++)
        if ((run->copy->keywords[bit / 64] >> bit % 64 & 1) != 0)
            code = look_up(run, bit, err);
    return code;
}

/* A keyword that appeared after the survey is left out where the target has no room for it. */
static void map_keywords(struct copy_run *run, uint64_t keywords[2])
{
    uint64_t mapped[2] = {0, 0};

    for (unsigned half = 0; half < 2; half++) {
        for (uint64_t left = keywords[half]; left != 0; left &= left - 1) {
            unsigned bit = half * 64 + (unsigned)__builtin_ctzll(left);

            if (bit >= run->source->keyword_count)
                continue;
            if (run->map.to[bit] == NOT_LOOKED_UP)
                look_up(run, bit, NULL);
            if (run->map.to[bit] < STORE_KEYWORDS_MAX)
                mapped[run->map.to[bit] / 64] |= UINT64_C(1) << run->map.to[bit] % 64;
        }
    }
    keywords[0] = mapped[0];
    keywords[1] = mapped[1];
}

/* ---- rows ---- */

static enum err_code copy_summary(struct copy_run *run, uint32_t from, uint32_t to, struct err *err)
{
    const struct tx *tx = &run->source->mailbox->tx;
    struct key key = key_item(run->source->folder, from);
    uint8_t summary[STORE_SUMMARY_MAX];
    struct bytes row;
    enum err_code code = tx_get(tx, TABLE_SUMMARY, &key, &row, err);

    if (code == ERR_NOT_FOUND || code == ERR_CORRUPT || row.length > sizeof(summary))
        return ERR_NONE; /* it can be made again from the content */
    if (code != ERR_NONE)
        return code;
    memcpy(summary, row.data, row.length);
    key = key_item(run->target->folder, to);
    return tx_put(tx, TABLE_SUMMARY, &key, summary, row.length, err);
}

static enum err_code take_out(struct copy_run *run, uint32_t uid, struct err *err)
{
    const struct tx *tx = &run->source->mailbox->tx;
    struct key key = key_item(run->source->folder, uid);
    enum err_code code = tx_remove(tx, TABLE_ITEM, &key, err);

    return code == ERR_NONE ? summary_remove(tx, run->source->folder, uid, err) : code;
}

/* What a copy has of its own, and a move takes along. */
static enum err_code give_own(struct copy_run *run, struct store_item *item, struct err *err)
{
    uint64_t from = item->item_id;
    enum err_code code = batch_content_add(run->batch, item->content_id, err);

    if (code != ERR_NONE)
        return code;
    mailbox_slot_change(run->batch, run->target->mailbox);
    item->item_id = run->target->mailbox->state.next_item++;
    return properties_copy(&run->source->mailbox->tx, from, item->item_id, err);
}

enum err_code copy_item(struct copy_run *run, struct store_item *item, uint32_t uid,
                        uint64_t modseq, struct err *err)
{
    uint32_t from = item->uid;
    enum err_code code = ERR_NONE;

    if (!run->is_move)
        code = give_own(run, item, err);
    item->uid = uid;
    item->modseq = modseq;
    item->save_date = run->batch->now;
    if (code == ERR_NONE && (item->flags.keywords[0] | item->flags.keywords[1]) != 0) {
        code = batch_keywords_load(run->batch, run->source, err);
        if (code == ERR_NONE)
            map_keywords(run, item->flags.keywords);
    }
    if (code == ERR_NONE)
        code = item_put(run->target, item, modseq, err);
    if (code == ERR_NONE)
        code = copy_summary(run, from, uid, err);
    if (code == ERR_NONE && run->is_move)
        code = take_out(run, from, err);
    return code;
}

/* ---- the survey ---- */

static enum err_code check_content(const struct copy_run *run, const struct store_item *item,
                                   struct err *err)
{
    const struct tx *tx = &run->source->mailbox->tx;
    struct key key = key_content(item->content_id);
    struct bytes row;
    enum err_code code = tx_get(tx, TABLE_CONTENT, &key, &row, err);

    return code == ERR_NOT_FOUND ? tx_bad_row(tx, TABLE_CONTENT, err) : code;
}

static enum err_code survey_item(const struct copy_run *run, const struct store_item *item,
                                 struct err *err)
{
    struct copy *copy = run->copy;

    copy->count++;
    copy->bytes += item->size;
    copy->keywords[0] |= item->flags.keywords[0];
    copy->keywords[1] |= item->flags.keywords[1];
    if (run->is_move || copy->count > copy_at_once(run))
        return ERR_NONE;
    return check_content(run, item, err);
}

static enum err_code survey_range(const struct copy_run *run, const struct uid_range *range,
                                  struct err *err)
{
    struct key key = key_item(run->source->folder, range->first);
    struct tx_scan scan;
    enum err_code code =
        scan_begin(&scan, &run->source->mailbox->tx, TABLE_ITEM, PREFIX_FOLDER, err);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    while (code == ERR_NONE || code == ERR_CORRUPT) {
        uint32_t uid = get_u32(scan.key.data + 8);
        struct store_item item;

        if (uid > range->last || uid >= run->copy->source_end)
            break;
        if (code == ERR_NONE && item_unpack(scan.value, uid, &item))
            code = survey_item(run, &item, err);
        else
            code = tx_bad_row(&scan.tx, TABLE_ITEM, err);
        if (code != ERR_NONE)
            break;
        code = scan_next(&scan, err);
    }
    scan_end(&scan);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code copy_survey(const struct copy_run *run, struct err *err)
{
    const struct uidset *uids = run->task->op->uids;
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < uids->count && code == ERR_NONE; i++)
        if (uids->ranges[i].first < run->copy->source_end)
            code = survey_range(run, &uids->ranges[i], err);
    return code;
}
