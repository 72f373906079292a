"""Deleted messages: listed, put back, erased."""

import json

from pair import Pair, message


def rows(pair, *words):
    return json.loads(pair.back.admin("mailbox", "recover", "alice", "--list", *words, "--json")[1])


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
