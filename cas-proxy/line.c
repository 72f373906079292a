#include "cas-proxy/line.h"

#include <string.h>

enum line_found line_find(struct str input, size_t most, size_t *seen, size_t *length)
{
    const char *newline = NULL;

    if (*seen < input.length)
        newline = memchr(input.data + *seen, '\n', input.length - *seen);
    *seen = newline == NULL ? input.length : (size_t)(newline - input.data);
    if (*seen > most)
        return LINE_TOO_LONG;
    if (newline == NULL)
        return LINE_MORE;
    *length = *seen + 1;
    return LINE_WHOLE;
}

struct str line_text(struct str line)
{
    if (line.length > 0 && line.data[line.length - 1] == '\n')
        line.length--;
    if (line.length > 0 && line.data[line.length - 1] == '\r')
        line.length--;
    return line;
}
