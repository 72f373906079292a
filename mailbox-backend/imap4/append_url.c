/* What a URL of CATENATE names, read as FETCH reads it: in chunks, on a worker where that is long. */
#include "common/log.h"
#include "mailbox-backend/imap4/append.h"
#include "mailbox-backend/imap4/fetch.h"
#include "mailbox-backend/imap4/imap_url.h"
#include "mailbox-backend/mailbox/mailbox.h"

/* Bytes of content read in one step. */
#define SHARE_LOOP ((size_t)128 << 10)
#define SHARE_WORKER ((size_t)1 << 20)

struct append_url {
    struct str text;
    struct imap_url named;
    uint32_t folder;
    struct fetch_item item;
    struct fetch_request request; /* of this one item */
    struct fetch_message message; /* has content while it is open */
};

void append_url_end(struct append_url *url)
{
    if (url != NULL)
        fetch_message_end(&url->message);
}

/* RFC 4469 section 4.1: with the first URL that failed. */
static enum step bad_url(struct command *command, const char *text)
{
    const struct append *append = command->data;
    struct buf code = {0};

    buf_text(&code, "BADURL ");
    imap_url_write_safe(append->url->text, &code);
    command_no(command, arena_copy(&command->arena, buf_bytes(&code), buf_length(&code)),
               arena_string(&command->arena, text));
    buf_release(&code);
    return command_ended(command);
}

/* ---- the copy ---- */

static enum step cannot_read(struct command *command, const struct err *err)
{
    const struct append_url *url = ((struct append *)command->data)->url;

    log_error(session_who(command->imap->session), "folder %u, uid %u: cannot be read: %s",
              url->folder, url->message.item.uid, err->text);
    return command_fail(command, err);
}

static enum step begin_section(struct command *command)
{
    struct append_url *url = ((struct append *)command->data)->url;

    if (!url->item.exists)
        return bad_url(command, "The message has no such part");
    fetch_section_begin(&url->message, &url->item);
    append_grow(command, url->message.left);
    return command_ended(command);
}

static enum fetch_progress copy_chunk(struct command *command, size_t *share, struct err *err)
{
    struct append_url *url = ((struct append *)command->data)->url;
    struct buf chunk = {0};
    enum fetch_progress progress =
        fetch_section_read(&url->message, &url->item, &chunk, FETCH_CHUNK, share, err);

    if (progress == FETCH_TOLD && buf_length(&chunk) > 0)
        append_put(command, buf_bytes(&chunk), buf_length(&chunk));
    buf_release(&chunk);
    return progress;
}

static enum step copy(struct command *command)
{
    struct append *append = command->data;
    struct fetch_message *message = &append->url->message;
    bool on_worker = (command->why & WHY_WORKER) != 0;
    size_t share = on_worker ? SHARE_WORKER : SHARE_LOOP;
    enum fetch_progress progress;
    struct err err;

    if (!on_worker && fetch_message_is_long(message))
        return STEP_WORK;
    progress = fetch_message_prepare(command->imap, message, &append->url->request, &share, &err);
    if (progress == FETCH_TOLD && !message->in_section)
        begin_section(command);
    while (progress == FETCH_TOLD && command->result == RESULT_NONE && message->left > 0) {
        if (!on_worker && append_is_long(append))
            return STEP_WORK;
        progress = copy_chunk(command, &share, &err);
    }
    if (progress == FETCH_FAILED)
        return cannot_read(command, &err);
    if (progress == FETCH_TOLD) {
        fetch_message_end(message);
        command->run = append_catenate;
    }
    return STEP_NEXT; /* or the answer has been given */
}

/* ---- which message ---- */

/* Where it lies: the folder that the URL names, or the selected one, which needs the same right. */
static enum err_code find_place(struct command *command, struct place *place, struct err *err)
{
    const struct imap_url *named = &((struct append *)command->data)->url->named;
    const struct imap *imap = command->imap;
    struct str text = {0};
    struct str name = {0};

