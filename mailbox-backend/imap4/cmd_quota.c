/* GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208). All folders of a mailbox have one quota root, which is called as
   its owner logs in. */
#include <inttypes.h>

#include "common/log.h"
#include "mailbox-backend/directory/admin.h"
#include "mailbox-backend/imap4/place.h"
#include "mailbox-backend/imap4/quota.h"

#define STORAGE_UNIT 1024u
#define BYTES_MOST ((uint64_t)64 << 40) /* as directory.quota_bytes */

/* ---- the answer ---- */

static void write_root(struct buf *out, const char *name)
{
    buf_byte(out, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"' || *name == '\\')
            buf_byte(out, '\\');
        buf_byte(out, (uint8_t)*name);
    }
    buf_byte(out, '"');
}

/* A mailbox that was not made yet has nothing in it. */
static enum err_code usage_of(struct command *command, const struct store_guid *guid,
                              struct store_usage *usage, struct err *err)
{
    struct store_mailbox *mailbox;
    struct store_read *read;
    enum err_code code = store_mailbox_open(session_backend(command->imap->session)->store, guid,
                                            false, &mailbox, NULL, err);

    *usage = (struct store_usage){0};
    if (code == ERR_NOT_FOUND)
        return ERR_NONE;
    if (code != ERR_NONE)
        return code;
    code = store_read_begin(mailbox, &read, err);
    if (code == ERR_NONE) {
        code = store_usage(read, usage, err);
        store_read_end(&read);
    }
    store_mailbox_unref(&mailbox);
    return code;
}

/* Usage is rounded up and the limit down: what is told to be free is. */
static void write_resources(struct buf *out, const struct account *account,
                            const struct store_usage *usage)
{
    struct quota quota = {account->quota_bytes, account->quota_messages, account->quota_folders};

    buf_byte(out, '(');
    if (quota.bytes != 0)
        buf_printf(out, "STORAGE %" PRIu64 " %" PRIu64 " ",
                   usage->bytes / STORAGE_UNIT + (usage->bytes % STORAGE_UNIT != 0),
                   quota.bytes / STORAGE_UNIT);
    if (quota.messages != 0)
        buf_printf(out, "MESSAGE %" PRIu64 " %" PRIu64 " ", usage->messages, quota.messages);
    buf_printf(out, "MAILBOX %" PRIu64 " %" PRIu64 ")", usage->folders, quota_folders_most(&quota));
}

static enum step tell_quota(struct command *command, const struct account *account)
{
    struct buf *out = command_output(command);
    struct store_usage usage;
    struct err err;

    if (usage_of(command, &account->guid, &usage, &err) != ERR_NONE)
        return command_fail(command, &err);
    buf_text(out, "* QUOTA ");
    write_root(out, account->name);
    buf_byte(out, ' ');
    write_resources(out, account, &usage);
    buf_text(out, "\r\n");
    return command_ok(command, NULL);
}

/* ---- the root ---- */

/* Others' roots are for administrators only; nobody else is told which there are. When it returns false the
   answer has been given. */
static bool find_root(struct command *command, struct str root, struct account *account)
{
    const struct imap *imap = command->imap;
    const struct account *own = session_account(imap->session);
    enum err_code code = ERR_NOT_FOUND;
    struct err err;

    if (str_is(root, own->name))
        code = session_find_account(imap->session, &own->guid, &command->arena, account, &err);
    else if (quota_is_administrator(imap))
        code = directory_find(session_backend(imap->session)->directory, root, &command->arena,
                              account, &err);
    if (code == ERR_NOT_FOUND || code == ERR_INVALID)
        command_no(command, "NONEXISTENT", "There is no such quota root");
    else if (code != ERR_NONE)
        command_fail(command, &err);
    return code == ERR_NONE;
}

enum step cmd_quota(struct command *command)
{
    struct account account;
    struct str root;

    if (!parse_astring(&command->args, &root) || !parse_end(&command->args))
        return command_bad_syntax(command);
    if (!find_root(command, root, &account))
        return command_ended(command);
    return tell_quota(command, &account);
}

/* A name of the user's own need not be there; of others' folders the owner's root is told to who may read
   (RFC 9208 section 6). False: the answer has been given. */
static bool may_see_root(struct command *command, struct place *place)
{
    struct store_folder folder;
    struct store_read *read;
    struct err err;
    enum err_code code;

    if (place->kind == PLACE_OWN)
        return true;
    if (!place_read(command, place, &read))
        return false;
    code = place_find(command, place, ON_NAMED, read, &folder, &err);
    store_read_end(&read);
    if (code != ERR_NONE)
        command_fail(command, &err);
    return code == ERR_NONE;
}

enum step cmd_quota_root(struct command *command)
{
    struct buf *out = command_output(command);
    struct account account;
    struct place place;
    struct err err;

