/* A folder's name and place: its record, the row that leads from the name to it, and its way to the
   root. What has no place any more goes below the folder Recovered. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mailbox-backend/store/folder.h"
#include "mailbox-backend/store/op_folder.h"
#include "mailbox-backend/store/repair.h"

/* A folder's record while it is made right. */
struct place {
    uint32_t folder;
    struct folder_record record; /* its name is this one: */
    char name[STORE_NAME_MAX + 1];
    bool changed;
};

static void set_name(struct place *place, struct str name)
{
    size_t length = name.length < STORE_NAME_MAX ? name.length : STORE_NAME_MAX;

    if (length > 0)
        memmove(place->name, name.data, length);
    place->name[length] = '\0';
    place->record.name = str_n(place->name, length);
}

/* ---- the record ---- */

/* A row that still gives the folder a name. */
static bool find_name(struct mend_run *run, struct place *place)
{
    struct key key = key_first();
    struct tx_scan scan;
    bool found = false;
    enum err_code code = scan_begin(&scan, &run->tx, TABLE_NAME, PREFIX_MAILBOX, NULL);

    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, NULL);
    for (; (code == ERR_NONE || code == ERR_CORRUPT) && !found; code = scan_next(&scan, NULL)) {
        if (code != ERR_NONE || scan.value.length != 4 || scan.key.length <= PREFIX_FOLDER ||
            get_u32(scan.value.data) != place->folder)
            continue;
        place->record.parent = get_u32(scan.key.data + 4);
        set_name(place, str_n(scan.key.data + PREFIX_FOLDER, scan.key.length - PREFIX_FOLDER));
        found = true;
    }
    scan_end(&scan);
    return found;
}

/* What a damaged record says counts where the name agrees. */
static void keep_use(struct mend_run *run, struct place *place)
{
    struct key key = key_folder(place->folder);
    struct folder_record damaged;
    struct bytes row = {0};

    if (tx_get(&run->tx, TABLE_FOLDER, &key, &row, NULL) != ERR_CORRUPT ||
        !folder_unpack(row, &damaged) || damaged.parent != place->record.parent ||
        !str_equal(damaged.name, place->record.name))
        return;
    if (damaged.use <= USE_ARCHIVE && damaged.use != USE_INBOX)
        place->record.use = damaged.use;
    place->record.created = damaged.created;
}

static void make_up(struct mend_run *run, struct place *place)
{
    char name[32];

    place->record = (struct folder_record){.class = CLASS_MAIL, .created = run->batch->now};
    place->changed = true;
    if (place->folder == STORE_ROOT_FOLDER) {
        set_name(place, str_of(""));
    } else if (place->folder == STORE_INBOX_FOLDER) {
        place->record.use = USE_INBOX;
        place->record.parent = STORE_ROOT_FOLDER;
        set_name(place, str_of("INBOX"));
    } else if (find_name(run, place)) {
        keep_use(run, place);
    } else {
        snprintf(name, sizeof(name), "Folder %" PRIu32, place->folder);
        set_name(place, str_of(name));
    }
    mend_say(run, "the folder's record is made anew, its name is \"%s\"", place->name);
}

static void load(struct mend_run *run, struct place *place)
{
    struct folder_record record;

    if (folder_record_get(&run->tx, place->folder, &record, NULL) != ERR_NONE ||
        (record.name.length == 0) != (place->folder == STORE_ROOT_FOLDER)) {
        make_up(run, place);
        return;
    }
    place->record = record;
    set_name(place, record.name);
}

/* ---- its place ---- */

static bool leads_to_root(const struct tx *tx, uint32_t folder, uint32_t from)
{
    struct folder_record record;

    for (unsigned depth = 0; depth <= STORE_DEPTH_MAX; depth++) {
        if (folder == STORE_ROOT_FOLDER)
            return true;
        if (folder == from || folder_record_get(tx, folder, &record, NULL) != ERR_NONE)
            return false;
        folder = record.parent;
    }
    return false;
}

