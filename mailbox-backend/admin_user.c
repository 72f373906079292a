/* user add|set|passwd|list|show|enable|disable|remove|restore|import */
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/admin.h"
#include "mailbox-backend/admin_user_flags.h"
#include "mailbox-backend/directory/admin.h"

static struct directory *directory_of(const struct admin_call *call)
{
    return admin_backend(call)->directory;
}

static struct str login_of(const struct admin_call *call)
{
    return str_of(admin_name(call, 0));
}

/* ---- add ---- */

static enum err_code read_new(struct admin_call *call, struct account_new *new, struct err *err)
{
    bool is_default, folders_default;
    enum err_code code;

    new->name = login_of(call);
    new->display_name = admin_value(call, "display-name");
    new->services = SERVICES_ALL;
    new->disabled = admin_has(call, "disabled");
    new->is_shared = admin_has(call, "shared");
    if ((code = admin_user_services(call, &new->services, err)) == ERR_NONE &&
        (code = admin_value_number(call, "quota-messages", &new->quota_messages, err)) ==
            ERR_NONE &&
        (code = admin_user_folders(call, &new->quota_folders, &folders_default, err)) == ERR_NONE)
        code = admin_user_quota(call, "quota", &new->quota_bytes, &is_default, err);
    if (code == ERR_NONE) {
        new->quota_is_set = admin_has(call, "quota") && !is_default;
        new->quota_folders_is_set = admin_has(call, "quota-folders") && !folders_default;
    }
    return code;
}

/* Nobody logs in with a shared mailbox. */
static enum err_code read_password(struct admin_call *call, struct account_new *new,
                                   char made[ADMIN_PASSWORD_SIZE], struct err *err)
{
    struct str password;

    if (!new->is_shared)
        return admin_user_password(call, &new->password, made, err);
    made[0] = '\0';
    if (admin_secret(call, &password) || admin_has(call, "generate"))
        return err_set(err, ERR_INVALID, "a shared mailbox has no password");
    return ERR_NONE;
}

static enum err_code run_add(struct admin_call *call, struct err *err)
{
    char made[ADMIN_PASSWORD_SIZE];
    struct account_new new = {0};
    struct account account;
    enum err_code code = read_new(call, &new, err);

    if (code == ERR_NONE)
        code = read_password(call, &new, made, err);
    if (code == ERR_NONE)
        code = account_add(directory_of(call), &new, admin_is_dry_run(call), admin_arena(call),
                           &account, err);
    if (code == ERR_NONE) {
        admin_put_text(call, "login", account.name);
        if (made[0] != '\0')
            admin_put_text(call, "password", made);
        if (!admin_is_dry_run(call))
            admin_put_guid(call, &account.guid);
        code = admin_row(call, err);
    }
    mem_wipe(made, sizeof(made));
    return code;
}

static enum err_code run_passwd(struct admin_call *call, struct err *err)
{
    char made[ADMIN_PASSWORD_SIZE];
    struct str password;
    enum err_code code = admin_user_password(call, &password, made, err);

    if (code == ERR_NONE)
        code = account_set_password(directory_of(call), login_of(call), password,
                                    admin_is_dry_run(call), err);
    if (code == ERR_NONE && made[0] != '\0') {
        admin_put_text(call, "login", admin_name(call, 0));
        admin_put_text(call, "password", made);
        code = admin_row(call, err);
    }
    if (code == ERR_NONE)
        admin_say(call, "%s has %s; open sessions end", admin_name(call, 0),
                  password.data == NULL ? "no password any more" : "a new password");
    mem_wipe(made, sizeof(made));
    return code;
}

/* ---- set ---- */

/* Where the values stand that struct account_change points to. */
struct values {
    unsigned services;
    bool impersonate, details, quota_default, folders_default, recovery_default,
        recovery_quota_default;
    uint64_t bytes, messages, folders, recovery, recovery_quota;
    bool newest_first;
};

static enum err_code read_values(struct admin_call *call, struct values *values, struct err *err)
{
    struct account account;
    enum err_code code = admin_find_account(call, admin_arena(call), &account, err);

    if (code != ERR_NONE)
        return code;
    values->services = account.services;
    if ((code = admin_user_services(call, &values->services, err)) == ERR_NONE &&
        (code = admin_value_bool(call, "may-impersonate", &values->impersonate, err)) == ERR_NONE &&
        (code = admin_value_bool(call, "detail-folders", &values->details, err)) == ERR_NONE &&
        (code = admin_value_number(call, "quota-messages", &values->messages, err)) == ERR_NONE &&
        (code = admin_user_folders(call, &values->folders, &values->folders_default, err)) ==
            ERR_NONE &&
        (code = admin_user_recovery(call, &values->recovery, &values->recovery_default, err)) ==
            ERR_NONE &&
        (code = admin_user_quota(call, "recovery-quota", &values->recovery_quota,
                                 &values->recovery_quota_default, err)) == ERR_NONE)
        code = admin_user_quota(call, "quota", &values->bytes, &values->quota_default, err);
    return code;
}

