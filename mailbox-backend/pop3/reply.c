#include "mailbox-backend/pop3/pop3.h"

static void line(struct session *session, const char *status, const char *format, va_list args)
{
    struct buf *out = session_output(session);

    buf_text(out, status);
    buf_vprintf(out, format, args);
    buf_text(out, "\r\n");
}

void pop3_ok(struct session *session, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    line(session, "+OK ", format, args);
    va_end(args);
}

void pop3_err(struct session *session, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    line(session, "-ERR ", format, args);
    va_end(args);
}

void pop3_reply(struct session *session, const struct err *err)
{
    switch (err->code) {
    case ERR_NOT_FOUND:
        pop3_err(session, "message was expunged by another session");
        break;
    case ERR_CORRUPT:
        pop3_err(session, "[SYS/PERM] message is damaged on disk");
        break;
    default:
        pop3_err(session, "[SYS/TEMP] mailbox is unavailable, try again later");
        break;
    }
}

bool pop3_item(struct session *session, struct pop3 *pop3, struct str number,
               struct store_read **read, struct store_item *item)
{
    uint64_t wanted;
    uint32_t uid = 0;
    struct err err;

    *read = NULL;
    if (str_number(number, UINT32_MAX, &wanted))
        uid = maildrop_uid(&pop3->maildrop, wanted);
    if (uid == 0) {
        pop3_err(session, "no such message, maildrop has %u", pop3->maildrop.messages);
        return false;
    }
    if (maildrop_is_deleted(&pop3->maildrop, uid)) {
        pop3_err(session, "message %llu is marked for deletion", (unsigned long long)wanted);
        return false;
    }
    if (store_read_begin(pop3->mailbox, read, &err) == ERR_NONE &&
        store_item_get(*read, pop3->folder, uid, item, &err) == ERR_NONE)
        return true;
    if (*read != NULL)
        store_read_end(read);
    pop3_reply(session, &err);
    return false;
}
