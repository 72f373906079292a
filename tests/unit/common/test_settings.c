#include "tests/unit/common/unit.h"

#include "common/file.h"
#include "common/settings.h"

struct peer {
    char *name;
    char *address;
    uint64_t weight;
};

struct whole {
    struct {
        char *title;
        char *data;
        bool loud;
        uint64_t count;
        uint64_t size;
        uint64_t time;
        int color;
    } main;
    struct {
        struct setting_list names;
        struct setting_list listen;
        struct setting_list trusted;
    } lists;
    struct setting_group peers;
};

static const char *const colors[] = {"red", "green", "blue", NULL};

static const struct setting_section sections[] = {
    {"main",  "The main thing.", false, offsetof(struct whole, main),
     sizeof(((struct whole *)0)->main)                                                                   },
    {"lists", "Lists.",          false, offsetof(struct whole, lists), sizeof(((struct whole *)0)->lists)},
    {"peer",  "Peers.",          true,  offsetof(struct whole, peers), sizeof(struct peer)               },
};

#define IN(part, member) (offsetof(struct whole, part.member) - offsetof(struct whole, part))

static const struct setting all[] = {
    {.section = "main",
     .key = "title",
     .type = SETTING_TEXT,
     .offset = IN(main,                        title),
     .help =
         "A title; it is shown to | everybody who asks for it, and to some who do not, which is "
         "why it should be short and kind."      },
    { .section = "main",
     .key = "data",
     .type = SETTING_PATH,
     .offset = IN(main,                 data),
     .preset = "/var/lib/x",
     .help = "Where data is."},
    {                     .section = "main",
     .key = "loud",
     .type = SETTING_BOOL,
     .offset = IN(main,                 loud),
     .preset = "yes",
     .help = "Whether it is loud."},
    {                .section = "main",
     .key = "max_connections",
     .type = SETTING_NUMBER,
     .offset = IN(main,                count),
     .preset = "1000",
     .least = 1,
     .most = 1000000,
     .help = "How many."},
    {                                .section = "main",
     .key = "size",
     .type = SETTING_SIZE,
     .offset = IN(main,                     size),
     .preset = "10M",
     .least = 4096,
     .most = (uint64_t)1 << 40,
     .help = "How large."},
    {                                .section = "main",
     .key = "time",
     .type = SETTING_SECONDS,
     .offset = IN(main, time),
     .preset = "30m",
     .least = 0,
     .most = 30 * 86400,
     .help = "How long."},
    {                              .section = "main",
     .key = "color",
     .type = SETTING_CHOICE,
     .offset = IN(main,                      color),
     .preset = "green",
     .choices = colors,
     .help = "Which color."},
    {                                 .section = "lists",
     .key = "names",
     .type = SETTING_LIST,
     .offset = IN(lists,                        names),
     .preset = "a, b",
     .help = "Names."},
    {.section = "lists",
     .key = "listen",
     .type = SETTING_ADDRESSES,
     .offset = IN(lists,                         listen),
     .help = "Addresses."                          },
    {                                       .section = "lists",
     .key = "trusted",
     .type = SETTING_NETWORKS,
     .offset = IN(lists,                     trusted),
     .help = "Networks."},
    {                               .section = "peer",
     .key = "address",
     .type = SETTING_TEXT,
     .offset = offsetof(struct peer,                    address),
     .required = true,
     .help = "Where it is."},
    {                           .section = "peer",
     .key = "weight",
     .type = SETTING_NUMBER,
     .offset = offsetof(struct peer,                 weight),
     .preset = "5",
     .help = "How much it can do."},
};

static const struct settings_table table = {
    .program = "test",
    .sections = sections,
    .section_count = sizeof(sections) / sizeof(sections[0]),
    .settings = all,
    .setting_count = sizeof(all) / sizeof(all[0]),
    .size = sizeof(struct whole),
};

static char folder[64];
static char path[80];
static struct whole whole;

