#include <pthread.h>

#include "mailbox-backend/imap4/imap4.h"

static const struct {
    const char *word;
    bool before_login;
    bool after_login;
} capabilities[] = {
    {"IMAP4rev1",   true, true },
    {"SASL-IR",     true, false},
    {"LITERAL+",    true, true },
    {"ID",          true, true },
    {"ENABLE",      true, true },
    {"IDLE",        true, true },
    {"NAMESPACE",   true, true },
    {"CHILDREN",    true, true },
    {"SPECIAL-USE", true, true },
    {"UIDPLUS",     true, true },
    {"MOVE",        true, true },
    {"UNSELECT",    true, true },
};
#define COUNT (sizeof(capabilities) / sizeof(capabilities[0]))

static const char *before_login[COUNT + 1];

static void list_before_login(void)
{
    size_t count = 0;

    for (size_t i = 0; i < COUNT; i++) {
        if (capabilities[i].before_login)
            before_login[count++] = capabilities[i].word;
    }
}

const char *const *imap_capabilities_before_login(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, list_before_login);
    return before_login;
}

void imap_capabilities_write(struct buf *out)
{
    const char *separator = "";

    for (size_t i = 0; i < COUNT; i++) {
        if (!capabilities[i].after_login)
            continue;
        buf_printf(out, "%s%s", separator, capabilities[i].word);
        separator = " ";
    }
}
