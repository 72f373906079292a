#include "tests/unit/store/recorder.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/store/disk_calls.h"
#include "tests/unit/store/model.h"

#define FILES 4096
#define SECTOR 512u
#define PAGE 4096u

enum event_kind {
    EVENT_WRITE,
    EVENT_SYNC,   /* of a file: its writes before `until` are durable */
    EVENT_NAMES,  /* a folder was synced: names given before `until` are durable */
    EVENT_NAME,   /* a file has a name now */
    EVENT_UNNAME, /* the name is gone */
    EVENT_MARK,
};

struct event {
    enum event_kind kind;
    unsigned file;
    uint64_t offset, length, until; /* MARK: offset is the number */
    uint8_t *bytes;
    char *name; /* below the folder */
};

struct image {
    uint64_t inode;
    uint8_t *bytes; /* as synced */
    uint64_t length, room;
};

/* A name in the folder, as synced. */
struct named {
    char *name;
    unsigned file;
};

static struct {
    pthread_mutex_t lock;
    char folder[128];
    dev_t device;
    struct event *events;
    uint64_t count, room;
    struct image files[FILES];
    unsigned file_count;

    /* how far the record was gone through */
    uint64_t at, last_mark;
    uint64_t *pending; /* events: writes and names that are not durable */
    uint64_t pending_count, pending_room;
    struct named names[FILES];
    unsigned name_count;
} recorder = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- recording ---- */

static struct event *event_add(enum event_kind kind, unsigned file)
{
    if (recorder.count == recorder.room) {
        recorder.room = recorder.room == 0 ? 1024 : recorder.room * 2;
        recorder.events = realloc(recorder.events, recorder.room * sizeof(*recorder.events));
    }
    recorder.events[recorder.count] = (struct event){.kind = kind, .file = file};
    return &recorder.events[recorder.count++];
}

/* The path below the folder; NULL for others, and for locks, which mean nothing after a cut. */
static const char *below(const char *path)
{
    size_t length = strlen(recorder.folder);
    const char *end = strrchr(path, '/');

    if (strncmp(path, recorder.folder, length) != 0 || path[length] != '/')
        return NULL;
    if (strcmp(end, "/lock") == 0 || strcmp(end, "/index.mdb-lock") == 0)
        return NULL;
    return path + length + 1;
}

static unsigned file_add(uint64_t inode, const char *name)
{
    unsigned file = recorder.file_count++;

    assert(file < FILES);
    recorder.files[file].inode = inode;
    event_add(EVENT_NAME, file)->name = strdup(name);
    return file;
}

/* The file behind fd; -1 for one that is not below the folder. */
static int file_of(int fd)
{
    char link[64], path[256];
    const char *name;
    struct stat stat;
    ssize_t length;

    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) || stat.st_dev != recorder.device)
        return -1;
    for (unsigned i = recorder.file_count; i > 0; i--)
        if (recorder.files[i - 1].inode == stat.st_ino)
            return (int)(i - 1);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof(path) - 1);
    if (length < 0)
        return -1;
    path[length] = '\0';
    name = below(path);
    return name == NULL ? -1 : (int)file_add(stat.st_ino, name);
}

static bool is_folder(int fd)
{
    struct stat stat;

    return fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode);
}

static void record_write(const struct disk_call *call)
{
    int file = file_of(call->fd);
    struct event *event;
    uint64_t length = 0;

    if (file < 0)
        return;
    event = event_add(EVENT_WRITE, (unsigned)file);
    for (int i = 0; i < call->count; i++)
        length += call->parts[i].iov_len;
    event->bytes = malloc(length);
    event->offset = (uint64_t)call->offset;
    for (int i = 0; i < call->count; i++) {
        memcpy(event->bytes + event->length, call->parts[i].iov_base, call->parts[i].iov_len);
        event->length += call->parts[i].iov_len;
    }
    if ((fcntl(call->fd, F_GETFL) & O_DSYNC) == 0)
        return;
    event = event_add(EVENT_SYNC, (unsigned)file); /* of this write alone */
    event->until = recorder.count;
    event->offset = recorder.count - 2;
}

