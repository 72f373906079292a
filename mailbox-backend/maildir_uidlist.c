#include "mailbox-backend/maildir_uidlist.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"

#define LINE_SIZE 2048
#define UID_MOST 0xFFFFFFFEu

/* Takes the next word off the line; words stand between blanks. */
static struct str take_word(struct str *line)
{
    const char *blank = memchr(line->data, ' ', line->length);
    size_t length = blank == NULL ? line->length : (size_t)(blank - line->data);
    size_t used = blank == NULL ? length : length + 1;
    struct str word = str_n(line->data, length);

    *line = str_n(line->data + used, line->length - used);
    return word;
}

static bool read_number(struct str word, uint32_t *number)
{
    uint64_t value;

    if (!str_number(word, UID_MOST, &value) || value == 0)
        return false;
    *number = (uint32_t)value;
    return true;
}

static struct str behind_letter(struct str word)
{
    return str_n(word.data + 1, word.length - 1);
}

bool uidlist_read_header(struct str line, struct uidlist *list)
{
    uint32_t version;

    list->uid_validity = list->uid_next = 0;
    if (!read_number(take_word(&line), &version) || (version != 1 && version != 3))
        return false;
    list->version = version;
    if (version == 1)
        return read_number(take_word(&line), &list->uid_validity) &&
               read_number(take_word(&line), &list->uid_next);
    while (line.length > 0) {
        struct str word = take_word(&line);

        if (word.length > 1 && word.data[0] == 'V')
            read_number(behind_letter(word), &list->uid_validity);
        else if (word.length > 1 && word.data[0] == 'N')
            read_number(behind_letter(word), &list->uid_next);
    }
    return list->uid_validity != 0 && list->uid_next != 0;
}

struct str uidlist_base(const char *name)
{
    return str_n(name, strcspn(name, ":"));
}

static bool is_id(struct str word)
{
    for (size_t i = 0; i < word.length; i++) {
        if (word.data[i] < 0x21 || word.data[i] > 0x7E)
            return false;
    }
    return word.length > 0 && word.length <= UIDLIST_UIDL_MAX;
}

/* Passes over the extensions of version 3 up to the name's ":", and keeps P, the POP3 id. */
static bool read_extensions(struct str *line, struct uidlist_entry *entry)
{
    while (line->length > 0 && line->data[0] != ':') {
        struct str word = take_word(line);

        if (word.length > 1 && word.data[0] == 'P' && is_id(behind_letter(word)))
            snprintf(entry->uidl, sizeof(entry->uidl), "%.*s", (int)word.length - 1, word.data + 1);
    }
    if (line->length == 0)
        return false;
    *line = behind_letter(*line);
    return true;
}

bool uidlist_read_entry(struct str line, unsigned version, struct uidlist_entry *entry)
{
    const char *end;

    *entry = (struct uidlist_entry){0};
    if (!read_number(take_word(&line), &entry->uid) ||
        (version == 3 && !read_extensions(&line, entry)) || line.length == 0)
        return false;
    end = memchr(line.data, ':', line.length);
    if (end != NULL)
        line.length = (size_t)(end - line.data);
    if (line.length == 0 || line.length >= sizeof(entry->name))
        return false;
    snprintf(entry->name, sizeof(entry->name), "%.*s", (int)line.length, line.data);
    return true;
}

/* A line without its end; what is too long for one is passed over. */
static bool read_line(FILE *file, char line[LINE_SIZE])
{
    while (fgets(line, LINE_SIZE, file) != NULL) {
        size_t length = strcspn(line, "\n");
        int c;

        if (line[length] == '\n') {
            line[length] = '\0';
            return true;
        }
        while ((c = getc(file)) != EOF && c != '\n')
            continue;
    }
    return false;
}

void uidlist_open(struct uidlist *list, int maildir)
{
    int own = openat(maildir, "dovecot-uidlist", O_RDONLY | O_CLOEXEC);
    char line[LINE_SIZE];

    *list = (struct uidlist){.file = own < 0 ? NULL : fdopen(own, "r")};
    if (list->file == NULL && own >= 0)
        close(own);
    if (list->file != NULL &&
        (!read_line(list->file, line) || !uidlist_read_header(str_of(line), list)))
        uidlist_close(list);
}

void uidlist_close(struct uidlist *list)
{
    if (list->file != NULL)
        fclose(list->file);
    list->file = NULL;
}

/* ---- finding the files ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct uidlist_entry *const *)a)->name,
                  (*(struct uidlist_entry *const *)b)->name);
}

static int compare_name(const void *name, const void *entry)
{
    return strcmp(name, (*(struct uidlist_entry *const *)entry)->name);
}

static void note_path(const char *part, const char *file, struct uidlist_entry **sorted,
                      size_t count)
{
    struct str base = uidlist_base(file);
    struct uidlist_entry **found;
    char name[256], path[300];

    if (base.length >= sizeof(name))
        return;
    snprintf(name, sizeof(name), "%.*s", (int)base.length, base.data);
    found = bsearch(name, sorted, count, sizeof(*sorted), compare_name);
    if (found == NULL || (*found)->path != NULL)
        return;
    snprintf(path, sizeof(path), "%s/%s", part, file);
    (*found)->path = mem_string(path);
}

static void find_paths(int maildir, const char *part, struct uidlist_entry **sorted, size_t count)
{
    int own = openat(maildir, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = own < 0 ? NULL : fdopendir(own);
    struct dirent *file;

    if (stream == NULL) {
        if (own >= 0)
            close(own);
        return;
    }
    while ((file = readdir(stream)) != NULL)
        note_path(part, file->d_name, sorted, count);
    closedir(stream);
}

size_t uidlist_next(struct uidlist *list, int maildir, struct uidlist_entry *entries, size_t room)
{
    struct uidlist_entry **sorted = mem_array(room, sizeof(struct uidlist_entry *));
    char line[LINE_SIZE];
    size_t count = 0;

    while (count < room && read_line(list->file, line)) {
        if (uidlist_read_entry(str_of(line), list->version, &entries[count])) {
            sorted[count] = &entries[count];
            count++;
        }
    }
    qsort(sorted, count, sizeof(struct uidlist_entry *), by_name);
    if (count > 0) {
        find_paths(maildir, "cur", sorted, count);
        find_paths(maildir, "new", sorted, count);
    }
    free(sorted);
    return count;
}
