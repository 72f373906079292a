/* Plays tests/dialogue/imap4. */
#include "tests/unit/backend/dialogue.h"

#include "mailbox-backend/imap4/engine.h"

static void play(void **state)
{
    dialogue_play_file(&imap4_engine, *state);
}

#define DIALOGUE(sentence, file)                                                                   \
    {                                                                                              \
        sentence, play, NULL, NULL, (void *)(uintptr_t) "imap4/" file                              \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIALOGUE("commands_of_every_state_are_answered", "any.txt"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
