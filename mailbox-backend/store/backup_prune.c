/* Removes backups that are not to be kept, then the copies of segments that no other one needs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/mem.h"
#include "mailbox-backend/store/backup_private.h"

#define DAY 86400
#define MONDAY 3 /* 1970 began on a Thursday */

struct candidate {
    char name[BACKUP_NAME_SIZE];
    int64_t taken;
    enum backup_fate fate;
};

/* A copy of a segment that a backup needs. */
struct need {
    uint64_t created;
    uint32_t database, number, generation;
};

struct prune {
    const char *folder;
    struct backup_pruning *pruning;
    struct candidate *candidates; /* in order of time */
    size_t count;
    struct need *needs; /* sorted, each once */
    size_t need_count;
    bool knows_needs; /* every backup that stays has told what it needs */
};

/* ---- which ---- */

static enum err_code collect(struct prune *prune, struct err *err)
{
    struct backup_facts facts = {0};
    enum err_code code;

    while ((code = backup_next(prune->folder, facts.name, &facts, err)) == ERR_NONE) {
        struct candidate *candidate;

        prune->candidates =
            mem_grow(prune->candidates, prune->count + 1, sizeof(*prune->candidates));
        candidate = &prune->candidates[prune->count++];
        *candidate = (struct candidate){.taken = facts.taken, .fate = BACKUP_GOES};
        memcpy(candidate->name, facts.name, sizeof(candidate->name));
        if (!facts.whole)
            candidate->fate = backup_is_broken_off(prune->folder, facts.name) ? BACKUP_BROKEN_OFF
                                                                              : BACKUP_UNREADABLE;
    }
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

/* Keeps the newest of each of the last periods that have one; of length 0: each is one of its own. */
static void keep_newest_of(struct prune *prune, unsigned periods, int64_t length, int64_t shift)
{
    int64_t last = INT64_MAX;

    for (size_t i = prune->count; i > 0 && periods > 0; i--) {
        struct candidate *candidate = &prune->candidates[i - 1];
        int64_t period = length == 0 ? (int64_t)i : (candidate->taken + shift) / length;

        if (candidate->fate == BACKUP_BROKEN_OFF || candidate->fate == BACKUP_UNREADABLE ||
            period == last)
            continue;
        candidate->fate = BACKUP_STAYS;
        last = period;
        periods--;
    }
}

/* The newest whole one stays in any case. */
static void decide(struct prune *prune)
{
    const struct backup_pruning *pruning = prune->pruning;

    keep_newest_of(prune, pruning->newest == 0 ? 1 : pruning->newest, 0, 0);
    keep_newest_of(prune, pruning->daily, DAY, 0);
    keep_newest_of(prune, pruning->weekly, 7 * DAY, MONDAY * DAY);
}

/* ---- backups ---- */

/* Bytes of a backup's own files. */
static uint64_t measure(const struct prune *prune, const char *name)
{
    char *path = backup_path("%s/%s", prune->folder, name);
    DIR *dir = opendir(path);
    struct dirent *entry;
    struct stat facts;
    uint64_t bytes = 0;

    free(path);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (fstatat(dirfd(dir), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(facts.st_mode))
            bytes += (uint64_t)facts.st_size;
    }
    if (dir != NULL)
        closedir(dir);
    return bytes;
}

static enum err_code discard(struct prune *prune, struct candidate *candidate, struct err *err)
{
    uint64_t bytes = measure(prune, candidate->name);
    int claim = -1;
    enum err_code code = ERR_NONE;

    if (candidate->fate == BACKUP_GOES)
        code = backup_claim(prune->folder, candidate->name, &claim, err);
    if (code == ERR_EXISTS) {
        candidate->fate = BACKUP_IN_USE;
        return ERR_NONE;
    }
    if (code == ERR_NONE && !prune->pruning->dry_run)
        code = backup_discard(prune->folder, candidate->name, err);
    if (code == ERR_NONE)
        prune->pruning->freed += bytes;
    if (claim >= 0)
        close(claim);
    return code;
}

static enum err_code discard_all(struct prune *prune, struct err *err)
{
    enum err_code code =
        prune->pruning->dry_run ? ERR_NONE : backup_finish_discards(prune->folder, err);

