#include "mailbox-backend/directory/internal.h"

enum err_code directory_copy(struct directory *directory, int to, struct err *err)
{
    MDB_txn *txn; /* keeps the environment open */
    enum err_code code = begin_read(directory, &txn, err);

    if (code != ERR_NONE)
        return code;
    code = directory_err_mdb(err, mdb_env_copyfd2(directory->env, to, MDB_CP_COMPACT), "copy");
    end_txn(directory, txn);
    return code;
}
