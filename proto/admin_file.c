#include "proto/admin_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the new process. */
static _Noreturn void run_feeder(const struct admin_command *command, int folder, int to)
{
    struct err err = {0};
    enum err_code code;

    signal(SIGPIPE, SIG_DFL); /* nobody reads any more: end without a word */
    code = command->feed(folder, to, &err);
    if (code != ERR_NONE)
        fprintf(stderr, "%s: %s\n", program_invocation_short_name, err.text);
    _exit(code == ERR_NONE ? 0 : 1);
}

static enum err_code start_feeder(struct admin_file *file, const struct admin_command *command,
                                  struct err *err)
{
    int ends[2], folder = file->descriptor;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_errno(err, errno, "pipe");
    fflush(NULL);
    file->feeder = fork();
    if (file->feeder == 0) {
        close(ends[0]);
        run_feeder(command, folder, ends[1]);
    }
    close(ends[1]);
    if (file->feeder < 0) {
        file->feeder = 0;
        close(ends[0]);
        return err_errno(err, errno, "fork");
    }
    close(folder);
    file->descriptor = ends[0];
    return ERR_NONE;
}

enum err_code admin_file_open(struct admin_file *file, const struct admin_command *command,
                              const char *path, struct err *err)
{
    struct stat facts;

    file->descriptor =
        strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (file->descriptor < 0 || fstat(file->descriptor, &facts) != 0)
        return err_errno(err, errno, "%s", path);
    if (S_ISDIR(facts.st_mode) && command->feed != NULL)
        return start_feeder(file, command, err);
    return ERR_NONE;
}

enum err_code admin_file_close(struct admin_file *file, struct err *err)
{
    int status = 0;

    if (file->descriptor >= 0)
        close(file->descriptor);
    file->descriptor = -1;
    if (file->feeder == 0)
        return ERR_NONE;
    while (waitpid(file->feeder, &status, 0) < 0 && errno == EINTR)
        continue;
    file->feeder = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(err, ERR_UNAVAILABLE, "the folder was not read to its end");
    return ERR_NONE;
}
