#include "mailbox-backend/store/record.h"

#include <string.h>

#include "mailbox-backend/store/format.h"

#define VERSION_1 1
#define VERSION_2 2
#define SEGMENT_ROW_1 34u
#define MAILBOX_STATE_1 48u
#define DATABASE_1 FORMAT_AT

static bool is_version_1(struct bytes row, size_t length)
{
    return row.length == length && row.data[0] == VERSION_1;
}

void folder_state_pack(uint8_t row[FOLDER_STATE_ROW], const struct folder_state *state)
{
    memset(row, 0, FOLDER_STATE_ROW);
    row[0] = VERSION_1;
    put_u32(row + 4, state->uid_validity);
    put_u32(row + 8, state->uid_next);
    put_u64(row + 12, state->highest_modseq);
    put_u32(row + 20, state->messages);
    put_u32(row + 24, state->unseen);
    put_u32(row + 28, state->deleted);
    put_u64(row + 32, state->bytes);
    put_u64(row + 40, state->vanished_floor);
    put_u32(row + 48, state->vanished_rows);
    put_u32(row + 52, state->claim_first);
    put_u32(row + 56, state->claim_count);
}

bool folder_state_unpack(struct bytes row, struct folder_state *state)
{
    if (!is_version_1(row, FOLDER_STATE_ROW))
        return false;
    state->uid_validity = get_u32(row.data + 4);
    state->uid_next = get_u32(row.data + 8);
    state->highest_modseq = get_u64(row.data + 12);
    state->messages = get_u32(row.data + 20);
    state->unseen = get_u32(row.data + 24);
    state->deleted = get_u32(row.data + 28);
    state->bytes = get_u64(row.data + 32);
    state->vanished_floor = get_u64(row.data + 40);
    state->vanished_rows = get_u32(row.data + 48);
    state->claim_first = get_u32(row.data + 52);
    state->claim_count = get_u32(row.data + 56);
    return true;
}

size_t mailbox_state_pack(uint8_t row[MAILBOX_STATE_MOST], const struct mailbox_state *state)
{
    memset(row, 0, MAILBOX_STATE_MOST);
    row[0] = state->counts_recoverable ? VERSION_2 : VERSION_1;
    put_u32(row + 4, state->next_folder);
    put_u64(row + 8, state->modseq);
    put_u64(row + 16, state->bytes);
    put_u64(row + 24, state->messages);
    put_u64(row + 32, state->next_item);
    put_u32(row + 40, state->last_uid_validity);
    put_u32(row + 44, state->folders);
    if (!state->counts_recoverable)
        return MAILBOX_STATE_1;
    put_u64(row + 48, state->recoverable_messages);
    put_u64(row + 56, state->recoverable_bytes);
    return MAILBOX_STATE_MOST;
}

bool mailbox_state_unpack(struct bytes row, struct mailbox_state *state)
{
    bool newer = row.length == MAILBOX_STATE_MOST && row.data[0] == VERSION_2;

    if (!newer && !is_version_1(row, MAILBOX_STATE_1))
        return false;
    state->next_folder = get_u32(row.data + 4);
    state->modseq = get_u64(row.data + 8);
    state->bytes = get_u64(row.data + 16);
    state->messages = get_u64(row.data + 24);
    state->next_item = get_u64(row.data + 32);
    state->last_uid_validity = get_u32(row.data + 40);
    state->folders = get_u32(row.data + 44);
    state->counts_recoverable = newer;
    state->recoverable_messages = newer ? get_u64(row.data + 48) : 0;
    state->recoverable_bytes = newer ? get_u64(row.data + 56) : 0;
    return true;
}

void mailbox_pack(uint8_t row[MAILBOX_ROW], const struct mailbox_record *mailbox)
{
    row[0] = VERSION_1;
    memcpy(row + 1, mailbox->guid.bytes, 16);
    put_u64(row + 17, (uint64_t)mailbox->created);
}

bool mailbox_unpack(struct bytes row, struct mailbox_record *mailbox)
{
    if (!is_version_1(row, MAILBOX_ROW))
        return false;
    memcpy(mailbox->guid.bytes, row.data + 1, 16);
    mailbox->created = (int64_t)get_u64(row.data + 17);
    return true;
}

size_t folder_pack(uint8_t row[FOLDER_ROW_MAX], const struct folder_record *folder)
{
    row[0] = VERSION_1;
    row[1] = folder->use;
    row[2] = folder->class;
    put_u32(row + 3, folder->parent);
    put_u64(row + 7, (uint64_t)folder->created);
    if (folder->name.length != 0)
        memcpy(row + 15, folder->name.data, folder->name.length);
    return 15 + folder->name.length;
}

