#include <stdarg.h>

#include "mailbox-backend/imap4/mutf7.h"
#include "mailbox-backend/imap4/place.h"
#include "mailbox-backend/mime/imap_string.h"

struct buf *imap_input(struct imap *imap)
{
    return imap->compress != NULL ? compress_input(imap->compress) : session_input(imap->session);
}

struct buf *imap_output(struct imap *imap)
{
    return imap->compress != NULL ? compress_output(imap->compress) : session_output(imap->session);
}

size_t imap_room(const struct imap *imap)
{
    size_t room = session_room(imap->session);
    size_t waiting = imap->compress != NULL ? buf_length(compress_output(imap->compress)) : 0;

    return room > waiting ? room - waiting : 0;
}

struct buf *command_output(struct command *command)
{
    return imap_output(command->imap);
}

bool command_has_room(const struct command *command)
{
    return imap_room(command->imap) > 0;
}

void untagged(struct command *command, const char *format, ...)
{
    struct buf *out = command_output(command);
    va_list args;

    buf_text(out, "* ");
    va_start(args, format);
    buf_vprintf(out, format, args);
    va_end(args);
    buf_text(out, "\r\n");
}

/* ---- IMAP4rev2 ---- */

bool imap_is_rev2(const struct imap *imap)
{
    return (imap->enabled & ENABLED_REV2) != 0;
}

bool imap_is_uid_only(const struct imap *imap)
{
    return (imap->enabled & ENABLED_UIDONLY) != 0;
}

void size_tell(struct command *command)
{
    const struct view *view = command->imap->view;

    untagged(command, "%u EXISTS", view_count(view));
    if (!imap_is_rev2(command->imap))
        untagged(command, "%u RECENT", view_recent_count(view));
}

/* ---- flags ---- */

static const struct {
    uint32_t flag;
    const char *name;
} system_flags[] = {
    {FLAG_ANSWERED, "\\Answered"},
    {FLAG_FLAGGED,  "\\Flagged" },
    {FLAG_DELETED,  "\\Deleted" },
    {FLAG_SEEN,     "\\Seen"    },
    {FLAG_DRAFT,    "\\Draft"   },
};

struct list_writer {
    struct buf *out;
    const char *separator;
};

static void write_word(struct list_writer *writer, const char *word)
{
    buf_text(writer->out, writer->separator);
    buf_text(writer->out, word);
    writer->separator = " ";
}

static void write_system_flags(struct list_writer *writer, uint32_t flags)
{
    for (size_t i = 0; i < sizeof(system_flags) / sizeof(system_flags[0]); i++) {
        if ((flags & system_flags[i].flag) != 0)
            write_word(writer, system_flags[i].name);
    }
}

void flags_write(struct buf *out, const struct imap *imap, const struct store_item *item)
{
    struct list_writer writer = {out, "("};
    const struct view *view = imap->view;

    write_system_flags(&writer, item->flags.system);
    if (!imap_is_rev2(imap) && view_is_recent(view, item->uid))
        write_word(&writer, "\\Recent");
    for (unsigned i = 0; i < view->keywords.count; i++) {
        if (keyword_is_set(&item->flags, i))
            write_word(&writer, view->keywords.names[i]);
    }
    buf_text(out, *writer.separator == '(' ? "()" : ")");
}

void fetch_begin(struct command *command, uint32_t uid)
{
    const struct imap *imap = command->imap;
    struct buf *out = command_output(command);

    if (imap_is_uid_only(imap))
        buf_printf(out, "* %u UIDFETCH (", uid);
    else
        buf_printf(out, "* %u FETCH (", view_sequence(imap->view, uid));
}

void flags_tell_item(struct command *command, const struct store_item *item)
{
    struct buf *out = command_output(command);
    const struct imap *imap = command->imap;

    fetch_begin(command, item->uid);
    if (condstore_is_enabled(imap)) {
        condstore_write(command, item);
        buf_byte(out, ' ');
    } else if (!imap_is_uid_only(imap) &&
               ((command->entry->flags & CMD_UID) != 0 || imap_is_rev2(imap) ||
                imap->notify != NULL)) { /* RFC 5465 section 5.1 */
        buf_printf(out, "UID %u ", item->uid);
    }
    buf_text(out, "FLAGS ");
    flags_write(out, imap, item);
    buf_text(out, ")\r\n");
}

static void write_known_flags(struct buf *out, const struct view *view, unsigned rights, bool more)
{
    bool keywords = (rights & RIGHT_WRITE) != 0;
    struct list_writer writer = {out, "("};

    write_system_flags(&writer, rights_flags(rights));
    for (unsigned i = 0; i < view->keywords.count && keywords; i++)
        write_word(&writer, view->keywords.names[i]);
    if (more && keywords && view->keywords.count < STORE_KEYWORDS_MAX)
        write_word(&writer, "\\*");
    buf_text(out, *writer.separator == '(' ? "()" : ")");
}

void flags_tell(struct command *command)
{
    struct buf *out = command_output(command);
    const struct view *view = command->imap->view;

    buf_text(out, "* FLAGS ");
    write_known_flags(out, view, RIGHTS_ALL, false);
    buf_text(out, "\r\n* OK [PERMANENTFLAGS ");
    if (command->imap->read_only)
        buf_text(out, "()] Read-only\r\n");
    else {
        write_known_flags(out, view, command->imap->selected.rights, true);
        buf_text(out, "] Kept for ever\r\n");
    }
}

enum err_code flags_learn(struct command *command, struct store_read *read,
                          const struct store_item *items, size_t count, struct err *err)
{
    struct view *view = command->imap->view;
    bool behind = false;

    for (size_t i = 0; i < count && !behind; i++)
        behind = keyword_list_is_behind(&view->keywords, &items[i].flags);
    return behind ? flags_refresh(command, read, err) : ERR_NONE;
}

enum err_code flags_refresh(struct command *command, struct store_read *read, struct err *err)
{
    struct view *view = command->imap->view;
    bool grown;
    enum err_code code = keyword_list_read(&view->keywords, read, view->folder, &grown, err);

    if (code == ERR_NONE && grown)
        flags_tell(command);
    return code;
}

/* ---- names and sets ---- */

static bool is_plain_atom(struct str text)
{
    if (text.length == 0 || text.length > 200 || str_is_nocase(text, "NIL"))
        return false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        bool plain = (str_lower(c) >= 'a' && str_lower(c) <= 'z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '/' || c == '&' || c == ',' ||
                     c == '+';

        if (!plain)
            return false;
    }
    return true;
}

static void write_mutf7(struct buf *out, struct str path)
{
    struct buf name = {0};
    struct str text;

    mutf7_encode(&name, path);
    text = str_n(buf_bytes(&name), buf_length(&name));
    if (is_plain_atom(text))
        buf_append(out, text.data, text.length);
    else
        imap_string_write(out, text);
    buf_release(&name);
}

void mailbox_name_write(struct command *command, struct str path)
{
    struct buf *out = command_output(command);

    if ((command->imap->enabled & ENABLED_UTF8) == 0)
        write_mutf7(out, path);
    else if (is_plain_atom(path))
        buf_append(out, path.data, path.length);
    else
        imap_utf8_string_write(out, path);
}

void uid_ranges_write(struct buf *out, const struct uid_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].first == ranges[i].last)
            buf_printf(out, "%s%u", i == 0 ? "" : ",", ranges[i].first);
        else
            buf_printf(out, "%s%u:%u", i == 0 ? "" : ",", ranges[i].first, ranges[i].last);
    }
}