static int begin(void **state)
{
    (void)state;
    folder_begin(folder);
    snprintf(path, sizeof(path), "%s/mail.conf", folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    settings_free(&table, &whole);
    folder_end(folder);
    return 0;
}

static enum err_code read_text(const char *text, struct err *err)
{
    assert_int_equal(file_write(path, text, strlen(text), 0600, NULL), ERR_NONE);
    return settings_read(&table, path, &whole, err);
}

static void assert_reads(const char *text)
{
    struct err err = {0};

    if (read_text(text, &err) != ERR_NONE)
        fail_msg("%s", err.text);
}

/* The whole error, behind the path of the file. */
static void assert_refused(const char *text, const char *expected)
{
    struct err err = {0};

    assert_int_equal(read_text(text, &err), ERR_INVALID);
    assert_memory_equal(err.text, path, strlen(path));
    assert_string_equal(err.text + strlen(path), expected);
}

static void without_a_file_there_are_the_defaults(void **state)
{
    (void)state;
    assert_int_equal(settings_read(&table, NULL, &whole, NULL), ERR_NONE);
    assert_null(whole.main.title);
    assert_string_equal(whole.main.data, "/var/lib/x");
    assert_true(whole.main.loud);
    assert_int_equal(whole.main.count, 1000);
    assert_int_equal(whole.main.size, 10 << 20);
    assert_int_equal(whole.main.time, 1800);
    assert_int_equal(whole.main.color, 1);
    assert_int_equal(whole.lists.names.count, 2);
    assert_string_equal(whole.lists.names.items[1], "b");
    assert_int_equal(whole.peers.count, 0);
}

static void every_type_is_read(void **state)
{
    char expected[128];

    (void)state;
    assert_reads("# a comment\n"
                 "; another\r\n"
                 "\n"
                 "[ main ]\n"
                 "  title = two words # and no comment \r\n"
                 "data=sub/folder\n"
                 "loud = Off\n"
                 "max_connections = 7\n"
                 "size = 64k\n"
                 "time = 2h\n"
                 "color = BLUE");
    assert_string_equal(whole.main.title, "two words # and no comment");
    snprintf(expected, sizeof(expected), "%s/sub/folder", folder);
    assert_string_equal(whole.main.data, expected);
    assert_false(whole.main.loud);
    assert_int_equal(whole.main.count, 7);
    assert_int_equal(whole.main.size, 65536);
    assert_int_equal(whole.main.time, 7200);
    assert_int_equal(whole.main.color, 2);
}

static void lists_add_up_and_replace_the_default(void **state)
{
    (void)state;
    assert_reads("[lists]\n"
                 "names = x , y,,\n"
                 "names = z\n"
                 "listen = 127.0.0.1:143, [::1]:143\n"
                 "listen = unix:/run/x\n"
                 "trusted = 10.0.0.0/8, unix\n");
    assert_int_equal(whole.lists.names.count, 3);
    assert_string_equal(whole.lists.names.items[0], "x");
    assert_string_equal(whole.lists.names.items[2], "z");
    assert_int_equal(whole.lists.listen.count, 3);
    assert_int_equal(whole.lists.trusted.count, 2);
}

static void an_empty_list_is_no_default(void **state)
{
    (void)state;
    assert_reads("[lists]\nnames =\n");
    assert_int_equal(whole.lists.names.count, 0);
}

static void named_sections_come_in_their_order(void **state)
{
    const struct peer *peers;

    (void)state;
    assert_reads("[peer one]\naddress = here\nweight = 9\n[main]\n[peer two]\naddress = there\n");
    assert_int_equal(whole.peers.count, 2);
    peers = whole.peers.items;
    assert_string_equal(peers[0].name, "one");
    assert_string_equal(peers[0].address, "here");
    assert_int_equal(peers[0].weight, 9);
    assert_string_equal(peers[1].name, "two");
    assert_int_equal(peers[1].weight, 5);
}

static void bad_values_are_refused_with_what_is_allowed(void **state)
{
    (void)state;
    assert_refused("\n[main]\nmax_connections = abc\n",
                   ":3: main.max_connections: \"abc\" is not a number; allowed is 1 to 1000000");
    assert_refused("[main]\nmax_connections = 0",
                   ":2: main.max_connections: \"0\" is out of range; allowed is 1 to 1000000");
    assert_refused(
        "[main]\nsize = 1X",
        ":2: main.size: \"1X\" is not a size, such as 64K, 10M or 2G; allowed is 4K to 1T");
    assert_refused(
        "[main]\nsize = 99999999999999999999T",
        ":2: main.size: \"99999999999999999999T\" is not a size, such as 64K, 10M or 2G; "
        "allowed is 4K to 1T");
    assert_refused("[main]\ntime = 31d",
                   ":2: main.time: \"31d\" is out of range; allowed is 0 to 30d");
    assert_refused("[main]\nloud = maybe",
                   ":2: main.loud: \"maybe\" is not yes or no; allowed is yes or no");
    assert_refused(
        "[main]\ncolor = pink",
        ":2: main.color: \"pink\" is not one of the choices; allowed is red, green or blue");
    assert_refused("[lists]\ntrusted = 10.0.0.0/8, nowhere",
                   ":2: lists.trusted: \"nowhere\" is not a network, such as 192.0.2.0/24, "
                   "2001:db8::/32 or unix");
}

static void unknown_words_are_refused_with_the_nearest(void **state)
{
    (void)state;
    assert_refused(
        "[main]\nmax_conections = 1",
        ":2: main.max_conections: there is no such setting; did you mean max_connections?");
    assert_refused("[main]\nlisten = *:1",
                   ":2: main.listen: there is no such setting; [lists] has one");
    assert_refused("[main]\nxyzzy = 1", ":2: main.xyzzy: there is no such setting");
    assert_refused("[mian]\n", ":1: there is no section [mian]; did you mean [main]?");
    assert_refused("[something]\n", ":1: there is no section [something]");
}

static void bad_lines_are_refused(void **state)
{
    (void)state;
    assert_refused("[main]\ntitle\n",
                   ":2: this is no \"key = value\", no [section] and no # comment");
    assert_refused("title = x\n", ":1: a [section] must come before the first setting");
    assert_refused("[main]\ntitle = x\n\ntitle = y\n",
                   ":4: main.title: given twice, first in line 2");
    assert_refused("[main]\n[lists]\n[main]\n", ":3: [main] is there twice, first in line 1");
    assert_refused("[main x]\n", ":1: [main] has no name behind it");
    assert_refused("[peer]\n", ":1: [peer NAME] must have a name");
    assert_refused("[peer x]\naddress = 1\n[peer X]\n", ":3: [peer x] is there twice");
    assert_refused("[peer x]\nweight = 1\n[main]\n",
                   ": [peer x]: address must be given (Where it is.)");
}

static void a_file_that_is_no_text_or_not_there_is_refused(void **state)
{
    struct err err = {0};

    (void)state;
    assert_int_equal(settings_read(&table, path, &whole, &err), ERR_NOT_FOUND);
    assert_int_equal(file_write(path, "[main]\n\0", 8, 0600, NULL), ERR_NONE);
    assert_int_equal(settings_read(&table, path, &whole, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, ":2: a NUL byte"));
}

static char *printed_by(void (*print)(FILE *to))
{
    char *text = NULL;
    size_t length;
    FILE *to = open_memstream(&text, &length);

    print(to);
    fclose(to);
    return text;
}

static void show(FILE *to)
{
    settings_show(&table, &whole, to);
}

static void sample(FILE *to)
{
    settings_sample(&table, to);
}

static void markdown(FILE *to)
{
    settings_markdown(&table, to);
}

static void what_is_shown_reads_back_the_same(void **state)
{
    char *first;
    char *second;

    (void)state;
    assert_reads("[main]\ntime = 90\nsize = 2048K\n[lists]\nnames = z\nlisten = *:1,*:2\n"
                 "[peer one]\naddress = here\n");
    first = printed_by(show);
    assert_non_null(strstr(first, "\ntime = 90s\n"));
    assert_non_null(strstr(first, "\nsize = 2M\n"));
    assert_non_null(strstr(first, "\n#max_connections = 1000\n"));
    assert_non_null(strstr(first, "\n#title =\n"));
    assert_non_null(strstr(first, "\nlisten = *:1, *:2\n"));
    assert_non_null(strstr(first, "[peer one]\naddress = here\n#weight = 5\n"));
    settings_free(&table, &whole);
    assert_reads(first);
    second = printed_by(show);
    assert_string_equal(first, second);
    free(first);
    free(second);
}

static void the_sample_is_a_file_of_defaults(void **state)
{
    char *text = printed_by(sample);

    (void)state;
    assert_non_null(
        strstr(text, "# How many.\n# Allowed: 1 to 1000000\n#max_connections = 1000\n"));
    assert_non_null(strstr(text, "#[peer NAME]\n"));
    assert_non_null(strstr(text, "must be given\n#address =\n"));
    for (const char *line = text; line != NULL; line = strchr(line + 1, '\n'))
        assert_true(strcspn(line + 1, "\n") <= 80);
    assert_reads(text);
    assert_int_equal(whole.main.count, 1000);
    free(text);
}

static void the_markdown_has_every_setting(void **state)
{
    char *text = printed_by(markdown);

    (void)state;
    for (size_t i = 0; i < table.setting_count; i++)
        assert_non_null(strstr(text, all[i].key));
    assert_non_null(strstr(text, "### `[peer NAME]`"));
    assert_non_null(strstr(text, "| `max_connections` | `1000` | 1 to 1000000 | How many. |"));
    assert_non_null(strstr(text, "shown to \\| everybody"));
    free(text);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(without_a_file_there_are_the_defaults),
        IN_FOLDER(every_type_is_read),
        IN_FOLDER(lists_add_up_and_replace_the_default),
        IN_FOLDER(an_empty_list_is_no_default),
        IN_FOLDER(named_sections_come_in_their_order),
        IN_FOLDER(bad_values_are_refused_with_what_is_allowed),
        IN_FOLDER(unknown_words_are_refused_with_the_nearest),
        IN_FOLDER(bad_lines_are_refused),
        IN_FOLDER(a_file_that_is_no_text_or_not_there_is_refused),
        IN_FOLDER(what_is_shown_reads_back_the_same),
        IN_FOLDER(the_sample_is_a_file_of_defaults),
        IN_FOLDER(the_markdown_has_every_setting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
