"""database list|show|check: on a running back end, on a stopped one, on a damaged one."""

import glob
import json
import os
import threading

from pair import Pair, message


def check(back, *flags):
    """(exit code, findings)"""
    code, said = back.admin("database", "check", *flags, "--json", ok=(0, 1))
    return code, json.loads(said)


def test_a_database_is_sound_while_mail_comes_and_goes():
    with Pair(back_extra="databases = 1\n") as pair:
        ended = threading.Event()
        begun = {"alice": threading.Event(), "bob": threading.Event()}
        problems = []

        def churn(user):
            try:
                imap = pair.imap(user)
                while not ended.is_set():
                    for number in range(8):
                        pair.deliver(["alice", "bob"], message(f"{user} {number}", "text " * 50))
                    imap.select("INBOX")
                    imap.store("1:5", "+FLAGS", "(\\Seen kept)")
                    imap.copy("2:3", "Archive")
                    imap.store("1:4", "+FLAGS", "\\Deleted")
                    imap.expunge()
                    begun[user].set()
                imap.logout()
            except Exception as problem:
                problems.append(problem)
            finally:
                begun[user].set()

        threads = [threading.Thread(target=churn, args=(user,)) for user in ("alice", "bob")]
        for thread in threads:
            thread.start()
        for event in begun.values():
            event.wait()
        try:
            for flags in ((), ("--fast",), ("--index-only",), ("--fast", "--deep")):
                assert check(pair.back, *flags) == (0, [])
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        assert not problems, problems
        listed = json.loads(pair.back.admin("database", "list", "--json")[1])
        assert [row["database"] for row in listed] == ["db1"] and listed[0]["mailboxes"] == 2, listed
        shown = json.loads(pair.back.admin("database", "show", "db1", "--json")[1])
        assert shown["messages"] > 0, shown
        assert pair.back.admin("database", "check", "--deep", "--index-only", ok=None)[0] == 2
        for words in (("show", "db2"), ("check", "db2"), ("check", "nonsense")):
            assert pair.back.admin("database", *words, ok=None)[0] == 4, words


def test_a_damaged_message_is_named_and_the_exit_code_tells():
    with Pair(back_extra="databases = 1\ncompress = no\n") as pair:
        pair.deliver(["alice", "bob"], message("to be damaged", "a line that is nowhere else"))
        pair.back.stop()
        assert check(pair.back) == (0, [])
        segment, = glob.glob(os.path.join(pair.back.folder, "data", "**", "segment-00000001"), recursive=True)
        with open(segment, "r+b") as file:
            start = file.read(1 << 20).index(b"nowhere else")
            file.seek(start)
            file.write(b"N")
        code, findings = check(pair.back)
        assert code == 1, findings
        named = sorted((row["mailbox"], row["folder"], row["uid"]) for row in findings if row["uid"])
        assert named == [("alice@example.test", "INBOX", 1), ("bob@example.test", "INBOX", 1)], findings
        assert all(row["problem"] and row["advice"] for row in findings), findings
        assert check(pair.back, "--index-only") == (0, [])
        pair.back.start()
        assert check(pair.back)[0] == 1


def flip_all(path, pattern, at):
    """Flips a bit in each place where the file has the pattern: also in pages that LMDB does not use any more."""
    with open(path, "r+b") as file:
        data = file.read()
        places = [found for found in range(len(data)) if data.startswith(pattern, found)] if pattern in data else []
        for place in places:
            file.seek(place + at)
            byte = file.read(1)[0]
            file.seek(place + at)
            file.write(bytes([byte ^ 1]))
    return len(places)


def test_a_damaged_index_is_repaired_while_mail_comes():
    with Pair(back_extra="databases = 1\n") as pair:
        for number in range(5):
            pair.deliver(["alice"], message(f"unmistakable {number}", "text"))
        imap = pair.imap("alice")
        imap.select("INBOX")
        dates = imap.fetch("1:5", "(INTERNALDATE RFC822.SIZE)")[1]
        imap.logout()
        pair.back.stop()
        index, = glob.glob(os.path.join(pair.back.folder, "data", "**", "index.mdb"), recursive=True)
        assert flip_all(index, b"unmistakable 3", 3) > 0
        size = int(dates[1].split(b"SIZE ")[1].rstrip(b")"))
        row = (2).to_bytes(8, "big") + size.to_bytes(6, "big")  # the item's content and size
        assert flip_all(index, row, -53) > 0  # the zone of its date
        pair.back.start()
        pair.front.wait_for_links(2)
        ended = threading.Event()
        sent = []

        def deliver():
            while not ended.is_set():
                if not pair.deliver(["alice", "bob"], message(f"meanwhile {len(sent)}")):
                    sent.append(1)

        thread = threading.Thread(target=deliver)
        thread.start()
        try:
            code, said = pair.back.admin("database", "repair", "db1", "--fast", "--json")
            rows = json.loads(said)
        finally:
            ended.set()
            thread.join()
        assert rows and all(row["mended"] and row["done"] for row in rows), rows
        assert check(pair.back) == (0, [])
        imap = pair.imap("alice")
        _, data = imap.select("INBOX")
        assert int(data[0]) == 5 + len(sent)
        assert imap.fetch("1:5", "(INTERNALDATE RFC822.SIZE)")[1] == dates
        _, got = imap.fetch("4", "(ENVELOPE)")
        assert b"unmistakable 3" in got[0], got
        imap.logout()
