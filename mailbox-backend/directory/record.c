#include "mailbox-backend/directory/record.h"

#include <string.h>

#include "common/crc32c.h"
#include "mailbox-backend/directory/internal.h"

#define FORMAT 1
#define CHECKSUM_SIZE 4

static void put_checksum(struct buf *out, uint32_t checksum)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_byte(out, (uint8_t)(checksum >> shift));
}

static uint32_t get_checksum(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

void record_pack(const Directory__Record *record, struct buf *out)
{
    size_t size = directory__record__get_packed_size(record), before = buf_length(out);

    buf_byte(out, FORMAT);
    directory__record__pack(record, buf_reserve(out, size));
    buf_commit(out, size);
    put_checksum(out, crc32c(0, buf_bytes(out) + before, size + 1));
}

static void *take(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void keep(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer; /* the arena ends all at once */
}

enum err_code record_unpack(const void *bytes, size_t length, struct arena *arena,
                            Directory__Record **record, struct err *err)
{
    ProtobufCAllocator allocator = {take, keep, arena};
    const uint8_t *at = bytes;
    size_t size = length - CHECKSUM_SIZE;

    if (length < 1 + CHECKSUM_SIZE || crc32c(0, at, size) != get_checksum(at + size))
        return err_set(err, ERR_CORRUPT, "an account's record is damaged");
    if (at[0] != FORMAT)
        return err_set(err, ERR_UNAVAILABLE,
                       "an account's record has format %u, this program knows %d: run the newer "
                       "program that wrote it",
                       at[0], FORMAT);
    *record = directory__record__unpack(&allocator, size - 1, at + 1);
    if (*record == NULL || (*record)->guid.len != sizeof(struct store_guid))
        return err_set(err, ERR_CORRUPT, "an account's record cannot be read");
    return ERR_NONE;
}

void record_to_account(const Directory__Record *record, const struct directory *directory,
                       struct arena *arena, struct account *account)
{
    const char **addresses = arena_array(arena, record->n_addresses + 1, sizeof(*addresses));

    for (size_t i = 0; i < record->n_addresses; i++)
        addresses[i] = record->addresses[i];
    *account = (struct account){
        .name = record->name,
        .display_name = record->display_name,
        .addresses = addresses,
        .address_count = record->n_addresses,
        .services = record->services,
        .enabled = !record->disabled,
        .may_impersonate = record->may_impersonate,
        .detail_folders = !record->no_detail_folders,
        .quota_bytes = record->quota_is_set ? record->quota_bytes : directory->default_quota_bytes,
        .quota_messages = record->quota_messages,
        .quota_folders =
            record->quota_folders_is_set ? record->quota_folders : directory->default_quota_folders,
        .recovery_is_set = record->recovery_is_set,
        .recovery_quota_is_set = record->recovery_quota_is_set,
        .recovery = {record->recovery_seconds, record->recovery_quota},
        .pop3_folder = record->pop3_folder,
        .pop3_order_is_set = record->pop3_order_is_set,
        .pop3_newest_first = record->pop3_newest_first,
        .epoch = record->epoch,
        .generation = record->generation,
        .has_password = record->password_hash[0] != '\0',
        .is_shared = record->is_shared,
    };
    memcpy(account->guid.bytes, record->guid.data, sizeof(account->guid.bytes));
    account->proven_by = account->guid;
}
