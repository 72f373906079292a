/* Users of this machine who may be at the other end of a unix socket. */
#include <pwd.h>

#include "common/mem.h"
#include "proto/link.h"

enum err_code link_find_users(const struct setting_list *names, unsigned **uids, struct err *err)
{
    *uids = mem_array(names->count, sizeof(**uids));
    for (size_t i = 0; i < names->count; i++) {
        const struct passwd *user = getpwnam(names->items[i]);

        if (user == NULL)
            return err_set(err, ERR_NOT_FOUND, "[link] unix_users: there is no user %s",
                           names->items[i]);
        (*uids)[i] = user->pw_uid;
    }
    return ERR_NONE;
}
