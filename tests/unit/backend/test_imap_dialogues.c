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
        DIALOGUE("imap4rev2_answers_in_its_own_way", "rev2.txt"),
        DIALOGUE("select_examine_unselect_and_close", "select.txt"),
        DIALOGUE("folders_are_created_deleted_and_renamed", "folders.txt"),
        DIALOGUE("list_matches_patterns_and_shows_special_uses", "list.txt"),
        DIALOGUE("list_selects_and_returns_what_is_asked_for", "list-extended.txt"),
        DIALOGUE("subscriptions_are_kept_by_name", "subscriptions.txt"),
        DIALOGUE("status_counts", "status.txt"),
        DIALOGUE("quotas_are_told", "quota.txt"),
        DIALOGUE("entries_are_set_and_told", "metadata.txt"),
        DIALOGUE("list_tells_entries", "list-metadata.txt"),
        DIALOGUE("messages_are_appended_or_refused", "append.txt"),
        DIALOGUE("messages_are_appended_together_or_not_at_all", "multiappend.txt"),
        DIALOGUE("messages_are_replaced", "replace.txt"),
        DIALOGUE("messages_are_made_of_parts_that_are_here", "catenate.txt"),
        DIALOGUE("literals_and_lines_have_limits", "literals.txt"),
        DIALOGUE("flags_are_stored", "store.txt"),
        DIALOGUE("messages_are_copied_and_moved", "copy.txt"),
        DIALOGUE("deleted_messages_are_expunged", "expunge.txt"),
        DIALOGUE("messages_are_searched", "search.txt"),
        DIALOGUE("modseqs_are_told_to_who_asks", "condstore.txt"),
        DIALOGUE("what_vanished_is_told_by_uid", "qresync.txt"),
        DIALOGUE("searches_return_and_save_what_is_asked_for", "esearch.txt"),
        DIALOGUE("parts_of_what_was_found_are_told", "partial.txt"),
        DIALOGUE("messages_are_sorted", "sort.txt"),
        DIALOGUE("messages_are_threaded", "thread.txt"),
        DIALOGUE("the_language_is_english", "language.txt"),
        DIALOGUE("nothing_is_said_by_number_once_uidonly_is_enabled", "uidonly.txt"),
        DIALOGUE("names_and_headers_are_utf8_once_it_is_enabled", "utf8.txt"),
        DIALOGUE("objects_have_ids_and_dates", "ids-and-dates.txt"),
        DIALOGUE("changes_by_others_are_told", "two-sessions.txt"),
        DIALOGUE("idle_keeps_the_connection_alive", "idle-keepalive.txt"),
        DIALOGUE("idle_tells_changes_as_they_happen", "idle.txt"),
        DIALOGUE("notify_tells_of_folders_that_are_not_selected", "notify.txt"),
        DIALOGUE("notify_tells_of_the_selected_folder", "notify-selected.txt"),
        DIALOGUE("notify_tells_of_names_and_subscriptions", "notify-names.txt"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
