#include "common/service.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/str.h"

#define FORMAT "services 1" /* the file's first line; then a name a line */
#define FILE_MAX 65536
#define COUNT_MAX 32

struct services {
    char *file;
    const struct service_name *names;
    size_t count;
    const char *other_side;
    pthread_mutex_t switching; /* held while the listener works: one change at a time */
    pthread_mutex_t mutex;     /* of the fields below, held briefly */
    bool enabled[COUNT_MAX];
    bool running[COUNT_MAX];
    service_switch *handler;
    void *context;
};

/* services->count when there is none of that name. */
static size_t place_of(const struct services *services, struct str name)
{
    size_t n = 0;

    while (n < services->count && !str_is(name, services->names[n].name))
        n++;
    return n;
}

static struct str take_line(struct str *rest)
{
    const char *end = memchr(rest->data, '\n', rest->length);
    struct str line = str_n(rest->data, end == NULL ? rest->length : (size_t)(end - rest->data));
    size_t used = line.length + (end != NULL);

    *rest = str_n(rest->data + used, rest->length - used);
    return str_trim(line);
}

static enum err_code parse(struct services *services, struct str text, struct err *err)
{
    if (!str_is(take_line(&text), FORMAT))
        return err_set(err, ERR_CORRUPT, "%s does not begin with \"%s\"", services->file, FORMAT);
    while (text.length > 0) {
        struct str line = take_line(&text);
        size_t n = place_of(services, line);

        if (n < services->count)
            services->enabled[n] = true;
        else if (line.length > 0)
            log_warning(NULL, "%s: no service %.*s here; the line is passed over", services->file,
                        (int)line.length, line.data);
    }
    return ERR_NONE;
}

static enum err_code load(struct services *services, struct err *err)
{
    struct buf text = {0};
    enum err_code code = file_read(&text, services->file, FILE_MAX, err);

    if (code == ERR_NONE)
        code = parse(services, str_n(buf_bytes(&text), buf_length(&text)), err);
    else if (code == ERR_NOT_FOUND)
        code = ERR_NONE;
    buf_release(&text);
    return code;
}

enum err_code services_open(struct services **out, const struct services_settings *settings,
                            struct err *err)
{
    struct services *services = mem_alloc(sizeof(*services));
    enum err_code code;

    services->file = mem_string(settings->file);
    services->names = settings->names;
    services->count = settings->count < COUNT_MAX ? settings->count : COUNT_MAX;
    services->other_side = settings->other_side;
    pthread_mutex_init(&services->switching, NULL);
    pthread_mutex_init(&services->mutex, NULL);
    code = load(services, err);
    if (code != ERR_NONE)
        services_close(&services);
    *out = services;
    return code;
}

void services_close(struct services **services)
{
    if (*services == NULL)
        return;
    pthread_mutex_destroy(&(*services)->switching);
    pthread_mutex_destroy(&(*services)->mutex);
    free((*services)->file);
    free(*services);
    *services = NULL;
}

void services_listen(struct services *services, service_switch *handler, void *context)
{
    pthread_mutex_lock(&services->mutex);
    services->handler = handler;
    services->context = context;
    pthread_mutex_unlock(&services->mutex);
}

const struct service_name *services_name(const struct services *services, size_t n)
{
    return n < services->count ? &services->names[n] : NULL;
}

static bool get(struct services *services, const bool *table, size_t n)
{
    bool value;

    pthread_mutex_lock(&services->mutex);
    value = table[n];
    pthread_mutex_unlock(&services->mutex);
    return value;
}

static void set(struct services *services, bool *table, size_t n, bool value)
{
    pthread_mutex_lock(&services->mutex);
    table[n] = value;
    pthread_mutex_unlock(&services->mutex);
}

bool service_is_enabled(struct services *services, const char *name)
{
    size_t n = place_of(services, str_of(name));

    return n < services->count && get(services, services->enabled, n);
}

bool service_is_running(struct services *services, const char *name)
{
    size_t n = place_of(services, str_of(name));

    return n < services->count && get(services, services->running, n);
}

static enum err_code unknown(const struct services *services, const char *name, struct err *err)
{
    char list[160] = "";

    for (size_t n = 0; n < services->count; n++) {
        size_t used = strlen(list);

        if (strcmp(services->names[n].other, name) == 0)
            return err_set(err, ERR_NOT_FOUND, "%s is a %s service; here it is %s", name,
                           services->other_side, services->names[n].name);
        snprintf(list + used, sizeof(list) - used, "%s%s", n == 0 ? "" : ", ",
                 services->names[n].name);
    }
    return err_set(err, ERR_NOT_FOUND, "no service %s; there are %s", name, list);
}

enum err_code service_check(const struct services *services, const char *name, struct err *err)
{
    return place_of(services, str_of(name)) < services->count ? ERR_NONE
                                                              : unknown(services, name, err);
}

static enum err_code save(struct services *services, struct err *err)
{
    struct buf text = {0};
    char *slash, *folder = mem_string(services->file);
    enum err_code code = ERR_NONE;

    buf_text(&text, FORMAT "\n");
    for (size_t n = 0; n < services->count; n++) {
        if (get(services, services->enabled, n))
            buf_printf(&text, "%s\n", services->names[n].name);
    }
    slash = strrchr(folder, '/');
    if (slash != NULL && slash != folder) {
        *slash = '\0';
        code = file_make_folders(folder, 0700, err);
    }
    if (code == ERR_NONE)
        code = file_write(services->file, buf_bytes(&text), buf_length(&text), 0600, err);
    free(folder);
    buf_release(&text);
    return code;
}

enum err_code service_enable(struct services *services, const char *name, bool enabled,
                             struct err *err)
{
    size_t n = place_of(services, str_of(name));
    enum err_code code;
    bool before;

    if (n == services->count)
        return unknown(services, name, err);
    pthread_mutex_lock(&services->switching);
    before = get(services, services->enabled, n);
    set(services, services->enabled, n, enabled);
    code = save(services, err);
    if (code != ERR_NONE)
        set(services, services->enabled, n, before);
    pthread_mutex_unlock(&services->switching);
    return code;
}

static enum err_code switch_locked(struct services *services, size_t n, bool run, struct err *err)
{
    service_switch *handler;
    void *context;
    enum err_code code;

    if (get(services, services->running, n) == run)
        return ERR_NONE;
    pthread_mutex_lock(&services->mutex);
    handler = services->handler;
    context = services->context;
    pthread_mutex_unlock(&services->mutex);
    if (handler == NULL)
        return err_set(err, ERR_UNAVAILABLE, "services run in the daemon, and it does not run");
    code = handler(context, services->names[n].name, run, err);
    if (code == ERR_NONE)
        set(services, services->running, n, run);
    return code;
}

enum err_code service_run(struct services *services, const char *name, bool run, struct err *err)
{
    size_t n = place_of(services, str_of(name));
    enum err_code code;

    if (n == services->count)
        return unknown(services, name, err);
    pthread_mutex_lock(&services->switching);
    code = switch_locked(services, n, run, err);
    pthread_mutex_unlock(&services->switching);
    return code;
}

enum err_code services_start_enabled(struct services *services, struct err *err)
{
    enum err_code first = ERR_NONE;

    for (size_t n = 0; n < services->count; n++) {
        if (service_is_enabled(services, services->names[n].name)) {
            enum err_code code = service_run(services, services->names[n].name, true,
                                             first == ERR_NONE ? err : NULL);

            first = first == ERR_NONE ? code : first;
        }
    }
    return first;
}
