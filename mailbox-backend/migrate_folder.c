/* One folder of the source. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailbox-backend/migrate_private.h"

/* ---- where it goes ---- */

static enum err_code get_folder(const struct migrate *migrate, uint32_t id,
                                struct store_folder *folder, struct err *err)
{
    struct store_read *read;
    enum err_code code = store_read_begin(migrate->request->mailbox, &read, err);

    if (code != ERR_NONE)
        return code;
    code = store_folder_get(read, id, folder, err);
    store_read_end(&read);
    return code;
}

/* The folder here with the same special use; 0 when there is none. */
static uint32_t find_by_use(const struct migrate *migrate, struct err *err)
{
    struct store_folder folder = {0};
    struct store_read *read;

    if (migrate->folder->use == USE_NONE ||
        store_read_begin(migrate->request->mailbox, &read, err) != ERR_NONE)
        return 0;
    if (store_folder_by_use(read, migrate->folder->use, &folder, NULL) != ERR_NONE)
        folder.id = 0;
    store_read_end(&read);
    return folder.id;
}

/* For the first time: finds or makes the folder, and gives it the source's UIDVALIDITY where it is new. */
static enum err_code settle(struct migrate *migrate, struct err *err)
{
    const struct migrate_folder *folder = migrate->folder;
    struct import *import = migrate->import;
    enum err_code code = ERR_NONE;

    import->folder = find_by_use(migrate, err);
    import->keeps_uids = false;
    if (import->folder == 0)
        code = import_select(import, folder->path, err);
    if (code == ERR_NONE)
        code = import_adopt(import, migrate->uid_validity, 1, err);
    if (code == ERR_NONE && folder->subscribed)
        code = import_subscribe(import, folder->path, err);
    if (code != ERR_NONE)
        return code;
    migrate->state.folder = import->folder;
    migrate->state.uid_validity = migrate->uid_validity;
    return migrate_save_state(migrate, err);
}

static enum err_code settle_again(struct migrate *migrate, struct err *err)
{
    struct store_folder folder;
    enum err_code code = get_folder(migrate, migrate->state.folder, &folder, err);

    migrate->import->folder = migrate->state.folder;
    migrate->import->keeps_uids = code == ERR_NONE && folder.uid_validity == migrate->uid_validity;
    return code;
}

/* So that the next message gets a uid that no client has seen for another. */
static enum err_code raise_uid_next(struct migrate *migrate, struct err *err)
{
    struct store_folder folder;
    enum err_code code;

    if (!migrate->import->keeps_uids || migrate->uid_next == 0)
        return ERR_NONE;
    code = get_folder(migrate, migrate->state.folder, &folder, err);
    if (code != ERR_NONE || folder.uid_next >= migrate->uid_next)
        return code;
    return import_adopt(migrate->import, migrate->uid_validity, migrate->uid_next, err);
}

/* ---- what is to be brought ---- */

static void choose(const struct migrate *migrate, struct uidset *todo)
{
    const struct uidset *refused = &migrate->state.refused;

    uidset_copy(todo, &migrate->present);
    if (migrate->state.taken > 0)
        uidset_remove_range(todo, 1, migrate->state.taken);
    for (uint32_t uid = uidset_first(refused); uid != 0;
         uid = uid == UINT32_MAX ? 0 : uidset_next(refused, uid + 1)) {
        if (uidset_has(&migrate->present, uid))
            uidset_add(todo, uid);
    }
    for (size_t i = 0; i < migrate->known_count; i++)
        uidset_remove(todo, migrate->known[i].source);
}

/* Refused ones that are gone at the source now. */
static void forget_refused(struct migrate *migrate)
{
    struct uidset *refused = &migrate->state.refused;

    for (uint32_t uid = uidset_first(refused); uid != 0;
         uid = uid == UINT32_MAX ? 0 : uidset_next(refused, uid + 1)) {
        if (!uidset_has(&migrate->present, uid))
            uidset_remove(refused, uid);
    }
}

static enum err_code remember(struct migrate *migrate, uint32_t messages, uint32_t last,
                              struct err *err)
{
    struct migrate_state *state = &migrate->state;

    state->uid_next = migrate->uid_next;
    state->messages = messages;
    state->modseq = migrate->modseq;
    state->taken = last > state->taken ? last : state->taken;
    migrate->failures = 0;
    return migrate_save_state(migrate, err);
}

/* The uids that are not listed are looked for again in the next run, which then looks at all. */
static void doubt_gaps(struct migrate *migrate)
{
    struct uidset all = {0};
    uint32_t last = uidset_last(&migrate->present);

    migrate->modseq = 0;
    if (last <= migrate->state.taken)
        return;
    uidset_add_range(&all, migrate->state.taken + 1, last);
    uidset_add_missing(&migrate->state.refused, &all, &migrate->present);
    uidset_release(&all);
}