static void read_quota(const struct admin_call *call, const struct values *values,
                       struct account_change *change)
{
    if (admin_has(call, "quota") && !values->quota_default)
        change->quota_bytes = &values->bytes;
    if (admin_has(call, "quota-messages"))
        change->quota_messages = &values->messages;
    if (admin_has(call, "quota-folders") && !values->folders_default)
        change->quota_folders = &values->folders;
    change->quota_default = values->quota_default;
    change->quota_folders_default = values->folders_default;
}

static void read_recovery(const struct admin_call *call, const struct values *values,
                          struct account_change *change)
{
    if (admin_has(call, "recovery") && !values->recovery_default)
        change->recovery_seconds = &values->recovery;
    if (admin_has(call, "recovery-quota") && !values->recovery_quota_default)
        change->recovery_quota = &values->recovery_quota;
    change->recovery_default = values->recovery_default;
    change->recovery_quota_default = values->recovery_quota_default;
}

/* The store is open in the daemon only; else it looks at all when it is opened. */
static void tell_store(const struct admin_call *call)
{
    if (admin_backend(call)->store != NULL && !admin_is_dry_run(call) &&
        (admin_has(call, "recovery") || admin_has(call, "recovery-quota")))
        store_recovery_changed(admin_backend(call)->store);
}

static enum err_code run_set(struct admin_call *call, struct err *err)
{
    struct account_change change = {0};
    struct values values = {0};
    enum err_code code = read_values(call, &values, err);

    if (code != ERR_NONE)
        return code;
    change.display_name = admin_value(call, "display-name");
    if (admin_user_has_services(call))
        change.services = &values.services;
    if (admin_has(call, "may-impersonate"))
        change.may_impersonate = &values.impersonate;
    if (admin_has(call, "detail-folders"))
        change.detail_folders = &values.details;
    read_quota(call, &values, &change);
    read_recovery(call, &values, &change);
    if (admin_user_pop3(call, &change, &values.newest_first, err) != ERR_NONE)
        return err->code;
    code = account_set(directory_of(call), login_of(call), &change, admin_is_dry_run(call), err);
    if (code == ERR_NONE) {
        tell_store(call);
        admin_say(call, "%s is changed", admin_name(call, 0));
    }
    return code;
}

static enum err_code switch_account(struct admin_call *call, bool on, struct err *err)
{
    struct account_change change = {.enabled = &on};
    enum err_code code =
        account_set(directory_of(call), login_of(call), &change, admin_is_dry_run(call), err);

    if (code == ERR_NONE)
        admin_say(call, "%s is %s", admin_name(call, 0),
                  on ? "enabled" : "disabled; open sessions end");
    return code;
}

static enum err_code run_enable(struct admin_call *call, struct err *err)
{
    return switch_account(call, true, err);
}

static enum err_code run_disable(struct admin_call *call, struct err *err)
{
    return switch_account(call, false, err);
}

/* ---- list, show ---- */

static void put_quota(struct admin_call *call, const struct account *account)
{
    if (account->quota_bytes == 0)
        admin_put_text(call, "quota", "none");
    else
        admin_put_bytes(call, "quota", account->quota_bytes);
}

static void put_recovery(struct admin_call *call, const struct account *account)
{
    const struct backend_settings *settings = admin_backend(call)->settings;
    uint64_t quota =
        account->recovery_quota_is_set ? account->recovery.quota : settings->store.recovery_quota;

    admin_put_number(call, "recovery-seconds",
                     account->recovery_is_set ? account->recovery.seconds
                                              : settings->store.recovery_time);
    admin_put_bool(call, "recovery-is-own", account->recovery_is_set);
    if (quota == 0)
        admin_put_text(call, "recovery-quota", "none");
    else
        admin_put_bytes(call, "recovery-quota", quota);
    admin_put_bool(call, "recovery-quota-is-own", account->recovery_quota_is_set);
}

static enum err_code list_removed(struct admin_call *call, struct err *err)
{
    uint64_t kept = admin_backend(call)->settings->directory.removed_time;
    struct directory_removed removed = {0};
    struct arena arena = {0};
    bool more = false;
    enum err_code code;

