#include "proto/pop3_language.h"

bool pop3_language(struct str language, struct buf *out)
{
    if (language.length == 0)
        buf_text(out, "+OK languages follow\r\nen English\r\ni-default English\r\n.\r\n");
    else if (str_is(language, "*") || str_is_nocase(language, "en"))
        buf_text(out, "+OK en English it is\r\n");
    else if (str_is_nocase(language, "i-default"))
        buf_text(out, "+OK i-default English it is\r\n");
    else
        return false;
    return true;
}
