#include "proto/admin_call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PROGRESS_MS 250 /* between one telling and the next */

void admin_call_run(const struct admin_host *host, const struct admin_command *command,
                    const Admin__Request *request, int file, struct admin_sink *sink,
                    struct arena *arena, Admin__End *end)
{
    struct admin_call call = {
        .host = host,
        .command = command,
        .request = request,
        .file = file,
        .sink = sink,
        .row = ADMIN__ROW__INIT,
    };
    struct err err = {0};

    admin__end__init(end);
    end->code = command->run(&call, &err);
    end->text = arena_string(arena, end->code == ERR_NONE ? call.said : err.text);
    end->hint = arena_string(arena, call.hint);
    end->findings = call.findings;
    arena_reset(&call.arena);
    arena_reset(&call.row_arena);
}

const struct admin_host *admin_host(const struct admin_call *call)
{
    return call->host;
}

size_t admin_name_count(const struct admin_call *call)
{
    return call->request->n_names;
}

const char *admin_name(const struct admin_call *call, size_t n)
{
    return n < call->request->n_names ? call->request->names[n] : NULL;
}

static const Admin__Flag *find_flag(const struct admin_call *call, const char *name, size_t n)
{
    for (size_t i = 0; i < call->request->n_flags; i++) {
        if (strcmp(call->request->flags[i]->name, name) == 0 && n-- == 0)
            return call->request->flags[i];
    }
    return NULL;
}

bool admin_has(const struct admin_call *call, const char *flag)
{
    return find_flag(call, flag, 0) != NULL;
}

const char *admin_value(const struct admin_call *call, const char *flag)
{
    return admin_value_n(call, flag, 0);
}

const char *admin_value_n(const struct admin_call *call, const char *flag, size_t n)
{
    const Admin__Flag *found = find_flag(call, flag, n);

    return found != NULL && found->has_value ? found->value : NULL;
}

bool admin_is_dry_run(const struct admin_call *call)
{
    return call->request->dry_run;
}

bool admin_secret(const struct admin_call *call, struct str *secret)
{
    *secret = str_n(call->request->secret.data, call->request->secret.len);
    if (secret->length == 0)
        *secret = str_of("");
    return call->request->has_secret;
}

bool admin_is_wanted(struct admin_call *call)
{
    return call->sink->wanted == NULL || call->sink->wanted(call->sink);
}

int admin_file(const struct admin_call *call)
{
    return call->file;
}

struct arena *admin_arena(struct admin_call *call)
{
    return &call->arena;
}

/* A new field at the end of the row. */
static Admin__Field *add(struct admin_call *call, const char *key, Admin__Field__ValueCase kind)
{
    Admin__Field *field = arena_alloc(&call->row_arena, sizeof(*field));

    if (call->row.n_fields == call->room) {
        size_t room = call->room == 0 ? 16 : 2 * call->room;
        Admin__Field **grown = arena_array(&call->row_arena, room, sizeof(Admin__Field *));

        if (call->room > 0)
            memcpy(grown, call->row.fields, call->room * sizeof(Admin__Field *));
        call->row.fields = grown;
        call->room = room;
    }
    admin__field__init(field);
    field->key = arena_string(&call->row_arena, key);
    field->value_case = kind;
    call->row.fields[call->row.n_fields++] = field;
    return field;
}

void admin_put_text(struct admin_call *call, const char *key, const char *value)
{
    add(call, key, ADMIN__FIELD__VALUE_TEXT)->text = arena_string(&call->row_arena, value);
}

void admin_put_number(struct admin_call *call, const char *key, uint64_t value)
{
    add(call, key, ADMIN__FIELD__VALUE_NUMBER)->number = value;
}

void admin_put_bytes(struct admin_call *call, const char *key, uint64_t value)
{
    add(call, key, ADMIN__FIELD__VALUE_BYTES)->bytes = value;
}

void admin_put_bool(struct admin_call *call, const char *key, bool value)
{
    add(call, key, ADMIN__FIELD__VALUE_TRUTH)->truth = value;
}

void admin_put_time(struct admin_call *call, const char *key, int64_t unix_time)
{
    add(call, key, ADMIN__FIELD__VALUE_TIME)->time = unix_time;
}

void admin_put_list(struct admin_call *call, const char *key, const char *const *items,
                    size_t count)
{
    Admin__Texts *texts = arena_alloc(&call->row_arena, sizeof(*texts));

    admin__texts__init(texts);
    texts->items = arena_array(&call->row_arena, count + 1, sizeof(char *));
    texts->n_items = count;
    for (size_t i = 0; i < count; i++)
        texts->items[i] = arena_string(&call->row_arena, items[i]);
    add(call, key, ADMIN__FIELD__VALUE_LIST)->list = texts;
}

enum err_code admin_row(struct admin_call *call, struct err *err)
{
    enum err_code code = call->sink->row(call->sink, &call->row, err);

    admin__row__init(&call->row);
    call->room = 0;
    arena_reset(&call->row_arena);
    return code;
}

static bool is_due(struct admin_call *call)
{
    struct timespec now;
    int64_t passed;

    clock_gettime(CLOCK_MONOTONIC, &now);
    passed = (int64_t)(now.tv_sec - call->told.tv_sec) * 1000 +
             (now.tv_nsec - call->told.tv_nsec) / 1000000;
    if (passed < PROGRESS_MS)
        return false;
    call->told = now;
    return true;
}

void admin_progress(struct admin_call *call, const char *format, ...)
{
    char text[300];
    va_list args;

    if (call->sink->progress == NULL || !is_due(call))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    call->sink->progress(call->sink, text);
}

void admin_say(struct admin_call *call, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(call->said, sizeof(call->said), format, args);
    va_end(args);
}

void admin_hint(struct admin_call *call, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(call->hint, sizeof(call->hint), format, args);
    va_end(args);
}

void admin_findings(struct admin_call *call)
{
    call->findings = true;
}
