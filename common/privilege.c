#include "common/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum err_code privilege_restrict(struct err *err)
{
    umask(027);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_errno(err, errno, "cannot set no_new_privs");
    return ERR_NONE;
}

uint64_t privilege_raise_files(uint64_t wanted)
{
    struct rlimit limit;
    struct rlimit raised;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    if (limit.rlim_cur >= wanted)
        return limit.rlim_cur;
    raised = (struct rlimit){wanted, limit.rlim_max < wanted ? wanted : limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
        return wanted;
    raised = (struct rlimit){limit.rlim_max < wanted ? limit.rlim_max : wanted, limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
        return raised.rlim_cur;
    return limit.rlim_cur;
}

static bool is_given(const char *name)
{
    return name != NULL && name[0] != '\0';
}

/* Before threads start, so the plain look-ups are safe. */
static enum err_code look_up(const char *user, const char *group, uid_t *uid, gid_t *gid,
                             struct err *err)
{
    const struct passwd *account;
    const struct group *entry;

    errno = 0;
    account = getpwnam(user);
    if (account == NULL)
        return err_set(err, errno == 0 ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
                       "there is no system user \"%s\"", user);
    *uid = account->pw_uid;
    *gid = account->pw_gid;
    if (!is_given(group))
        return ERR_NONE;
    errno = 0;
    entry = getgrnam(group);
    if (entry == NULL)
        return err_set(err, errno == 0 ? ERR_NOT_FOUND : ERR_UNAVAILABLE,
                       "there is no system group \"%s\"", group);
    *gid = entry->gr_gid;
    return ERR_NONE;
}

enum err_code privilege_drop(const char *user, const char *group, struct err *err)
{
    uid_t uid = 0;
    gid_t gid = 0;
    enum err_code code;

    if (!is_given(user))
        return ERR_NONE;
    code = look_up(user, group, &uid, &gid, err);
    if (code != ERR_NONE || (geteuid() == uid && getegid() == gid))
        return code;
    if (geteuid() != 0)
        return err_set(err, ERR_DENIED, "only root can become user \"%s\"", user);
    if (initgroups(user, gid) != 0 || setresgid(gid, gid, gid) != 0 ||
        setresuid(uid, uid, uid) != 0)
        return err_errno(err, errno, "cannot become user \"%s\"", user);
    if (uid != 0 && setuid(0) == 0)
        return err_set(err, ERR_INTERNAL, "the rights of root can be taken back");
    return ERR_NONE;
}
