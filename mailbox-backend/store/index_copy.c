#include "mailbox-backend/store/index_copy.h"

#include "mailbox-backend/store/index_internal.h"

enum err_code index_copy(struct index *index, int to, struct err *err)
{
    struct crash_marks *outside;
    struct index_txn *txn; /* keeps the environment open */
    enum err_code code = index_read_begin(index, &txn, err);
    int rc;

    if (code != ERR_NONE)
        return code;
    outside = crash_enter(index->marks);
    rc = mdb_env_copyfd2(index->env, to, MDB_CP_COMPACT);
    crash_leave(outside);
    index_read_end(&txn);
    return rc == 0 ? ERR_NONE : err_mdb(err, rc, "copying the index");
}
