/* Which folders the source has, and what they become here. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mailbox-backend/migrate_private.h"

/* ---- the user's own part ---- */

static enum err_code note_prefix(void *context, const struct imap_event *event, struct err *err)
{
    struct migrate *migrate = context;

    (void)err;
    if (event->kind == IMAP_NAMESPACE && migrate->prefix_count < MIGRATE_PREFIXES_MAX)
        strcpy(migrate->prefixes[migrate->prefix_count++], event->name);
    return ERR_NONE;
}

static enum err_code ask_namespace(struct migrate *migrate, struct err *err)
{
    const struct imap_listener listener = {note_prefix, migrate};
    enum err_code code;

    migrate->prefix_count = 0;
    if ((imap_client_capabilities(migrate->client) & IMAP_CAN_NAMESPACE) == 0)
        return ERR_NONE;
    imap_client_begin(migrate->client, "NAMESPACE");
    code = imap_client_finish(migrate->client, &listener, err);
    return imap_client_is_broken(migrate->client) ? code : ERR_NONE;
}

/* "Public/…" belongs to others, unless a prefix of the user's own fits. */
static const char *find_prefix(const struct migrate *migrate, const char *name)
{
    if (migrate->prefix_count == 0 || strcasecmp(name, "INBOX") == 0)
        return "";
    for (size_t i = 0; i < migrate->prefix_count; i++) {
        const char *prefix = migrate->prefixes[i];

        if (strncasecmp(name, prefix, strlen(prefix)) == 0)
            return prefix;
    }
    return NULL;
}

/* ---- the list ---- */

/* The same account's folder: whatever the server is called, and whoever logs in as the user. */
static uint64_t key_of(const struct migrate *migrate, const char *name)
{
    const char *user = migrate->request->source.login.user;
    struct buf text = {0};
    uint64_t key;

    for (; *user != '\0' && *user != '*'; user++)
        buf_byte(&text, (uint8_t)str_lower(*user));
    buf_byte(&text, '\n');
    buf_text(&text, strcasecmp(name, "INBOX") == 0 ? "INBOX" : name);
    key = str_hash(str_n(buf_bytes(&text), buf_length(&text)));
    buf_release(&text);
    return key;
}

static struct migrate_folder *find(const struct migrate *migrate, uint64_t key)
{
    for (size_t i = 0; i < migrate->count; i++) {
        if (migrate->folders[i].key == key)
            return &migrate->folders[i];
    }
    return NULL;
}

static enum store_special_use use_of(unsigned attributes)
{
    return (attributes & IMAP_USE_DRAFTS) != 0    ? USE_DRAFTS
           : (attributes & IMAP_USE_SENT) != 0    ? USE_SENT
           : (attributes & IMAP_USE_JUNK) != 0    ? USE_JUNK
           : (attributes & IMAP_USE_TRASH) != 0   ? USE_TRASH
           : (attributes & IMAP_USE_ARCHIVE) != 0 ? USE_ARCHIVE
                                                  : USE_NONE;
}

static enum err_code add(struct migrate *migrate, const struct imap_event *event, struct err *err)
{
    const char *prefix = find_prefix(migrate, event->name);
    uint64_t key = key_of(migrate, event->name);
    struct migrate_folder *folder;
    char path[PATH_MAX_BYTES + 1];

    if (event->name[0] == '\0' || prefix == NULL || find(migrate, key) != NULL)
        return ERR_NONE;
    if (migrate->count == MIGRATE_FOLDERS_MAX)
        return err_set(err, ERR_LIMIT, "the source has more than %d folders", MIGRATE_FOLDERS_MAX);
    if (migrate->count == migrate->room) {
        migrate->room = migrate->room == 0 ? 64 : 2 * migrate->room;
        migrate->folders = mem_grow(migrate->folders, migrate->room, sizeof(*migrate->folders));
    }
    migrate_path(event->name, event->delimiter, prefix, path, sizeof(path));
    folder = &migrate->folders[migrate->count++];
    *folder = (struct migrate_folder){
        .name = mem_string(event->name),
        .path = mem_string(path),
        .key = key,
        .use = use_of(event->attributes),
        .selectable = (event->attributes & IMAP_NOSELECT) == 0,
    };
    return ERR_NONE;
}

static enum err_code note_folder(void *context, const struct imap_event *event, struct err *err)
{
    struct migrate *migrate = context;
    struct migrate_folder *folder;

