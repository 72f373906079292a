/* The administrator's side of the embedded directory: making and changing accounts. Every change is
   durable when the function returns. With dry_run everything is checked and nothing is changed.
   Functions that hash passwords take 20 ms and more; none belongs on a loop. */
#ifndef DIRECTORY_ADMIN_H
#define DIRECTORY_ADMIN_H

#include "mailbox-backend/directory/directory.h"

#define SERVICES_ALL (SERVICE_IMAP4 | SERVICE_POP3 | SERVICE_LMTP)

/* The bits of "imap4,pop3,lmtp", "all" or "none". */
enum err_code account_services_parse(const char *text, unsigned *services, struct err *err);
const char *account_service_name(enum account_service service); /* "imap4" */

/* What is known of a new account. */
struct account_new {
    struct str name;          /* as directory_find() takes it */
    struct str password;      /* data NULL: none */
    const char *hash;         /* of crypt(3), instead of a password; or NULL */
    const char *display_name; /* or NULL */
    unsigned services;
    bool disabled;
    bool is_shared;                          /* a mailbox of nobody, without password */
    bool quota_is_set, quota_folders_is_set; /* else the site's default */
    uint64_t quota_bytes, quota_messages, quota_folders;
};

/* Makes the account; its name becomes its first mail address. Fills *account (may be NULL) with what
   was made. ERR_EXISTS when the name or address is taken, ERR_INVALID, ERR_LIMIT (the password is too
   long). */
enum err_code account_add(struct directory *directory, const struct account_new *new, bool dry_run,
                          struct arena *arena, struct account *account, struct err *err);

/* Makes many in one transaction; results[n] says how the n-th went, one that fails does not hinder
   the others. Fails as a whole only when the directory does. */
enum err_code account_add_many(struct directory *directory, const struct account_new *new,
                               size_t count, bool dry_run, struct err *results, struct err *err);

/* What `user set` may change: pointers that are not NULL. */
struct account_change {
    const char *display_name;
    const unsigned *services;
    const bool *enabled, *may_impersonate, *detail_folders;
    const uint64_t *quota_bytes, *quota_messages, *quota_folders; /* 0: no limit */
    bool quota_default, quota_folders_default;                    /* back to the site's default */
    const uint64_t *recovery_seconds, *recovery_quota;            /* quota 0: no limit */
    bool recovery_default, recovery_quota_default;
    const char *pop3_folder; /* a normalised path; "": the site's default */
    const bool *pop3_newest_first;
    bool pop3_order_default;
};
enum err_code account_set(struct directory *directory, struct str name,
                          const struct account_change *change, bool dry_run, struct err *err);

/* password.data NULL: from now on none. ERR_DENIED for a shared mailbox, which has none. */
enum err_code account_set_password(struct directory *directory, struct str name,
                                   struct str password, bool dry_run, struct err *err);

/* The account goes; its names and addresses are free at once, its mailbox and what was known of it stay
   until directory_forget(). */
enum err_code account_remove(struct directory *directory, struct str name, bool dry_run,
                             struct err *err);

/* Brings an account back that was removed last under this name, with those of its addresses that
   are still free. ERR_NOT_FOUND, ERR_EXISTS when the name is taken again. */
enum err_code account_restore(struct directory *directory, struct str name, bool dry_run,
                              struct err *err);

/* Makes an account again that is known no more, as a copy of the directory has it: its GUID, password,
   switches, and those of its addresses that are still free; no application passwords, which may have been revoked since. ERR_NOT_FOUND: it is not in the copy.
   ERR_EXISTS: its name is taken, or account_restore() can bring it back. */
enum err_code account_bring_back(struct directory *directory, struct directory *copy,
                                 struct str name, bool dry_run, struct err *err);

/* A mail address, an alias or "@domain" (catch-all). ERR_EXISTS names whose it is. */
enum err_code address_add(struct directory *directory, struct str name, struct str address,
                          bool dry_run, struct err *err);
enum err_code address_remove(struct directory *directory, struct str address, bool dry_run,
                             struct err *err);

/* ---- lists: one entry a call, no snapshot is held between calls ---- */

/* The next account behind cursor ("" at first), in the order of names; cursor becomes its name.
   ERR_NOT_FOUND at the end. */
#define DIRECTORY_CURSOR_SIZE 512
enum err_code directory_next(struct directory *directory, char cursor[DIRECTORY_CURSOR_SIZE],
                             struct arena *arena, struct account *account, struct err *err);

/* The same for addresses: cursor becomes the address. */
enum err_code directory_next_address(struct directory *directory,
                                     char cursor[DIRECTORY_CURSOR_SIZE], struct arena *arena,
                                     struct account *account, struct err *err);

/* The same for removed accounts, in the order of GUIDs; *more is set to false at first. */
struct directory_removed {
    struct store_guid guid;
    const char *name;
    int64_t removed; /* Unix time */
};
enum err_code directory_next_removed(struct directory *directory, bool *more,
                                     struct directory_removed *removed, struct arena *arena,
                                     struct err *err);

/* Ends what is kept of a removed account: after its mailbox was removed. */
enum err_code directory_forget(struct directory *directory, const struct store_guid *guid,
                               struct err *err);

/* When the account was made, its password set; whether SCRAM keys are there: for `user show`. */
struct account_facts {
    int64_t created, password_changed;
    bool has_scram, password_is_imported;
    size_t app_passwords;
};
enum err_code directory_facts(struct directory *directory, struct str name,
                              struct account_facts *facts, struct err *err);

/* ---- application passwords ---- */

struct app_password_new {
    struct str login;
    const char *name;  /* of the program or device, 1 to 64 bytes; no two of a user are alike */
    struct str secret; /* random, of 80 bits at least; spaces and dashes do not count */
    unsigned services; /* SERVICE_IMAP4, SERVICE_POP3 or both */
    const char *const *networks; /* as of net_range_parse(), 16 at most */
    size_t network_count;        /* 0: it is good from everywhere */
};

/* ERR_NOT_FOUND (the user), ERR_EXISTS, ERR_INVALID, ERR_LIMIT (32 a user), ERR_DENIED (a shared mailbox). */
enum err_code app_password_add(struct directory *directory, const struct app_password_new *new,
                               bool dry_run, struct err *err);

/* name NULL: all of the user's. Sessions of the services that it was good for end. ERR_NOT_FOUND. */
enum err_code app_password_revoke(struct directory *directory, struct str login, const char *name,
                                  bool dry_run, struct err *err);

/* All of a user's, in the order in which they were made; everything from arena. */
struct app_password_facts {
    const char *name;
    unsigned services;
    const char *const *networks;
    size_t network_count;
    int64_t created, last_used; /* Unix times; last_used is up to an hour behind, 0: never */
    const char *last_address;   /* "192.0.2.7"; "" when never used */
};
enum err_code app_password_list(struct directory *directory, struct str login, struct arena *arena,
                                struct app_password_facts **list, size_t *count, struct err *err);

/* ---- passwd-files ---- */

/* Reads a line of a passwd-file (name:password:uid:gid:gecos:home:shell:extra), as Dovecot has them, or
   one of shadow(5); texts are from arena. The GECOS field gives the display name, Dovecot's userdb_quota_rule the quota,
   nologin a disabled account. ERR_NOT_FOUND for an empty line or a comment; ERR_INVALID. */
enum err_code passwd_line_parse(struct str line, struct arena *arena, struct account_new *new,
                                struct err *err);

#endif
