/* A server on a loop of its own, asked over its socket as the tool does. */
#include <sys/socket.h>
#include <sys/un.h>

#include "common/file.h"
#include "common/loop.h"
#include "proto/admin_print.h"
#include "proto/admin_remote.h"
#include "proto/admin_server.h"
#include "proto/admin_wire.h"
#include "tests/unit/proto/admin_program.h"

struct fixture {
    char folder[64];
    char path[96];
    struct loop *loop;
    struct admin_host host;
    struct admin_server *server;
    struct loop_task closing;
};

static int create(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct err err;

    strcpy(fixture->folder, "/tmp/admin-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof(fixture->path), "%s/control", fixture->folder);
    fixture->host = (struct admin_host){
        .program = &test_program,
        .settings = fixture->path,
        .daemon = true,
    };
    fixture->loop = loop_create(0);
    assert_int_equal(admin_server_open(&fixture->server, fixture->loop, &fixture->host, &err),
                     ERR_NONE);
    assert_int_equal(loop_start(fixture->loop, &err), ERR_NONE);
    *state = fixture;
    return 0;
}

static void close_server(struct loop_task *task)
{
    struct fixture *fixture = (struct fixture *)((char *)task - offsetof(struct fixture, closing));

    admin_server_close(&fixture->server);
}

static int destroy(void **state)
{
    struct fixture *fixture = *state;

    fixture->closing.run = close_server;
    loop_post(fixture->loop, &fixture->closing);
    loop_stop(fixture->loop);
    loop_destroy(&fixture->loop);
    assert_null(fixture->server);
    assert_int_not_equal(access(fixture->path, F_OK), 0);
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

struct collecting_sink {
    struct admin_sink base;
    struct admin_print *print;
    size_t count;
};

static enum err_code collect(struct admin_sink *base, const Admin__Row *row, struct err *err)
{
    struct collecting_sink *sink = (struct collecting_sink *)base;

    sink->count++;
    return sink->print == NULL ? ERR_NONE : admin_print_row(sink->print, row, err);
}

static Admin__Request request_of(const char *noun, const char *verb, char **names, size_t count)
{
    Admin__Request request = ADMIN__REQUEST__INIT;

    request.noun = (char *)(uintptr_t)noun;
    request.verb = (char *)(uintptr_t)verb;
    request.names = names;
    request.n_names = count;
    return request;
}

/* Runs the request and prints the answer; the text is to be freed. */
static char *ask(struct fixture *fixture, const Admin__Request *request, int file, bool json,
                 bool rows, struct arena *arena, Admin__End *end)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    struct collecting_sink sink = {.base.row = collect,
                                   .print = admin_print_create(to, json, rows)};
    struct err err;
    int socket;

    assert_int_equal(admin_remote_connect(fixture->path, &socket, &err), ERR_NONE);
    assert_int_equal(admin_remote_run(socket, request, file, &sink.base, arena, end, &err),
                     ERR_NONE);
    admin_print_end(sink.print, end->code == ERR_NONE ? end->text : "");
    admin_print_destroy(&sink.print);
    close(socket);
    fclose(to);
    return text;
}

static void rows_come_as_a_table_or_as_json(void **state)
{
    Admin__Request request = request_of("user", "list", NULL, 0);
    struct arena arena = {0};
    Admin__End end;
    char *text = ask(*state, &request, -1, false, true, &arena, &end);

    assert_string_equal(text, "LOGIN  MESSAGES  ENABLED\n"
                              "alice  0         yes\n"
                              "b\"ob?  1         no\n");
    free(text);
    text = ask(*state, &request, -1, true, true, &arena, &end);
    assert_string_equal(
        text, "[\n  {\"login\": \"alice\", \"messages\": 0, \"enabled\": true},\n"
              "  {\"login\": \"b\\\"ob\\u001b\", \"messages\": 1, \"enabled\": false}\n]\n");
    free(text);
    arena_reset(&arena);
}

static void a_record_shows_every_kind_of_field(void **state)
{
    char *names[] = {(char *)(uintptr_t) "carol"};
    Admin__Request request = request_of("user", "add", names, 1);
    struct arena arena = {0};
    Admin__End end;
    char *text;

    request.has_secret = true;
    request.secret = (ProtobufCBinaryData){11, (uint8_t *)(uintptr_t) "open sesame"};
    text = ask(*state, &request, -1, false, false, &arena, &end);
    assert_string_equal(text, "login:     carol\n"
                              "quota:     1.5K\n"
                              "made:      1970-01-02T00:00:00Z\n"
                              "never:     \n"
                              "addresses: a@example.org, b@example.org\n"
                              "secret:    yes\n"
                              "user carol is there\n");
    free(text);
    text = ask(*state, &request, -1, true, false, &arena, &end);
    assert_string_equal(text, "{\"login\": \"carol\", \"quota\": 1536, "
                              "\"made\": \"1970-01-02T00:00:00Z\", \"never\": null, "
                              "\"addresses\": [\"a@example.org\", \"b@example.org\"], "
                              "\"secret\": true}\n");
    free(text);
    arena_reset(&arena);
}

static void an_error_comes_with_what_to_do_about_it(void **state)
{
    char *names[] = {(char *)(uintptr_t) "taken"};
    Admin__Request request = request_of("user", "add", names, 1);
    struct arena arena = {0};
    Admin__End end;

    free(ask(*state, &request, -1, false, false, &arena, &end));
    assert_int_equal(end.code, ERR_EXISTS);
    assert_string_equal(end.text, "user taken exists");
    assert_string_equal(end.hint, "take another name");
    arena_reset(&arena);
}

static void an_open_file_travels_along(void **state)
{
    struct fixture *fixture = *state;
    char *names[] = {(char *)(uintptr_t) "data"};
    Admin__Request request = request_of("size", "", names, 1);
    struct arena arena = {0};
    Admin__End end;
    int pipes[2];
    char *text;

    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(write(pipes[1], "12345", 5), 5);
    close(pipes[1]);
    text = ask(fixture, &request, pipes[0], false, false, &arena, &end);
    assert_string_equal(text, "size: 5\n");
    assert_true(end.findings);
    close(pipes[0]);
    free(text);
    arena_reset(&arena);
}

static void long_lists_come_whole(void **state)
{
    Admin__Request request = request_of("user", "list", NULL, 0);
    Admin__Flag flag = ADMIN__FLAG__INIT, *flags[] = {&flag};
    struct collecting_sink sink = {.base.row = collect};
    struct fixture *fixture = *state;
    struct arena arena = {0};
    Admin__End end;
    int socket;

    flag.name = (char *)(uintptr_t) "count";
    flag.value = (char *)(uintptr_t) "20000";
    flag.has_value = true;
    request.flags = flags;
    request.n_flags = 1;
    assert_int_equal(admin_remote_connect(fixture->path, &socket, NULL), ERR_NONE);
    assert_int_equal(admin_remote_run(socket, &request, -1, &sink.base, &arena, &end, NULL),
                     ERR_NONE);
    assert_int_equal(sink.count, 20000);
    close(socket);
    arena_reset(&arena);
}

static void commands_that_the_table_does_not_have_are_refused(void **state)
{
    Admin__Request unknown = request_of("user", "fly", NULL, 0);
    Admin__Request nameless = request_of("user", "add", NULL, 0);
    struct arena arena = {0};
    Admin__End end;

    free(ask(*state, &unknown, -1, false, false, &arena, &end));
    assert_int_equal(end.code, ERR_INVALID);
    free(ask(*state, &nameless, -1, false, false, &arena, &end));
    assert_int_equal(end.code, ERR_INVALID);
    arena_reset(&arena);
}

static void nonsense_on_the_socket_ends_only_that_connection(void **state)
{
    static const char *const bad[] = {"\xff\xff\xff\xff", "\0\0\0\4\xff\xff\xff\xff"};
    static const size_t lengths[] = {4, 8};
    struct fixture *fixture = *state;
    Admin__Request request = request_of("user", "list", NULL, 0);
    struct arena arena = {0};
    Admin__End end;
    int socket;
    char byte;

    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(admin_remote_connect(fixture->path, &socket, NULL), ERR_NONE);
        assert_int_equal(write(socket, bad[i], lengths[i]), lengths[i]);
        assert_true(read(socket, &byte, 1) <= 0);
        close(socket);
    }
    free(ask(fixture, &request, -1, false, true, &arena, &end));
    assert_int_equal(end.code, ERR_NONE);
    arena_reset(&arena);
}

