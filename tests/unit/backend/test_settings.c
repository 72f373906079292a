/* The back end's table of settings, and what is checked beyond it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailbox-backend/settings.h"

static struct backend_settings settings;
static char path[] = "/tmp/unit-settings-XXXXXX";

static enum err_code read_text(const char *text, struct err *err)
{
    int fd = mkstemp(strcpy(path, "/tmp/unit-settings-XXXXXX"));
    enum err_code code;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    *err = (struct err){0};
    code = settings_read(&backend_settings_table, path, &settings, err);
    unlink(path);
    return code;
}

static void assert_checked(const char *text, const char *words)
{
    struct err err;

    assert_int_equal(read_text(text, &err), ERR_NONE);
    assert_int_equal(backend_settings_check(&settings, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, words));
    settings_free(&backend_settings_table, &settings);
}

static void a_name_and_a_socket_are_enough(void **state)
{
    struct err err;
    char *control;

    (void)state;
    assert_int_equal(
        read_text("[backend]\nname = back1\ndata = /d\n[link]\nlisten = unix:/s\n", &err),
        ERR_NONE);
    assert_int_equal(backend_settings_check(&settings, &err), ERR_NONE);
    control = backend_control_path(&settings);
    assert_string_equal(control, "/d/control");
    free(control);
    assert_int_equal(settings.imap4be.idle_timeout, 1800);
    assert_int_equal(settings.store.message_size_limit, 128u << 20);
    assert_false(settings.link.allow_plain_tcp);
    settings_free(&backend_settings_table, &settings);
}

static void without_a_name_nothing_is_served(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(read_text("[link]\nlisten = unix:/s\n", &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "name"));
    settings_free(&backend_settings_table, &settings);
}

static void what_does_not_fit_together_is_refused(void **state)
{
    (void)state;
    assert_checked("[backend]\nname = a b\n", "name");
    assert_checked("[backend]\nname = a\n[link]\nlisten = 127.0.0.1:1\n", "TCP");
    assert_checked("[backend]\nname = a\n[link]\ncertificate = c\n", "belong together");
}

static void the_idle_times_of_the_standards_cannot_be_undercut(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(read_text("[backend]\nname = a\n[imap4be]\nidle_timeout = 29m\n", &err),
                     ERR_INVALID);
    settings_free(&backend_settings_table, &settings);
    assert_int_equal(read_text("[backend]\nname = a\n[pop3be]\nidle_timeout = 9m\n", &err),
                     ERR_INVALID);
    settings_free(&backend_settings_table, &settings);
}

/* What `config sample` prints is a good configuration once the name is filled in. */
static void the_sample_is_understood(void **state)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    struct err err;

    (void)state;
    settings_sample(&backend_settings_table, memory);
    fclose(memory);
    for (size_t i = 0; i < backend_settings_table.setting_count; i++)
        assert_non_null(strstr(text, backend_settings_table.settings[i].key));
    if (read_text(text, &err) != ERR_NONE)
        assert_non_null(strstr(err.text, "name"));
    settings_free(&backend_settings_table, &settings);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_and_a_socket_are_enough),
        cmocka_unit_test(without_a_name_nothing_is_served),
        cmocka_unit_test(what_does_not_fit_together_is_refused),
        cmocka_unit_test(the_idle_times_of_the_standards_cannot_be_undercut),
        cmocka_unit_test(the_sample_is_understood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
