/* The item row, which scans read by the million, and packed ranges of uids. */
#include "common/buf.h"
#include "mailbox-backend/store/keys.h"
#include "mailbox-backend/store/record.h"

#define VERSION_1 1
#define NO_FINAL_NEWLINE 0x80000000u /* kept in the top bit of the system flags */

/* version u8, kind u8, zone i16, system flags u32, keywords 2 × u64, modseq u64, read modseq u64,
   email id u64, thread id u64, content id u64, size u48, item id u48, internal date i48, save date
   i48, header size u32 */
void item_pack(uint8_t row[ITEM_ROW], const struct store_item *item, uint64_t read_modseq)
{
    row[0] = VERSION_1;
    row[1] = (uint8_t)item->kind;
    put_u16(row + 2, (uint16_t)item->zone);
    put_u32(row + 4, item->flags.system | (item->no_final_newline ? NO_FINAL_NEWLINE : 0));
    put_u64(row + 8, item->flags.keywords[0]);
    put_u64(row + 16, item->flags.keywords[1]);
    put_u64(row + 24, item->modseq);
    put_u64(row + 32, read_modseq);
    put_u64(row + 40, item->email_id);
    put_u64(row + 48, item->thread_id);
    put_u64(row + 56, item->content_id);
    put_u48(row + 64, item->size);
    put_u48(row + 70, item->item_id);
    put_u48(row + 76, (uint64_t)item->internal_date);
    put_u48(row + 82, (uint64_t)item->save_date);
    put_u32(row + 88, item->header_size);
}

bool item_unpack(struct bytes row, uint32_t uid, struct store_item *item)
{
    const uint8_t *at = row.data;

    if (row.length != ITEM_ROW || at[0] != VERSION_1)
        return false;
    item->uid = uid;
    item->kind = (enum store_kind)at[1];
    item->zone = (int16_t)get_u16(at + 2);
    item->flags.system = get_u32(at + 4) & ~NO_FINAL_NEWLINE;
    item->no_final_newline = (get_u32(at + 4) & NO_FINAL_NEWLINE) != 0;
    item->flags.keywords[0] = get_u64(at + 8);
    item->flags.keywords[1] = get_u64(at + 16);
    item->modseq = get_u64(at + 24);
    item->email_id = get_u64(at + 40);
    item->thread_id = get_u64(at + 48);
    item->content_id = get_u64(at + 56);
    item->size = get_u48(at + 64);
    item->item_id = get_u48(at + 70);
    item->internal_date = get_i48(at + 76);
    item->save_date = get_i48(at + 82);
    item->header_size = get_u32(at + 88);
    return true;
}

uint64_t item_read_modseq(struct bytes row)
{
    return get_u64(row.data + 32);
}

static void put_varint(struct buf *out, uint32_t value)
{
    while (value >= 0x80) {
        buf_byte(out, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    buf_byte(out, (uint8_t)value);
}

static bool get_varint(struct bytes *in, uint32_t *value)
{
    uint64_t sum = 0;

    for (unsigned shift = 0; shift < 35 && in->length > 0; shift += 7) {
        uint8_t byte = *in->data;

        in->data++;
        in->length--;
        sum |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *value = (uint32_t)sum;
            return sum <= UINT32_MAX;
        }
    }
    return false;
}

void ranges_pack(struct buf *out, const struct uidset *set)
{
    uint32_t before = 0;

    buf_byte(out, VERSION_1);
    for (size_t i = 0; i < set->count; i++) {
        put_varint(out, set->ranges[i].first - before);
        put_varint(out, set->ranges[i].last - set->ranges[i].first);
        before = set->ranges[i].last;
    }
}

bool ranges_unpack(struct bytes row, struct uidset *add_to)
{
    uint64_t before = 0;

    if (row.length < 1 || row.data[0] != VERSION_1)
        return false;
    row.data++;
    row.length--;
    while (row.length > 0) {
        uint32_t gap, more;

        if (!get_varint(&row, &gap) || !get_varint(&row, &more) || gap == 0 ||
            before + gap + more > UID_MAX)
            return false;
        uidset_add_range(add_to, (uint32_t)before + gap, (uint32_t)before + gap + more);
        before += (uint64_t)gap + more;
    }
    return true;
}
