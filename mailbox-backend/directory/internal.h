/* What the files of the embedded directory share: its LMDB environment and the tables in it.

   account  guid                 record
   name     log-in name          guid
   address  address or @domain   guid
   removed  guid                 record of an account that was removed
   meta     "format"             one byte
            "salt secret"        32 random bytes, for salts of users unknown */
#ifndef DIRECTORY_INTERNAL_H
#define DIRECTORY_INTERNAL_H

#include <lmdb.h>
#include <pthread.h>

#include "mailbox-backend/directory/credential_cache.h"
#include "mailbox-backend/directory/directory.h"
#include "mailbox-backend/directory/name.h"
#include "mailbox-backend/directory/oauth.h"
#include "mailbox-backend/directory/password.h"
#include "mailbox-backend/directory/record.h"

struct directory {
    pthread_rwlock_t env_lock; /* held for writing only while env is opened again */
    MDB_env *env;              /* NULL: it could not be opened again */
    MDB_dbi account, name, address, removed, meta;
    int lock;     /* one process has the directory */
    bool is_copy; /* a file that nobody writes to; folder is its path */
    char *folder, *default_domain, *delimiter;
    uint64_t default_quota_bytes, default_quota_folders;
    bool scram;             /* SCRAM is offered */
    enum external external; /* EXTERNAL is, by this name */
    uint8_t salt_secret[32];
    const struct oauth_settings *oauth;
    struct jwt *jwt; /* NULL: OAUTHBEARER and XOAUTH2 are not offered */
    struct credential_cache *cache;
    char decoy[PASSWORD_HASH_MAX]; /* hash of a password that nobody knows, for users unknown */
    pthread_mutex_t listener_mutex;
    directory_listener *listener;
    void *listener_context;
};

/* LMDB's errors as ours. */
enum err_code directory_err_mdb(struct err *err, int result, const char *what);

MDB_val val_of_text(const char *text);
MDB_val val_of_guid(const struct store_guid *guid);

/* The environment: once initialised it is opened, and closed even if that failed. */
void env_init(struct directory *directory);
enum err_code env_open(struct directory *directory, struct err *err);
void env_close(struct directory *directory);

/* Begin a look-up or a change; each ends with end_txn(), which takes a change back, or with
   commit_txn(). A thread has one at a time. */
enum err_code begin_read(struct directory *directory, MDB_txn **txn, struct err *err);
enum err_code begin_write(struct directory *directory, MDB_txn **txn, struct err *err);
void end_txn(struct directory *directory, MDB_txn *txn);
enum err_code commit_txn(struct directory *directory, MDB_txn *txn, struct err *err);

/* Record of a GUID, from the table of accounts or of those removed. */
enum err_code get_record(MDB_txn *txn, MDB_dbi table, const struct store_guid *guid,
                         struct arena *arena, Directory__Record **record, struct err *err);

/* The GUID behind a canonical name: log-in name first, then alias. Behind an address: address only. */
enum err_code guid_by_name(struct directory *directory, MDB_txn *txn, const char *name,
                           struct store_guid *guid, struct err *err);
enum err_code guid_by_address(struct directory *directory, MDB_txn *txn, const char *address,
                              struct store_guid *guid, struct err *err);

/* Record by a log-in name as given, in a look-up of its own. */
enum err_code find_record(struct directory *directory, struct str name, struct arena *arena,
                          Directory__Record **record, struct err *err);

#endif