    if (!command_take_place(command, &place))
        return command_ended(command);
    if (!parse_end(&command->args))
        return command_bad_syntax(command);
    if (!may_see_root(command, &place))
        return command_ended(command);
    if (session_find_account(command->imap->session, store_mailbox_guid(place.mailbox),
                             &command->arena, &account, &err) != ERR_NONE)
        return command_fail(command, &err);
    buf_text(out, "* QUOTAROOT ");
    mailbox_name_write(command, place.name);
    buf_byte(out, ' ');
    write_root(out, account.name);
    buf_text(out, "\r\n");
    return tell_quota(command, &account);
}

/* ---- SETQUOTA ---- */

enum resource { STORAGE, MESSAGE, MAILBOX, RESOURCES };

static const char *const resource_names[RESOURCES] = {
    [STORAGE] = "STORAGE", [MESSAGE] = "MESSAGE", [MAILBOX] = "MAILBOX"};

struct change {
    struct str root;
    uint64_t limits[RESOURCES];
    bool given[RESOURCES];
    bool unknown; /* a resource that there is not */
};

static bool take_resource(struct parse *args, struct change *change)
{
    const char *start = args->at;
    uint64_t limit;
    struct str name;
    unsigned i = 0;

    if (!parse_atom(args, &name) || !parse_space(args) || !parse_number64(args, &limit))
        return false;
    while (i < RESOURCES && !str_is_nocase(name, resource_names[i]))
        i++;
    if (i == RESOURCES) {
        change->unknown = true;
        return true;
    }
    if (change->given[i])
        return parse_fail(args, start, "A resource is given twice");
    change->given[i] = true;
    change->limits[i] = limit;
    return true;
}

static bool take_change(struct parse *args, struct change *change)
{
    if (!parse_astring(args, &change->root) || !parse_space(args) || !parse_char(args, '('))
        return false;
    if (parse_skip(args, ')'))
        return parse_end(args);
    do {
        if (!take_resource(args, change))
            return false;
    } while (parse_skip(args, ' '));
    return parse_char(args, ')') && parse_end(args);
}

/* The directory's 0 is no limit, the RFC's is one: nothing may be there. Nobody wants that. */
static enum step check_change(struct command *command, struct change *change)
{
    if (change->unknown)
        return command_no(command, "CANNOT", "There is no limit for that resource");
    for (unsigned i = 0; i < RESOURCES; i++) {
        if (change->given[i] && change->limits[i] == 0)
            return command_no(command, "CANNOT", "A limit is at least 1");
    }
    if (change->limits[STORAGE] > BYTES_MOST / STORAGE_UNIT)
        return command_no(command, "CANNOT", "The limit of STORAGE is too large");
    if (change->limits[MAILBOX] > STORE_FOLDERS_MAX)
        change->limits[MAILBOX] = STORE_FOLDERS_MAX;
    return STEP_NEXT;
}

/* Limits that are not given go (RFC 9208 section 4.1.3). */
static enum err_code apply(struct command *command, const struct account *account, struct err *err)
{
    const struct change *change = command->data;
    uint64_t bytes = change->limits[STORAGE] * STORAGE_UNIT;
    const struct account_change to = {.quota_bytes = &bytes,
                                      .quota_messages = &change->limits[MESSAGE],
                                      .quota_folders = &change->limits[MAILBOX]};
    struct session *session = command->imap->session;
    enum err_code code =
        account_set(session_backend(session)->directory, str_of(account->name), &to, false, err);

    if (code == ERR_NONE)
        log_info(session_who(session),
                 "SETQUOTA: quota of %s is now %" PRIu64 " bytes, %" PRIu64 " messages, %" PRIu64
                 " folders (0: no limit)",
                 account->name, bytes, *to.quota_messages, *to.quota_folders);
    return code;
}

static enum step set_quota(struct command *command)
{
    const struct change *change = command->data;
    struct account account;
    struct err err;

    if ((command->why & WHY_WORKER) == 0) /* it waits for the disk */
        return STEP_WORK;
    if (!find_root(command, change->root, &account))
        return command_ended(command);
    if (apply(command, &account, &err) != ERR_NONE)
        return command_fail(command, &err);
    if (!find_root(command, change->root, &account))
        return command_ended(command);
    return tell_quota(command, &account);
}

enum step cmd_set_quota(struct command *command)
{
    struct change *change = arena_alloc(&command->arena, sizeof(*change));

    if (!take_change(&command->args, change))
        return command_bad_syntax(command);
    if (!quota_is_administrator(command->imap))
        return command_no(command, "NOPERM", "Only administrators set quotas");
    check_change(command, change);
    if (command->result != RESULT_NONE)
        return command_ended(command);
    command->data = change;
    command->run = set_quota;
    return set_quota(command);
}
