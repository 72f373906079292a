#include "mailbox-backend/mime/address.h"
#include "tests/unit/mime/mime_test.h"

static struct arena arena;

static int release(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

static void show(struct buf *out, struct str text)
{
    if (text.data == NULL)
        buf_text(out, "NIL");
    else
        buf_printf(out, "[%.*s]", (int)text.length, text.data);
}

/* "name route mailbox host" of each, one after another. */
static void assert_list(const char *list, const char *expected)
{
    struct mime_address_reader reader;
    struct mime_address address;
    struct buf out = {0};

    mime_address_init(&reader, &arena, str_of(list));
    while (mime_address_next(&reader, &address)) {
        show(&out, address.name);
        show(&out, address.route);
        show(&out, address.mailbox);
        show(&out, address.host);
        buf_byte(&out, ';');
    }
    assert_buf(&out, expected);
}

static void plain_addresses_are_read(void **state)
{
    (void)state;
    assert_list("a@b", "NILNIL[a][b];");
    assert_list("a.b@c.d , <e@f>", "NILNIL[a.b][c.d];NILNIL[e][f];");
    assert_list("a@[127.0.0.1]", "NILNIL[a][[127.0.0.1]];");
    assert_list(" a . b @ c . d ", "NILNIL[a.b][c.d];");
}

static void display_names_are_read(void **state)
{
    (void)state;
    assert_list("John Q. Public <j@x>", "[John Q. Public]NIL[j][x];");
    assert_list("\"Public, \\\"John\\\"\" <j@x>", "[Public, \"John\"]NIL[j][x];");
    assert_list("=?utf-8?q?J=C3=B6rg?= <j@x>", "[=?utf-8?q?J=C3=B6rg?=]NIL[j][x];");
    assert_list("a \t b(comment)c<j@x>", "[a b c]NIL[j][x];");
    assert_list("\"\" <j@x>", "NILNIL[j][x];");
}

static void unquoted_at_in_a_name_belongs_to_it(void **state)
{
    (void)state;
    assert_list("j@x <j@x>, k@x", "[j@x]NIL[j][x];NILNIL[k][x];");
    assert_list("info@firm.example via List <l@x>", "[info@firm.example via List]NIL[l][x];");
    assert_list("@handle <j@x>", "[@handle]NIL[j][x];");
    assert_list("a@b, C <c@d>", "NILNIL[a][b];[C]NIL[c][d];");
    assert_list("a@b; C <c@d>", "NILNIL[a][b];[C]NIL[c][d];");
    assert_list("a@b (not <c@d>), e@f", "[not <c@d>]NIL[a][b];NILNIL[e][f];");
}

static void comment_behind_the_address_is_its_name(void **state)
{
    (void)state;
    assert_list("j@x (John (the first) Doe)", "[John (the first) Doe]NIL[j][x];");
    assert_list("<j@x> (John)", "[John]NIL[j][x];");
    assert_list("Name <j@x> (other)", "[Name]NIL[j][x];");
}

static void quoted_local_part_loses_its_quotes(void **state)
{
    (void)state;
    assert_list("\"John Doe\"@x", "NILNIL[John Doe][x];");
    assert_list("<\"a@b\"@c>", "NILNIL[a@b][c];");
}

static void obsolete_route_is_told(void **state)
{
    (void)state;
    assert_list("N <@a,@b.c:d@e>", "[N][@a,@b.c][d][e];");
    assert_list("<@a:d@e>", "NIL[@a][d][e];");
}

static void groups_have_begin_and_end(void **state)
{
    (void)state;
    assert_list("A Group: a@b, C <c@d>; e@f",
                "NILNIL[A Group]NIL;NILNIL[a][b];[C]NIL[c][d];NILNILNILNIL;NILNIL[e][f];");
    assert_list("undisclosed-recipients:;", "NILNIL[undisclosed-recipients]NIL;NILNILNILNIL;");
    assert_list("open: a@b", "NILNIL[open]NIL;NILNIL[a][b];NILNILNILNIL;");
}

static void address_without_domain_has_an_empty_host(void **state)
{
    (void)state;
    assert_list("root", "NILNIL[root][];");
    assert_list("The Root", "NILNIL[The Root][];");
    assert_list("N <root>", "[N]NIL[root][];");
    assert_list("<>", "NILNIL[][];");
    assert_list("@x", "NILNIL[][x];");
}

static void broken_lists_give_what_they_can(void **state)
{
    (void)state;
    assert_list("", "");
    assert_list(" ,,; , ", "");
    assert_list(",a@b,,c@d;", "NILNIL[a][b];NILNIL[c][d];");
    assert_list("a@b c@d", "NILNIL[a][b];NILNIL[c][d];");
    assert_list("A <a@b> junk, c@d", "[A]NIL[a][b];NILNIL[c][d];");
    assert_list("A <a@b", "[A]NIL[a][b];");
    assert_list("\"open <a@b>", "NILNIL[open <a@b>][];");
    assert_list("(open", "");
    assert_list("a@b]", "NILNIL[a][b]];");
    assert_list("\\", "NILNIL[\\][];");
    assert_list("<<a@b>>, c", "NILNIL[][];NILNIL[c][];");
}

static void every_run_of_specials_comes_to_an_end(void **state)
{
    static const char bytes[] = "<>,:;@.()[]\"\\ a";
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct mime_address_reader reader;
        struct mime_address address;
        char text[24];
        unsigned count = 0;

        for (size_t i = 0; i < sizeof(text); i++) {
            seed = seed * 1103515245u + 12345u;
            text[i] = bytes[(seed >> 16) % (sizeof(bytes) - 1)];
        }
        mime_address_init(&reader, &arena, str_n(text, sizeof(text)));
        while (mime_address_next(&reader, &address))
            count++;
        assert_true(count <= 2 * sizeof(text));
        arena_reset(&arena);
    }
}

/* With a look ahead from each of them this would take hours. */
static void megabyte_of_at_signs_is_read(void **state)
{
    static const size_t length = 1 << 20;
    static const char *const ends[] = {"", "<a@b>"};
    char *text = arena_alloc(&arena, length + 8);

    (void)state;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct mime_address_reader reader;
        struct mime_address address;
        bool any = false;

        memset(text, '@', length);
        strcpy(text + length, ends[i]);
        mime_address_init(&reader, &arena, str_of(text));
        while (mime_address_next(&reader, &address))
            any = true;
        assert_true(any);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plain_addresses_are_read),
        TEST(display_names_are_read),
        TEST(unquoted_at_in_a_name_belongs_to_it),
        TEST(comment_behind_the_address_is_its_name),
        TEST(quoted_local_part_loses_its_quotes),
        TEST(obsolete_route_is_told),
        TEST(groups_have_begin_and_end),
        TEST(address_without_domain_has_an_empty_host),
        TEST(broken_lists_give_what_they_can),
        TEST(every_run_of_specials_comes_to_an_end),
        TEST(megabyte_of_at_signs_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