    if (event->kind == IMAP_LIST) {
        enum err_code code = add(migrate, event, err);

        migrate->is_own_fault |= code != ERR_NONE;
        return code;
    }
    if (event->kind == IMAP_LSUB && (event->attributes & IMAP_NOSELECT) == 0) {
        folder = find(migrate, key_of(migrate, event->name));
        if (folder != NULL)
            folder->subscribed = migrate->has_subscriptions = true;
    }
    return ERR_NONE;
}

static enum err_code ask_list(struct migrate *migrate, struct err *err)
{
    const unsigned both = IMAP_CAN_SPECIAL_USE | IMAP_CAN_LIST_EXTENDED;
    const struct imap_listener listener = {note_folder, migrate};
    unsigned capabilities = imap_client_capabilities(migrate->client);
    enum err_code code = ask_namespace(migrate, err);

    if (code != ERR_NONE)
        return code;
    imap_client_begin(migrate->client, "LIST \"\" \"*\"%s",
                      (capabilities & both) == both ? " RETURN (SPECIAL-USE)" : "");
    code = imap_client_finish(migrate->client, &listener, err);
    if (code != ERR_NONE)
        return code;
    imap_client_begin(migrate->client, "LSUB \"\" \"*\"");
    code = imap_client_finish(migrate->client, &listener, err);
    return imap_client_is_broken(migrate->client) ? code : ERR_NONE;
}

/* ---- special uses of servers that do not tell them ---- */

static const struct {
    enum store_special_use use;
    const char *name;
} usual_names[] = {
    {USE_DRAFTS,  "Drafts"          },
    {USE_SENT,    "Sent"            },
    {USE_SENT,    "Sent Items"      },
    {USE_SENT,    "Sent Messages"   },
    {USE_JUNK,    "Junk"            },
    {USE_JUNK,    "Junk E-mail"     },
    {USE_JUNK,    "Junk Email"      },
    {USE_JUNK,    "Spam"            },
    {USE_TRASH,   "Trash"           },
    {USE_TRASH,   "Deleted Items"   },
    {USE_TRASH,   "Deleted Messages"},
    {USE_ARCHIVE, "Archive"         },
};

static bool has_use(const struct migrate *migrate, enum store_special_use use)
{
    for (size_t i = 0; i < migrate->count; i++) {
        if (migrate->folders[i].use == use)
            return true;
    }
    return false;
}

static void guess_uses(struct migrate *migrate)
{
    for (size_t n = 0; n < sizeof(usual_names) / sizeof(usual_names[0]); n++) {
        if (has_use(migrate, usual_names[n].use))
            continue;
        for (size_t i = 0; i < migrate->count; i++) {
            if (strcasecmp(migrate->folders[i].path, usual_names[n].name) != 0)
                continue;
            migrate->folders[i].use = usual_names[n].use;
            break;
        }
    }
}

/* ---- which are wanted ---- */

static bool is_below_any(const char *path, const char *const *bases)
{
    for (; bases != NULL && *bases != NULL; bases++) {
        if (migrate_is_below(path, *bases))
            return true;
    }
    return false;
}

static void choose(const struct migrate *migrate, struct migrate_folder *folder)
{
    const struct migrate_request *request = migrate->request;
    bool any = request->only != NULL && request->only[0] != NULL;

    folder->is_left_out = (any && !is_below_any(folder->path, request->only)) ||
                          is_below_any(folder->path, request->without);
}

/* A name that was mistyped must not look like a folder that has nothing new. */
static enum err_code report_missing(struct migrate *migrate, struct err *err)
{
    const char *const *only = migrate->request->only;
    enum err_code code = ERR_NONE;

    for (; only != NULL && *only != NULL && code == ERR_NONE; only++) {
        const struct migrate_row row = {.folder = *only,
                                        .problem = "the other server has no such folder"};
        size_t i = 0;

        while (i < migrate->count && !migrate_is_below(migrate->folders[i].path, *only))
            i++;
        if (i < migrate->count)
            continue;
        migrate->result->problems++;
        code = migrate->request->row(migrate->request->context, &row, err);
    }
    return code;
}

enum err_code migrate_list(struct migrate *migrate, struct err *err)
{
    enum err_code code = migrate_try(migrate, ask_list, err);

    if (code != ERR_NONE)
        return code;
    guess_uses(migrate);
    for (size_t i = 0; i < migrate->count; i++)
        choose(migrate, &migrate->folders[i]);
    return report_missing(migrate, err);
}