enum err_code mend_recovered(struct mend_run *run, struct mailbox_slot *mailbox,
                             struct folder_slot **slot, struct err *err)
{
    const struct folder_record record = {STORE_ROOT_FOLDER, USE_NONE, CLASS_MAIL, run->batch->now,
                                         STR(RECOVERED_NAME)};
    uint32_t folder = 0;
    enum err_code code =
        folder_name_get(&run->tx, STORE_ROOT_FOLDER, STR(RECOVERED_NAME), &folder, NULL);

    if (code == ERR_NONE)
        code = batch_folder(run->batch, mailbox, folder, slot, NULL);
    if (code == ERR_NONE)
        return ERR_NONE;
    mailbox_slot_change(run->batch, mailbox);
    folder = mailbox->state.next_folder++;
    return folder_make(run->batch, mailbox, folder, &record, slot, err);
}

static enum err_code find_parent(struct mend_run *run, struct folder_slot *slot,
                                 struct place *place, struct err *err)
{
    struct folder_slot *recovered;
    enum err_code code;

    if (leads_to_root(&run->tx, place->record.parent, place->folder))
        return ERR_NONE;
    code = mend_recovered(run, slot->mailbox, &recovered, err);
    if (code != ERR_NONE)
        return code;
    place->record.parent =
        recovered->folder == place->folder ? STORE_ROOT_FOLDER : recovered->folder;
    place->changed = true;
    mend_say(run, "the folder is below %s now", RECOVERED_NAME);
    return ERR_NONE;
}

/* ---- its name ---- */

/* True when the name leads to this folder, to none, or to one that is not called so. */
static bool is_ours(struct mend_run *run, const struct place *place, bool *leads)
{
    struct folder_record other;
    uint32_t folder = 0;
    enum err_code code =
        folder_name_get(&run->tx, place->record.parent, place->record.name, &folder, NULL);

    *leads = code == ERR_NONE && folder == place->folder;
    if (code != ERR_NONE || folder == place->folder)
        return true;
    return folder_record_get(&run->tx, folder, &other, NULL) != ERR_NONE ||
           other.parent != place->record.parent || !str_equal(other.name, place->record.name);
}

/* "Name (2)", cut between characters where that is too long. */
static void add_suffix(struct place *place, struct str name, unsigned n)
{
    char suffix[16];
    size_t more = (size_t)snprintf(suffix, sizeof(suffix), " (%u)", n);
    size_t keep = name.length < STORE_NAME_MAX - more ? name.length : STORE_NAME_MAX - more;

    while (keep < name.length && keep > 0 && ((uint8_t)name.data[keep] & 0xC0) == 0x80)
        keep--;
    memcpy(place->name, name.data, keep);
    memcpy(place->name + keep, suffix, more + 1);
    place->record.name = str_n(place->name, keep + more);
}

static enum err_code take_name(struct mend_run *run, struct place *place, struct err *err)
{
    char wanted[STORE_NAME_MAX + 1];
    size_t length = place->record.name.length;
    bool leads;
    struct key key;
    uint8_t row[4];

    memcpy(wanted, place->name, length);
    for (unsigned n = 2; !is_ours(run, place, &leads); n++) {
        add_suffix(place, str_n(wanted, length), n);
        place->changed = true;
    }
    if (leads)
        return ERR_NONE;
    key = key_name(place->record.parent, place->record.name);
    put_u32(row, place->folder);
    mend_say(run, "the folder is found by the name \"%s\"", place->name);
    return tx_put(&run->tx, TABLE_NAME, &key, row, sizeof(row), err);
}

enum err_code mend_place(struct mend_run *run, struct folder_slot *slot, struct err *err)
{
    struct place place = {.folder = slot->folder};
    bool was_mended = run->task->mended;
    enum err_code code = ERR_NONE;

    run->task->mended = false;
    load(run, &place);
    if (place.folder != STORE_ROOT_FOLDER)
        code = find_parent(run, slot, &place, err);
    if (code == ERR_NONE && place.folder != STORE_ROOT_FOLDER)
        code = take_name(run, &place, err);
    if (code == ERR_NONE && place.changed)
        code = folder_record_put(&run->tx, place.folder, &place.record, err);
    if (code == ERR_NONE && run->task->mended)
        folder_note(run->batch, slot, &place.record,
                    batch_modseq(run->batch, slot, CHANGE_FOLDERS));
    run->task->mended = run->task->mended || was_mended;
    return code;
}
