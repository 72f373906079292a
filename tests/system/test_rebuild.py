"""An index that is lost: what the back end says, database rebuild, and what clients find then."""

import glob
import json
import os
import re
import subprocess

from pair import Pair, message, wait_until


def seen_by(pair, user):
    """What a client knows of the user's mail: annotations; who it is shared with; what others share; folder, UIDVALIDITY, uid, flags, size."""
    imap = pair.imap(user)
    imap.xatom("GETMETADATA", "INBOX", "(DEPTH infinity)", "(/private /shared)")
    found = [imap.response("METADATA")[1]]
    assert found[0][0].count(b"/comment") == 2, found
    imap.xatom("GETACL", "INBOX")
    found.append(imap.response("ACL")[1])
    assert b'"anyone" lr' in found[-1][0], found
    imap.xatom("LIST", '""', '"Other Users/*"', "RETURN (MYRIGHTS)")
    found.append(imap.response("MYRIGHTS")[1])
    for folder in ("INBOX", "Archive"):
        if imap.select(folder, readonly=True)[0] != "OK":
            continue
        validity = imap.response("UIDVALIDITY")[1][0]
        for line in imap.uid("FETCH", "1:*", "(UID FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]:
            if isinstance(line, tuple):
                known = re.sub(rb" ?\\Recent ?", b"", line[0].split(b" ", 1)[1])  # is the session's
                found.append((folder, validity, known, line[1]))
    imap.logout()
    return found


def start_fails(back):
    """What the daemon says when it cannot start."""
    run = subprocess.run([back.binary, "--config", back.config, "serve"], capture_output=True, text=True,
                         env={**os.environ, **(back.environment or {})}, timeout=60)
    assert run.returncode != 0, run
    return run.stdout + run.stderr


def use(pair, user, numbers):
    imap = pair.imap(user)
    imap.xatom("SETMETADATA", "INBOX", f'(/private/comment "{user}" /shared/comment "{numbers[0]}")')
    imap.xatom("SETACL", "INBOX", "anyone", "lr")
    for number in numbers:
        pair.deliver([user], message(f"{user} {number}", "text " * 40))
    imap.select("INBOX")
    imap.store(str(numbers[0]), "+FLAGS", "(\\Seen kept)")
    imap.copy(str(numbers[1]), "Archive")
    imap.store(str(numbers[2]), "+FLAGS", "\\Deleted")
    imap.expunge()
    imap.logout()


def lose(pair, damage):
    index, = glob.glob(os.path.join(pair.back.folder, "data", "store", "db1", "index.mdb"))
    pair.back.stop()
    damage(index)
    assert "database rebuild db1" in start_fails(pair.back)


def overwrite(index):
    with open(index, "r+b") as file:
        file.write(b"\xA5" * 65536)


def test_clients_find_the_same_mail_after_a_rebuild():
    with Pair(back_extra="databases = 1\n") as pair:
        use(pair, "alice", range(1, 9))
        copy = os.path.join(pair.back.folder, "data", "store", "db1", "index.copy")
        wait_until(lambda: os.path.exists(copy), "a copy of the index")
        shown = json.loads(pair.back.admin("database", "show", "db1", "--json")[1])
        assert shown["index-copied"], shown
        use(pair, "bob", range(1, 9))
        for restarts, damage in enumerate((os.unlink, overwrite), 1):
            before = [seen_by(pair, user) for user in ("alice", "bob")]
            assert all(before), before
            lose(pair, damage)
            told = json.loads(pair.back.admin("database", "rebuild", "db1", "--json")[1])
            assert told["made-from"] == "copy" and told["gaps"] == 0, told
            assert pair.back.admin("database", "check", "--json")[1].strip() == "[]"
            pair.back.start()
            pair.front.wait_for_links(1 + restarts)
            after = [seen_by(pair, user) for user in ("alice", "bob")]
            assert after == before, (before, after)
            wait_until(lambda: os.path.exists(copy), "another copy of the index")


def test_without_a_copy_mail_is_below_recovered():
    with Pair(back_extra="databases = 1\nindex_copy_interval = 0\n") as pair:
        use(pair, "alice", range(1, 9))
        lose(pair, os.unlink)
        assert pair.back.admin("database", "rebuild", "db1", ok=None)[0] != 0
        told = json.loads(pair.back.admin("database", "rebuild", "db1", "--without-copy", "--json")[1])
        assert told["made-from"] == "segments" and told["messages"] == 8, told
        pair.back.start()
        pair.front.wait_for_links(2)
        imap = pair.imap("alice")
        assert imap.select("Recovered/INBOX")[1][0] == b"7"
        assert imap.search(None, "KEYWORD", "kept")[1][0] == b"1"
        imap.logout()
