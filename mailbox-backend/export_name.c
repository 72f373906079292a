/* Names and files of an export. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "mailbox-backend/export_private.h"
#include "mailbox-backend/imap4/mutf7.h"

enum err_code export_name(const char *path, char name[256], struct err *err)
{
    struct buf plain = {0}, wire = {0};
    bool fits;

    for (const char *at = path; *at != '\0'; at++) {
        if (*at == '.')
            buf_text(&plain, "\\2e");
        else if (*at == '\\')
            buf_text(&plain, "\\5c");
        else
            buf_byte(&plain, *at == '/' ? '.' : (uint8_t)*at);
    }
    buf_byte(&wire, '.');
    mutf7_encode(&wire, str_n((const char *)buf_bytes(&plain), buf_length(&plain)));
    fits = buf_length(&wire) <= 240; /* room for ".mbox" */
    if (fits) {
        memcpy(name, buf_bytes(&wire), buf_length(&wire));
        name[buf_length(&wire)] = '\0';
    }
    buf_release(&plain);
    buf_release(&wire);
    return fits ? ERR_NONE
                : err_set(err, ERR_LIMIT, "the folder's name is too long for a file: %s", path);
}

enum err_code export_open(int folder, const char *name, FILE **file, struct err *err)
{
    int own = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    *file = own < 0 ? NULL : fdopen(own, "w");
    if (*file != NULL)
        return ERR_NONE;
    if (own >= 0)
        close(own);
    return err_errno(err, errno, "%s", name);
}

enum err_code export_close(FILE **file, struct err *err)
{
    FILE *closing = *file;
    bool failed = false;

    *file = NULL;
    if (closing != NULL) {
        failed = ferror(closing) != 0;
        failed = fclose(closing) != 0 || failed;
    }
    return failed ? err_errno(err, errno, "writing a file") : ERR_NONE;
}
