#include "mailbox-backend/store/format.h"

#include <inttypes.h>

static const struct {
    uint32_t since;
    const char *what;
} differences[FORMAT_DIFFERENCES] = {
    [FORMAT_RECOVERABLE_COUNTS] =
        {2, "mailboxes count their recoverable items, so that store.recovery_quota is kept "
            "within a minute"},
};

bool format_has(uint32_t format, enum format_difference difference)
{
    return format >= differences[difference].since;
}

const char *format_brought(uint32_t format)
{
    for (size_t i = 0; i < FORMAT_DIFFERENCES; i++)
        if (differences[i].since == format)
            return differences[i].what;
    return "";
}

uint32_t format_of(struct bytes row)
{
    if (row.length < FORMAT_AT || row.data[0] == 0)
        return 0;
    if (row.data[0] == 1)
        return 1;
    return row.length < FORMAT_AT + 4 ? 0 : get_u32(row.data + FORMAT_AT);
}

enum err_code format_check(uint32_t format, struct err *err)
{
    if (format == 0)
        return err_set(err, ERR_CORRUPT, "the database's own row is damaged");
    if (format > FORMAT_NEWEST)
        return err_set(
            err, ERR_UNAVAILABLE,
            "the database has format %" PRIu32 ", this program knows formats up to %u: run "
            "the newer program that wrote it, or restore a backup from before the upgrade",
            format, FORMAT_NEWEST);
    return ERR_NONE;
}

enum err_code format_check_row(const struct tx *tx, struct err *err)
{
    struct tx own = {tx->txn, 0};
    struct key key = key_number(0);
    struct bytes row;
    enum err_code code = tx_get(&own, TABLE_SEGMENT, &key, &row, err);

    return code == ERR_NONE ? format_check(format_of(row), err) : code;
}

enum err_code format_check_index(struct index *index, struct err *err)
{
    struct tx tx = {NULL, 0};
    enum err_code code = index_read_begin(index, &tx.txn, err);

    if (code == ERR_NONE)
        code = format_check_row(&tx, err);
    index_read_end(&tx.txn);
    return code;
}
