/* How long, and how much of, an account's deleted messages are kept: asked by the store's writers. */
#include "mailbox-backend/directory/internal.h"

enum err_code directory_recovery(struct directory *directory, const struct store_guid *guid,
                                 struct store_recovery *recovery, struct err *err)
{
    struct arena arena = {0};
    Directory__Record *record = NULL;
    MDB_txn *txn = NULL;
    enum err_code code = begin_read(directory, &txn, err);

    if (code != ERR_NONE)
        return code;
    code = get_record(txn, directory->account, guid, &arena, &record, err);
    if (code == ERR_NOT_FOUND)
        code = get_record(txn, directory->removed, guid, &arena, &record, err);
    if (code == ERR_NONE && record->recovery_is_set)
        recovery->seconds = record->recovery_seconds;
    if (code == ERR_NONE && record->recovery_quota_is_set)
        recovery->quota = record->recovery_quota;
    end_txn(directory, txn);
    arena_reset(&arena);
    return code;
}
