/* Salts for users who do not exist. A user's salt stays the same until the password changes, so theirs
   must, also over a restart: it is made of the name and a secret that the directory keeps. */
#include <string.h>

#include "common/random.h"
#include "mailbox-backend/directory/scram.h"

enum err_code scram_secret_load(struct directory *directory, struct err *err)
{
    MDB_val key = val_of_text("salt secret"), value;
    MDB_txn *txn;
    enum err_code code = begin_write(directory, &txn, err);
    int result;

    if (code != ERR_NONE)
        return code;
    result = mdb_get(txn, directory->meta, &key, &value);
    if (result == 0 && value.mv_size == sizeof(directory->salt_secret)) {
        memcpy(directory->salt_secret, value.mv_data, value.mv_size);
        end_txn(directory, txn);
        return ERR_NONE;
    }
    random_bytes(directory->salt_secret, sizeof(directory->salt_secret));
    value = (MDB_val){sizeof(directory->salt_secret), directory->salt_secret};
    if (result == 0 || result == MDB_NOTFOUND)
        result = mdb_put(txn, directory->meta, &key, &value, 0);
    code = directory_err_mdb(err, result, "salt secret");
    if (code == ERR_NONE)
        return commit_txn(directory, txn, err);
    end_txn(directory, txn);
    return code;
}

void scram_fake_salt(const struct directory *directory, enum hash_kind kind, struct str given,
                     uint8_t salt[SCRAM_SALT_SIZE])
{
    struct str secret = str_n(directory->salt_secret, sizeof(directory->salt_secret));
    uint8_t key[HASH_SIZE_MAX], made[HASH_SIZE_MAX];
    char name[NAME_SIZE];

    /* all ways to write one name have one salt, as a user's have */
    if (name_login(given, directory->default_domain, name, NULL) == ERR_NONE)
        given = str_of(name);
    hash_mac(HASH_SHA256, secret, kind == HASH_SHA1 ? STR("SHA-1") : STR("SHA-256"), key);
    hash_mac(HASH_SHA256, str_n(key, hash_size(HASH_SHA256)), given, made);
    memcpy(salt, made, SCRAM_SALT_SIZE);
}
