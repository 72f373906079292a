/* Signals and privileges: each test in a child, because both are the process's own. */
#include "tests/unit/common/unit.h"

#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/privilege.h"
#include "common/signals.h"

static int stops;
static int reloads;
static int reports;
static struct loop *loop;

static void on_stop(void *context)
{
    assert_ptr_equal(context, &stops);
    if (++stops == 2)
        loop_stop(loop);
    else
        raise(SIGTERM);
}

static void on_reload(void *context)
{
    (void)context;
    reloads++;
    raise(SIGUSR1);
}

static void on_report(void *context)
{
    (void)context;
    reports++;
    raise(SIGINT);
}

static void every_signal_reaches_its_handler(void **state)
{
    struct signals_handlers handlers = {on_stop, on_reload, on_report, &stops};
    struct signals *signals;

    (void)state;
    loop = loop_create(0);
    signals = signals_open(loop, &handlers);
    raise(SIGHUP);
    loop_run(loop);
    assert_int_equal(reloads, 1);
    assert_int_equal(reports, 1);
    assert_int_equal(stops, 2); /* SIGINT and SIGTERM */
    raise(SIGPIPE);             /* would end us */
    signals_close(&signals);
    assert_null(signals);
    loop_destroy(&loop);
}

static void signals_without_handlers_are_left_alone(void **state)
{
    struct signals_handlers none = {NULL, NULL, NULL, NULL};
    struct signals *signals;

    (void)state;
    loop = loop_create(0);
    signals = signals_open(loop, &none);
    assert_true(signal(SIGHUP, SIG_DFL) == SIG_DFL);
    signals_close(&signals);
    loop_destroy(&loop);
}

/* Runs check in a child; true when it returns true there. */
static bool in_child(bool (*check)(void))
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(check() ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status == 0;
}

static bool restrict_works(void)
{
    return privilege_restrict(NULL) == ERR_NONE && umask(0) == 027 &&
           prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static void files_are_not_for_others_and_no_rights_are_gained(void **state)
{
    (void)state;
    assert_true(in_child(restrict_works));
}

static bool files_are_raised(void)
{
    struct rlimit limit = {64, 128};

    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    if (privilege_raise_files(32) != 64 || privilege_raise_files(100) != 100)
        return false;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 100 && limit.rlim_max == 128;
}

static void descriptors_are_raised_as_far_as_wanted(void **state)
{
    (void)state;
    assert_true(in_child(files_are_raised));
}

static bool drop_works(void)
{
    struct passwd *nobody = getpwnam("nobody");

    if (nobody == NULL || privilege_drop("nobody", NULL, NULL) != ERR_NONE)
        return false;
    return getuid() == nobody->pw_uid && getegid() == nobody->pw_gid && setuid(0) != 0 &&
           privilege_drop("nobody", "", NULL) == ERR_NONE &&
           privilege_drop("root", NULL, NULL) == ERR_DENIED;
}

static void root_becomes_another_user_for_good(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_true(in_child(drop_works));
}

static void unknown_names_are_refused(void **state)
{
    struct err err = {0};

    (void)state;
    assert_int_equal(privilege_drop(NULL, NULL, NULL), ERR_NONE);
    assert_int_equal(privilege_drop("", "", NULL), ERR_NONE);
    assert_int_equal(privilege_drop("no-such-user", NULL, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "no-such-user"));
    assert_int_equal(privilege_drop("root", "no-such-group", &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "no-such-group"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_signal_reaches_its_handler),
        cmocka_unit_test(signals_without_handlers_are_left_alone),
        cmocka_unit_test(files_are_not_for_others_and_no_rights_are_gained),
        cmocka_unit_test(descriptors_are_raised_as_far_as_wanted),
        cmocka_unit_test(root_becomes_another_user_for_good),
        cmocka_unit_test(unknown_names_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