bool folder_unpack(struct bytes row, struct folder_record *folder)
{
    if (row.length < 15 || row.length > FOLDER_ROW_MAX || row.data[0] != VERSION_1)
        return false;
    folder->use = row.data[1];
    folder->class = row.data[2];
    folder->parent = get_u32(row.data + 3);
    folder->created = (int64_t)get_u64(row.data + 7);
    folder->name = str_n(row.data + 15, row.length - 15);
    return true;
}

void content_head_pack(uint8_t *row, const struct content_head *head)
{
    row[0] = VERSION_1;
    put_u32(row + 1, head->references);
    put_u64(row + 5, head->size);
    put_u32(row + 13, head->pieces);
}

bool content_head_unpack(struct bytes row, struct content_head *head)
{
    if (row.length < CONTENT_HEAD || row.data[0] != VERSION_1)
        return false;
    head->references = get_u32(row.data + 1);
    head->size = get_u64(row.data + 5);
    head->pieces = get_u32(row.data + 13);
    return row.length == CONTENT_HEAD + (size_t)head->pieces * PIECE_ROW;
}

void piece_pack(uint8_t *row, uint32_t n, const struct piece *piece)
{
    uint8_t *at = row + CONTENT_HEAD + (size_t)n * PIECE_ROW;

    put_u32(at, piece->segment);
    put_u32(at + 4, piece->offset);
    put_u32(at + 8, piece->stored);
    put_u32(at + 12, piece->real);
}

void piece_unpack(struct bytes row, uint32_t n, struct piece *piece)
{
    const uint8_t *at = row.data + CONTENT_HEAD + (size_t)n * PIECE_ROW;

    piece->segment = get_u32(at);
    piece->offset = get_u32(at + 4);
    piece->stored = get_u32(at + 8);
    piece->real = get_u32(at + 12);
}

void segment_pack(uint8_t row[SEGMENT_ROW], const struct segment_record *segment)
{
    row[0] = VERSION_2;
    row[1] = (uint8_t)segment->state;
    put_u32(row + 2, segment->generation);
    put_u64(row + 6, segment->size);
    put_u64(row + 14, segment->used);
    put_u64(row + 22, segment->live);
    put_u32(row + 30, segment->number);
    put_u64(row + 34, (uint64_t)segment->died);
}

/* Version 1 does not say when the first record died. */
bool segment_unpack(struct bytes row, uint32_t number, struct segment_record *segment)
{
    bool newer = row.length == SEGMENT_ROW && row.data[0] == VERSION_2;

    if ((!newer && !is_version_1(row, SEGMENT_ROW_1)) || get_u32(row.data + 30) != number)
        return false;
    segment->number = number;
    segment->state = (enum segment_state)row.data[1];
    segment->generation = get_u32(row.data + 2);
    segment->size = get_u64(row.data + 6);
    segment->used = get_u64(row.data + 14);
    segment->live = get_u64(row.data + 22);
    segment->died = newer ? (int64_t)get_u64(row.data + 34) : 0;
    return segment->state >= SEGMENT_FREE && segment->state <= SEGMENT_SEALED;
}

size_t database_pack(uint8_t row[DATABASE_MOST], const struct database_record *database)
{
    row[0] = database->format == 1 ? VERSION_1 : VERSION_2;
    put_u64(row + 1, database->batch);
    put_u64(row + 9, database->next_content);
    put_u32(row + 17, database->next_mailbox);
    put_u32(row + 21, database->start);
    put_u64(row + 25, database->created);
    put_u32(row + 33, database->next_segment);
    if (database->format == 1)
        return DATABASE_1;
    put_u32(row + FORMAT_AT, database->format);
    put_u32(row + FORMAT_AT + 4, database->upgrade_next);
    return DATABASE_MOST;
}

bool database_unpack(struct bytes row, struct database_record *database)
{
    bool newer = row.length == DATABASE_MOST && row.data[0] == VERSION_2;

    if (!newer && !is_version_1(row, DATABASE_1))
        return false;
    database->batch = get_u64(row.data + 1);
    database->next_content = get_u64(row.data + 9);
    database->next_mailbox = get_u32(row.data + 17);
    database->start = get_u32(row.data + 21);
    database->created = get_u64(row.data + 25);
    database->next_segment = get_u32(row.data + 33);
    database->format = format_of(row);
    database->upgrade_next = newer ? get_u32(row.data + FORMAT_AT + 4) : 0;
    return true;
}
