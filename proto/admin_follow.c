#include "proto/admin_follow.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_TIME "15m"
#define AWAY_MS 2000 /* between looks for a daemon that is away */

static volatile sig_atomic_t is_over, asked = -1;
static int wake[2] = {-1, -1};

static void on_signal(int number)
{
    int error = errno;
    ssize_t ignored = write(wake[1], "", 1);

    (void)number;
    (void)ignored;
    is_over = 1;
    if (asked >= 0)
        shutdown(asked, SHUT_RDWR);
    errno = error;
}

static bool begin(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0)
        return false;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return true;
}

void admin_follow_socket(int socket)
{
    asked = socket;
}

bool admin_follow_is_over(void)
{
    return is_over != 0;
}

enum err_code admin_follow_seconds(const struct admin_args *args, unsigned *seconds,
                                   struct err *err)
{
    uint64_t value = 0;
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < args->request.n_flags && code == ERR_NONE; i++) {
        const Admin__Flag *flag = args->request.flags[i];

        if (strcmp(flag->name, "follow") == 0)
            code = settings_seconds(flag->has_value ? flag->value : DEFAULT_TIME, 1, SETTING_DAY,
                                    &value, err);
    }
    if (code != ERR_NONE)
        err_prefix(err, "--follow");
    *seconds = (unsigned)value;
    return code;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until then, or the signal. */
static void wait_until(int64_t moment)
{
    struct pollfd signalled = {.fd = wake[0], .events = POLLIN};
    int64_t left;

    while (!is_over && (left = moment - now_ms()) > 0)
        poll(&signalled, 1, (int)left);
}

static void wait_for_daemon(const struct admin_follow *follow)
{
    while (!is_over && !follow->daemon_is_up(follow->context))
        wait_until(now_ms() + AWAY_MS);
    if (!is_over)
        fprintf(stderr, "the daemon answers\n");
}

int admin_follow(const struct admin_follow *follow)
{
    int64_t next = now_ms();
    int result;

    if (follow->seconds == 0 || !begin())
        return follow->once(follow->context);
    result = follow->once(follow->context);
    if (result != ADMIN_OK && result != ADMIN_AWAY && !is_over)
        return result;
    while (!is_over) {
        if (result == ADMIN_AWAY) {
            wait_for_daemon(follow);
            next = now_ms();
        } else {
            next += (int64_t)follow->seconds * 1000;
            if (next < now_ms()) /* it took longer: no two at once, and none to catch up with */
                next = now_ms();
            wait_until(next);
        }
        if (!is_over)
            result = follow->once(follow->context);
    }
    fprintf(stderr, "stopped\n");
    return ADMIN_OK;
}