static void record_sync(const struct disk_call *call)
{
    int file = is_folder(call->fd) ? 0 : file_of(call->fd);

    if (file >= 0)
        event_add(is_folder(call->fd) ? EVENT_NAMES : EVENT_SYNC, (unsigned)file)->until =
            call->mark;
}

static unsigned file_named(const char *path)
{
    struct stat now;

    for (unsigned i = recorder.file_count; stat(path, &now) == 0 && i > 0; i--)
        if (recorder.files[i - 1].inode == now.st_ino)
            return i - 1;
    return file_add(now.st_ino, below(path));
}

static void on_before(struct disk_call *call)
{
    pthread_mutex_lock(&recorder.lock);
    call->mark = recorder.count;
    pthread_mutex_unlock(&recorder.lock);
}

static void on_after(const struct disk_call *call)
{
    pthread_mutex_lock(&recorder.lock);
    if (call->kind == DISK_WRITE) {
        record_write(call);
    } else if (call->kind == DISK_SYNC) {
        record_sync(call);
    } else if (below(call->from) != NULL) {
        if (call->kind == DISK_RENAME)
            event_add(EVENT_NAME, file_named(call->to))->name = strdup(below(call->to));
        event_add(EVENT_UNNAME, 0)->name = strdup(below(call->from));
    }
    pthread_mutex_unlock(&recorder.lock);
}

void recorder_start(const char *folder)
{
    struct stat stat_;

    snprintf(recorder.folder, sizeof(recorder.folder), "%s", folder);
    if (stat(folder, &stat_) == 0)
        recorder.device = stat_.st_dev;
    disk_before = on_before;
    disk_after = on_after;
}

void recorder_mark(uint64_t number)
{
    pthread_mutex_lock(&recorder.lock);
    event_add(EVENT_MARK, 0)->offset = number;
    pthread_mutex_unlock(&recorder.lock);
}

void recorder_stop(void)
{
    disk_before = NULL;
    disk_after = NULL;
}

uint64_t recorder_events(void)
{
    return recorder.count;
}

/* ---- going through it ---- */

static void image_write(struct image *image, uint64_t offset, const uint8_t *bytes, uint64_t length)
{
    uint64_t end = offset + length;

    if (end > image->room) {
        uint64_t room = end + end / 2;

        image->bytes = realloc(image->bytes, room);
        memset(image->bytes + image->room, 0, room - image->room);
        image->room = room;
    }
    memcpy(image->bytes + offset, bytes, length);
    if (end > image->length)
        image->length = end;
}

static void name_remove(struct named *names, unsigned *count, const char *name)
{
    for (unsigned i = 0; i < *count; i++)
        if (strcmp(names[i].name, name) == 0)
            names[i--] = names[--*count];
}

static void name_apply(struct named *names, unsigned *count, const struct event *event)
{
    name_remove(names, count, event->name);
    if (event->kind == EVENT_NAME)
        names[(*count)++] = (struct named){event->name, event->file};
}

/* Makes durable what the sync covers. */
static void settle(const struct event *sync)
{
    uint64_t kept = 0;

    for (uint64_t i = 0; i < recorder.pending_count; i++) {
        uint64_t number = recorder.pending[i];
        const struct event *event = &recorder.events[number];
        bool is_write = event->kind == EVENT_WRITE;

        if (number >= sync->until || is_write != (sync->kind == EVENT_SYNC) ||
            (is_write && (event->file != sync->file || number < sync->offset)))
            recorder.pending[kept++] = number;
        else if (is_write)
            image_write(&recorder.files[event->file], event->offset, event->bytes, event->length);
        else
            name_apply(recorder.names, &recorder.name_count, event);
    }
    recorder.pending_count = kept;
}

