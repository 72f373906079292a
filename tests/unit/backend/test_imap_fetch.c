/* FETCH: the dialogues. */
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
        DIALOGUE("items_are_fetched_and_bad_requests_refused", "fetch.txt"),
        DIALOGUE("sections_are_fetched_whole_and_in_parts", "fetch-sections.txt"),
        DIALOGUE("seen_is_set_by_reading_and_told_once", "fetch-seen.txt"),
        DIALOGUE("expunged_messages_are_passed_over_and_said", "fetch-expunged.txt"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
