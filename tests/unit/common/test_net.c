#include "tests/unit/common/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/net.h"

static struct net_address parsed(const char *text)
{
    struct net_address address;
    struct err err = {0};

    if (net_parse(&address, text, &err) != ERR_NONE)
        fail_msg("%s: %s", text, err.text);
    return address;
}

static void addresses_come_back_as_they_were_written(void **state)
{
    static const char *const good[] = {
        "127.0.0.1:143", "[::1]:993", "[2001:db8::7]:65535", "*:24", "unix:/run/mail/link.sock",
        "0.0.0.0:0",     "[::]:143"};
    char text[NET_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct net_address address = parsed(good[i]);

        assert_string_equal(net_text(&address, text), good[i]);
    }
}

static void what_is_no_address_is_refused_with_an_example(void **state)
{
    static const char *const bad[] = {"",           "143",           "localhost:143",   "127.0.0.1",
                                      "127.0.0.1:", "127.0.0.1:-1",  "127.0.0.1:65536", "::1:143:x",
                                      "[::1:143",   "unix:",         "unix:relative",   "[]:143",
                                      "1.2.3:143",  "127.0.0.1:14 3"};
    struct net_address address;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err err = {0};

        assert_int_equal(net_parse(&address, bad[i], &err), ERR_INVALID);
        assert_true(strlen(err.text) > 10);
    }
}

static void a_unix_path_that_does_not_fit_is_refused(void **state)
{
    struct net_address address;
    char text[200] = "unix:/";

    (void)state;
    memset(text + 6, 'p', 106);
    assert_int_equal(net_parse(&address, text, NULL), ERR_NONE); /* 107 bytes and a NUL */
    text[112] = 'p';
    assert_int_equal(net_parse(&address, text, NULL), ERR_INVALID);
}

static void a_mapped_address_is_written_as_ipv4(void **state)
{
    struct net_address address = parsed("[::ffff:192.0.2.9]:25");
    char text[NET_TEXT_MAX];

    (void)state;
    assert_string_equal(net_host(&address, text), "192.0.2.9");
    assert_string_equal(net_text(&address, text), "192.0.2.9:25");
    assert_int_equal(net_port(&address), 25);
}

static bool has(const char *network, const char *address)
{
    struct net_address at = parsed(address);
    struct net_range range;
    struct err err = {0};

    if (net_range_parse(&range, network, &err) != ERR_NONE)
        fail_msg("%s: %s", network, err.text);
    return net_range_has(&range, &at);
}

static void a_network_has_its_own_addresses_only(void **state)
{
    (void)state;
    assert_true(has("192.0.2.0/24", "192.0.2.255:1"));
    assert_false(has("192.0.2.0/24", "192.0.3.0:1"));
    assert_true(has("192.0.2.128/25", "192.0.2.128:1"));
    assert_false(has("192.0.2.128/25", "192.0.2.127:1"));
    assert_true(has("10.0.0.1", "10.0.0.1:1"));
    assert_false(has("10.0.0.1", "10.0.0.2:1"));
    assert_true(has("0.0.0.0/0", "198.51.100.1:1"));
    assert_true(has("192.0.2.0/24", "[::ffff:192.0.2.1]:1"));
    assert_false(has("::/0", "[::ffff:192.0.2.1]:1"));
    assert_true(has("2001:db8::/33", "[2001:db8:7fff::1]:1"));
    assert_false(has("2001:db8::/33", "[2001:db8:8000::1]:1"));
    assert_true(has("unix", "unix:/x"));
    assert_false(has("unix", "127.0.0.1:1"));
    assert_false(has("127.0.0.1", "unix:/x"));
}

static void what_is_no_network_is_refused(void **state)
{
    static const char *const bad[] = {"",           "host", "192.0.2.0/33",  "::/129",
                                      "192.0.2.0/", "/8",   "192.0.2.0/8/8", "10.0.0.0/-1"};
    struct net_range range;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(net_range_parse(&range, bad[i], NULL), ERR_INVALID);
}

static struct net_address listen_on(const char *text, bool reuse_port, int *fd)
{
    struct net_address address = parsed(text);
    struct err err = {0};

    if (net_listen(fd, &address, reuse_port, 0, &err) != ERR_NONE)
        fail_msg("%s: %s", text, err.text);
    net_local_of(*fd, &address);
    return address;
}