static void closing_does_not_wait_for_a_silent_client(void **state)
{
    struct fixture *fixture = *state;
    int socket;

    assert_int_equal(admin_remote_connect(fixture->path, &socket, NULL), ERR_NONE);
    assert_int_equal(write(socket, "\0", 1), 1);
    fixture->closing.run = close_server;
    loop_post(fixture->loop, &fixture->closing);
    loop_stop(fixture->loop);
    assert_null(fixture->server);
    close(socket);
}

static void json_is_valid_whatever_the_text_is(void **state)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    (void)state;
    admin_print_json_text("\\\"\n\x7f \xc3\xa9 \xf0\x9f\x98\x80 \xe9 \xc0\x80 \xed\xa0\x80 \xc3",
                          to);
    fclose(to);
    assert_string_equal(text,
                        "\"\\\\\\\"\\u000a\\u007f \xc3\xa9 \xf0\x9f\x98\x80 \\ufffd \\ufffd\\ufffd "
                        "\\ufffd\\ufffd\\ufffd \\ufffd\"");
    free(text);
}

static void without_a_daemon_the_tool_says_so(void **state)
{
    struct err err;
    int socket;

    (void)state;
    assert_int_equal(admin_remote_connect("/tmp/no-such-folder/control", &socket, &err),
                     ERR_UNAVAILABLE);
    assert_int_equal(socket, -1);
}

static int destroy_stopped(void **state)
{
    struct fixture *fixture = *state;

    loop_destroy(&fixture->loop);
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_come_as_a_table_or_as_json, create, destroy),
        cmocka_unit_test_setup_teardown(a_record_shows_every_kind_of_field, create, destroy),
        cmocka_unit_test_setup_teardown(an_error_comes_with_what_to_do_about_it, create, destroy),
        cmocka_unit_test_setup_teardown(an_open_file_travels_along, create, destroy),
        cmocka_unit_test_setup_teardown(long_lists_come_whole, create, destroy),
        cmocka_unit_test_setup_teardown(commands_that_the_table_does_not_have_are_refused, create,
                                        destroy),
        cmocka_unit_test_setup_teardown(nonsense_on_the_socket_ends_only_that_connection, create,
                                        destroy),
        cmocka_unit_test_setup_teardown(closing_does_not_wait_for_a_silent_client, create,
                                        destroy_stopped),
        cmocka_unit_test(json_is_valid_whatever_the_text_is),
        cmocka_unit_test(without_a_daemon_the_tool_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
