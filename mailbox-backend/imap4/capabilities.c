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

const char *const *imap_capabilities_before_login(void)
{
    static const char *words[COUNT + 1];
    size_t count = 0;

    for (size_t i = 0; i < COUNT; i++) {
        if (capabilities[i].before_login)
            words[count++] = capabilities[i].word;
    }
    return words;
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
