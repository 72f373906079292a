#include "mailbox-backend/remote/sasl_plain.h"

#include "common/base64.h"
#include "common/mem.h"

void sasl_plain_encode(struct buf *out, const char *user, const char *admin, struct str password)
{
    struct buf plain = {0};

    if (admin != NULL)
        buf_text(&plain, user);
    buf_byte(&plain, 0);
    buf_text(&plain, admin != NULL ? admin : user);
    buf_byte(&plain, 0);
    buf_append(&plain, password.data, password.length);
    base64_encode(out, buf_bytes(&plain), buf_length(&plain));
    mem_wipe(plain.memory, plain.size);
    buf_release(&plain);
}
