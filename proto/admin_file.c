#include "proto/admin_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Reads or fills a folder. */
typedef enum err_code folder_work(int folder, int pipe, struct err *err);

/* In the new process. */
static _Noreturn void run_helper(folder_work *work, int folder, int pipe)
{
    struct err err = {0};
    enum err_code code;

    signal(SIGPIPE, SIG_DFL); /* nobody reads any more: end without a word */
    code = work(folder, pipe, &err);
    if (code != ERR_NONE)
        fprintf(stderr, "%s: %s\n", program_invocation_short_name, err.text);
    _exit(code == ERR_NONE ? 0 : 1);
}

/* Puts a pipe into the folder's place; theirs is the end of it that the helper has. */
static enum err_code start_helper(struct admin_file *file, folder_work *work, int theirs,
                                  struct err *err)
{
    int ends[2], folder = file->descriptor;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_errno(err, errno, "pipe");
    fflush(NULL);
    file->helper = fork();
    if (file->helper == 0) {
        close(ends[1 - theirs]);
        run_helper(work, folder, ends[theirs]);
    }
    close(ends[theirs]);
    if (file->helper < 0) {
        file->helper = 0;
        close(ends[1 - theirs]);
        return err_errno(err, errno, "fork");
    }
    close(folder);
    file->descriptor = ends[1 - theirs];
    return ERR_NONE;
}

static enum err_code open_drain(struct admin_file *file, const struct admin_command *command,
                                const char *path, struct err *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_errno(err, errno, "%s", path);
    file->descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->descriptor < 0)
        return err_errno(err, errno, "%s", path);
    signal(SIGPIPE, SIG_IGN); /* a helper that failed is seen as EPIPE */
    return start_helper(file, command->drain, 0, err);
}

enum err_code admin_file_open(struct admin_file *file, const struct admin_command *command,
                              const char *path, struct err *err)
{
    struct stat facts;

    if (command->drain != NULL)
        return open_drain(file, command, path, err);
    file->descriptor =
        strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (file->descriptor < 0 || fstat(file->descriptor, &facts) != 0)
        return err_errno(err, errno, "%s", path);
    if (S_ISDIR(facts.st_mode) && command->feed != NULL)
        return start_helper(file, command->feed, 1, err);
    return ERR_NONE;
}

enum err_code admin_file_close(struct admin_file *file, struct err *err)
{
    int status = 0;

    if (file->descriptor >= 0)
        close(file->descriptor);
    file->descriptor = -1;
    if (file->helper == 0)
        return ERR_NONE;
    while (waitpid(file->helper, &status, 0) < 0 && errno == EINTR)
        continue;
    file->helper = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(err, ERR_UNAVAILABLE, "the folder was not worked through to its end");
    return ERR_NONE;
}