static void step(uint64_t number)
{
    const struct event *event = &recorder.events[number];

    if (event->kind == EVENT_MARK) {
        recorder.last_mark = event->offset;
    } else if (event->kind == EVENT_SYNC || event->kind == EVENT_NAMES) {
        settle(event);
    } else {
        if (recorder.pending_count == recorder.pending_room) {
            recorder.pending_room = recorder.pending_room * 2 + 1024;
            recorder.pending =
                realloc(recorder.pending, recorder.pending_room * sizeof(*recorder.pending));
        }
        recorder.pending[recorder.pending_count++] = number;
    }
}

uint64_t recorder_forward(uint64_t events)
{
    while (recorder.at < events && recorder.at < recorder.count)
        step(recorder.at++);
    return recorder.last_mark;
}

/* ---- a cut ---- */

static void put(int fd, uint64_t offset, const uint8_t *bytes, uint64_t length)
{
    if (pwrite(fd, bytes, length, (off_t)offset) != (ssize_t)length)
        abort();
}

/* What is left of a write: by blocks of its place in the file. */
static void put_part(int fd, const struct event *event, uint64_t block, uint64_t seed,
                     uint64_t number)
{
    uint64_t at = event->offset, end = event->offset + event->length;

    while (at < end) {
        uint64_t next = (at / block + 1) * block;

        if (next > end)
            next = end;
        if (model_random(seed, number, at / block) % 2 == 0)
            put(fd, at, event->bytes + (at - event->offset), next - at);
        at = next;
    }
}

static void put_pending(int fd, unsigned file, enum recorder_loss loss, uint64_t seed)
{
    for (uint64_t i = 0; i < recorder.pending_count && loss != LOSS_ALL; i++) {
        uint64_t number = recorder.pending[i];
        const struct event *event = &recorder.events[number];

        if (event->kind != EVENT_WRITE || event->file != file)
            continue;
        if (loss == LOSS_PAGES || loss == LOSS_SECTORS)
            put_part(fd, event, loss == LOSS_PAGES ? PAGE : SECTOR, seed, number);
        else if (loss == LOSS_NONE || model_random(seed, number, 0) % 2 == 0)
            put(fd, event->offset, event->bytes, event->length);
    }
}

static void put_file(const char *folder, const struct named *named, enum recorder_loss loss,
                     uint64_t seed)
{
    const struct image *image = &recorder.files[named->file];
    char path[400];
    char *end;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", folder, named->name);
    end = strrchr(path, '/');
    *end = '\0';
    mkdir(path, 0700);
    *end = '/';
    fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
    if (fd < 0)
        abort();
    put(fd, 0, image->bytes, image->length);
    put_pending(fd, named->file, loss, seed);
    close(fd);
}

/* Names come and go in order: some of those that are not durable yet are there, from the first on. */
void recorder_cut(const char *folder, enum recorder_loss loss, uint64_t seed)
{
    static struct named names[FILES];
    unsigned count = recorder.name_count;
    uint64_t pending = 0, taken;

    memcpy(names, recorder.names, sizeof(names));
    for (uint64_t i = 0; i < recorder.pending_count; i++)
        pending += recorder.events[recorder.pending[i]].kind != EVENT_WRITE;
    taken = loss == LOSS_ALL    ? 0
            : loss == LOSS_NONE ? pending
                                : model_random(seed, 0, 1) % (pending + 1);
    for (uint64_t i = 0; taken > 0; i++) {
        const struct event *event = &recorder.events[recorder.pending[i]];

        if (event->kind == EVENT_WRITE)
            continue;
        name_apply(names, &count, event);
        taken--;
    }
    for (unsigned i = 0; i < count; i++)
        put_file(folder, &names[i], loss, seed);
}

void recorder_release(void)
{
    for (uint64_t i = 0; i < recorder.count; i++) {
        free(recorder.events[i].bytes);
        free(recorder.events[i].name);
    }
    for (unsigned i = 0; i < recorder.file_count; i++)
        free(recorder.files[i].bytes);
    free(recorder.events);
    free(recorder.pending);
}
