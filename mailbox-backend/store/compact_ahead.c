#include "mailbox-backend/store/compact_ahead.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/mem.h"

#define AHEAD_BYTES (8u << 20)
#define AHEAD_PIECES 4096u
#define AHEAD_ROWS 10000u /* content rows looked at, at most */

struct ahead {
    struct database *database;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool stop;
    struct chosen chosen;
    uint64_t from;
    uint64_t upto;
    uint64_t asked, done; /* numbers of requests */
};

/* One request, the thread's own. */
struct work {
    struct ahead *ahead;
    struct chosen chosen;
    uint64_t number;
    uint64_t next; /* content id */
    struct piece pieces[AHEAD_PIECES];
    size_t count;
    uint64_t bytes;
    uint8_t record[RECORD_HEADER + PIECE_BYTES];
};

bool chosen_has(const struct chosen *chosen, uint32_t segment)
{
    size_t low = 0;
    size_t high = chosen->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (chosen->numbers[middle] < segment)
            low = middle + 1;
        else
            high = middle;
    }
    return low < chosen->count && chosen->numbers[low] == segment;
}

/* ---- the thread ---- */

static bool is_full(const struct work *work)
{
    return work->count == AHEAD_PIECES || work->bytes >= AHEAD_BYTES;
}

/* All of a content, as far as the list has room. */
static void take_row(struct work *work, struct bytes row)
{
    struct content_head head;

    if (!content_head_unpack(row, &head))
        return;
    for (uint32_t i = 0; i < head.pieces && work->count < AHEAD_PIECES; i++) {
        struct piece piece;

        piece_unpack(row, i, &piece);
        if (!chosen_has(&work->chosen, piece.segment) || piece.stored > PIECE_BYTES)
            continue;
        work->pieces[work->count++] = piece;
        work->bytes += piece.stored;
    }
}

/* Rows in a snapshot that is let go of before anything is read: disks may be slow. */
static void gather(struct work *work)
{
    struct key key = key_content(work->next);
    struct tx tx = {NULL, 0};
    struct tx_scan scan;
    unsigned rows = 0;
    enum err_code code = index_read_begin(work->ahead->database->index, &tx.txn, NULL);

    work->next = UINT64_MAX;
    work->count = 0;
    work->bytes = 0;
    if (code != ERR_NONE)
        return;
    code = scan_begin(&scan, &tx, TABLE_CONTENT, PREFIX_NONE, NULL);
    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, NULL);
    for (; code == ERR_NONE || code == ERR_CORRUPT; code = scan_next(&scan, NULL)) {
        if (rows++ == AHEAD_ROWS || is_full(work)) {
            work->next = get_u64(scan.key.data);
            break;
        }
        if (code == ERR_NONE)
            take_row(work, scan.value);
    }
    scan_end(&scan);
    index_read_end(&tx.txn);
}

static bool is_wanted(const struct work *work)
{
    struct ahead *ahead = work->ahead;
    bool wanted;

    pthread_mutex_lock(&ahead->lock);
    wanted = !ahead->stop && ahead->asked == work->number;
    pthread_mutex_unlock(&ahead->lock);
    return wanted;
}

/* Whatever fails here the writer will meet, and tell. */
static void read_pieces(struct work *work)
{
    struct segments *segments = work->ahead->database->segments;

    for (size_t i = 0; i < work->count && is_wanted(work); i++) {
        const struct piece *piece = &work->pieces[i];
        struct segment *segment;
        ssize_t got;

        if (segments_pin(segments, piece->segment, &segment, NULL) != ERR_NONE)
            continue;
        got = pread(segment->fd, work->record, RECORD_HEADER + (size_t)piece->stored,
                    (off_t)piece->offset);
        (void)got;
        segments_unpin(segments, segment);
    }
}

/* False: the thread is to end. */
static bool take_request(struct work *work)
{
    struct ahead *ahead = work->ahead;
    bool stop;

    pthread_mutex_lock(&ahead->lock);
    while (!ahead->stop && ahead->done == ahead->asked)
        pthread_cond_wait(&ahead->changed, &ahead->lock);
    stop = ahead->stop;
    work->chosen = ahead->chosen;
    work->next = ahead->from;
    work->number = ahead->asked;
    pthread_mutex_unlock(&ahead->lock);
    return !stop;
}

static void *run(void *argument)
{
    struct work *work = mem_alloc(sizeof(*work));
    struct ahead *ahead = work->ahead = argument;

    while (take_request(work)) {
        gather(work);
        read_pieces(work);
        pthread_mutex_lock(&ahead->lock);
        ahead->done = work->number;
        ahead->upto = work->next;
        pthread_mutex_unlock(&ahead->lock);
    }
    free(work);
    return NULL;
}

/* ---- the writer's ---- */

struct ahead *ahead_create(struct database *database)
{
    struct ahead *ahead = mem_alloc(sizeof(*ahead));

    ahead->database = database;
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    if (pthread_create(&ahead->thread, NULL, run, ahead) != 0)
        abort();
    pthread_setname_np(ahead->thread, "read-ahead");
    return ahead;
}

void ahead_destroy(struct ahead **out)
{
    struct ahead *ahead = *out;

    *out = NULL;
    if (ahead == NULL)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->stop = true;
    pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
    pthread_join(ahead->thread, NULL);
    pthread_mutex_destroy(&ahead->lock);
    pthread_cond_destroy(&ahead->changed);
    free(ahead);
}

void ahead_ask(struct ahead *ahead, const struct chosen *chosen, uint64_t from)
{
    pthread_mutex_lock(&ahead->lock);
    ahead->chosen = *chosen;
    ahead->from = from;
    ahead->asked++;
    pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
}

bool ahead_is_done(struct ahead *ahead, uint64_t *upto)
{
    bool done;

    pthread_mutex_lock(&ahead->lock);
    done = ahead->done == ahead->asked;
    if (done)
        *upto = ahead->upto;
    pthread_mutex_unlock(&ahead->lock);
    return done;
}
