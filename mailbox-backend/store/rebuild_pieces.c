/* Pieces that no record names: who reads one cannot know whose it was, or whether it had been deleted. Each
   goes to a file for the administrator to look at, so that nothing that can be read is lost with the index. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/file.h"
#include "common/mem.h"
#include "mailbox-backend/store/backup_private.h"
#include "mailbox-backend/store/maintain.h"
#include "mailbox-backend/store/rebuild_private.h"

#define NAMED 1u /* records lie at multiples of 32: the lowest bit is free */

static uint64_t place_of(uint32_t segment, uint32_t offset)
{
    return (uint64_t)segment << 32 | offset;
}

void rebuild_found_piece(struct rebuild *rebuild, uint32_t segment, uint32_t offset)
{
    if (rebuild->piece_count == rebuild->piece_room) {
        rebuild->piece_room = rebuild->piece_room == 0 ? 1024 : rebuild->piece_room * 2;
        rebuild->pieces = mem_grow(rebuild->pieces, rebuild->piece_room, sizeof(*rebuild->pieces));
    }
    rebuild->pieces[rebuild->piece_count++] = place_of(segment, offset);
}

static void name_piece(struct rebuild *rebuild, uint32_t segment, uint32_t offset)
{
    uint64_t wanted = place_of(segment, offset);
    size_t low = 0, high = rebuild->piece_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if ((rebuild->pieces[middle] & ~(uint64_t)NAMED) < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < rebuild->piece_count && rebuild->pieces[low] == wanted)
        rebuild->pieces[low] |= NAMED;
}

void rebuild_name_pieces(struct rebuild *rebuild, const Journal__Operation *operation)
{
    Journal__Piece **pieces = NULL;
    size_t count = 0;

    if (operation->what_case == JOURNAL__OPERATION__WHAT_APPEND) {
        pieces = operation->append->pieces;
        count = operation->append->n_pieces;
    } else if (operation->what_case == JOURNAL__OPERATION__WHAT_CONTENT_SET) {
        pieces = operation->content_set->pieces;
        count = operation->content_set->n_pieces;
    }
    for (size_t i = 0; i < count; i++)
        name_piece(rebuild, pieces[i]->segment, pieces[i]->offset);
}

/* ---- files ---- */

static enum err_code write_file(const char *path, const uint8_t *bytes, size_t length,
                                struct err *err)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum err_code code = ERR_NONE;

    if (file < 0)
        return err_errno(err, errno, "%s", path);
    while (code == ERR_NONE && length > 0) {
        ssize_t written = write(file, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            code = err_errno(err, written < 0 ? errno : EIO, "%s", path);
            break;
        }
        bytes += written;
        length -= (size_t)written;
    }
    close(file);
    if (code != ERR_NONE)
        unlink(path);
    return code;
}

/* One that cannot be unpacked is of no use to anybody. */
static enum err_code keep(struct rebuild *rebuild, const char *folder, uint64_t place,
                          uint8_t *bytes, struct err *err)
{
    struct piece piece = {.segment = (uint32_t)(place >> 32), .offset = (uint32_t)place};
    char *path;
    enum err_code code;

    if (!rebuild_find_piece(rebuild, &piece) ||
        rebuild_read_piece(rebuild, &piece, bytes, NULL) != ERR_NONE)
        return ERR_NONE;
    path = backup_path("%s/piece-%08" PRIu32 "-%09" PRIu32, folder, piece.segment, piece.offset);
    code = write_file(path, bytes, piece.real, err);
    rebuild->result->kept_pieces += code == ERR_NONE;
    free(path);
    return code;
}

/* All at once: a sync for each would take as long as its seek. */
static enum err_code sync_all(const char *folder, struct err *err)
{
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err_code code = ERR_NONE;

    if (file < 0 || syncfs(file) != 0)
        code = err_errno(err, errno, "%s", folder);
    if (file >= 0)
        close(file);
    return code;
}

enum err_code rebuild_keep_pieces(struct rebuild *rebuild, struct err *err)
{
    char *folder = backup_path("%s/" FOUND_FOLDER, rebuild->folder);
    uint8_t *bytes = mem_alloc(PIECE_BYTES);
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < rebuild->piece_count && code == ERR_NONE; i++) {
        if ((rebuild->pieces[i] & NAMED) != 0)
            continue;
        if (rebuild->result->kept_pieces == 0)
            code = file_make_folders(folder, 0700, err);
        if (code == ERR_NONE)
            code = keep(rebuild, folder, rebuild->pieces[i], bytes, err);
    }
    if (code == ERR_NONE && rebuild->result->kept_pieces > 0)
        code = sync_all(folder, err);
    free(bytes);
    free(folder);
    return code;
}