    for (size_t i = 0; i < prune->count && code == ERR_NONE; i++) {
        struct candidate *candidate = &prune->candidates[i];

        if (candidate->fate == BACKUP_GOES || candidate->fate == BACKUP_BROKEN_OFF)
            code = discard(prune, candidate, err);
        if (code == ERR_NONE)
            code = prune->pruning->told(prune->pruning->context, candidate->name, candidate->taken,
                                        candidate->fate, err);
    }
    return code;
}

/* ---- segments ---- */

static int compare_needs(const void *a, const void *b)
{
    const struct need *x = a, *y = b;

    if (x->created != y->created)
        return x->created < y->created ? -1 : 1;
    if (x->database != y->database)
        return x->database < y->database ? -1 : 1;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->generation < y->generation ? -1 : x->generation > y->generation;
}

static void add_needs(struct prune *prune, const struct backup_database *database)
{
    prune->needs =
        mem_grow(prune->needs, prune->need_count + database->count + 1, sizeof(*prune->needs));
    for (size_t i = 0; i < database->count; i++)
        prune->needs[prune->need_count++] = (struct need){
            .created = database->created,
            .database = database->number,
            .number = database->segments[i].number,
            .generation = database->segments[i].generation,
        };
}

/* Most of what a backup needs others need, too: so memory follows the segments, not the backups. */
static void merge_needs(struct prune *prune)
{
    size_t kept = 0;

    if (prune->need_count == 0)
        return;
    qsort(prune->needs, prune->need_count, sizeof(*prune->needs), compare_needs);
    for (size_t i = 1; i < prune->need_count; i++) {
        if (compare_needs(&prune->needs[kept], &prune->needs[i]) != 0)
            prune->needs[++kept] = prune->needs[i];
    }
    prune->need_count = kept + 1;
}

static void read_needs(struct prune *prune)
{
    prune->knows_needs = true;
    for (size_t i = 0; i < prune->count; i++) {
        const struct candidate *candidate = &prune->candidates[i];
        struct backup_manifest manifest;
        char *path = backup_path("%s/%s/manifest", prune->folder, candidate->name);

        if (candidate->fate == BACKUP_UNREADABLE) {
            prune->knows_needs = false;
        } else if (candidate->fate == BACKUP_STAYS || candidate->fate == BACKUP_IN_USE) {
            if (manifest_read(&manifest, path, NULL) != ERR_NONE)
                prune->knows_needs = false;
            for (size_t n = 0; n < manifest.count; n++)
                add_needs(prune, &manifest.databases[n]);
            manifest_release(&manifest);
            merge_needs(prune);
        }
        free(path);
    }
}

/* The number of a file "segment-NUMBER-GENERATION"; anything else is left alone. */
static bool parse_segment(const char *name, struct need *need)
{
    int end = 0;

    return sscanf(name, "segment-%" SCNu32 "-%" SCNu32 "%n", &need->number, &need->generation,
                  &end) == 2 &&
           name[end] == '\0';
}

static enum err_code drop_segment(struct prune *prune, int folder, const char *name,
                                  struct err *err)
{
    struct stat facts;

    if (fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) != 0 ||
        (!prune->pruning->dry_run && unlinkat(folder, name, 0) != 0))
        return err_errno(err, errno, "%s", name);
    prune->pruning->freed += (uint64_t)facts.st_size;
    return ERR_NONE;
}

static enum err_code prune_segments(struct prune *prune, const char *path, struct need *need,
                                    struct err *err)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    enum err_code code = ERR_NONE;

    if (dir == NULL)
        return err_errno(err, errno, "%s", path);
    while (code == ERR_NONE && (entry = readdir(dir)) != NULL) {
        if (parse_segment(entry->d_name, need) &&
            (prune->need_count == 0 ||
             bsearch(need, prune->needs, prune->need_count, sizeof(*need), compare_needs) == NULL))
            code = drop_segment(prune, dirfd(dir), entry->d_name, err);
    }
    closedir(dir);
    if (code == ERR_NONE && !prune->pruning->dry_run)
        rmdir(path); /* of a former life, when it is empty now */
    return code;
}

/* The folders "dbN-CREATED". */
static enum err_code prune_databases(struct prune *prune, struct err *err)
{
    DIR *dir = opendir(prune->folder);
    struct dirent *entry;
    enum err_code code = ERR_NONE;

    if (dir == NULL)
        return err_errno(err, errno, "the folder of the backups");
    while (code == ERR_NONE && (entry = readdir(dir)) != NULL) {
        struct need need = {0};
        int end = 0;

        if (sscanf(entry->d_name, "db%" SCNu32 "-%" SCNx64 "%n", &need.database, &need.created,
                   &end) == 2 &&
            entry->d_name[end] == '\0') {
            char *path = backup_path("%s/%s", prune->folder, entry->d_name);

            code = prune_segments(prune, path, &need, err);
            free(path);
        }
    }
    closedir(dir);
    return code;
}

/* ---- the whole ---- */

static enum err_code prune_locked(struct prune *prune, struct err *err)
{
    enum err_code code = collect(prune, err);

    if (code != ERR_NONE)
        return code;
    decide(prune);
    code = discard_all(prune, err);
    if (code != ERR_NONE)
        return code;
    read_needs(prune);
    if (!prune->knows_needs)
        return err_set(err, ERR_CORRUPT,
                       "a manifest cannot be read: what its backup needs is not known, so no "
                       "segment was removed");
    return prune_databases(prune, err);
}

enum err_code backup_prune(const char *folder, struct backup_pruning *pruning, struct err *err)
{
    struct prune prune = {.folder = folder, .pruning = pruning};
    char *path = backup_path("%s/lock", folder);
    int lock = -1;
    enum err_code code;

    pruning->freed = 0;
    if (access(path, F_OK) != 0) /* it would be made, as ours, and the back end could not open it */
        code = err_set(err, ERR_NOT_FOUND, "no backup was ever made in this folder");
    else
        code = file_lock(&lock, path, err);
    free(path);
    if (code == ERR_NONE)
        code = prune_locked(&prune, err);
    free(prune.candidates);
    free(prune.needs);
    file_unlock(&lock);
    return code;
}