/* A server that leaves messages out of its list must not make us remove them here, nor believe that all is
   brought. Others may have expunged some between the two answers: then the next run finds it right. */
static enum err_code check_list(struct migrate *migrate, bool *is_whole, struct err *err)
{
    char problem[160];

    *is_whole = uidset_size(&migrate->present) >= migrate->exists;
    if (*is_whole)
        return ERR_NONE;
    doubt_gaps(migrate);
    snprintf(
        problem, sizeof(problem),
        "the other server has %u messages and lists %llu: nothing was removed here, run it again",
        migrate->exists, (unsigned long long)uidset_size(&migrate->present));
    return migrate_report(migrate, 0, problem, err);
}

static enum err_code bring(struct migrate *migrate, struct err *err)
{
    struct uidset todo = {0};
    uint32_t last;
    bool is_whole = false;
    enum err_code code = migrate_load_known(migrate, err);

    if (code == ERR_NONE)
        code = migrate_try(migrate, migrate_search, err);
    if (code != ERR_NONE)
        return code;
    last = uidset_last(&migrate->present);
    forget_refused(migrate);
    choose(migrate, &todo);
    code = check_list(migrate, &is_whole, err);
    if (code == ERR_NONE)
        code = migrate_flags(migrate, err);
    if (code == ERR_NONE && is_whole)
        code = migrate_expunge(migrate, err);
    if (code == ERR_NONE)
        code = migrate_refuse_large(migrate, &todo, err);
    if (code == ERR_NONE)
        code = migrate_fetch(migrate, &todo, err);
    uidset_release(&todo);
    if (code == ERR_NONE)
        code = raise_uid_next(migrate, err);
    return code == ERR_NONE ? remember(migrate, migrate->exists, last, err) : code;
}

/* ---- the whole ---- */

static bool is_as_it_was(const struct migrate *migrate)
{
    const struct migrate_state *state = &migrate->state;

    return migrate->modseq != 0 && migrate->modseq == state->modseq &&
           migrate->uid_next == state->uid_next && migrate->exists == state->messages &&
           uidset_is_empty(&state->refused);
}

static bool wants_uidls(const struct migrate *migrate)
{
    return migrate->request->uidls != NULL && strcasecmp(migrate->folder->name, "INBOX") == 0;
}

static enum err_code bring_selected(struct migrate *migrate, struct err *err)
{
    bool is_new = migrate->state.folder == 0;
    enum err_code code;

    if (!is_new && migrate->state.uid_validity != migrate->uid_validity)
        return migrate_report(
            migrate, 0,
            "its UIDVALIDITY has changed at the source, so what is here cannot be "
            "told from what is not: delete the folder here to bring it anew",
            err);
    if (!is_new && is_as_it_was(migrate)) {
        migrate->result->unchanged++;
        return wants_uidls(migrate) ? migrate_uidls(migrate, err) : ERR_NONE;
    }
    code = is_new ? settle(migrate, err) : settle_again(migrate, err);
    if (code == ERR_INVALID) /* a path that cannot be here */
        return migrate_report(migrate, 0, err->text, err);
    if (code == ERR_NONE)
        code = bring(migrate, err);
    if (code == ERR_NONE && wants_uidls(migrate))
        code = migrate_uidls(migrate, err);
    return code;
}

static enum err_code run(struct migrate *migrate, struct err *err)
{
    const struct migrate_folder *folder = migrate->folder;
    enum err_code code = migrate_load_state(migrate, folder->key, &migrate->state, err);
    struct err problem;

    if (code != ERR_NONE)
        return code;
    if (folder->is_unchanged && !wants_uidls(migrate)) {
        migrate->result->unchanged++;
        return ERR_NONE;
    }
    code = migrate_try(migrate, migrate_select, err);
    if (code == ERR_NONE)
        code = bring_selected(migrate, err);
    if ((code != ERR_DENIED && code != ERR_INVALID) || migrate->is_own_fault)
        return code;
    problem = *err; /* the server's no to a command of this folder: the others go on */
    return migrate_report(migrate, 0, problem.text, err);
}

enum err_code migrate_folder_run(struct migrate *migrate, struct migrate_folder *folder,
                                 struct err *err)
{
    enum err_code code;

    migrate->folder = folder;
    migrate->uid_validity = 0;
    migrate->row = (struct migrate_row){.folder = folder->path, .problem = ""};
    migrate->result->folders++;
    code = run(migrate, err);
    uidset_release(&migrate->state.refused);
    uidset_release(&migrate->present);
    return code;
}