static void a_taken_port_names_its_owner(void **state)
{
    struct net_address address;
    struct err err = {0};
    char me[32];
    int first;
    int second;

    (void)state;
    address = listen_on("127.0.0.1:0", false, &first);
    assert_int_equal(net_listen(&second, &address, false, 0, &err), ERR_EXISTS);
    assert_int_equal(second, -1);
    snprintf(me, sizeof(me), "[%d]", getpid());
    assert_non_null(strstr(err.text, me));
    close(first);
}

static void a_dual_socket_is_named_as_the_owner_of_an_ipv4_port(void **state)
{
    struct net_address all;
    struct net_address address = parsed("127.0.0.1:0");
    char owner[NET_TEXT_MAX];
    char me[32];
    int fd;

    (void)state;
    all = listen_on("*:0", false, &fd);
    address.at.in4.sin_port = htons((uint16_t)net_port(&all));
    net_owner(&address, owner);
    snprintf(me, sizeof(me), "[%d]", getpid());
    assert_non_null(strstr(owner, me));
    close(fd);
    net_owner(&address, owner);
    assert_string_equal(owner, "");
}

static void loops_of_one_process_share_a_port(void **state)
{
    struct net_address address;
    int first;
    int second;

    (void)state;
    address = listen_on("127.0.0.1:0", true, &first);
    assert_int_equal(net_listen(&second, &address, true, 0, NULL), ERR_NONE);
    assert_true((fcntl(second, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(second, F_GETFD) & FD_CLOEXEC) != 0);
    close(first);
    close(second);
}

static void another_process_does_not_share_it(void **state)
{
    struct net_address address;
    int status;
    int fd;
    pid_t child;

    (void)state;
    address = listen_on("127.0.0.1:0", true, &fd);
    child = fork();
    if (child == 0) {
        int own;

        close(fd);
        _exit(net_listen(&own, &address, true, 0, NULL) == ERR_EXISTS ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(fd);
}

static void unix_sockets_are_replaced_only_when_stale(void **state)
{
    struct net_address address;
    struct stat facts;
    struct err err = {0};
    char folder[64];
    char text[128];
    char me[32];
    int first;
    int second;

    (void)state;
    folder_begin(folder);
    snprintf(text, sizeof(text), "unix:%s/socket", folder);
    address = parsed(text);
    umask(0);
    assert_int_equal(net_listen(&first, &address, false, 0660, NULL), ERR_NONE);
    assert_int_equal(stat(text + 5, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0660);

    assert_int_equal(net_listen(&second, &address, false, 0660, &err), ERR_EXISTS);
    snprintf(me, sizeof(me), "[%d]", getpid());
    assert_non_null(strstr(err.text, me));

    close(first); /* the file stays, and nobody answers */
    assert_int_equal(net_listen(&second, &address, false, 0600, NULL), ERR_NONE);
    close(second);
    folder_end(folder);
}

static void a_file_where_a_unix_socket_should_be_is_left_alone(void **state)
{
    struct net_address address;
    struct err err = {0};
    char folder[64];
    char text[128];
    int fd;

    (void)state;
    folder_begin(folder);
    snprintf(text, sizeof(text), "unix:%s/file", folder);
    address = parsed(text);
    close(open(text + 5, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal(net_listen(&fd, &address, false, 0, &err), ERR_EXISTS);
    assert_int_equal(access(text + 5, F_OK), 0);
    folder_end(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_come_back_as_they_were_written),
        cmocka_unit_test(what_is_no_address_is_refused_with_an_example),
        cmocka_unit_test(a_unix_path_that_does_not_fit_is_refused),
        cmocka_unit_test(a_mapped_address_is_written_as_ipv4),
        cmocka_unit_test(a_network_has_its_own_addresses_only),
        cmocka_unit_test(what_is_no_network_is_refused),
        cmocka_unit_test(a_taken_port_names_its_owner),
        cmocka_unit_test(a_dual_socket_is_named_as_the_owner_of_an_ipv4_port),
        cmocka_unit_test(loops_of_one_process_share_a_port),
        cmocka_unit_test(another_process_does_not_share_it),
        cmocka_unit_test(unix_sockets_are_replaced_only_when_stale),
        cmocka_unit_test(a_file_where_a_unix_socket_should_be_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
