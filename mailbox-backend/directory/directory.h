/* The directory seam: who the users are, how they prove it, and which back end is home to their
   mailbox. First source: the embedded directory, an LMDB environment of its own. Others (LDAP …)
   plug in behind the same functions. Any thread may call; look-ups read memory-mapped pages and are
   short; directory_verify() hashes and belongs on the hashing pool. */
#ifndef DIRECTORY_DIRECTORY_H
#define DIRECTORY_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/str.h"
#include "mailbox-backend/store/store.h"
#include "proto/link.pb-c.h"

struct directory;

enum account_service { /* bits: what the account may use, as Exchange's PopEnabled/ImapEnabled */
                       SERVICE_IMAP4 = 1,
                       SERVICE_POP3 = 2,
                       SERVICE_LMTP = 4,
};

/* A copy of what the directory knows of one user; all memory from the caller's arena. */
struct account {
    struct store_guid guid;
    struct store_guid
        proven_by;            /* after a proof: whose credential it was; else the account itself */
    const char *name;         /* canonical log-in name: user@domain, lower case, NFC */
    const char *display_name; /* or "" */
    const char *const *addresses; /* mail addresses; the first is the main one */
    size_t address_count;
    unsigned services; /* enum account_service bits */
    bool enabled;
    bool may_impersonate; /* may give another user as SASL authorization identity */
    bool detail_folders;  /* user+detail@ goes into the folder `detail` if it exists */
    uint64_t quota_bytes; /* 0: no limit (the site's default is already put in) */
    uint64_t quota_messages;
    uint64_t quota_folders; /* as quota_bytes; 0: as many as the store takes */
    bool recovery_is_set,
        recovery_quota_is_set; /* else the site's defaults, which the store knows */
    struct store_recovery recovery;
    const char *pop3_folder; /* "": the site's default */
    bool pop3_order_is_set;  /* else the site's default */
    bool pop3_newest_first;
    uint64_t epoch;      /* of its home */
    uint64_t generation; /* grows with every change of proofs or switches */
    bool has_password;
    bool is_shared;           /* a mailbox of nobody: there is no password, and nobody logs in */
    const char *app_password; /* after a proof: the name of the one that it was; else NULL */
};

/* Which name of a client's certificate is the user's. */
enum external { EXTERNAL_NO, EXTERNAL_EMAIL, EXTERNAL_COMMON_NAME };
extern const char *const directory_external_names[]; /* NULL-terminated, in the order of the enum */

struct oauth_settings; /* oauth.h */

struct directory_settings {
    const char *folder;
    const char *default_domain; /* for log-in names without one */
    const char *delimiter;      /* "+" */
    uint64_t cache_seconds;     /* of verified credentials */
    uint64_t default_quota_bytes, default_quota_folders;
    bool scram; /* offer SCRAM */
    enum external external;
    const struct oauth_settings *oauth; /* NULL: none; must live as long as the directory */
};

enum err_code directory_open(struct directory **directory,
                             const struct directory_settings *settings, struct err *err);
void directory_close(struct directory **directory);

/* For a daemon's start: reads the keys of the tokens' issuer, where there is one, so that the log says at
   once if that cannot be done. */
void directory_read_keys(struct directory *directory);

/* Writes the directory as of one moment to a file: the data.mdb of a folder that directory_open()
   takes. */
enum err_code directory_copy(struct directory *directory, int to, struct err *err);

/* Opens what directory_copy() has written, for looking up only, with the settings of another. Its
   checksum is the caller's to check: damaged pages can end the process. */
enum err_code directory_open_copy(struct directory **directory, const char *path,
                                  const struct directory *like, struct err *err);

/* By log-in name as a client gives it: user, user@domain, DOMAIN\user, an alias, any case.
   ERR_NOT_FOUND, ERR_INVALID (not a possible name: treat like not found). */
enum err_code directory_find(struct directory *directory, struct str name, struct arena *arena,
                             struct account *account, struct err *err);
enum err_code directory_find_guid(struct directory *directory, const struct store_guid *guid,
                                  struct arena *arena, struct account *account, struct err *err);

/* Changes *recovery to what an account, or one that was removed, has of its own. ERR_NOT_FOUND when there
   is no such account. */
enum err_code directory_recovery(struct directory *directory, const struct store_guid *guid,
                                 struct store_recovery *recovery, struct err *err);

/* By mail address (without angle brackets): address, alias, catch-all of the domain; user+detail.
   detail is the part behind the delimiter ("" without), from arena. */
enum err_code directory_resolve(struct directory *directory, struct str address,
                                struct arena *arena, struct account *account, const char **detail,
                                struct err *err);

/* One try to log in, with all its messages. Made for a mechanism, fed with the client's messages. */
struct proof;

enum proof_result {
    PROOF_OK,          /* account is whose session it is (the authorization identity) */
    PROOF_CHALLENGE,   /* send challenge, feed the answer */
    PROOF_WRONG,       /* unknown user or wrong password, not told apart, and alike in time */
    PROOF_UNBOUND,     /* the channel binding is not that of the client's connection */
    PROOF_DENIED,      /* authenticated, but may not act as the authorization identity */
    PROOF_DISABLED,    /* authenticated, but the account or this service is off for it */
    PROOF_INVALID,     /* malformed message */
    PROOF_UNSUPPORTED, /* mechanism */
    PROOF_UNAVAILABLE, /* the directory cannot say now */
};

/* client is what the front says of it; it must live as long as the proof. Its bindings are there where
   SCRAM-…-PLUS was offered. */
struct proof *proof_create(struct directory *directory, const char *mechanism,
                           enum account_service service, const Link__Client *client);
/* The SASL mechanisms that may be offered besides PLAIN, best first; returns how many. The texts are
   constant. */
#define DIRECTORY_MECHANISMS_MOST 8
size_t directory_mechanisms(const struct directory *directory,
                            const char *names[DIRECTORY_MECHANISMS_MOST]);

/* The setting as directory_open() was given it. */
enum external directory_external(const struct directory *directory);

/* message: the client's response (decoded); NULL before a first one when the mechanism starts with the
   server. May hash for 100 ms and more: call on the hashing pool, after
   proof_step_at_once(). */
enum proof_result proof_step(struct proof *proof, const struct str *message, struct buf *challenge,
                             struct arena *arena, struct account *account);
/* Does proof_step() where that is quick enough for a loop: the mechanism hashes no password, or the
   credential in message was verified a short time ago. False when it is not: nothing was done then. */
bool proof_step_at_once(struct proof *proof, const struct str *message, struct buf *challenge,
                        struct arena *arena, struct account *account, enum proof_result *result);
void proof_destroy(struct proof **proof); /* wipes what it held */

/* Called (on the changing thread) when an account was disabled, removed, or lost a service or a
   password: its sessions should end. One listener. */
typedef void directory_listener(void *context, const struct store_guid *guid,
                                unsigned services_left);
void directory_listen(struct directory *directory, directory_listener *listener, void *context);

/* Counts accounts, for `status`. */
uint64_t directory_count(struct directory *directory);

#endif
