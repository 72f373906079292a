#include "common/tls_ticket_file.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "common/mem.h"
#include "common/random.h"
#include "common/tls_hash.h"
#include "common/tls_key_file.h"

#define FILE_MOST ((size_t)64 << 10)
#define FILE_MODE 0600

static const char heading[] =
    "# Keys of TLS session tickets: who has them can read what clients resume. Newest first.\n";

/* ---- the ring ---- */

static void set_id(struct ticket_secret *key)
{
    uint8_t hash[HASH_SIZE_MAX];

    hash_mac(HASH_SHA256, str_n(key->secret, sizeof(key->secret)), STR("ticket 1 id"), hash);
    memcpy(key->id, hash, sizeof(key->id));
}

void ticket_ring_add(struct ticket_ring *ring, int64_t now, uint64_t keep)
{
    size_t most = TLS_TICKET_KEYS_MOST - 1;

    ring->count = ring->count < most ? ring->count : most;
    memmove(ring->keys + 1, ring->keys, ring->count * sizeof(ring->keys[0]));
    ring->keys[0].made = now;
    random_bytes(ring->keys[0].secret, sizeof(ring->keys[0].secret));
    set_id(&ring->keys[0]);
    ring->count++;
    /* a key has sealed until the one before it in the ring was made */
    while (ring->count > 1 && now - ring->keys[ring->count - 2].made > (int64_t)keep)
        mem_wipe(&ring->keys[--ring->count], sizeof(ring->keys[0]));
}

/* In its place by age. */
static void insert(struct ticket_ring *ring, const struct ticket_secret *key)
{
    size_t at = ring->count++;

    for (; at > 0 && ring->keys[at - 1].made < key->made; at--)
        ring->keys[at] = ring->keys[at - 1];
    ring->keys[at] = *key;
}

/* ---- its file ---- */

static int digit_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = memchr(digits, str_lower(c), sizeof(digits) - 1);

    return at == NULL ? -1 : (int)(at - digits);
}

static bool parse_secret(uint8_t secret[TLS_TICKET_SECRET], struct str digits)
{
    if (digits.length != 2 * TLS_TICKET_SECRET)
        return false;
    for (size_t i = 0; i < TLS_TICKET_SECRET; i++) {
        int high = digit_of(digits.data[2 * i]), low = digit_of(digits.data[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        secret[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

static bool parse_key(struct ticket_secret *key, struct str line)
{
    const char *space = memchr(line.data, ' ', line.length);
    uint64_t made;
    size_t before;

    if (space == NULL)
        return false;
    before = (size_t)(space - line.data);
    if (!str_number(str_n(line.data, before), INT64_MAX, &made) ||
        !parse_secret(key->secret, str_n(space + 1, line.length - before - 1)))
        return false;
    key->made = (int64_t)made;
    set_id(key);
    return true;
}

static enum err_code parse_line(struct ticket_ring *ring, struct str line, const char *path,
                                unsigned number, struct err *err)
{
    struct ticket_secret key;
    bool good;

    line = str_trim(line);
    if (line.length == 0 || line.data[0] == '#')
        return ERR_NONE;
    if (ring->count == TLS_TICKET_KEYS_MOST)
        return err_set(err, ERR_LIMIT, "%s: more than %d keys", path, TLS_TICKET_KEYS_MOST);
    good = parse_key(&key, line);
    if (good)
        insert(ring, &key);
    mem_wipe(&key, sizeof(key));
    if (!good)
        return err_set(err, ERR_INVALID, "%s:%u: not a time and 64 hexadecimal digits", path,
                       number);
    return ERR_NONE;
}

static enum err_code parse(struct ticket_ring *ring, struct str text, const char *path,
                           struct err *err)
{
    enum err_code code = ERR_NONE;

    for (unsigned number = 1; text.length > 0 && code == ERR_NONE; number++) {
        const char *end = memchr(text.data, '\n', text.length);
        size_t length = end == NULL ? text.length : (size_t)(end - text.data);
        size_t used = length + (end != NULL);

        code = parse_line(ring, str_n(text.data, length), path, number, err);
        text = str_n(text.data + used, text.length - used);
    }
    if (code == ERR_NONE && ring->count == 0)
        code = err_set(err, ERR_INVALID, "%s: there is no key in it", path);
    return code;
}

enum err_code ticket_ring_read(struct ticket_ring *ring, const char *path, struct err *err)
{
    struct buf bytes = {0};
    enum err_code code = tls_check_key_mode(path, err);

    if (code == ERR_NONE)
        code = file_read(&bytes, path, FILE_MOST, err);
    if (code == ERR_NONE)
        code = parse(ring, str_n(buf_bytes(&bytes), buf_length(&bytes)), path, err);
    mem_wipe(bytes.memory, bytes.size);
    buf_release(&bytes);
    return code;
}

static enum err_code write_ring(const struct ticket_ring *ring, const char *path, struct err *err)
{
    struct buf text = {0};
    enum err_code code;

    buf_reserve(&text, sizeof(heading) + TLS_TICKET_KEYS_MOST * 100); /* no copy is left behind */
    buf_text(&text, heading);
    for (size_t i = 0; i < ring->count; i++) {
        buf_printf(&text, "%lld ", (long long)ring->keys[i].made);
        for (size_t at = 0; at < TLS_TICKET_SECRET; at++)
            buf_printf(&text, "%02x", ring->keys[i].secret[at]);
        buf_byte(&text, '\n');
    }
    code = file_write(path, buf_bytes(&text), buf_length(&text), FILE_MODE, err);
    mem_wipe(text.memory, text.size);
    buf_release(&text);
    return code;
}

enum err_code tls_ticket_file_add(const char *path, uint64_t keep, size_t *count, struct err *err)
{
    struct ticket_ring ring = {0};
    enum err_code code = access(path, F_OK) == 0 ? ticket_ring_read(&ring, path, err) : ERR_NONE;

    if (code == ERR_NONE) {
        ticket_ring_add(&ring, time(NULL), keep);
        code = write_ring(&ring, path, err);
    }
    *count = ring.count;
    mem_wipe(&ring, sizeof(ring));
    return code;
}