    while ((code = directory_next_removed(directory_of(call), &more, &removed, &arena, err)) ==
           ERR_NONE) {
        admin_put_text(call, "login", removed.name);
        admin_put_time(call, "removed", removed.removed);
        admin_put_time(call, "kept-until", removed.removed + (int64_t)kept);
        admin_put_guid(call, &removed.guid);
        if ((code = admin_row(call, err)) != ERR_NONE)
            break;
        arena_reset(&arena);
    }
    arena_reset(&arena);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code run_list(struct admin_call *call, struct err *err)
{
    char cursor[DIRECTORY_CURSOR_SIZE] = "";
    struct arena arena = {0};
    struct account account;
    enum err_code code;

    if (admin_has(call, "removed"))
        return list_removed(call, err);
    while ((code = directory_next(directory_of(call), cursor, &arena, &account, err)) == ERR_NONE) {
        admin_put_text(call, "login", account.name);
        admin_put_bool(call, "enabled", account.enabled);
        admin_put_bool(call, "shared", account.is_shared);
        admin_put_bool(call, "password", account.has_password);
        put_quota(call, &account);
        admin_put_services(call, account.services);
        admin_put_text(call, "display-name", account.display_name);
        if ((code = admin_row(call, err)) != ERR_NONE)
            break;
        arena_reset(&arena);
    }
    arena_reset(&arena);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static enum err_code run_show(struct admin_call *call, struct err *err)
{
    struct account account;
    struct account_facts facts;
    struct store_usage usage, recoverable;
    enum err_code code = admin_find_account(call, admin_arena(call), &account, err);

    if (code != ERR_NONE ||
        (code = directory_facts(directory_of(call), login_of(call), &facts, err)) != ERR_NONE ||
        (code = admin_usage(call, &account, &usage, &recoverable, err)) != ERR_NONE)
        return code;
    admin_put_text(call, "login", account.name);
    admin_put_text(call, "display-name", account.display_name);
    admin_put_list(call, "addresses", account.addresses, account.address_count);
    admin_put_bool(call, "enabled", account.enabled);
    admin_put_bool(call, "shared", account.is_shared);
    admin_put_services(call, account.services);
    admin_put_bool(call, "password", account.has_password);
    admin_put_time(call, "password-changed", facts.password_changed);
    admin_put_bool(call, "password-imported", facts.password_is_imported);
    admin_put_bool(call, "scram", facts.has_scram);
    admin_put_number(call, "app-passwords", facts.app_passwords);
    admin_put_bool(call, "may-impersonate", account.may_impersonate);
    admin_put_bool(call, "detail-folders", account.detail_folders);
    put_quota(call, &account);
    admin_put_number(call, "quota-messages", account.quota_messages);
    admin_put_number(call, "quota-folders", account.quota_folders);
    admin_put_number(call, "messages", usage.messages);
    admin_put_number(call, "folders", usage.folders);
    admin_put_bytes(call, "bytes", usage.bytes);
    admin_put_number(call, "recoverable", recoverable.messages);
    admin_put_bytes(call, "recoverable-bytes", recoverable.bytes);
    put_recovery(call, &account);
    admin_user_put_pop3(call, &account);
    admin_put_time(call, "created", facts.created);
    admin_put_guid(call, &account.guid);
    return admin_row(call, err);
}

/* ---- remove, restore ---- */

static enum err_code run_remove(struct admin_call *call, struct err *err)
{
    uint64_t days = admin_backend(call)->settings->directory.removed_time / 86400;
    enum err_code code =
        account_remove(directory_of(call), login_of(call), admin_is_dry_run(call), err);

    if (code == ERR_NONE)
        admin_say(call, "%s is removed; the mail is kept %llu days: user restore brings it back",
                  admin_name(call, 0), (unsigned long long)days);
    return code;
}

static enum err_code run_restore(struct admin_call *call, struct err *err)
{
    enum err_code code =
        account_restore(directory_of(call), login_of(call), admin_is_dry_run(call), err);

    if (code == ERR_NOT_FOUND)
        admin_hint(call, "user list --removed shows who can be restored");
    if (code == ERR_NONE)
        admin_say(call, "%s is back", admin_name(call, 0));
    return code;
}

/* ---- the table ---- */

#define FLAG(word, what, text)                                                                     \
    {                                                                                              \
        .name = word, .value = what, .help = text                                                  \
    }
#define DISPLAY_NAME FLAG("display-name", "TEXT", "the user's name for people")
#define QUOTA FLAG("quota", "SIZE", "the most the mailbox may hold: 500M, 2G, none, default")
#define QUOTA_MESSAGES FLAG("quota-messages", "N", "the most messages; 0: no limit")
#define QUOTA_FOLDERS FLAG("quota-folders", "N", "the most folders: a number, none, default")
#define RECOVERY                                                                                   \
    FLAG("recovery", "TIME",                                                                       \
         "how long deleted messages are kept: 30d, 12h, 0, default; a shorter "                    \
         "time ends what was deleted before, too")
#define RECOVERY_QUOTA                                                                             \
    FLAG("recovery-quota", "SIZE",                                                                 \
         "how much of them is kept, the oldest go for good: 30G, none, default")
#define POP3_FOLDER FLAG("pop3-folder", "PATH", "the folder that POP3 shows, or default")
#define POP3_ORDER                                                                                 \
    FLAG("pop3-order", "ORDER", "POP3's message 1: oldest-first, newest-first or default")
#define SERVICES FLAG("services", "LIST", "what the user may use: imap4,pop3,lmtp, all or none")
#define IMAP4 FLAG("imap4", "YES|NO", "whether the user may use IMAP4")
#define POP3 FLAG("pop3", "YES|NO", "whether the user may use POP3")
#define LMTP FLAG("lmtp", "YES|NO", "whether the user gets mail")
#define GENERATE FLAG("generate", NULL, "make a password and print it")
#define NO_PASSWORD FLAG("no-password", NULL, "nobody can log in")
#define SHARED                                                                                     \
    FLAG("shared", NULL, "a mailbox of nobody, without password: acl set says who may use it")
#define DISABLED FLAG("disabled", NULL, "not to be used yet")
#define IMPERSONATE FLAG("may-impersonate", "YES|NO", "may log in as any user (SASL authzid)")
#define DETAIL FLAG("detail-folders", "YES|NO", "user+detail@ goes to the folder `detail`")

static const struct admin_flag add_flags[] = {
    DISPLAY_NAME, QUOTA,    QUOTA_MESSAGES, QUOTA_FOLDERS, SERVICES, IMAP4, POP3,
    LMTP,         GENERATE, NO_PASSWORD,    DISABLED,      SHARED,   {0}};
static const struct admin_flag set_flags[] = {
    DISPLAY_NAME, QUOTA,  QUOTA_MESSAGES, QUOTA_FOLDERS,  SERVICES,    IMAP4,      POP3, LMTP,
    IMPERSONATE,  DETAIL, RECOVERY,       RECOVERY_QUOTA, POP3_FOLDER, POP3_ORDER, {0}};
static const struct admin_flag passwd_flags[] = {GENERATE, NO_PASSWORD, {0}};
static const struct admin_flag list_flags[] = {
    FLAG("removed", NULL, "the users that were removed and can be restored"), {0}};

/* One line of the table: a command that has one name, a log-in. */
#define USER(word, bits, parts, list, text)                                                        \
    {                                                                                              \
        .noun = "user", .verb = #word, .arguments = "LOGIN", .least = 1, .most = 1,                \
        .where = ADMIN_EITHER, .traits = bits, .needs = parts, .flags = list, .help = text,        \
        .run = run_##word                                                                          \
    }
#define CHANGE (ADMIN_CHANGES | ADMIN_DRY_RUN)

const struct admin_command backend_user_commands[] = {
    USER(add, CHANGE | ADMIN_SECRET, BACKEND_DIRECTORY, add_flags,
         "make a user; the log-in becomes the first mail address"),
    USER(set, CHANGE, BACKEND_DIRECTORY, set_flags, "change a user"),
    USER(passwd, CHANGE | ADMIN_SECRET, BACKEND_DIRECTORY, passwd_flags,
         "give a user another password"),
    {
       .noun = "user",
       .verb = "list",
       .arguments = "",
       .where = ADMIN_EITHER,
       .traits = ADMIN_ROWS,
       .needs = BACKEND_DIRECTORY,
       .flags = list_flags,
       .help = "the users of this back end",
       .run = run_list,
       },
    USER(show, 0, BACKEND_DIRECTORY | BACKEND_STORE, NULL, "all that is known of a user"),
    USER(enable, CHANGE, BACKEND_DIRECTORY, NULL, "let a user log in again"),
    USER(disable, CHANGE, BACKEND_DIRECTORY, NULL,
         "keep a user out; the mailbox stays, open sessions end"),
    USER(remove, CHANGE | ADMIN_CONFIRM, BACKEND_DIRECTORY, NULL,
         "remove a user; the mail is kept for directory.removed_time"),
    USER(restore, CHANGE, BACKEND_DIRECTORY, NULL, "bring a removed user back, with the mail"),
    {
       .noun = "user",
       .verb = "import",
       .arguments = "PASSWD-FILE",
       .least = 1,
       .most = 1,
       .where = ADMIN_EITHER,
       .traits = CHANGE | ADMIN_ROWS | ADMIN_FILE,
       .needs = BACKEND_DIRECTORY,
       .help =
            "make the users of a passwd-file, with their hashes; shows those that were not made", .run = admin_user_import,
       },
    {0},
};