    *place = (struct place){.mailbox = imap->selected.mailbox, .rights = imap->selected.rights};
    if (named->mailbox.data == NULL && imap->view == NULL)
        return err_set(err, ERR_INVALID, "No mailbox is selected");
    if (named->mailbox.data == NULL)
        return (place->rights & RIGHT_READ) != 0
                   ? ERR_NONE
                   : err_set(err, ERR_DENIED, "You have no right to read the selected mailbox");
    if (path_nfc(&command->arena, named->mailbox, &text, err) != ERR_NONE ||
        path_normalise(&command->arena, text, &name, err) != ERR_NONE ||
        place_of(command, name, place, err) != ERR_NONE)
        return err->code;
    return place->mailbox != NULL ? ERR_NONE
                                  : err_set(err, ERR_NOT_FOUND, "There is no such folder");
}

static enum err_code find_folder(struct command *command, struct place *place,
                                 struct store_read *read, struct store_folder *folder,
                                 struct err *err)
{
    const struct imap_url *named = &((struct append *)command->data)->url->named;

    if (named->mailbox.data == NULL)
        return store_folder_get(read, command->imap->view->folder, folder, err);
    if (place_find(command, place, ON_URL, read, folder, err) != ERR_NONE)
        return err->code;
    return placeholder_is(read, folder) ? err_set(err, ERR_NOT_FOUND, "There is no such folder")
                                        : ERR_NONE;
}

static enum err_code open_message(struct command *command, struct place *place,
                                  struct store_read *read, struct err *err)
{
    struct append_url *url = ((struct append *)command->data)->url;
    struct store_folder folder;
    struct store_item item;

    if (find_folder(command, place, read, &folder, err) != ERR_NONE)
        return err->code;
    if (url->named.uid_validity != 0 && url->named.uid_validity != folder.uid_validity)
        return err_set(err, ERR_NOT_FOUND, "The mailbox has another UIDVALIDITY");
    if (store_item_get(read, folder.id, url->named.uid, &item, err) != ERR_NONE)
        return err->code == ERR_NOT_FOUND
                   ? err_set(err, ERR_NOT_FOUND, "There is no message with such a uid")
                   : err->code;
    url->folder = folder.id;
    return fetch_message_begin(command, &url->message, &url->request, read, &item, err);
}

static void ask_for(struct append_url *url)
{
    url->item = (struct fetch_item){.kind = FETCH_SECTION,
                                    .section = url->named.section,
                                    .partial = url->named.partial,
                                    .origin = url->named.origin,
                                    .length = url->named.length};
    url->request = (struct fetch_request){
        .items = &url->item, .kinds = FETCH_SECTION, .needs_tree = url->named.section.depth > 0};
}

static enum err_code begin(struct command *command, struct err *err)
{
    struct append_url *url = ((struct append *)command->data)->url;
    struct store_read *read;
    struct place place;
    enum err_code code;

    if (imap_url_parse(&command->arena, url->text, &url->named, err) != ERR_NONE ||
        find_place(command, &place, err) != ERR_NONE)
        return err->code;
    ask_for(url);
    command->mailbox = place.mailbox; /* the snapshot's, while the message is begun */
    if (store_read_begin(place.mailbox, &read, err) != ERR_NONE)
        return err->code;
    code = open_message(command, &place, read, err);
    store_read_end(&read);
    return code;
}

enum step append_url_take(struct command *command, struct str text)
{
    struct append *append = command->data;
    enum err_code code;
    struct err err;

    if (append->url == NULL)
        append->url = arena_alloc(&command->arena, sizeof(*append->url));
    append->url->text = text;
    code = begin(command, &err);
    if (code == ERR_INVALID || code == ERR_NOT_FOUND || code == ERR_DENIED)
        return bad_url(command, err.text);
    if (code != ERR_NONE)
        return cannot_read(command, &err);
    command->run = copy;
    return copy(command);
}
