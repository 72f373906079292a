"""Deleted messages: listed, put back, erased."""

import datetime
import glob
import json
import os

from pair import Pair, message, wait_until


def rows(pair, *words, user="alice"):
    return json.loads(pair.back.admin("mailbox", "recover", user, "--list", *words, "--json")[1])


def kept_days(row):
    kept, deleted = (datetime.datetime.fromisoformat(row[key].replace("Z", "+00:00"))
                     for key in ("kept-until", "deleted"))
    return (kept - deleted).days


def subjects(imap, folder):
    assert imap.select(folder)[0] == "OK", folder
    found = imap.uid("FETCH", "1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    return [part[1].decode().strip() for part in found if isinstance(part, tuple)]


def delete_all(imap, folder):
    imap.select(folder)
    imap.store("1:*", "+FLAGS", "\\Deleted")
    imap.expunge()


def test_deleted_messages_come_back_to_their_folder_or_to_recovered():
    with Pair() as pair:
        for subject in ("first plan", "=?utf-8?q?zweiter_Pl=C3=A4n?=", "lunch"):
            pair.deliver("alice", message(subject))
        imap = pair.imap()
        imap.create("Projects")
        imap.select("INBOX")
        imap.copy("3", "Projects")
        delete_all(imap, "INBOX")
        delete_all(imap, "Projects")
        imap.close()
        imap.delete("Projects")
        assert len(rows(pair)) == 4
        assert [row["subject"] for row in rows(pair, "--subject=PLÄN")] == ["zweiter Plän"]
        assert [row["subject"] for row in rows(pair, "--folder=Projects")] == ["lunch"]
        assert len(rows(pair, "--since=2000-01-01")) == 4 and not rows(pair, "--since=2999-01-01")
        assert subjects(imap, "INBOX") == []
        pair.back.admin("mailbox", "recover", "alice", "--subject=plan")
        assert subjects(imap, "INBOX") == ["Subject: first plan"]
        pair.back.admin("mailbox", "recover", "alice")
        assert len(subjects(imap, "INBOX")) == 3
        assert subjects(imap, "Recovered") == ["Subject: lunch"]
        assert b"\\Deleted" not in b"".join(imap.fetch("1:*", "(FLAGS)")[1])
        assert not rows(pair)
        assert pair.back.admin("mailbox", "recover", "alice", "--since=tomorrow", ok=None)[0] != 0


def test_purged_messages_are_gone():
    with Pair() as pair:
        pair.deliver("alice", message("secret"))
        pair.deliver("alice", message("other"))
        imap = pair.imap()
        delete_all(imap, "INBOX")
        assert pair.back.admin("mailbox", "purge", "alice", ok=None)[0] != 0, "asks first"
        assert len(rows(pair)) == 2
        pair.back.admin("mailbox", "purge", "alice", "--subject=secret", "--yes")
        assert [row["subject"] for row in rows(pair)] == ["other"]
        pair.back.admin("mailbox", "recover", "alice")
        assert subjects(imap, "INBOX") == ["Subject: other"]


def test_purged_messages_leave_the_segment_files_at_once_when_asked():
    with Pair(back_extra="databases = 1\ncompress = no\n") as pair:
        def on_disk(text):
            return any(text in open(path, "rb").read() for path in
                       glob.glob(os.path.join(pair.back.folder, "data/store/db1/segment-*")))

        pair.deliver("alice", message("first", "a secret to be erased"))
        pair.deliver("bob", message("second", "a text that stays"))
        delete_all(pair.imap(), "INBOX")
        assert on_disk(b"a secret to be erased")
        assert "erased" in pair.back.admin("mailbox", "purge", "alice", "--now", "--yes")[1]
        wait_until(lambda: json.loads(pair.back.admin("database", "show", "db1", "--json")[1])
                   ["segments-erasing"] == 0, "the files are gone")
        assert not on_disk(b"a secret to be erased") and on_disk(b"a text that stays")
        assert subjects(pair.imap("bob"), "INBOX") == ["Subject: second"]


def test_a_user_of_their_own_recovery_time_and_quota():
    with Pair() as pair:
        shown = json.loads(pair.back.admin("user", "show", "alice", "--json")[1])
        assert shown["recovery-seconds"] == 14 * 86400 and not shown["recovery-is-own"], shown
        assert shown["recovery-quota"] == 30 << 30 and not shown["recovery-quota-is-own"], shown
        pair.back.admin("user", "set", "alice", "--recovery=90d", "--recovery-quota=none")
        for user in ("alice", "bob"):
            for subject in ("one", "two"):
                pair.deliver(user, message(subject))
            delete_all(pair.imap(user), "INBOX")
        row = rows(pair)[0]
        assert json.loads(pair.back.admin("mailbox", "show", "alice", "--json")[1])["recoverable"] == 2
        assert kept_days(row) == 90, row
        assert kept_days(rows(pair, user="bob")[0]) == 14
        pair.back.admin("user", "set", "alice", "--recovery=0")
        wait_until(lambda: not rows(pair), "a shorter time ends what was there")
        pair.back.admin("user", "set", "bob", "--recovery-quota=1")
        wait_until(lambda: not rows(pair, user="bob"), "the quota is kept")
        assert "was above its recovery quota" in pair.back.log()
        pair.back.admin("user", "set", "alice", "--recovery=default", "--recovery-quota=default")
        shown = json.loads(pair.back.admin("user", "show", "alice", "--json")[1])
        assert shown["recovery-seconds"] == 14 * 86400 and not shown["recovery-is-own"], shown
        for wrong in ("--recovery=soon", "--recovery=4000d", "--recovery-quota=much"):
            assert pair.back.admin("user", "set", "alice", wrong, ok=None)[0] != 0, wrong
