#include "common/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
{
    if (err != NULL) {
        va_list args;

        err->code = code;
        va_start(args, format);
        vsnprintf(err->text, sizeof(err->text), format, args);
        va_end(args);
    }
    return code;
}

enum err_code err_prefix(struct err *err, const char *format, ...)
{
    char text[2 * sizeof(err->text) + 2];
    va_list args;
    int used;

    va_start(args, format);
    used = vsnprintf(text, sizeof(err->text), format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof(err->text))
        snprintf(text + used, sizeof(err->text) + 2, ": %s", err->text);
    memcpy(err->text, text, sizeof(err->text));
    err->text[sizeof(err->text) - 1] = '\0';
    return err->code;
}

static enum err_code code_of_errno(int error)
{
    switch (error) {
    case ENOENT:
        return ERR_NOT_FOUND;
    case EEXIST:
        return ERR_EXISTS;
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    case EINVAL:
        return ERR_INVALID;
    default:
        return ERR_UNAVAILABLE;
    }
}

enum err_code err_errno(struct err *err, int error, const char *format, ...)
{
    enum err_code code = code_of_errno(error);

    if (err != NULL) {
        va_list args;
        int used;

        err->code = code;
        va_start(args, format);
        used = vsnprintf(err->text, sizeof(err->text), format, args);
        va_end(args);
        if (used >= 0 && (size_t)used < sizeof(err->text))
            snprintf(err->text + used, sizeof(err->text) - (size_t)used, ": %s", strerror(error));
    }
    return code;
}

const char *err_word(enum err_code code)
{
    static const char *const words[] = {
        [ERR_NONE] = "none",
        [ERR_INVALID] = "invalid",
        [ERR_NOT_FOUND] = "not-found",
        [ERR_EXISTS] = "exists",
        [ERR_DENIED] = "denied",
        [ERR_LIMIT] = "limit",
        [ERR_UNAVAILABLE] = "unavailable",
        [ERR_CORRUPT] = "corrupt",
        [ERR_INTERNAL] = "internal",
    };

    return words[code];
}
