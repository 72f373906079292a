#include "tests/unit/common/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/file.h"

static char folder[64];
static char path[80];

static int begin(void **state)
{
    (void)state;
    folder_begin(folder);
    snprintf(path, sizeof(path), "%s/file", folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    folder_end(folder);
    return 0;
}

static unsigned mode_of(const char *name)
{
    struct stat facts;

    assert_int_equal(stat(name, &facts), 0);
    return facts.st_mode & 07777;
}

static int entries_in(const char *name)
{
    DIR *entries = opendir(name);
    int count = 0;

    assert_non_null(entries);
    while (readdir(entries) != NULL)
        count++;
    closedir(entries);
    return count - 2;
}

static void what_is_written_is_read_with_its_mode(void **state)
{
    struct buf out = {0};

    (void)state;
    umask(077);
    assert_int_equal(file_write(path, "first", 5, 0640, NULL), ERR_NONE);
    assert_int_equal(file_write(path, "sec\0nd", 6, 0644, NULL), ERR_NONE);
    assert_int_equal(mode_of(path), 0644);
    buf_text(&out, "> ");
    assert_int_equal(file_read(&out, path, 6, NULL), ERR_NONE);
    assert_int_equal(buf_length(&out), 8);
    assert_memory_equal(buf_bytes(&out), "> sec\0nd", 8);
    assert_int_equal(entries_in(folder), 1); /* no temporary file stays */
    buf_release(&out);
}

static void a_file_over_the_limit_is_refused(void **state)
{
    struct buf out = {0};
    struct err err;

    (void)state;
    assert_int_equal(file_write(path, "0123456789", 10, 0600, NULL), ERR_NONE);
    assert_int_equal(file_read(&out, path, 9, &err), ERR_LIMIT);
    assert_int_equal(buf_length(&out), 0);
    assert_non_null(strstr(err.text, "larger than 9 bytes"));
    buf_release(&out);
}

static void what_is_no_regular_file_is_refused(void **state)
{
    struct buf out = {0};
    struct err err;

    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(file_read(&out, path, 100, &err), ERR_INVALID);
    assert_int_equal(file_read(&out, folder, 100, &err), ERR_INVALID);
    unlink(path);
    assert_int_equal(file_read(&out, path, 100, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, path));
    buf_release(&out);
}

static void a_failed_write_leaves_no_file_behind(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path, 0700), 0); /* a folder cannot be replaced by a file */
    assert_int_not_equal(file_write(path, "x", 1, 0600, NULL), ERR_NONE);
    assert_int_equal(entries_in(folder), 1);
}

static void missing_folders_are_made_with_their_mode(void **state)
{
    char deep[128];
    struct err err;

    (void)state;
    umask(0);
    snprintf(deep, sizeof(deep), "%s/a/b//c/", folder);
    assert_int_equal(file_make_folders(deep, 0750, NULL), ERR_NONE);
    assert_int_equal(file_make_folders(deep, 0750, NULL), ERR_NONE);
    snprintf(deep, sizeof(deep), "%s/a/b", folder);
    assert_int_equal(mode_of(deep), 0750);
    assert_int_equal(file_write(path, "", 0, 0600, NULL), ERR_NONE);
    assert_int_equal(file_make_folders(path, 0750, &err), ERR_EXISTS);
    snprintf(deep, sizeof(deep), "%s/file/below", folder);
    assert_int_not_equal(file_make_folders(deep, 0750, &err), ERR_NONE);
}

/* Takes the lock in a child, and lets the child end when *release is closed. */
static pid_t lock_in_child(int *release)
{
    int ready[2];
    int hold[2];
    char byte;
    pid_t child;

    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(hold), 0);
    child = fork();
    if (child == 0) {
        int fd;

        close(hold[1]);
        if (file_lock(&fd, path, NULL) != ERR_NONE || write(ready[1], "x", 1) != 1)
            _exit(1);
        _exit(read(hold[0], &byte, 1) == 0 ? 0 : 1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    close(hold[0]);
    *release = hold[1];
    return child;
}

static void a_lock_held_elsewhere_is_refused_naming_the_pid(void **state)
{
    char pid[32];
    struct err err;
    int release;
    int status;
    int fd;
    pid_t child;

    (void)state;
    child = lock_in_child(&release);
    assert_int_equal(file_lock_holder(path), child);
    assert_int_equal(file_lock(&fd, path, &err), ERR_EXISTS);
    assert_int_equal(fd, -1);
    snprintf(pid, sizeof(pid), "process %d", child);
    assert_non_null(strstr(err.text, pid));

    close(release);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(file_lock_holder(path), 0); /* the file still holds the dead pid */
    assert_int_equal(file_lock(&fd, path, &err), ERR_NONE);
    assert_int_equal(file_lock_holder(path), getpid());
    file_unlock(&fd);
    assert_int_equal(fd, -1);
    assert_int_equal(file_lock_holder(path), 0);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_is_written_is_read_with_its_mode),
        IN_FOLDER(a_file_over_the_limit_is_refused),
        IN_FOLDER(what_is_no_regular_file_is_refused),
        IN_FOLDER(a_failed_write_leaves_no_file_behind),
        IN_FOLDER(missing_folders_are_made_with_their_mode),
        IN_FOLDER(a_lock_held_elsewhere_is_refused_naming_the_pid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
