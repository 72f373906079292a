/* Keywords of a folder: a name for each of its 128 bits. A bit, once given, keeps its name. */
#include <string.h>

#include "mailbox-backend/store/batch.h"

/* Copies the names; *count is one more than the highest bit. */
static enum err_code list(const struct tx *tx, uint32_t folder,
                          char names[STORE_KEYWORDS_MAX][STORE_KEYWORD_NAME_MAX + 1],
                          unsigned *count, struct err *err)
{
    struct key key = key_keyword(folder, 0);
    struct tx_scan scan;
    enum err_code code = scan_begin(&scan, tx, TABLE_KEYWORD, PREFIX_FOLDER, err);

    *count = 0;
    if (code == ERR_NONE)
        code = scan_seek(&scan, &key, err);
    while (code == ERR_NONE) {
        unsigned bit = scan.key.data[8];

        if (bit >= STORE_KEYWORDS_MAX || scan.value.length > STORE_KEYWORD_NAME_MAX) {
            code = tx_bad_row(tx, TABLE_KEYWORD, err);
            break;
        }
        memcpy(names[bit], scan.value.data, scan.value.length);
        names[bit][scan.value.length] = '\0';
        *count = bit + 1;
        code = scan_next(&scan, err);
    }
    scan_end(&scan);
    return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

enum err_code store_keyword_list(struct store_read *read, uint32_t folder,
                                 char names[STORE_KEYWORDS_MAX][STORE_KEYWORD_NAME_MAX + 1],
                                 unsigned *count, struct err *err)
{
    return list(&read->tx, folder, names, count, err);
}

enum err_code batch_keywords_load(struct batch *batch, struct folder_slot *slot, struct err *err)
{
    enum err_code code;

    if (slot->keywords_loaded)
        return ERR_NONE;
    slot->keywords = arena_array(&batch->arena, STORE_KEYWORDS_MAX, sizeof(slot->keywords[0]));
    code = list(&slot->mailbox->tx, slot->folder, slot->keywords, &slot->keyword_count, err);
    if (code != ERR_NONE)
        return code;
    slot->keywords_stored = slot->keyword_count;
    slot->saved.keyword_count = slot->keyword_count;
    slot->keywords_loaded = true;
    return ERR_NONE;
}

static unsigned find(const struct folder_slot *slot, const char *name)
{
    unsigned bit = 0;

    while (bit < slot->keyword_count &&
           !str_equal_nocase(str_of(slot->keywords[bit]), str_of(name)))
        bit++;
    return bit;
}

static enum err_code make_keyword(struct batch *batch, struct folder_slot *slot, const char *name,
                                  struct err *err)
{
    size_t length = strlen(name);

    if (length == 0 || length > STORE_KEYWORD_NAME_MAX)
        return err_set(err, ERR_INVALID, "a keyword has 1 to %d characters",
                       STORE_KEYWORD_NAME_MAX);
    if (slot->keyword_count == STORE_KEYWORDS_MAX)
        return err_set(err, ERR_LIMIT, "the folder has %d keywords already", STORE_KEYWORDS_MAX);
    folder_slot_change(batch, slot, 0);
    memcpy(slot->keywords[slot->keyword_count++], name, length + 1);
    return ERR_NONE;
}

enum err_code batch_keywords(struct batch *batch, struct folder_slot *slot,
                             const struct store_keyword_names *names, bool make, uint64_t bits[2],
                             struct err *err)
{
    enum err_code code = ERR_NONE;

    bits[0] = bits[1] = 0;
    if (names->count > 0)
        code = batch_keywords_load(batch, slot, err);
    for (unsigned i = 0; i < names->count && code == ERR_NONE; i++) {
        unsigned bit = find(slot, names->names[i]);

        if (bit == slot->keyword_count && !make)
            continue;
        if (bit == slot->keyword_count)
            code = make_keyword(batch, slot, names->names[i], err);
        if (code == ERR_NONE)
            bits[bit / 64] |= UINT64_C(1) << bit % 64;
    }
    return code;
}
