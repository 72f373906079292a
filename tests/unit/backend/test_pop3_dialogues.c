/* Plays tests/dialogue/pop3. */
#include "tests/unit/backend/dialogue.h"

#include "mailbox-backend/pop3/engine.h"

static void play(void **state)
{
    dialogue_play_file(&pop3_engine, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"every_command_is_answered_in_an_empty_maildrop",  play, NULL, NULL,
         (void *)(uintptr_t) "pop3/empty.txt"},
        {"lines_have_a_limit_and_odd_ones_are_no_commands", play, NULL, NULL,
         (void *)(uintptr_t) "pop3/lines.txt"},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
