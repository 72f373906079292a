/* Changing the directory: transactions that say afterwards whose sessions should end. */
#ifndef DIRECTORY_WRITE_H
#define DIRECTORY_WRITE_H

#include "mailbox-backend/directory/admin.h"
#include "mailbox-backend/directory/internal.h"

struct write {
    struct directory *directory;
    MDB_txn *txn;
    bool dry_run;
    bool is_ending; /* an account's sessions should end: which, and what it may still use */
    struct store_guid guid;
    unsigned services_left;
};

enum err_code write_begin(struct write *write, struct directory *directory, bool dry_run,
                          struct err *err);

/* Commits when code is ERR_NONE (and it is no dry run), else takes everything back; then tells the
   listener. Returns code or the commit's own error. */
enum err_code write_end(struct write *write, enum err_code code, struct err *err);

/* The record of an existing account, by a name as given. */
enum err_code write_find(struct write *write, struct str name, struct arena *arena,
                         Directory__Record **record, struct err *err);

/* Puts a record into a table. */
enum err_code write_put(struct write *write, MDB_dbi table, const Directory__Record *record,
                        struct err *err);
enum err_code write_delete(struct write *write, MDB_dbi table, const Directory__Record *record,
                           struct err *err);

/* Enters an address or login name; ERR_EXISTS when it is another account's. */
enum err_code write_claim(struct write *write, MDB_dbi table, const char *text,
                          const Directory__Record *record, struct err *err);
enum err_code write_release(struct write *write, MDB_dbi table, const char *text, struct err *err);

/* Proofs or switches changed: a new generation; sessions of services that are not in services_left end
   after the commit. */
void write_changed(struct write *write, Directory__Record *record, unsigned services_left);

/* Puts hash and SCRAM keys of a normalised password into a record. */
enum err_code write_password(Directory__Record *record, const char *password, struct arena *arena,
                             struct err *err);

/* ERR_DENIED: nobody can be let in to a shared mailbox. */
enum err_code write_check_login(const Directory__Record *record, struct err *err);

/* An imported hash was proved right: adds SCRAM keys unless the account changed since. */
void account_gain_scram(struct directory *directory, const struct store_guid *guid,
                        uint64_t generation, const char *password);

#endif
