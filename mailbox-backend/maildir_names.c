/* Names of a folder in order, a bounded number at a time: each call goes through the whole folder and
   keeps the smallest names behind the last one told, in a heap with the greatest on top. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "mailbox-backend/maildir.h"

static void swap(char **a, char **b)
{
    char *kept = *a;

    *a = *b;
    *b = kept;
}

static void sift_up(char **heap, size_t place)
{
    for (; place > 0 && strcmp(heap[(place - 1) / 2], heap[place]) < 0; place = (place - 1) / 2)
        swap(&heap[place], &heap[(place - 1) / 2]);
}

static void sift_down(char **heap, size_t count)
{
    for (size_t place = 0;;) {
        size_t child = 2 * place + 1;

        if (child + 1 < count && strcmp(heap[child], heap[child + 1]) < 0)
            child++;
        if (child >= count || strcmp(heap[place], heap[child]) >= 0)
            return;
        swap(&heap[place], &heap[child]);
        place = child;
    }
}

static void keep(char **heap, size_t *count, size_t room, const char *name)
{
    if (*count < room) {
        heap[*count] = mem_string(name);
        sift_up(heap, (*count)++);
    } else if (strcmp(name, heap[0]) < 0) {
        free(heap[0]);
        heap[0] = mem_string(name);
        sift_down(heap, *count);
    }
}

static bool is_wanted(int folder, const struct dirent *entry, enum maildir_which which)
{
    bool is_folder = entry->d_type == DT_DIR;
    struct stat facts;

    if (entry->d_type == DT_UNKNOWN || entry->d_type == DT_LNK)
        is_folder = fstatat(folder, entry->d_name, &facts, 0) == 0 && S_ISDIR(facts.st_mode);
    if (which == MAILDIR_FILES)
        return !is_folder && entry->d_name[0] != '.';
    return is_folder && entry->d_name[0] == '.' && strcmp(entry->d_name, ".") != 0 &&
           strcmp(entry->d_name, "..") != 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t maildir_names(int folder, enum maildir_which which, const char *after, char **names,
                     size_t room)
{
    int own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = own < 0 ? NULL : fdopendir(own);
    struct dirent *entry;
    size_t count = 0;

    if (stream == NULL) {
        if (own >= 0)
            close(own);
        return 0;
    }
    while ((entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, after) > 0 && is_wanted(folder, entry, which))
            keep(names, &count, room, entry->d_name);
    }
    closedir(stream);
    qsort(names, count, sizeof(*names), compare);
    return count;
}
